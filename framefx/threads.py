"""Threads that the system knows by name too: ``top -H`` shows which stage of a pipeline takes the time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path


def start(name: str, target: Callable[[], None]) -> threading.Thread:
    """Start a thread called `name`, of which Linux shows 15 characters; it does not keep the program alive."""

    def run() -> None:
        with contextlib.suppress(OSError):  # other systems have no such file
            Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text(name[:15])
        target()

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread
