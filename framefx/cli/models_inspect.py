"""``framefx models inspect``: what a network's file holds, what it is, what it gives, and how long a frame takes."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from framefx.backends.arrays import sides
from framefx.cli.settings import pairs
from framefx.models.contents import Value
from framefx.models.description import beside
from framefx.models.inspection import Inspection, inspect
from framefx.models.loading import find
from framefx.models.recognising import DESCRIBED, GENERIC
from framefx.plugins import PluginManager


def main(argv: Sequence[str]) -> int:
    """Print what is found out about a network.

    Raises
    ------
    FramefxError
        When it cannot be used; what could be said of it is printed before.
    """
    parser = argparse.ArgumentParser(
        prog="framefx models inspect",
        description="Say what a network's file holds, what it is recognised as, which layers it gives, and how long a "
        "frame takes.",
        allow_abbrev=False,
    )
    parser.add_argument("file", help="a network: a file, or a name as `--model` takes it")
    parser.add_argument("--backend", default="auto", metavar="NAME", help="runtime to load it with (default: auto)")
    parser.add_argument(
        "--model-option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="option of the runtime, as `framefx` has",
    )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads for the network (default: 1)")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--plugin", action="append", default=[], metavar="FILE.py", help="load a plugin from a file")
    options = parser.parse_args(argv[1:])
    registry = PluginManager(files=options.plugin).registry
    found = inspect(
        find(options.file, registry.weights),
        registry,
        backend=options.backend,
        threads=options.threads,
        options=dict(pairs(options.model_option, "--model-option")),
    )
    sys.stdout.write(json.dumps(_as_json(found), indent=1) + "\n" if options.json else "\n".join(lines(found)) + "\n")
    sys.stdout.flush()
    if found.problem:
        raise found.problem
    return 0


def lines(found: Inspection) -> Iterator[str]:
    """Yield what was found, for people."""
    yield f"{found.path}: {found.size:,} bytes{_weights(found)}"
    for label, values in (("in", found.inputs), ("out", found.outputs)):
        for value in values:
            yield f"{label + ':':<10} {_value(value)}"
    if found.contents:
        yield f"operators: {_counted(found.contents.operators)}"
        yield f"custom:    {_counted(found.contents.custom) if found.contents.custom else 'none'}"
    if found.backend:
        yield f"backend:   {found.backend}"
    if found.family:
        yield f"family:    {_family(found)}"
    if found.layers is not None:
        yield f"layers:    {_layers(found.layers)}"
    if found.times:
        times = found.times
        yield (
            f"time:      {times.least:.1f} ms at least, {times.median:.1f} ms in the median, {times.network:.1f} of it "
            f"the network: {', '.join(times.layers)} of a frame of 1280×720, {times.runs} runs"
        )
    if found.description:
        yield ""
        yield from found.description.rstrip().splitlines()


def _weights(found: Inspection) -> str:
    weights = found.contents.weights if found.contents else {}
    return "".join(f", {count:,} weights in {dtype}" for dtype, count in weights.items())


def _value(value: Value) -> str:
    quantised = f", a step is {value.scale:.6g} from {value.zero_point}" if value.scale else ""
    return f"'{value.name}' {sides(value.shape) or 'one number'} {value.dtype}{quantised}"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ×{count}" for name, count in sorted(counts.items(), key=lambda one: -one[1]))


def _layers(layers: Mapping[str, str]) -> str:
    kinds = dict.fromkeys(layers.values())
    return "; ".join(f"{kind}: {', '.join(name for name, of in layers.items() if of == kind)}" for kind in kinds)


def _family(found: Inspection) -> str:
    if found.family == DESCRIBED:
        return f"described by {beside(found.path)}"
    if found.family == GENERIC:
        return "none that is known; it is used by what its tensors show, and what they do not is assumed:"
    return str(found.family)


def _as_json(found: Inspection) -> dict[str, Any]:
    values = asdict(found)
    return values | {"path": str(found.path), "problem": str(found.problem) if found.problem else None}
