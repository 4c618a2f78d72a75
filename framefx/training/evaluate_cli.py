"""`framefx evaluate`: how good any network that framefx can load is at finding people, beside others."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from framefx.errors import UsageError

if TYPE_CHECKING:
    from framefx.training.evaluate import Report


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.set_defaults(run=run)
    parser.description = "Measure networks on pictures with masks; the first is compared with each of the others."
    parser.add_argument("model", nargs="+", help="files, or names that `framefx models list` has")
    parser.add_argument("data", type=Path, help="a folder with images and masks")
    parser.add_argument("--empty", type=Path, action="append", default=[], help="pictures without people, or a clip")
    parser.add_argument("--clip", type=Path, action="append", default=[], help="a clip to measure flicker on")
    parser.add_argument("--backend", default="auto", metavar="NAME", help="runtime for all of them (default: auto)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads for one run (default: 1)")
    parser.add_argument("--device", metavar="NAME", help="where they run, if the backend has a choice: cpu, cuda")
    parser.add_argument("--model-option", action="append", default=[], metavar="NAME=VALUE", help="of the backend")
    parser.add_argument("--plugin", action="append", default=[], metavar="FILE.py", help="load a plugin from a file")
    parser.add_argument("--json", type=Path, help="write all numbers here")
    parser.add_argument("--sheet", type=Path, help="write the first model's 24 worst pictures here (PNG)")


def run(options: argparse.Namespace) -> int:
    """Measure, print the tables, write what was asked for."""
    from framefx.cli.settings import pairs
    from framefx.plugins import PluginManager
    from framefx.training.evaluate import evaluate
    from framefx.training.loaded import LoadedPredictor
    from framefx.training.sheet import contact_sheet

    for path in (options.json, options.sheet):
        if path and not path.resolve().parent.is_dir():
            raise UsageError(f"{path}: there is no folder {path.resolve().parent}: make it first")
    registry = PluginManager(files=options.plugin).registry
    how = dict(pairs(options.model_option, "--model-option"))
    how |= {"device": options.device} if options.device else {}
    # Every network is loaded before the first is measured: a missing one is not found out after minutes.
    predictors = [
        LoadedPredictor(name, registry, backend=options.backend, threads=options.threads, options=how)
        for name in options.model
    ]
    reports = []
    for name, predict in zip(labels(options.model), predictors, strict=True):
        reports.append(evaluate(name, predict, options.data, empty=options.empty, clips=options.clip))
        if options.sheet and len(reports) == 1:
            contact_sheet(reports[0], predict, options.data, options.sheet)
    sys.stdout.write(shown(reports) + "\n")
    if options.json:
        options.json.write_text(json.dumps([report.to_dict() for report in reports], indent=1) + "\n")
    return 0


def labels(names: Sequence[str]) -> list[str]:
    """Return what the tables call the networks: the file's name without its ending, where that is one network's."""
    short = [Path(name).stem for name in names]
    seen = Counter(short)
    return [stem if seen[stem] == 1 else Path(name).name for name, stem in zip(names, short, strict=True)]


def shown(reports: Sequence[Report]) -> str:
    """Return the tables, and the differences of the first network to each other."""
    from framefx.training.evaluate import group_table, table
    from framefx.training.metrics import paired_bootstrap

    first = reports[0]
    lines = [table(reports), "", group_table(reports)]
    for other in reports[1:]:
        low, high = paired_bootstrap(first.values("iou"), other.values("iou"))
        lines += ["", f"{first.model} minus {other.model}, mean person IoU, 95 %: {low:+.4f} to {high:+.4f}"]
    return "\n".join(lines)
