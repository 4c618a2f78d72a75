"""Protocol Buffers as bytes: the fields of a message, and a message of fields.

ONNX files are such messages. The `onnx` package reads them too, and is 60 MB with its dependencies; what is needed
here is to leave some fields out. See https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

Bytes = bytes | memoryview
"""A part of a file: a view where it lies, or bytes made here."""

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5


@dataclass(frozen=True)
class Field:
    """One field of a message: its number, its bytes with the tag, and what it holds.

    `number` is the integer of a varint field, else 0; `content` the bytes of a length-delimited one, else empty.
    """

    tag: int
    raw: Bytes
    number: int = 0
    content: Bytes = b""

    @property
    def text(self) -> str:
        """The content as text."""
        return str(self.content, "utf-8", "replace")


def fields(message: Bytes) -> Iterator[Field]:
    """Yield the fields of a message, in order; nothing is copied.

    Raises
    ------
    ValueError
        When it is cut short or no message at all.
    """
    message = memoryview(message)
    place, end = 0, len(message)
    while place < end:
        start = place
        key, place = _varint(message, place)
        tag, kind = key >> 3, key & 7
        if tag == 0:
            raise ValueError("a field has the number 0")
        number, inner = 0, place
        if kind == _VARINT:
            number, place = _varint(message, place)
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            place += 8 if kind == _EIGHT_BYTES else 4
        elif kind == _BYTES:
            length, inner = _varint(message, place)
            place = inner + length
        else:
            raise ValueError(f"a field of kind {kind}")
        if place > end:
            raise ValueError("a field beyond the end")
        yield Field(tag, message[start:place], number, message[inner:place] if kind == _BYTES else b"")


def join(parts: Iterable[Field]) -> bytes:
    """Return the message that has these fields."""
    return b"".join(part.raw for part in parts)


def of_bytes(tag: int, content: Bytes) -> Field:
    """Return a field that holds bytes, text or another message."""
    start = _as_varint(tag << 3 | _BYTES) + _as_varint(len(content))
    return Field(tag, start + content, content=content)


def of_number(tag: int, number: int) -> Field:
    """Return a field that holds an integer, at least 0."""
    return Field(tag, _as_varint(tag << 3) + _as_varint(number), number)


def _varint(message: Bytes, place: int) -> tuple[int, int]:
    """Return the integer at `place` and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            raise ValueError("a number beyond the end")
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("a number longer than 10 bytes")


def _as_varint(number: int) -> bytes:
    result = bytearray()
    while number > 0x7F:
        result.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*result, number))
