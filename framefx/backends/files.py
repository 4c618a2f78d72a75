"""Reading a network's file, with an error that says what is wrong with it."""

from __future__ import annotations

from pathlib import Path

from framefx.errors import ModelError


def read(path: Path) -> bytes:
    """Return the bytes of a network's file.

    Raises
    ------
    ModelError
        When it cannot be read or is empty.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}") from error
    if not content:
        raise ModelError(f"{path}: the file is empty; fetch it again")
    return content


def one_line(error: BaseException) -> str:
    """Return the first line of what a runtime says, which may be pages."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
