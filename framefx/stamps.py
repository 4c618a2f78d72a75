"""Whether a file that a config names was changed on disk."""

from __future__ import annotations

from pathlib import Path

Stamp = tuple[tuple[int, int, int], ...]
"""Inode, size in bytes and time of the last write in nanoseconds; of a folder, those of its files."""


def stamp(path: Path) -> Stamp:
    """Return what is another after each change of the file or folder at `path`, nothing where there is none."""
    try:
        facts = [file.stat() for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    except OSError:
        return ()
    return tuple((fact.st_ino, fact.st_size, fact.st_mtime_ns) for fact in facts)
