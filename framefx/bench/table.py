"""The report on the terminal: one aligned table for each suite, and what is short of the wanted figures."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from framefx.bench.report import Report, Row, Suite, ratio, ratio_of_minima, times, wanted

_WIDTH = 160


def show(report: Report, console: Console | None = None) -> None:
    """Print `report`."""
    console = console or _console()
    console.print(", ".join(f"{name} {value}" for name, value in report.machine.items()), style="dim", soft_wrap=True)
    for suite in report.suites:
        show_suite(suite, console)


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDTH)


def show_suite(suite: Suite, console: Console) -> None:
    """Print the rows, then the single figures, then remarks."""
    console.print()
    console.print(suite.title, style="bold")
    if suite.rows:
        console.print(_rows(suite))
        for row in suite.rows:
            if row.profile:
                console.print(f"  {row.name} {row.size}: {profile_line(row)}", style="dim")
    if suite.figures:
        console.print(_figures(suite))
    for note in suite.notes:
        console.print(f"  {note}", style="dim")
    for line in suite.short:
        console.print(f"  short: {line}", style="yellow")


def profile_line(row: Row) -> str:
    """Return the parts of framefx's own time, in milliseconds of CPU time."""
    return ", ".join(f"{part} {value:.2f}" for part, value in row.profile.items()) + " ms"


def _rows(suite: Suite) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("what", "size", "side"):
        table.add_column(title, no_wrap=True)
    for title in ("CPU ms", "least", "wall ms", "least", "ratio", "of least", "want", "runs"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in suite.rows:
        for place, side in enumerate(row.sides):
            ours, want = row.sides[0], row.wants.get(side.name)
            first = (row.name, row.size) if place == 0 else ("", "")
            against = (times(ratio(side, ours)), times(ratio_of_minima(side, ours))) if place else ("", "")
            numbers = (f"{v:.3f}" for v in (side.cpu_median, side.cpu_min, side.wall_median, side.wall_min))
            limit = f"≥ {times(want)}" if want else ""
            table.add_row(*first, side.name, *numbers, *against, limit, str(side.runs))
    return table


def _figures(suite: Suite) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("figure", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("want", justify="right", no_wrap=True)
    table.add_column("")
    for one in suite.figures:
        table.add_row(one.name, f"{one.value:.4g}", one.unit, wanted(one), one.note)
    return table
