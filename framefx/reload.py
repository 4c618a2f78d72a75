"""Saving the config file changes the chain between two frames of a running pipeline."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from framefx.errors import FramefxError
from framefx.pipeline import Pipeline
from framefx.plan import Plan
from framefx.warmup import warm_plan

log = logging.getLogger(__name__)


@contextmanager
def reloading(pipeline: Pipeline, path: Path, make_plan: Callable[[], Plan]) -> Iterator[None]:
    """Watch `path` while the block runs, and swap in the plan that it says after each save.

    Parameters
    ----------
    pipeline : Pipeline
        Whose plan is swapped.
    path : Path
        The config file.
    make_plan : callable
        Reads the file again and makes the new plan. A `FramefxError` keeps the old plan; the message says why.
    """
    done = threading.Event()
    thread = threading.Thread(
        target=_watch, args=(pipeline, path.resolve(), make_plan, done), name="framefx-reload", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(2)


def _watch(pipeline: Pipeline, path: Path, make_plan: Callable[[], Plan], done: threading.Event) -> None:
    from watchfiles import watch

    # The folder is watched, not the file: editors replace a file by renaming a new one over it.
    for changes in watch(path.parent, stop_event=done, debounce=50, step=20, rust_timeout=500, recursive=False):
        if any(Path(changed).name == path.name for _, changed in changes):
            reload(pipeline, path, make_plan)


def reload(pipeline: Pipeline, path: Path, make_plan: Callable[[], Plan]) -> bool:
    """Swap in the plan that the file says now; return whether it could be done."""
    try:
        plan = make_plan()
        # Compiled here, the viewer never waits for it; the models may be running on the other plan's thread.
        warm_plan(plan, run_models=False)
        pipeline.swap(plan)
    except FramefxError as error:
        log.warning("%s; the running chain is kept", error)
        return False
    log.warning("%s was read again: %s", path.name, plan.stack)
    return True
