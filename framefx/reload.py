"""Saving the config file, or a picture that it names, changes the chain between two frames of a running pipeline."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from framefx.errors import FramefxError, MediaError
from framefx.pipeline import Pipeline
from framefx.plan import Plan
from framefx.stamps import Stamp, stamp
from framefx.warmup import warm_plan

log = logging.getLogger(__name__)

Files = Callable[[], Mapping[Path, Stamp]]


def _none() -> Mapping[Path, Stamp]:
    return {}


@contextmanager
def reloading(pipeline: Pipeline, path: Path, make_plan: Callable[[], Plan], files: Files = _none) -> Iterator[None]:
    """Watch `path` while the block runs, and swap in the plan that it says after each save.

    Parameters
    ----------
    pipeline : Pipeline
        Whose plan is swapped.
    path : Path
        The config file.
    make_plan : callable
        Reads the file again and makes the new plan. A `FramefxError` keeps the old plan; the message says why.
    files : callable
        Returns further files and folders that the running plan was made of, each with its stamp from then: a change
        of one is like a change of the config.
    """
    done = threading.Event()
    thread = threading.Thread(
        target=_watch, args=(pipeline, path.resolve(), make_plan, files, done), name="framefx-reload", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(2)


def _watch(pipeline: Pipeline, path: Path, make_plan: Callable[[], Plan], files: Files, done: threading.Event) -> None:
    from watchfiles import watch

    seen = {path: stamp(path), **files()}
    while not done.is_set():
        folders = _folders(seen)
        # Each event, and each half second without one, is only a reason to look: stamps say what was changed.
        for _ in watch(
            *folders, stop_event=done, debounce=50, step=20, rust_timeout=500, recursive=False, yield_on_timeout=True
        ):
            now = {file: stamp(file) for file in seen}
            changed = [file for file in now if now[file] != seen[file]]
            seen = now
            if changed and reload(pipeline, path, make_plan, changed):
                seen = {path: now[path], **files()}
                if _folders(seen) != folders:
                    break


def _folders(files: Collection[Path]) -> set[Path]:
    """Return the folders to watch: editors replace a file by renaming a new one over it."""
    return {folder for file in files for folder in (file, file.parent) if folder.is_dir()}


def reload(pipeline: Pipeline, path: Path, make_plan: Callable[[], Plan], changed: Collection[Path] = ()) -> bool:
    """Swap in the plan that the file says now; return whether it could be done."""
    try:
        for file in changed:
            _check_whole(file)
        plan = make_plan()
        # Compiled here, the viewer never waits for it; the models may be running on the other plan's thread.
        warm_plan(plan, run_models=False)
        pipeline.swap(plan)
    except FramefxError as error:
        log.warning("%s; the running chain is kept", error)
        return False
    names = ", ".join(file.name for file in changed) or path.name
    log.warning("%s was read again: %s", names, plan.stack)
    return True


def _check_whole(file: Path) -> None:
    """Refuse what is still being written: a step would read it with the next frame."""
    from framefx.sources._media import checked_file, missing_bytes

    if file.is_file() and missing_bytes(checked_file(str(file))):
        raise MediaError(f"{file} is truncated: copy or save it again")
