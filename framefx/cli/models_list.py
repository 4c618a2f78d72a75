"""``framefx models list``: networks that come along, are here or can be fetched, and what was measured of them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from framefx.models.found import in_mediapipe
from framefx.models.zoo import Figures, evaluated_on, shipped, zoo
from framefx.plugins import PluginManager
from framefx.registry import Registry

_WIDTH = 160
_LAYERS = 3


@dataclass(frozen=True)
class Line:
    """A network as the list shows it.

    Attributes
    ----------
    name : str
        For ``--model``.
    here : bool
        Whether its file is on this machine.
    origin : str
        Where it comes from, or that it is still to be fetched.
    path : str or None
        Its file, where it is here.
    licence, size, figures
        As far as they are known; `size` in bytes.
    summary : str
    """

    name: str
    here: bool
    origin: str
    path: str | None
    licence: str
    size: int
    figures: Figures
    summary: str = ""


def main(argv: Sequence[str]) -> int:
    """Print the list, or write it as JSON."""
    parser = argparse.ArgumentParser(
        prog="framefx models list", description="List the networks that --model takes by name.", allow_abbrev=False
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--plugin", action="append", default=[], metavar="FILE.py", help="load a plugin from a file")
    options = parser.parse_args(argv[1:])
    found = list(lines(PluginManager(files=options.plugin).registry))
    if options.json:
        sys.stdout.write(json.dumps([asdict(line) for line in found], indent=1, ensure_ascii=False) + "\n")
        return 0
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    console.print(table(found))
    console.print(f"IoU and ms: {evaluated_on()}.", style="dim", soft_wrap=True)
    if any(not line.here for line in found):
        console.print("To fetch one: framefx models pull NAME", style="dim")
    return 0


def lines(registry: Registry) -> Iterator[Line]:
    """Yield what comes with framefx and plugins, then the zoo, then what lies in mediapipe."""
    for one in registry.weights:
        figures = shipped().get(one.name, Figures()) if one.plugin == "framefx" else Figures()
        origin = "framefx" if one.plugin == "framefx" else f"plugin {one.plugin}"
        here = one.path.is_file()
        size = one.path.stat().st_size if here else 0
        licence = "MIT" if one.plugin == "framefx" else ""
        yield Line(one.name, here, origin, str(one.path) if here else None, licence, size, figures)
    for name, model in sorted(zoo().items()):
        here = model.place.is_file()
        path = str(model.place) if here else None
        words = f"{model.summary} ({model.publisher})"
        yield Line(name, here, "fetched" if here else "to fetch", path, model.licence, model.size, model.figures, words)
    for name, place in sorted(in_mediapipe().items()):
        size = place.stat().st_size
        yield Line(name, True, "package mediapipe", str(place), "mediapipe's", size, Figures())


def table(found: Sequence[Line]) -> Table:
    """Return the lines as a table."""
    result = Table(box=None, pad_edge=False)
    result.add_column("name", no_wrap=True)
    result.add_column("where", no_wrap=True)
    result.add_column("licence", no_wrap=True)
    result.add_column("kB", justify="right", no_wrap=True)
    result.add_column("layers")
    for title in ("IoU", "ms"):
        result.add_column(title, justify="right", no_wrap=True)
    result.add_column("what")
    for line in found:
        figures = line.figures
        result.add_row(
            line.name,
            line.origin,
            line.licence,
            f"{line.size / 1000:.0f}" if line.size else "",
            _layers(figures.layers),
            "" if figures.iou is None else f"{figures.iou:.3f}",
            "" if figures.milliseconds is None else f"{figures.milliseconds:.2f}",
            line.summary,
            style=None if line.here else "dim",
        )
    return result


def _layers(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LAYERS} more" if len(names) > _LAYERS else ""
    # What most people ask for stands first.
    first = sorted(names, key=lambda name: name not in ("person", "faces"))[:_LAYERS]
    return ", ".join(first) + more
