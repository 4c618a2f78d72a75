"""What can be said about a ``.tflite`` file before a runtime sees it.

tflite-runtime follows the offsets in a file without checking them: a file cut short in download makes it read
beyond the end and takes the process down. These few checks catch the common damage with a message that says
what happened; `framefx.backends.guard` catches the rest.
"""

from __future__ import annotations

import struct
from pathlib import Path

from framefx.errors import ModelError

MAGIC = b"TFL3"
_HEADER = 8
_SUBGRAPHS = 2
_BUFFERS = 4


def read_network(path: Path) -> bytes:
    """Return the bytes of a ``.tflite`` file whose outline is whole.

    Raises
    ------
    ModelError
        When it cannot be read, is empty, is something else, or ends too early.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}") from error
    if not content:
        raise ModelError(f"{path}: the file is empty; fetch it again")
    if content[4:_HEADER] != MAGIC:
        raise ModelError(f"{path}: no .tflite network: bytes 4 to 8 are {content[4:_HEADER]!r}, wanted {MAGIC!r}")
    try:
        whole = _outline_is_whole(content)
    except struct.error:
        whole = False
    if not whole:
        raise ModelError(f"{path}: the file is damaged or cut short at {len(content)} bytes; fetch it again")
    return content


def _outline_is_whole(content: bytes) -> bool:
    """Whether root table, list of subgraphs and every weight buffer lie within the file."""
    root = _unsigned(content, 0)
    if _vector(content, root, _SUBGRAPHS) is None:
        return False
    buffers = _vector(content, root, _BUFFERS)
    return buffers is not None and all(_buffer_is_whole(content, table) for table in buffers)


def _buffer_is_whole(content: bytes, table: int) -> bool:
    field = _field(content, table, 0)
    if field is None:
        return True
    start = field + _unsigned(content, field)
    return start + 4 + _unsigned(content, start) <= len(content)


def _vector(content: bytes, table: int, number: int) -> list[int] | None:
    """Return where the tables listed in field `number` of `table` start."""
    field = _field(content, table, number)
    if field is None:
        return None
    start = field + _unsigned(content, field)
    count = _unsigned(content, start)
    if start + 4 + 4 * count > len(content):
        return None
    places = range(start + 4, start + 4 + 4 * count, 4)
    return [place + _unsigned(content, place) for place in places]


def _field(content: bytes, table: int, number: int) -> int | None:
    """Return where field `number` of the table at `table` lies, or None where it is left out."""
    (distance,) = struct.unpack_from("<i", content, table)
    vtable = table - distance
    if vtable < 0:
        raise struct.error("a table before the file")
    (size,) = struct.unpack_from("<H", content, vtable)
    entry = 4 + 2 * number
    if entry + 2 > size:
        return None
    (offset,) = struct.unpack_from("<H", content, vtable + entry)
    return table + offset if offset else None


def _unsigned(content: bytes, position: int) -> int:
    (value,) = struct.unpack_from("<I", content, position)
    return int(value)
