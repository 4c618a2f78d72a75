"""YUV4MPEG2, the format in which video programs talk through pipes."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal

import numpy as np
from pydantic import Field

from framefx.errors import MediaError
from framefx.frame import Frame, FramePool, Size
from framefx.sources._media import checked_file

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

    from framefx.sources._convert import Converter

_MAGIC = b"YUV4MPEG2"
_LONGEST_LINE = 1024
_FORMATS = {
    "420": "yuv420p",
    "420jpeg": "yuv420p",
    "420mpeg2": "yuv420p",
    "420paldv": "yuv420p",
    "411": "yuv411p",
    "422": "yuv422p",
    "444": "yuv444p",
    "444alpha": "yuva444p",
    "mono": "gray",
    "420p10": "yuv420p10le",
    "422p10": "yuv422p10le",
    "444p10": "yuv444p10le",
}
_MATRICES = {"bt601": 5, "bt709": 1}
_RANGES = {"FULL": 2, "LIMITED": 1}


class Y4MInput:
    """A YUV4MPEG2 stream: ``ffmpeg -i IN -f yuv4mpegpipe - | framefx --source -``.

    Frame n is at n / rate seconds. The stream does not say its colour matrix; BT.601 is FFmpeg's reading and that of
    `framefx.sinks.y4m.Y4MOutput`, so colours that go through both come back the same.

    Parameters
    ----------
    location : str or binary file
        ``-`` for standard input, a path, or an open file (which stays open).
    matrix : {"bt601", "bt709"}
        How the samples are read.

    Attributes
    ----------
    has_alpha : bool
        Whether the stream has a plane for it.
    """

    live = False

    def __init__(
        self,
        location: str | BinaryIO = "-",
        *,
        matrix: Annotated[Literal["bt601", "bt709"], Field(description="how the samples are read")] = "bt601",
    ) -> None:
        self.location = location
        self.has_alpha = False
        self.frames: int | None = None
        self._name = {"-": "standard input"}.get(str(location), str(location))
        self._matrix = matrix
        self._pool = FramePool()
        self._file: BinaryIO | None = None
        self._picture: VideoFrame | None = None
        self._converter: Converter | None = None
        self._data = np.empty(0, np.uint8)
        self._size: Size = (0, 0)
        self._rate = Fraction(25)
        self._index = 0

    @property
    def size(self) -> Size:
        return self._size

    @property
    def rate(self) -> float:
        return float(self._rate)

    def open(self) -> None:
        """Wait for the stream's first line and read it.

        Raises
        ------
        MediaError
            When nothing comes, or something else.
        """
        import av

        from framefx.sources._convert import Converter

        self._file = self._opened()
        words = self._header(self._file.readline(_LONGEST_LINE))
        kind = words.get("C", "420")
        if kind not in _FORMATS:
            raise MediaError(f"{self._name}: samples '{kind}' are not known: add `-pix_fmt yuv420p` to the sender")
        try:
            self._size = (int(words["H"]), int(words["W"]))
            over, _, under = words.get("F", "25:1").partition(":")
            # 0:0 is "unknown", for which FFmpeg takes 25.
            self._rate = Fraction(int(over), int(under)) if int(over) > 0 and int(under) > 0 else Fraction(25)
        except (KeyError, ValueError) as error:
            raise self._no_stream("its first line is damaged") from error
        if min(self._size) < 1 or max(self._size) > 32768:
            raise self._no_stream(f"its size is {self._size[1]}x{self._size[0]}")
        self._picture = av.VideoFrame(self._size[1], self._size[0], _FORMATS[kind])
        self._picture.colorspace = _MATRICES[self._matrix]
        self._picture.color_range = _RANGES.get(words.get("XCOLORRANGE", ""), 0)
        self._data = np.empty(sum(height * width for height, width in self._planes()), np.uint8)
        self._converter = Converter(self._pool)
        self.has_alpha = kind == "444alpha"
        self._index = 0

    def read(self) -> Frame | None:
        """Return the next frame; None when the sender closed the pipe after a whole one.

        Raises
        ------
        MediaError
            When the stream breaks off inside a frame or goes on with something else.
        """
        if self._file is None or self._picture is None or self._converter is None:
            return None
        line = self._file.readline(_LONGEST_LINE)
        if not line:
            return None
        if not line.startswith(b"FRAME") or not line.endswith(b"\n"):
            raise MediaError(
                f"{self._name}: frame {self._index} does not begin with FRAME: the sender wrote other things"
            )
        got = _fill(self._file, self._data.data)
        if got < self._data.size:
            raise MediaError(
                f"{self._name}: it ends inside frame {self._index} ({got} of {self._data.size} bytes): "
                "see what the sender says"
            )
        position = 0
        for plane, (height, width) in zip(self._picture.planes, self._planes(), strict=True):
            rows = np.frombuffer(memoryview(plane), np.uint8).reshape(height, plane.line_size)
            np.copyto(rows[:, :width], self._data[position : position + height * width].reshape(height, width))
            position += height * width
        frame = self._converter.frame(self._picture, self._index, float(self._index / self._rate))
        self._index += 1
        return frame

    def close(self) -> None:
        if self._file is not None and isinstance(self.location, str):
            self._file.close()
        self._file = self._picture = self._converter = None

    def _planes(self) -> list[tuple[int, int]]:
        """Return rows and bytes per row of each plane."""
        if self._picture is None:
            return []
        deep = 1 + self._picture.format.name.endswith("10le")
        return [(plane.height, plane.width * deep) for plane in self._picture.planes]

    def _opened(self) -> BinaryIO:
        if not isinstance(self.location, str):
            return self.location
        if self.location != "-":
            return checked_file(self.location).open("rb")
        if os.isatty(0):
            raise self._no_stream("it is a terminal")
        return os.fdopen(os.dup(0), "rb")

    def _header(self, line: bytes) -> dict[str, str]:
        if not line:
            raise self._no_stream("nothing came")
        words = line.decode("ascii", "replace").split()
        if not line.startswith(_MAGIC) or not line.endswith(b"\n"):
            raise self._no_stream(f"it begins with {line[:12]!r}")
        extra = {word[1:].partition("=")[0]: word.partition("=")[2] for word in words[1:] if word.startswith("X")}
        return {word[0]: word[1:] for word in words[1:]} | {f"X{name}": value for name, value in extra.items()}

    def _no_stream(self, why: str) -> MediaError:
        return MediaError(
            f"{self._name} is no YUV4MPEG2 stream ({why}): "
            "send one with `ffmpeg -i IN -pix_fmt yuv420p -f yuv4mpegpipe -`"
        )


def _fill(file: BinaryIO, view: memoryview) -> int:
    """Read until `view` is full or the stream ends; return how many bytes came."""
    got = 0
    while got < len(view):
        count = file.readinto(view[got:])  # type: ignore[attr-defined]
        if not count:
            break
        got += count
    return got
