"""What can be said about a ``.tflite`` file before a runtime sees it.

tflite-runtime follows the offsets in a file without checking them: a file cut short in download makes it read
beyond the end, and what happens then depends on what lies there. ai-edge-litert checks by itself, at no cost
worth saving here. The layout is that of TensorFlow Lite's ``schema.fbs``, version 3.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from framefx.backends import files
from framefx.errors import ModelError

MAGIC = b"TFL3"
_HEADER = 8


@dataclass(frozen=True)
class _Table:
    """A kind of table: which of its fields are not plain numbers, by field number.

    `vectors` gives the bytes of one element (1 for strings); `one` and `many` the kind of the tables pointed to.
    """

    vectors: Mapping[int, int] = field(default_factory=dict)
    one: Mapping[int, _Table] = field(default_factory=dict)
    many: Mapping[int, _Table] = field(default_factory=dict)


_NUMBERS = _Table()
_TENSOR_MAP = _Table({0: 1})
_QUANTIZATION = _Table({0: 4, 1: 4, 2: 4, 3: 8}, {5: _NUMBERS})
_TENSOR = _Table({0: 4, 3: 1, 7: 4}, {4: _QUANTIZATION, 6: _NUMBERS})
_OPERATOR = _Table({1: 4, 2: 4, 5: 1, 7: 1, 8: 4}, {4: _NUMBERS, 12: _NUMBERS})
_OPERATOR_CODE = _Table({1: 1})
_SUBGRAPH = _Table({1: 4, 2: 4, 4: 1}, {}, {0: _TENSOR, 3: _OPERATOR})
_BUFFER = _Table({0: 1})
_METADATA = _Table({0: 1})
_SIGNATURE = _Table({2: 1}, {}, {0: _TENSOR_MAP, 1: _TENSOR_MAP})
_NETWORK = _Table({3: 1, 5: 4}, {}, {1: _OPERATOR_CODE, 2: _SUBGRAPH, 4: _BUFFER, 6: _METADATA, 7: _SIGNATURE})


def read(path: Path) -> bytes:
    """Return the bytes of a ``.tflite`` file.

    Raises
    ------
    ModelError
        When it cannot be read, is empty or is something else.
    """
    content = files.read(path)
    if content[4:_HEADER] != MAGIC:
        raise ModelError(f"{path}: no .tflite network: bytes 4 to 8 are {content[4:_HEADER]!r}, wanted {MAGIC!r}")
    return content


def verify(content: bytes, path: Path) -> None:
    """Check that all that the file points to lies within it, and that its numbers of things exist.

    Raises
    ------
    ModelError
        When it is damaged or cut short.
    """
    reader = Reader(content)
    try:
        network = reader.table(_unsigned(content, 0), _NETWORK)
        whole = all(_numbers_exist(reader, graph, network) for graph in network[2])
    except (struct.error, KeyError):
        whole = False
    if not whole:
        raise ModelError(f"{path}: the file is damaged or cut short at {len(content)} bytes; fetch it again")


class Reader:
    """Reads tables as dicts from field number to content; anything outside the file is a `struct.error`."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def table(self, start: int, kind: _Table) -> dict[int, Any]:
        found: dict[int, Any] = {}
        for number, place in self.fields(start).items():
            if number in kind.vectors:
                found[number] = self.vector(place, kind.vectors[number])
            elif number in kind.one:
                found[number] = self.table(place + _unsigned(self._content, place), kind.one[number])
            elif number in kind.many:
                starts = self.vector(place, 4)
                found[number] = [self.table(at + _unsigned(self._content, at), kind.many[number]) for at in starts]
            else:
                found[number] = place
        return found

    def number(self, table: dict[int, Any], number: int) -> int:
        """Return the unsigned number in a field, 0 where it is left out."""
        return _unsigned(self._content, table[number]) if number in table else 0

    def numbers(self, table: dict[int, Any], number: int) -> Sequence[int]:
        """Return the signed numbers listed in a field of a table from `table` or `fields`."""
        found = table.get(number, range(0))
        places = self.vector(found, 4) if isinstance(found, int) else found
        return struct.unpack_from(f"<{len(places)}i", self._content, places[0]) if places else ()

    def unsigned(self, place: int) -> int:
        """Return the unsigned number at `place`."""
        return _unsigned(self._content, place)

    def follow(self, place: int) -> int:
        """Return where the table lies that the offset at `place` points to."""
        return place + _unsigned(self._content, place)

    def text(self, place: int) -> bytes:
        """Return the characters of the string that the offset at `place` points to."""
        letters = self.vector(place, 1)
        return self._content[letters.start : letters.stop]

    def fields(self, start: int) -> dict[int, int]:
        """Return where each field of the table lies that is not left out."""
        (distance,) = struct.unpack_from("<i", self._content, start)
        vtable = start - distance
        if vtable < 0:
            raise struct.error("a table before the file")
        size, length = struct.unpack_from("<HH", self._content, vtable)
        if size < 4 or size % 2 or start + length > len(self._content):
            raise struct.error("a table beyond the file")
        offsets = struct.unpack_from(f"<{size // 2 - 2}H", self._content, vtable + 4)
        if any(offset >= length for offset in offsets):
            raise struct.error("a field beyond its table")
        return {number: start + offset for number, offset in enumerate(offsets) if offset}

    def vector(self, place: int, width: int) -> range:
        """Return where the elements lie of the list that the offset at `place` points to."""
        start = place + _unsigned(self._content, place)
        end = start + 4 + width * _unsigned(self._content, start)
        if end > len(self._content):
            raise struct.error("a list beyond the file")
        return range(start + 4, end, width)


def _numbers_exist(reader: Reader, graph: dict[int, Any], network: dict[int, Any]) -> bool:
    """Whether every tensor, buffer and operator code that the graph names by its number is there."""
    tensors, operators = graph.get(0, []), graph.get(3, [])
    # Only an operator's input may be -1: an optional one that is left out.
    ends = [one for number in (1, 2) for one in reader.numbers(graph, number)]
    ends += [one for operator in operators for one in reader.numbers(operator, 2)]
    inputs = [one for operator in operators for one in reader.numbers(operator, 1)]
    return (
        all(0 <= one < len(tensors) for one in ends)
        and all(-1 <= one < len(tensors) for one in inputs)
        and all(reader.number(operator, 0) < len(network[1]) for operator in operators)
        and all(reader.number(tensor, 2) < len(network[4]) for tensor in tensors)
    )


def _unsigned(content: bytes, position: int) -> int:
    (value,) = struct.unpack_from("<I", content, position)
    return int(value)
