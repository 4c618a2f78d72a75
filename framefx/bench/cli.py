"""``framefx bench``: measures, prints tables, writes JSON and the page of the documentation."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from framefx.errors import MediaError, ModelError, UsageError, did_you_mean

if TYPE_CHECKING:
    from framefx.bench.report import Report, Suite
    from framefx.bench.scene import Scene

SUITES = ("chain", "kernels", "overhead")
_DEFAULT_SIZES = ("720p", "1080p", "4K")


def main(argv: Sequence[str]) -> int:
    """Run the suites that `argv` names, all of them when it names none; return the exit code."""
    if argv[1:2] == ["model"]:
        # A suite of its own: other questions, another protocol, minutes instead of seconds.
        from framefx.bench import model_cli

        return model_cli.run(argv[2:], _command(argv))
    parser = _parser()
    options = parser.parse_args(argv[1:])
    _check(options)
    report = _read(Path(options.read)) if options.read else measure(options, _command(argv))
    from framefx.bench.table import show

    if not options.quiet:
        show(report)
    if options.json:
        _write(Path(options.json), json.dumps(report.to_json(), indent=1, ensure_ascii=False) + "\n")
    if options.markdown:
        from framefx.bench.markdown import page

        _write(Path(options.markdown), page(report))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="framefx bench",
        description="Measure chains, kernels and the framework beside what others would run, one thread each.",
        allow_abbrev=False,
    )
    suites = f"{', '.join(SUITES)} (default: all); `framefx bench model --help`: networks"
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=suites)
    repeatable: dict[str, object] = {"action": "append", "default": []}
    parser.add_argument("--size", metavar="SIZE", help="720p, 1080p, 4K or WxH; repeatable", **repeatable)  # type: ignore[arg-type]
    parser.add_argument("--seconds", type=float, default=1.0, metavar="N", help="time for one row (default: 1)")
    parser.add_argument("--model", metavar="FILE", help="network: a name or file; repeatable", **repeatable)  # type: ignore[arg-type]
    parser.add_argument("--input", default="demo", metavar="LOCATION", help="what frames to use (default: demo)")
    parser.add_argument("--no-compile", action="store_true", help="do not try torch.compile, which takes seconds")
    parser.add_argument("--json", metavar="FILE", help="write every figure to this file")
    parser.add_argument("--markdown", metavar="FILE", help="write the page of the documentation")
    parser.add_argument("--from", dest="read", metavar="FILE.json", help="measure nothing, use what --json wrote")
    parser.add_argument("--quiet", action="store_true", help="print no tables")
    return parser


def _check(options: argparse.Namespace) -> None:
    for name in options.suites:
        if name not in SUITES:
            raise UsageError(f"no suite '{name}'.{did_you_mean(name, SUITES)} There are {', '.join(SUITES)}")
    if not 0 < options.seconds <= 3600:
        raise UsageError(f"--seconds {options.seconds:g}: wanted more than 0 and at most 3600")
    for path in (options.json, options.markdown):
        if path and not Path(path).resolve().parent.is_dir():
            raise UsageError(f"{path}: there is no folder {Path(path).resolve().parent}: make it first")


def measure(options: argparse.Namespace, command: str) -> Report:
    """Run the suites and return what they measured."""
    from rich.console import Console

    from framefx.bench.facts import machine
    from framefx.bench.report import Report
    from framefx.bench.scene import Scene, load_frames, size_of

    facts = machine()
    sizes = [size_of(text) for text in options.size or _DEFAULT_SIZES]
    frames = load_frames(options.input)
    scenes = [Scene.of(frames, size) for size in sizes]
    wanted = options.suites or SUITES
    report = Report(facts, command, [])
    with Console(stderr=True).status("") as status:
        for name in SUITES:
            if name in wanted:
                status.update(f"measuring: {name}")
                report.suites.append(_suite(name, scenes, options, wanted))
    return report


def _command(argv: Sequence[str]) -> str:
    """Return what was typed, with the names of files only: folders are nobody's business but the user's."""
    return shlex.join(["framefx", *(Path(part).name if "/" in part else part for part in argv)])


def _suite(name: str, scenes: Sequence[Scene], options: argparse.Namespace, wanted: Sequence[str]) -> Suite:
    if name == "kernels":
        from framefx.bench import kernels

        return kernels.run(scenes, options.seconds, compiled=not options.no_compile)
    from framefx.bench import chains, overhead
    from framefx.bench.report import Suite

    setup = chains.Setup(options.model, options.seconds)
    if name == "overhead":
        return overhead.run(scenes, setup)
    try:
        return chains.run(scenes, setup)
    except ModelError as error:
        if options.model or len(wanted) == 1:
            raise
        return Suite(name, "Chains", notes=[f"left out, say which network with --model FILE: {error}"])


def _read(path: Path) -> Report:
    from framefx.bench.report import Report

    try:
        return Report.from_json(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise MediaError(f"--from {path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MediaError(f"--from {path}: this is not what `framefx bench --json` writes") from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise MediaError(f"{path}: {error.strerror or error}") from error
