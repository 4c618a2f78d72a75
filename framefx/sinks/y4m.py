"""YUV4MPEG2, the format in which video programs talk through pipes."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal

import numpy as np
from pydantic import Field

from framefx.errors import MediaError
from framefx.frame import Frame, Size
from framefx.sinks._files import PendingFile, write_error

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

    from framefx.sinks._encode import Scaler

_MATRICES: dict[str, Literal["smpte170m", "bt709"]] = {"bt601": "smpte170m", "bt709": "bt709"}


class PipeClosedError(MediaError):
    """Who read the pipe went away (a player's window was closed): an end like another, so the exit code is 0."""

    exit_code = 0


class Y4MOutput:
    """A YUV4MPEG2 stream: ``framefx --sink - | ffplay -``. 4:2:0, limited range, also for odd sizes.

    The format has one rate for all frames and no matrix; BT.601 is how FFmpeg reads it. Every frame sent is written
    once. While the stream is open, whatever else prints to standard output goes to standard error.

    Parameters
    ----------
    location : str or binary file
        ``-`` for standard output, a path (written beside it, renamed by `finish`), or an open file (which stays open).
    matrix : {"bt601", "bt709"}
        How the samples are made.

    Attributes
    ----------
    closed : bool
        Whether the reader went away; `wanted` is False from then on.
    """

    live = False
    takes_alpha = False

    def __init__(
        self,
        location: str | BinaryIO = "-",
        *,
        matrix: Annotated[Literal["bt601", "bt709"], Field(description="how the samples are made")] = "bt601",
    ) -> None:
        self.location = location
        self.closed = False
        self._name = {"-": "standard output"}.get(str(location), str(location))
        self._matrix = _MATRICES[matrix]
        self._file: BinaryIO | None = None
        self._pending: PendingFile | None = None
        self._scaler: Scaler | None = None
        self._has_stdout = False

    def open(self, size: Size, rate: float, has_alpha: bool) -> None:
        """Write the stream's first line.

        Raises
        ------
        MediaError
            When standard output is a terminal, or the file cannot be made.
        """
        from framefx.sinks._encode import Scaler

        self.closed = False
        self._file = self._opened()
        self._scaler = Scaler(size, "yuv420p", self._matrix)
        ratio = Fraction(rate).limit_denominator(1001)
        height, width = size
        line = f"YUV4MPEG2 W{width} H{height} F{ratio.numerator}:{ratio.denominator} Ip A1:1 C420mpeg2"
        with self._writing():
            self._file.write(f"{line} XCOLORRANGE=LIMITED\n".encode())
            self._file.flush()

    def send(self, frame: Frame) -> None:
        """Write one frame.

        Raises
        ------
        PipeClosedError
            When the reader is gone.
        MediaError
            When it cannot be written.
        """
        if self._file is None or self._scaler is None:
            return
        picture = self._scaler.picture(frame)
        with self._writing():
            self._file.write(b"FRAME\n")
            for data in _planes(picture, frame):
                self._file.write(data)
            self._file.flush()

    def wanted(self) -> bool:
        return not self.closed

    def finish(self) -> None:
        """Close the stream; a file gets its name.

        Raises
        ------
        MediaError
            When the last bytes cannot be written.
        """
        pending, self._pending = self._pending, None
        try:
            with self._writing():
                self._release()
        except BaseException:
            if pending is not None:
                pending.discard()
            raise
        if pending is not None:
            pending.commit()

    def abort(self) -> None:
        with contextlib.suppress(Exception):
            self._release()
        if self._pending is not None:
            self._pending.discard()
        self._pending = None

    def _opened(self) -> BinaryIO:
        if not isinstance(self.location, str):
            return self.location
        if self.location != "-":
            self._pending = PendingFile(self.location)
            return self._pending.path.open("wb")
        if os.isatty(1):
            raise MediaError("standard output is a terminal: add `| ffplay -` or write to a file")
        sys.stdout.flush()
        stream = os.fdopen(os.dup(1), "wb")
        # A stray print, from here or from a C library, would be read as part of a frame.
        os.dup2(2, 1)
        self._has_stdout = True
        return stream

    def _release(self) -> None:
        file, self._file, self._scaler = self._file, None, None
        if file is None:
            return
        try:
            if self._has_stdout:
                sys.stdout.flush()
                if not self.closed:  # nobody reads it any more; what is printed now had better not fail
                    os.dup2(file.fileno(), 1)
                self._has_stdout = False
        finally:
            if isinstance(self.location, str):
                file.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError as error:
            self.closed = True
            raise PipeClosedError(f"{self._name}: its reader went away") from error
        except OSError as error:
            raise error if isinstance(error, MediaError) else write_error(self._name, error) from error


def _planes(picture: VideoFrame, frame: Frame) -> Iterator[memoryview]:
    """Yield the samples of each plane without the padding at the end of its rows."""
    for plane in picture.planes:
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        if plane.line_size != plane.width:
            tight = frame.array((plane.height, plane.width))
            np.copyto(tight, rows[:, : plane.width])
            rows = tight
        yield rows.data.cast("B")
