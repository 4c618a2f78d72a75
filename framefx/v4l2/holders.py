"""Which processes use a device, read from ``/proc``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Holder:
    """A process that has a device open.

    Attributes
    ----------
    pid : int
        Its number.
    name : str
        Its program's name.
    streams : bool
        It has the device's buffers in its memory: it reads pictures, and not only looks at what the device is.
    """

    pid: int
    name: str
    streams: bool

    def __str__(self) -> str:
        return f"{self.name} (process {self.pid})"


def holders(path: str, pids: Iterable[int] | None = None, proc: Path = PROC) -> list[Holder]:
    """Return the other processes that have the device at `path` open.

    Those of other users are seen by root only.

    Parameters
    ----------
    path : str
        The device; symbolic links are followed.
    pids : iterable of int, optional
        Look at these processes only.
    proc : Path
        Where the kernel shows processes.
    """
    device = os.path.realpath(path)
    candidates = _all_pids(proc) if pids is None else pids
    found = []
    for pid in candidates:
        if pid != os.getpid() and _has_open(proc / str(pid), device):
            found.append(Holder(pid, _name(proc / str(pid)), _maps(proc / str(pid), device)))
    return found


def named(found: Iterable[Holder]) -> str:
    """Return the holders in words, or "another program" where none can be seen."""
    return ", ".join(map(str, found)) or "another program (`sudo fuser -v` on the device names it)"


def _all_pids(proc: Path) -> list[int]:
    try:
        return sorted(int(entry.name) for entry in os.scandir(proc) if entry.name.isdigit())
    except OSError:
        return []


def _has_open(process: Path, device: str) -> bool:
    folder = f"{process}/fd"
    try:
        names = [entry.name for entry in os.scandir(folder)]
    except OSError:
        return False
    for name in names:
        try:
            if os.readlink(f"{folder}/{name}") == device:  # noqa: PTH115 - thousands of them: strings are 5 x faster
                return True
        except OSError:
            continue
    return False


def _maps(process: Path, device: str) -> bool:
    try:
        with (process / "maps").open(errors="replace") as lines:
            return any(line.endswith(f" {device}\n") for line in lines)
    except OSError:
        return False


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text(errors="replace").strip() or "?"
    except OSError:
        return "?"
