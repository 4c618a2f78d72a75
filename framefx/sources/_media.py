"""What every source that reads a file checks first, and how it says what is wrong."""

from __future__ import annotations

import struct
from pathlib import Path

from framefx.errors import MediaError

_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")
_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = 0x18538067


def checked_file(location: str) -> Path:
    """Return the path of a file that is there, readable and not empty.

    Raises
    ------
    MediaError
        In one line, with what to do about it.
    """
    path = Path(location).expanduser()
    if path.is_fifo():
        return path  # reading a byte here would take it from who comes next
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise MediaError(f"{location}: there is no such file: `ls {path.parent}` shows what is there") from None
    except IsADirectoryError:
        raise MediaError(f"{location} is a folder, wanted a file: write `--source folder:{location}`") from None
    except PermissionError:
        raise MediaError(f"{location} may not be read: run `chmod u+r {path}`") from None
    except OSError as error:
        raise MediaError(f"{location} cannot be read ({error.strerror}): look at it with `ls -l {path}`") from error
    if empty:
        raise MediaError(f"{location} is empty (0 bytes): copy or record it again")
    return path


def missing_bytes(path: Path) -> int:
    """Return how many bytes the file at `path` lacks by its own account, 0 where it does not say.

    FFmpeg plays a truncated Matroska or GIF file to where it ends and calls that its end. The structure knows
    better: boxes (MP4, MOV), segment (Matroska, WebM), RIFF chunk (AVI, WebP) and trailer (GIF, PNG, JPEG).
    Costs a few reads, whatever the file's size.
    """
    size = path.stat().st_size
    if not path.is_file():
        return 0
    with path.open("rb") as file:
        head = file.read(64)
        if head[4:8] in _BOXES:
            end = _end_of_boxes(path, size)
        elif head.startswith(_EBML):
            end = _end_of_segment(head, size)
        elif head.startswith(b"RIFF") and len(head) >= 8:
            end = 8 + int(struct.unpack("<I", head[4:8])[0])
        else:
            file.seek(max(0, size - 65536))
            end = size + (not _has_trailer(head, file.read()))
    return max(0, end - size)


def _end_of_boxes(path: Path, size: int) -> int:
    position = 0
    with path.open("rb") as file:
        while position + 8 <= size:
            file.seek(position)
            length, kind = struct.unpack(">I4s", file.read(8))
            if length == 1:
                length = int.from_bytes(file.read(8), "big")
            if length < 8 or not kind.isalnum():
                return size  # 0 is "to the end of the file"; anything else is not a box
            position += length
    return position


def _end_of_segment(head: bytes, size: int) -> int:
    header, position = _vint(head, 4)
    position += header
    if int.from_bytes(head[position : position + 4], "big") != _SEGMENT:
        return size
    length, start = _vint(head, position + 4)
    # All ones: the length was not known when it was written (a live recording).
    unknown = length == (1 << 7 * (start - position - 4)) - 1
    return size if unknown else start + length


def _vint(data: bytes, position: int) -> tuple[int, int]:
    """Read EBML's variable-length integer; return it and the position behind it."""
    first = data[position] if position < len(data) else 0
    width = 9 - first.bit_length() if first else 1
    value = int.from_bytes(data[position : position + width], "big")
    return value & ((1 << 7 * width) - 1), position + width


def _has_trailer(head: bytes, tail: bytes) -> bool:
    if head.startswith(b"GIF8"):
        return tail.rstrip(b"\0").endswith(b"\x3b")
    if head.startswith(b"\x89PNG"):
        return b"IEND\xaeB`\x82" in tail
    if head.startswith(b"\xff\xd8"):
        return tail.rfind(b"\xff\xd9") > tail.rfind(b"\xff\xda")
    return True
