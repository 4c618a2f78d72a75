"""``framefx service``: a camera that is there from login on, as a systemd user unit."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from framefx.errors import UsageError

NAME = "framefx.service"

_UNIT = """\
[Unit]
Description=framefx virtual camera
After=graphical-session.target

[Service]
ExecStart={command}
Restart=on-failure
RestartSec=5
# A wrong config stays wrong: do not try again.
RestartPreventExitStatus=2
KillSignal=SIGINT
SuccessExitStatus=130

[Install]
WantedBy=default.target
"""


def main(argv: Sequence[str]) -> int:
    """Install, remove, or ask for the unit."""
    parser = argparse.ArgumentParser(prog=f"framefx {argv[0]}", allow_abbrev=False, description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    install = actions.add_parser("install", help="write the unit and start it", allow_abbrev=False)
    install.add_argument("--config", required=True, type=Path, metavar="FILE", help="what it runs")
    install.add_argument("--print", action="store_true", help="print the unit; write and start nothing")
    actions.add_parser("status", help="whether it runs, with its last lines")
    actions.add_parser("remove", help="stop it and delete the unit")
    options = parser.parse_args(argv[1:])
    if options.action == "install":
        return _install(options.config, only_print=options.print)
    return _status() if options.action == "status" else _remove()


def unit_path() -> Path:
    """Return where the unit belongs."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "systemd" / "user" / NAME


def unit(config: Path) -> str:
    """Return the unit's text for a config file."""
    words = [sys.executable, "-m", "framefx", "--config", str(config)]
    return _UNIT.format(command=" ".join(map(_quoted, words)))


def _quoted(word: str) -> str:
    # systemd's own rules: % starts a specifier, $ a variable.
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != word or " " in word else word


def _install(config: Path, *, only_print: bool) -> int:
    config = config.expanduser().absolute()
    if not config.is_file():
        raise UsageError(f"--config {config} is not there: write one, `framefx config schema` says how")
    if only_print:
        sys.stdout.write(unit(config))
        return 0
    _need_systemd()
    path = unit_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(unit(config))
    for command in (["daemon-reload"], ["enable", NAME], ["restart", NAME]):
        code = _systemctl(*command)
        if code:
            return 1
    sys.stdout.write(f"{path} runs; `framefx service status` shows how it is\n")
    return 0


def _status() -> int:
    if not unit_path().exists():
        sys.stdout.write("not installed: `framefx service install --config FILE`\n")
        return 1
    _need_systemd()
    return _systemctl("status", "--no-pager", NAME)


def _remove() -> int:
    path = unit_path()
    if not path.exists():
        sys.stdout.write("not installed: nothing to remove\n")
        return 0
    if shutil.which("systemctl"):
        _systemctl("disable", "--now", NAME)
    path.unlink()
    if shutil.which("systemctl"):
        _systemctl("daemon-reload")
    sys.stdout.write(f"{path} is removed\n")
    return 0


def _need_systemd() -> None:
    if not shutil.which("systemctl"):
        raise UsageError("systemd is not here: run `framefx --config FILE` from what starts programs at login")


def _systemctl(*words: str) -> int:
    return subprocess.run(["systemctl", "--user", *words], check=False).returncode
