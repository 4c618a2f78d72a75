"""Runs a command in a small virtual machine that has a real camera driver (vivid) and real loopback devices.

    python tests/vm/machine.py [--newer] [--kind kvm|uml|qemu] [--loopback NAME=VALUE] -- COMMAND …

The machine's files are this machine's own, read-only under a layer in memory. It has ``/dev/video0`` (vivid),
``/dev/video10`` (loopback, exclusive_caps=1) and ``/dev/video11`` (loopback, exclusive_caps=0), and no network.
`build.sh` makes its kernel, on first use.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
CACHE = Path(
    os.environ.get("FRAMEFX_VM_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "framefx" / "vm"
)
LOOPBACK = ("devices=2", "video_nr=10,11", "exclusive_caps=1,0", 'card_label="FrameFX Camera,FrameFX Plain"')

_UP = "framefx-machine: up\n"
_EXIT = re.compile(r"framefx-machine: exit (\d+)")
_START = {"uml": 60.0, "kvm": 60.0}
"""Seconds in which a kind of machine is up, which takes it two; emulation may take as long as it likes."""

_TRIES = 3
"""User Mode Linux stops at its first line once in some fifty starts, and computes on for ever."""


class MachineError(Exception):
    """The machine cannot be built or does not start; the message says why."""


class TooSlowError(MachineError):
    """The command did not end in time; the message has what it printed."""


@dataclass(frozen=True)
class Result:
    """How a command in the machine ended, and what it printed."""

    code: int
    output: str


def build(*, newer: Path | None = None) -> None:
    """Make the machine's kernel unless that was done before.

    Raises
    ------
    MachineError
        When it cannot be made here.
    """
    if (CACHE / "qemu" / "kernel").exists() and (newer is None or (CACHE / "qemu" / "newer").exists()):
        return
    command = [str(HERE / "build.sh"), *(["--newer", str(newer)] if newer else [])]
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if result.returncode:
        lines = result.stderr.strip().splitlines()
        raise MachineError(lines[-1] if lines else "build.sh failed and said nothing")


def kinds() -> list[str]:
    """Return the ways to run the machine that are there, the fastest first."""
    found = []
    if shutil.which("qemu-system-x86_64") and (CACHE / "qemu" / "kernel").exists():
        found.append("qemu")
        if _kvm_works():
            found.insert(0, "kvm")
    if (CACHE / "uml" / "kernel").exists():
        found.insert(found.index("kvm") + 1 if "kvm" in found else 0, "uml")
    return found


def has_newer(kind: str) -> bool:
    """Whether a v4l2loopback of 0.13 or later was built for this kind of machine."""
    return (_folder(kind) / "newer" / "v4l2loopback.ko").exists()


def run(
    command: Sequence[str],
    *,
    kind: str | None = None,
    newer: bool = False,
    loopback: Sequence[str] = LOOPBACK,
    environment: Mapping[str, str] | None = None,
    seconds: float = 400,
    echo: bool = False,
) -> Result:
    """Run `command` in a fresh machine.

    Parameters
    ----------
    command : sequence of str
        Run as root in the repository's folder.
    kind : {"kvm", "uml", "qemu"}, optional
        The fastest there is, without it.
    newer : bool
        Load the v4l2loopback that ``build.sh --newer`` built.
    loopback : sequence of str
        Parameters of v4l2loopback.
    environment : mapping, optional
        Variables besides PATH, HOME and VM_KIND.
    seconds : float
        After which the machine is ended.
    echo : bool
        Show what it prints at once.

    Raises
    ------
    MachineError
        When the machine does not start, three times, or ends before the command does, or (`TooSlowError`) does not
        end in time.
    """
    there = kinds()
    kind = kind or (there[0] if there else None)
    if kind is None or kind not in there:
        raise MachineError(f"there is no machine of kind {kind}: run tests/vm/build.sh")
    with tempfile.TemporaryDirectory(prefix="framefx-machine-") as name:
        job = Path(name)
        _prepare(
            job,
            command,
            kind,
            newer,
            loopback,
            {**(environment or {}), "VM_KIND": kind, "VM_NEWER": "1" if newer else ""},
        )
        for _ in range(_TRIES):
            start = time.monotonic()
            output = _boot(_argv(kind, job), seconds, echo, up_within=_START.get(kind))
            took = time.monotonic() - start
            if _UP in output or kind not in _START or took < _START[kind]:
                break
        else:
            raise MachineError(f"the machine ({kind}) did not start in {_START[kind]:g} s; it said:\n{output[-3000:]}")
    ended = _EXIT.search(output)
    if ended is None and took < seconds:
        raise MachineError(f"the machine ({kind}) ended by itself after {took:.0f} s; it said:\n{output[-3000:]}")
    if ended is None:
        raise TooSlowError(f"the machine ({kind}) gave no result within {seconds:g} s; it said:\n{output[-3000:]}")
    return Result(int(ended[1]), output[: ended.start()].rpartition(_UP)[2])


def _prepare(
    job: Path, command: Sequence[str], kind: str, newer: bool, loopback: Sequence[str], environment: Mapping[str, str]
) -> None:
    shutil.copy(HERE / "guest.sh", job)
    parameters = " ".join(map(shlex.quote, loopback))
    settings = f"modules={shlex.quote(str(_folder(kind)))}\nloopback=({parameters})\nnewer={'1' if newer else ''}\n"
    (job / "settings").write_text(f"{settings}folder={shlex.quote(str(REPOSITORY))}\n")
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONUNBUFFERED": "1",
        "HOME": os.environ.get("HOME", "/root"),
        **environment,
    }
    exports = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    (job / "environment").write_text("\n".join(exports) + "\n")
    (job / "command").write_text(shlex.join(command) + "\n")


def _argv(kind: str, job: Path) -> list[str]:
    folder = _folder(kind)
    words = f"quiet panic=-1 framefx.job={job} framefx.kind={kind}"
    if kind == "uml":
        own = [f"initrd={folder / 'ramdisk'}", "mem=2048M", "con=null", "con0=null,fd:1", "ssl=null", f"uml_dir={job}"]
        # It has one processor: its kernel and its programs are processes here, which call each other. A system call
        # takes 15 µs where they share a processor, 55 where they do not.
        pinned = ["taskset", "--cpu-list", str(max(os.sched_getaffinity(0)))]
        return [*pinned, str(folder / "kernel"), *own, *words.split()]
    return [*_qemu(kind), "-append", f"{words} console=ttyS0 reboot=t tsc=reliable mitigations=off", *_SHARE]


_SHARE = (
    *("-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap"),
    *("-device", "virtio-9p-pci,fsdev=host,mount_tag=host"),
)


def _qemu(kind: str) -> list[str]:
    folder = _folder(kind)
    accelerator = ["-accel", "kvm", "-cpu", "host"] if kind == "kvm" else ["-accel", "tcg", "-cpu", "max"]
    plain = ["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-monitor", "none", "-machine", "q35"]
    size = ["-m", "2048", "-smp", str(os.cpu_count() or 1), "-serial", "stdio"]
    images = ["-kernel", str(folder / "kernel"), "-initrd", str(folder / "ramdisk")]
    return ["qemu-system-x86_64", *plain, *accelerator, *size, *images]


def _boot(argv: Sequence[str], seconds: float, echo: bool, *, up_within: float | None = None) -> str:
    """Run the machine to its end and return what it printed; it is a process group of its own, and ends as one.

    It is ended after `seconds`, or `up_within` those if it has not said by then that it is up.
    """
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
        errors="replace",
    )
    timer = _Timer(process, seconds if up_within is None else up_within)
    lines = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if echo:
                sys.stdout.write(line)
                sys.stdout.flush()
            if up_within is not None and line == _UP:
                timer.cancel()
                timer = _Timer(process, seconds)
            if _EXIT.search(line):
                break
    finally:
        timer.cancel()
        _end(process)
        if process.stdout is not None:
            process.stdout.close()
    return "".join(lines)


class _Timer:
    def __init__(self, process: subprocess.Popen[str], seconds: float) -> None:
        import threading

        self._timer = threading.Timer(seconds, _end, (process,))
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        self._timer.cancel()


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _kvm_works() -> bool:
    """Whether KVM boots this kernel: a host may offer /dev/kvm and yet run no ordinary kernel. Tried once a boot."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    remembered = CACHE / "kvm"
    if not remembered.exists() or remembered.read_text().split()[0] != boot:
        argv = [*_qemu("kvm"), "-append", "console=ttyS0 panic=-1 framefx.job=/nowhere"]
        output = _boot(argv, 12, echo=False)
        remembered.write_text(f"{boot} {'yes' if 'Run /init' in output else 'no'}\n")
    return remembered.read_text().split()[1] == "yes"


def _folder(kind: str) -> Path:
    return CACHE / ("uml" if kind == "uml" else "qemu")


def main() -> int:
    """Run a command in the machine and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kind", choices=["kvm", "uml", "qemu"])
    parser.add_argument("--newer", action="store_true", help="the v4l2loopback of build.sh --newer")
    parser.add_argument("--loopback", nargs="*", default=LOOPBACK, metavar="NAME=VALUE")
    parser.add_argument("--seconds", type=float, default=400)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    try:
        build()
        result = run(
            command,
            kind=options.kind,
            newer=options.newer,
            loopback=options.loopback,
            seconds=options.seconds,
            echo=True,
        )
    except MachineError as error:
        print(f"machine: {error}", file=sys.stderr)
        return 125
    return result.code


if __name__ == "__main__":
    sys.exit(main())
