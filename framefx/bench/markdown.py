"""The report as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterable

from framefx.bench.report import Report, Suite, ratio, ratio_of_minima, times, wanted
from framefx.bench.table import profile_line

_HEAD = """\
# Benchmarks

Made by

    {command}

and not edited by hand. `framefx bench` measures on your machine; `framefx bench chain`, `kernels` and `overhead` are
its parts, and `--size`, `--model`, `--input` and `--seconds` choose what is measured and for how long.

## How it is measured

One process, one thread for every library. After a warm-up the sides take turns of some runs each, in another order
every round, so that all see the same machine. Times are of the median run and of the fastest one (*least*); ratios
are of CPU time: how many times as long as framefx the other side takes. *Want* is the least ratio that framefx holds
itself to.

- **Linux-Fake-Background-Webcam**: the calls of its `compose_frame` with default options and `--background no` (or
  with a picture): the network on a frame 256 pixels wide, a hard mask enlarged as float32, smoothed, cut, grown and
  softened, a Gaussian of 21 pixels and σ 7 of the whole frame, `cv2.blendLinear`.
- **virtual_webcam_background**: the calls of its loop with the MediaPipe model, the README's two layers and the
  example's mask options (dilate 10, erode 10, blur 3), blended in float64.
- Both run the same network in the same runtime as framefx, rewritten as
  [framefx rewrites it](backends.md#transposed-convolutions), which is faster than what they ship; and neither decodes
  or writes frames, as framefx does not.
- **PyTorch**: a forum post's blend (float pictures of 512×256 enlarged with `nearest`; its network left out), and the
  fastest of five forms of `interpolate` and blend, whichever it is on the machine.
- **Copying** a frame three times moves about the bytes that a merge has to move: the floor.

## The machine

"""


def page(report: Report) -> str:
    """Return the page."""
    lines = [_HEAD.format(command=report.command)]
    lines += _table(("", ""), report.machine.items())
    for suite in report.suites:
        lines += ["", f"## {suite.title}", ""]
        lines += _suite(suite)
    return "\n".join(lines) + "\n"


def _suite(suite: Suite) -> list[str]:
    lines: list[str] = []
    if suite.rows:
        head = ("what", "size", "side", "CPU ms", "least", "ratio", "of least", "want")
        lines += _table(head, _rows(suite), numbers=5)
    profiles = [f"- {row.name} {row.size}: {profile_line(row)}" for row in suite.rows if row.profile]
    if profiles:
        lines += ["", "Where framefx's time goes, in CPU milliseconds:", "", *profiles]
    if suite.figures:
        cells = [(f.name, f"{f.value:.4g}", f.unit, wanted(f), f.note) for f in suite.figures]
        lines += ["", *_table(("figure", "value", "unit", "want", ""), cells)]
    if suite.notes:
        lines += ["", *(f"- {note}" for note in suite.notes)]
    return lines


def _rows(suite: Suite) -> Iterable[tuple[str, ...]]:
    for row in suite.rows:
        ours = row.sides[0]
        for place, side in enumerate(row.sides):
            against = (times(ratio(side, ours)), times(ratio_of_minima(side, ours))) if place else ("", "")
            want = row.wants.get(side.name)
            named = (row.name, row.size) if place == 0 else ("", "")
            limit = f"≥ {times(want)}" if want else ""
            yield (*named, side.name, f"{side.cpu_median:.3f}", f"{side.cpu_min:.3f}", *against, limit)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]], numbers: int = 0) -> list[str]:
    rules = ["---"] * (len(head) - numbers) + ["--:"] * numbers
    lines = [head, tuple(rules), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
