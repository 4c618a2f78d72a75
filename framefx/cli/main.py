"""``framefx``: runs a chain, or one of the commands below.

Imports neither NumPy, numba, a runtime nor a plugin before it knows what to do: ``--help`` must be instant.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import logging
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

COMMANDS = {
    "explain": ("framefx.cli.explain", "print what a chain would do: layers, models, steps, copies, cost"),
    "filters": ("framefx.cli.listing", "list the filters, or describe one"),
    "layers": ("framefx.cli.listing", "list the layers that plugins and models give"),
    "sources": ("framefx.cli.listing", "list what --source takes"),
    "sinks": ("framefx.cli.listing", "list what --sink takes"),
    "plugins": ("framefx.cli.listing", "list plugins, where they came from and what they add"),
    "new-plugin": ("framefx.cli.new_plugin", "write a plugin that works, to start from"),
    "check-plugin": ("framefx.cli.check_plugin", "check that a plugin's filters keep the rules"),
    "devices": ("framefx.cli.devices", "list cameras and virtual cameras, their modes, and who uses them"),
    "doctor": ("framefx.cli.doctor", "find what keeps a virtual camera from working, and the command that mends it"),
    "setup": ("framefx.cli.setup", "print the commands that make a virtual camera"),
    "service": ("framefx.cli.service", "run from login on: a systemd user unit"),
    "config": ("framefx.cli.config", "schema, check or show a config file"),
    "import": ("framefx.cli.import_config", "turn an old config (virtual_webcam_background, LFBW) into a new one"),
    "models": ("framefx.cli.models", "list, pull, remove and inspect networks"),
    "bench": ("framefx.bench.cli", "measure kernels and chains against the peers' own operations"),
    "train": ("framefx.training.cli", "train the person model (extra: train)"),
    "evaluate": ("framefx.training.cli", "measure how well networks find people"),
    "export": ("framefx.training.cli", "export a trained model (extra: train)"),
}

_EPILOG = """\
commands (framefx COMMAND --help says more):
{commands}

chains are FFmpeg's filterchains: steps are separated by ',', options by ':'.
  --chain blur
  --chain blur=12,color=saturation=1.2
  --chain replace=image=beach.jpg:fit=cover
  --chain "replace='holiday, 1.jpg'"       quotes keep , : = and blanks
  --chain replace=a\\,b.jpg                 so does a backslash, for one character
  --chain blur=where=not-face,color@warm=temperature=0.3

exit codes: 0 done, 1 failed while running, 2 wrong usage or config, 130 stopped with Ctrl-C.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments and arguments[0] in COMMANDS:
            with _ended_by_ctrl_c():
                module = importlib.import_module(COMMANDS[arguments[0]][0])
            return int(module.main(arguments))
        options = parser().parse_args(arguments)
        if not arguments:
            parser().print_help()
            return 2
        log_to_stderr(verbose=options.verbose)
        with _ended_by_ctrl_c():
            from framefx.cli.run import run_command
        return run_command(options)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output went away: that is how `framefx filters | head` ends.
        sys.stderr.close()
        return 0
    except Exception as error:
        code = _exit_code(error)
        if code is None:
            raise
        notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
        print(f"framefx: {error}{notes}", file=sys.stderr)  # noqa: T201
        return code


@contextlib.contextmanager
def _ended_by_ctrl_c() -> Iterator[None]:
    """Let the system end the program meanwhile: a compiled library that is interrupted as it loads panics."""
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _exit_code(error: Exception) -> int | None:
    from framefx.errors import FramefxError

    return error.exit_code if isinstance(error, FramefxError) else None


def parser() -> argparse.ArgumentParser:
    """Return the parser of the main command."""
    commands = "\n".join(f"  {name:<13} {text}" for name, (_, text) in COMMANDS.items())
    result = argparse.ArgumentParser(
        prog="framefx",
        description="Turn a camera into a better camera.",
        epilog=_EPILOG.format(commands=commands),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_chain_options(result)
    group = result.add_argument_group("input and output")
    group.add_argument("--source", metavar="LOCATION", help="camera, file, folder, '-', demo (default: auto)")
    group.add_argument("--sink", metavar="LOCATION", help="loopback device, file, DIR/%%04d.png, '-', null")
    group.add_argument("--size", metavar="WxH", help="size to ask a camera for, in pixels")
    group.add_argument("--rate", "--fps", type=float, metavar="N", help="frames per second to ask a camera for")
    repeatable: dict[str, Any] = {"action": "append", "default": []}
    group.add_argument("--source-option", metavar="NAME=VALUE", help="`framefx sources NAME`", **repeatable)
    group.add_argument("--sink-option", metavar="NAME=VALUE", help="`framefx sinks NAME`", **repeatable)
    group.add_argument("--camera-control", metavar="NAME=VALUE", help="see `framefx devices`", **repeatable)
    group.add_argument("--always-on", action="store_true", help="keep the camera on while nobody looks")
    group.add_argument("--frames", type=int, metavar="N", help="stop after N frames")
    group = result.add_argument_group("while it runs")
    group.add_argument("--stats", action="store_true", help="live table: frames per second, ms per step, drops, copies")
    group.add_argument("--quiet", action="store_true", help="no progress bar")
    group.add_argument("--verbose", action="store_true", help="log more")
    result.add_argument("--version", action="version", version=f"framefx {_version()}")
    return result


def add_chain_options(parser: argparse.ArgumentParser) -> None:
    """Add what the main command and ``explain`` share: everything that makes a plan."""
    group = parser.add_argument_group("what to do")
    repeatable: dict[str, Any] = {"action": "append", "default": []}
    group.add_argument("--chain", metavar="CHAIN", help="filters in order, for example blur,color=saturation=1.2")
    group.add_argument("--set", metavar="STEP.OPTION=VALUE", help="change one option of one step", **repeatable)
    group.add_argument("--config", metavar="FILE", help="a YAML config file; the command line wins over it")
    group.add_argument("--profile", metavar="NAME", help="a profile of the config file")
    group.add_argument("--plugin", metavar="FILE.py", help="load a plugin from a file", **repeatable)
    group.add_argument("--disable-plugin", metavar="NAME", help="leave a plugin out", **repeatable)
    group = parser.add_argument_group("masks")
    group.add_argument("--model", metavar="FILE", help="network: a name or file; repeatable", **repeatable)
    group.add_argument("--layer", metavar="NAME=FILE.png", help="give a layer by a picture", **repeatable)
    group.add_argument("--mask", metavar="NAME=VALUE:…", help="mask pipeline, for example feather=3:smooth=0.1")
    group.add_argument("--masks", choices=["sync", "async"], help="each frame with its own mask, or the newest")
    group.add_argument("--priority", choices=["latency", "balanced", "cpu"], help="sets masks, their rate and threads")
    group.add_argument("--backend", metavar="NAME", help="runtime for networks (default: auto)")
    group.add_argument("--device", metavar="NAME", help="where networks run, if the backend has a choice: cpu, cuda")
    group.add_argument("--model-option", metavar="NAME=VALUE", help="option of the networks' backend", **repeatable)
    group.add_argument("--threads", type=int, metavar="N", help="threads for a network")


def log_to_stderr(*, verbose: bool = False) -> None:
    """Show warnings (or, with `verbose`, everything) on standard error, one line each."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="framefx: %(message)s", stream=sys.stderr
    )


def _version() -> str:
    from framefx import __version__

    return __version__
