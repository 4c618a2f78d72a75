"""What a person sees while it runs: a progress bar on files and downloads, and the live table of ``--stats``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from framefx.pipeline import Pipeline
from framefx.timing import Timings

_REFRESH = 0.25


@contextmanager
def progress(pipeline: Pipeline, timings: Timings) -> Iterator[None]:
    """Show how many frames are done, of how many, at what rate."""
    columns = (
        TextColumn("framefx"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("frames", total=None, rate="")

        def show() -> None:
            total = pipeline.frames_expected
            bar.update(task, completed=timings.counts["sent"], total=total, rate=f"{timings.rate:.0f} fps")

        with _repeatedly(show):
            yield


@contextmanager
def download_bar(name: str, size: int, *, shown: bool = True) -> Iterator[Callable[[int], None]]:
    """Show how many of `size` bytes of the file `name` are there; hands out what is called with that number."""
    columns = (TextColumn(name), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not shown) as bar:
        task = bar.add_task(name, total=size)
        yield lambda have: bar.update(task, completed=have)


@contextmanager
def stats_table(pipeline: Pipeline, timings: Timings) -> Iterator[None]:
    """Show frames per second, milliseconds per step, drops and copies, four times a second."""
    with Live(table(pipeline, timings), console=Console(stderr=True), auto_refresh=False) as live:
        with _repeatedly(lambda: live.update(table(pipeline, timings), refresh=True)):
            yield
        live.update(table(pipeline, timings), refresh=True)


def table(pipeline: Pipeline, timings: Timings) -> Table:
    """Return the table of ``--stats`` as it is now."""
    pool, sent = pipeline.plan.pool, max(1, timings.counts["sent"])
    title = f"{timings.rate:.1f} frames/s, {timings.counts['sent']} sent"
    caption = (
        f"dropped {pipeline.dropped}, cards {timings.counts['card']}, repeated {timings.counts['repeated']}; "
        f"copies {pool.copies / sent:.2f} a frame ({pool.copied_bytes / sent / 1e6:.1f} MB), "
        f"buffers {pool.allocations}"
    )
    result = Table(title=title, caption=caption, title_justify="left", caption_justify="left", min_width=72)
    result.add_column("step")
    for name in ("median ms", "p99 ms", "frames"):
        result.add_column(name, justify="right")
    for step in timings.steps():
        result.add_row(step.step, f"{step.median:.2f}", f"{step.p99:.2f}", str(step.count))
    return result


@contextmanager
def _repeatedly(action: Callable[[], None]) -> Iterator[None]:
    done = threading.Event()

    def loop() -> None:
        while not done.wait(_REFRESH):
            action()

    thread = threading.Thread(target=loop, name="framefx-display", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        action()
