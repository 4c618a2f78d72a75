"""Flatbuffer tables written in front of a file that they point into.

An offset in a flatbuffer only points forward, so nothing at the end of a file can point to what is there already; what
lies in front can. The old content stays as it is, behind, and everything in it still finds its own children.
See https://flatbuffers.dev/internals/.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_ALIGNED = 16  # weights lie at multiples of this many bytes


@dataclass(frozen=True)
class Old:
    """A table, list or string of the old file, by where it starts there."""

    place: int


Value = int | str | npt.NDArray[Any] | Old | Sequence[Any] | Mapping[int, Any]
"""A scalar, a string, a list of numbers, something old, a list of what is pointed to, or a table by field number."""


def in_front(root: Mapping[int, Value], content: bytes) -> bytes:
    """Return a file whose root is the table `root` and whose end is `content`, which `root` may point into.

    Scalars take four bytes each, however short they are read: the bytes are in the order of the least first.
    """
    written = _Writer()
    written.data += bytes(4) + content[4:8]
    written.point(0, root)
    written.pad(_ALIGNED)
    for place, old in written.backwards:
        struct.pack_into("<I", written.data, place, len(written.data) + old.place - place)
    return bytes(written.data) + content


class _Writer:
    """Appends values behind what points to them, and remembers what points into the old file."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.backwards: list[tuple[int, Old]] = []

    def pad(self, multiple: int) -> None:
        self.data += bytes(-len(self.data) % multiple)

    def point(self, place: int, value: Value) -> None:
        """Write `value` and let the offset at `place` point to it."""
        if isinstance(value, Old):
            self.backwards.append((place, value))
        else:
            struct.pack_into("<I", self.data, place, self._write(value) - place)

    def _write(self, value: Any) -> int:
        """Append `value` and return where it starts."""
        if isinstance(value, Mapping):
            return self._table(value)
        if isinstance(value, np.ndarray):
            self.data += bytes(-(len(self.data) + 4) % _ALIGNED)
            return self._append(struct.pack("<I", value.size) + value.tobytes())
        self.pad(4)
        if isinstance(value, str):
            return self._append(struct.pack("<I", len(value.encode())) + value.encode() + b"\0")
        start = self._append(struct.pack("<I", len(value)) + bytes(4 * len(value)))
        for number, child in enumerate(value):
            self.point(start + 4 + 4 * number, child)
        return start

    def _table(self, fields: Mapping[int, Value]) -> int:
        count = max(fields) + 1
        offsets = [0] * count
        for number, field in enumerate(sorted(fields)):
            offsets[field] = 4 + 4 * number
        self.pad(4)
        if count % 2:
            self.data += bytes(2)
        vtable = self._append(struct.pack(f"<{2 + count}H", 4 + 2 * count, 4 + 4 * len(fields), *offsets))
        start = self._append(struct.pack("<i", len(self.data) - vtable) + bytes(4 * len(fields)))
        for field, value in fields.items():
            place = start + offsets[field]
            if isinstance(value, int):
                struct.pack_into("<i", self.data, place, value)
            else:
                self.point(place, value)
        return start

    def _append(self, raw: bytes) -> int:
        start = len(self.data)
        self.data += raw
        return start
