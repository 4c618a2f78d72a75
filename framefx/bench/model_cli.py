"""``framefx bench model``: how long networks take and how much memory, with every backend, as table, JSON and page."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from framefx.bench.model_report import GROUPS, ModelReport
from framefx.errors import MediaError, UsageError

if TYPE_CHECKING:
    from framefx.bench.model_plan import Facts, Wishes
    from framefx.registry import Registry


def run(argv: Sequence[str], command: str) -> int:
    """Measure what `argv` names, or read what was measured, and show it; return the exit code."""
    options = _parser().parse_args(argv)
    _check(options)
    report = _read(Path(options.read)) if options.read else _measured(options, command)
    from framefx.bench.model_page import page, show

    if not options.quiet:
        show(report)
    if options.json:
        _write(Path(options.json), json.dumps(report.to_json(), indent=1, ensure_ascii=False) + "\n")
    if options.markdown:
        _write(Path(options.markdown), page(report))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="framefx bench model",
        description="Measure networks: those that are here and BlazeSeg at several sizes, with every backend.",
        allow_abbrev=False,
    )
    parser.add_argument("model", nargs="*", help="further networks: files, or names of `framefx models list`")
    parser.add_argument("--group", action="append", choices=GROUPS, help="only these; repeatable (default: all)")
    parser.add_argument("--pixels", action="append", type=int, metavar="N", help="side of BlazeSeg's input; repeatable")
    parser.add_argument("--threads", action="append", type=int, metavar="N", help="repeatable (default: 1 and 2)")
    parser.add_argument("--runs", type=int, default=100, metavar="N", help="timed runs of each (default: 100)")
    parser.add_argument("--seconds", type=float, default=2.0, metavar="N", help="fewer runs after that (default: 2)")
    parser.add_argument("--no-compile", action="store_true", help="do not compile networks, half a minute for each")
    parser.add_argument("--no-convert", action="store_true", help="make no LiteRT files, which takes minutes at first")
    parser.add_argument("--quick", action="store_true", help="few runs of few configurations, to see that it works")
    parser.add_argument("--plugin", action="append", default=[], metavar="FILE.py", help="load a plugin from a file")
    parser.add_argument("--json", metavar="FILE", help="write every figure to this file")
    parser.add_argument("--markdown", metavar="FILE", help="write the page of the documentation")
    parser.add_argument("--from", dest="read", metavar="FILE.json", help="measure nothing, use what --json wrote")
    parser.add_argument("--quiet", action="store_true", help="print no tables")
    return parser


def _check(options: argparse.Namespace) -> None:
    for name, values in (("--pixels", options.pixels or ()), ("--threads", options.threads or ())):
        for value in values:
            if not 1 <= value <= 4096:
                raise UsageError(f"{name} {value}: wanted 1 to 4096")
    for value in options.pixels or ():
        if value % 16:
            raise UsageError(f"--pixels {value}: wanted a multiple of 16, which BlazeSeg halves four times")
    if options.runs < 1:
        raise UsageError(f"--runs {options.runs}: wanted at least 1")
    if not 0 < options.seconds <= 3600:
        raise UsageError(f"--seconds {options.seconds:g}: wanted more than 0 and at most 3600")
    for path in (options.json, options.markdown):
        if path and not Path(path).resolve().parent.is_dir():
            raise UsageError(f"{path}: there is no folder {Path(path).resolve().parent}: make it first")


def _measured(options: argparse.Namespace, command: str) -> ModelReport:
    from rich.console import Console

    from framefx.bench import model
    from framefx.bench.facts import machine
    from framefx.bench.model_build import FORMATS
    from framefx.bench.model_plan import PIXELS, THREADS, Wishes, cases
    from framefx.plugins import PluginManager

    files = networks(options.model, PluginManager(files=options.plugin).registry)
    facts = model.facts(options.plugin)
    formats = tuple(FORMATS) if not options.no_convert else ("onnx", "pt2")
    wishes = Wishes(
        options.pixels or PIXELS, options.threads or THREADS, compiled=not options.no_compile, convert=formats
    )
    protocol = model.Protocol(options.runs, seconds=options.seconds)
    if options.quick:
        wishes = Wishes((160,), (1,), compiled=False, convert=("onnx", "pt2"), classes=(1, 6))
        protocol = model.Protocol(3, 1, 0.2)
    known = machine() | ({"GPU": facts.gpu} if facts.gpu else {})
    report = ModelReport(known, command, vars(protocol))
    plan = cases(facts, wishes, files, options.group or list(GROUPS))
    with Console(stderr=True).status("") as status:
        report.measurements += model.measure(plan, protocol, options.plugin, status.update)
    report.notes += _notes(facts, wishes, options.group or list(GROUPS))
    return report


def networks(named: Sequence[str], registry: Registry) -> dict[str, Path]:
    """Return the networks to measure by name: all registered and fetched ones, and those named.

    A file's name is that of the file without its ending; with it, where two would have one name.

    Raises
    ------
    ModelError
        When one that is named is not here.
    """
    from framefx.models.loading import find
    from framefx.models.zoo import zoo

    found = {one.name: one.path for one in registry.weights if one.path.is_file()}
    found |= {name: model.place for name, model in zoo().items() if model.place.is_file()}
    for name in named:
        path = find(name, registry.weights)
        if path.resolve() in {other.resolve() for other in found.values()}:
            continue
        label = path.stem if path.stem not in found else path.name
        found[label] = path
    return found


def _notes(facts: Facts, wishes: Wishes, groups: Sequence[str]) -> list[str]:
    notes = []
    made = [group for group in groups if group != "networks"]
    if made and "tflite" not in wishes.convert:
        notes.append(f"LiteRT ({', '.join(made)}): this run had --no-convert or --quick")
    if made and not facts.presets:
        notes.append("BlazeSeg at other sizes: `pip install 'framefx[export]'` brings PyTorch and the converters")
    if not facts.gpu:
        notes.append("what runs on a GPU: there is none here")
    if "torch" in facts.runtimes and wishes.compiled and not facts.compiler:
        notes.append("compiled by PyTorch: there is no C++ compiler here")
    return notes


def _read(path: Path) -> ModelReport:
    try:
        return ModelReport.from_json(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise MediaError(f"--from {path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MediaError(f"--from {path}: this is not what `framefx bench model --json` writes") from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise MediaError(f"{path}: {error.strerror or error}") from error
