"""The main command: run a chain, show progress, end well."""

from __future__ import annotations

import argparse
import gc
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from framefx.cli.settings import make_job, reread
from framefx.memory import keep_freed_memory
from framefx.timing import Timings

if TYPE_CHECKING:
    from framefx.job import Job
    from framefx.pipeline import Pipeline

_EXIT = {signal.SIGINT: 130, signal.SIGTERM: 143}
if sys.platform != "win32":
    _EXIT[signal.SIGHUP] = 129


def run_command(options: argparse.Namespace) -> int:
    """Run the chain that the arguments describe; return the exit code."""
    job = make_job(options)
    timings = Timings()
    with compiling_line():
        # Each time that is taken reads the clock twice, a system call on some machines: none where nobody sees them.
        is_shown = options.stats or (sys.stderr.isatty() and not options.quiet)
        pipeline = job.pipeline(observers=[timings] if is_shown else [])
        for note in job.notes:
            _say(note)
        warm(pipeline)
    # What is there now stays: a full collection over all modules takes a tenth of a second, in mid-picture.
    gc.freeze()
    if pipeline.policy == "live":
        keep_freed_memory()
    with _signals(pipeline) as received, _display(pipeline, timings, options), _reloading(job, pipeline, options):
        report = pipeline.run()
    if options.stats or options.verbose:
        _say(f"{report.sent} frames sent, {report.dropped} dropped, {report.cards} cards, {report.repeated} repeated")
    elif pipeline.policy == "file" and sys.stderr.isatty() and not options.quiet:
        _say(f"{report.sent} frames to {job.sink_location}")
    return _EXIT[received[0]] if received else 0


def _reloading(job: Job, pipeline: Pipeline, options: argparse.Namespace) -> AbstractContextManager[None]:
    """A saved config file changes a live chain; a file that is being rendered keeps the chain it began with."""
    if job.config is None or pipeline.policy != "live":
        return nullcontext()
    from framefx.reload import reloading

    path = job.config.document.path
    return reloading(pipeline, path, lambda: reread(job, options), lambda: job.files(pipeline.plan))


def warm(pipeline: Pipeline) -> None:
    """Compile what the plan needs before the first frame."""
    from framefx.warmup import warm_plan

    warm_plan(pipeline.plan)
    # A sink that converts colours does it with a kernel too, and should not compile it with the camera on.
    getattr(pipeline.sink, "warm", _nothing)()


def _nothing() -> None:
    """Stands in for a `warm` that a sink does not have."""


@contextmanager
def compiling_line() -> Iterator[None]:
    """Say in one line that kernels are being compiled, when they are."""
    from framefx.warmup import on_compile

    shown = False

    def tell(kernel: str) -> None:
        nonlocal shown
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[Kframefx: compiling kernels, the first time only: {kernel}")
            sys.stderr.flush()
        elif not shown:
            sys.stderr.write("framefx: compiling kernels, the first time only\n")
        shown = True

    with on_compile(tell):
        yield
    if shown and sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")


@contextmanager
def _signals(pipeline: Pipeline) -> Iterator[list[signal.Signals]]:
    """Ctrl-C, SIGTERM and SIGHUP end the run well, unless they are ignored (nohup); a second one ends it at once."""
    received: list[signal.Signals] = []

    def handle(number: int, _frame: Any) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(signal.Signals(number))
        # The handler runs between two bytecodes of the main thread, which may hold a lock that stop() takes.
        threading.Thread(target=pipeline.stop, daemon=True).start()

    wanted = [number for number in _EXIT if signal.getsignal(number) is not signal.SIG_IGN]
    old = {number: signal.signal(number, handle) for number in wanted}
    try:
        yield received
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


@contextmanager
def _display(pipeline: Pipeline, timings: Timings, options: argparse.Namespace) -> Iterator[None]:
    from framefx.cli.display import progress, stats_table

    if options.stats:
        with stats_table(pipeline, timings):
            yield
    elif not options.quiet and sys.stderr.isatty() and pipeline.policy == "file":
        with progress(pipeline, timings):
            yield
    else:
        yield


def _say(text: str) -> None:
    # The line may hold what was being compiled.
    clear = "\r\x1b[K" if sys.stderr.isatty() else ""
    sys.stderr.write(f"{clear}framefx: {text}\n")
