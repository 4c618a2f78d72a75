"""The report of `framefx bench model` on the terminal and as a page of the documentation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from framefx.bench.model_report import GROUPS, Measurement, ModelReport

_WIDTH = 160

_HEAD = """\
# Networks measured

Made by

    {command}

and not edited by hand. `framefx bench model` measures on your machine: the networks that come with framefx, those that
`framefx models pull` fetched, any file named, and BlazeSeg at several sizes, with every backend that is installed.

## How it is measured

- Each configuration in a process of its own: {warm_up:.0f} runs to warm up, then {runs:.0f} timed ones, fewer where
  they take longer than {seconds:g} s, though at least five. The column *runs* says how many.
- PyTorch in inference mode with cuDNN's benchmark mode; the device is synchronised before each reading of the clock.
- Of each the *least* time (what the machine can do) and the *median* (what one gets beside whatever else runs), and the
  least processor time, of all threads together. On a machine that others use, compare the least times, and where
  a run lasts longer than the machine is left alone, the processor's.
- All outputs of a network are computed, through framefx's own backend, which copies its results to the processor.
- *Peak* is the most memory that the whole process had, *of that before* what it had before the network was loaded:
  Python, framefx and the runtime.
- BlazeSeg's weights are random here: what a network takes does not depend on them.
- A network in a file is measured at the size it was made for. BlazeSeg is made at each size. What PyTorch compiles runs
  on one thread only.

## The machine

"""

_WORDS = {
    "runtimes": "Each at the size it is made for. `blazeseg-paper` follows the published write-up, which measured "
    "10.2 ms in PyTorch on a laptop's processor, 1.9 ms on its GPU, and 0.63 ms there with TensorRT in fp16.",
    "sizes": "Square inputs. `blazeseg` is the network that framefx ships, `blazeseg-paper` follows the published "
    "write-up.",
    "upsampling": "The published comparison, one doubling in PyTorch, and the whole network built either way. The "
    "write-up measured 18 µs for bilinear and 61 µs for transposed on a laptop's processor, 20 and 48 µs on its GPU.",
    "merge": "From the network's input to a finished frame of 1280×720: network, decoding, blending. The first is what "
    "framefx does: the mask stays small and the merge upsamples it while it blends.",
    "classes": "Only the last layer grows with the number of classes.",
}


@dataclass(frozen=True)
class _Columns:
    """A table: headings, of which the last `numbers` are figures, rows, and what its figures are."""

    head: Sequence[str]
    numbers: int
    rows: Sequence[Sequence[str]]
    caption: str = ""


def page(report: ModelReport) -> str:
    """Return the page."""
    lines = [_HEAD.format(command=report.command, **report.protocol)]
    lines += _markdown(_Columns(("", ""), 0, list(report.machine.items())))
    for group, title in GROUPS.items():
        if found := report.group(group):
            lines += ["", f"## {title}", ""]
            lines += [_WORDS[group], ""] if group in _WORDS else []
            for table in _tables(group, found):
                lines += [f"{table.caption}:", ""] if table.caption else []
                lines += [*_markdown(table), ""]
            lines.pop()
    notes = [*report.notes, *report.problems]
    if notes:
        lines += ["", "## Left out", "", *(f"- {note}" for note in notes)]
    return "\n".join(lines) + "\n"


def show(report: ModelReport, console: Console | None = None) -> None:
    """Print `report`."""
    console = console or Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    console.print(", ".join(f"{name} {value}" for name, value in report.machine.items()), style="dim", soft_wrap=True)
    for group, title in GROUPS.items():
        if found := report.group(group):
            console.print()
            console.print(title, style="bold")
            for table in _tables(group, found):
                if table.caption:
                    console.print(f"{table.caption}:", style="italic")
                console.print(_rich(table))
    for note in (*report.notes, *report.problems):
        console.print(f"  {note}", style="dim", soft_wrap=True)


def _tables(group: str, found: Sequence[Measurement]) -> list[_Columns]:
    if group == "sizes":
        return [
            _pivot(found, _pixels, _times, _TIMES),
            _pivot(found, _pixels, _cpu, "Least milliseconds of processor time"),
            _pivot(found, _pixels, _peak, "Peak memory, MB"),
        ]
    if group == "classes":
        return [_pivot(found, _classes, _times, _TIMES)]
    if group in ("networks", "runtimes"):
        return [_list(found, "input", _pixels)]
    return [_list(found, "variant", lambda one: one.detail)]


def _list(found: Sequence[Measurement], title: str, value: Callable[[Measurement], str]) -> _Columns:
    """Return one row for each measurement."""
    figures = ("least ms", "median ms", "CPU ms", "peak MB", "of that before", "runs")
    head = ("network", title, "runtime", "threads", *figures)
    rows, last = [], ("", "")
    for one in found:
        named = (one.network, value(one))
        times = (f"{value:.3f}" for value in (one.least, one.median, one.cpu))
        rest = (f"{one.peak:.0f}", f"{one.before:.0f}", str(one.runs))
        rows.append((*(named if named != last else ("", "")), one.runtime, str(one.threads), *times, *rest))
        last = named
    return _Columns(head, 1 + len(figures), rows)


def _pivot(
    found: Sequence[Measurement],
    column: Callable[[Measurement], str],
    cell: Callable[[Measurement], str],
    caption: str,
) -> _Columns:
    """Return one row for each network, runtime and number of threads, and a column for each value of `column`."""
    columns = list(dict.fromkeys(column(one) for one in found))
    cells = {(_row(one), column(one)): cell(one) for one in found}
    names = dict.fromkeys(_row(one) for one in found)
    rows = [(*name, *(cells.get((name, title), "") for title in columns)) for name in names]
    return _Columns(("network", "runtime", "threads", *columns), len(columns) + 1, rows, caption)


def _row(one: Measurement) -> tuple[str, str, str]:
    return one.network, one.runtime, str(one.threads)


_TIMES = "Least and (median) milliseconds"


def _times(one: Measurement) -> str:
    return f"{one.least:.2f} ({one.median:.2f})"


def _cpu(one: Measurement) -> str:
    return f"{one.cpu:.2f}"


def _peak(one: Measurement) -> str:
    return f"{one.peak:.0f}"


def _pixels(one: Measurement) -> str:
    return one.pixels


def _classes(one: Measurement) -> str:
    return f"{one.detail} class{'' if one.detail == '1' else 'es'}"


def _markdown(table: _Columns) -> Iterable[str]:
    rules = ["---"] * (len(table.head) - table.numbers) + ["--:"] * table.numbers
    for line in (table.head, rules, *table.rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |"


def _rich(table: _Columns) -> Table:
    result = Table(box=None, pad_edge=False)
    for number, title in enumerate(table.head):
        figures = number >= len(table.head) - table.numbers
        result.add_column(title, justify="right" if figures else "left", no_wrap=True)
    for row in table.rows:
        result.add_row(*row)
    return result
