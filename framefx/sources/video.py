"""Video files and animated pictures, read with FFmpeg's libraries (PyAV)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, cast

from pydantic import Field

from framefx.errors import MediaError
from framefx.frame import Frame, FramePool, Size
from framefx.sources._media import checked_file, missing_bytes

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from framefx.sources._convert import Converter

log = logging.getLogger(__name__)

# FFmpeg's own VP8 and VP9 decoders leave alpha out; libvpx's read it.
_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


class VideoFile:
    """A video file or animated picture: MP4, Matroska, WebM, MOV, AVI, GIF, APNG, … whatever FFmpeg reads.

    Frames carry their true times, so variable frame rates and GIF delays stay as they are. Rotation metadata is
    applied; the colour matrix and range are those the file names, BT.601 limited where it names none, as in FFmpeg.

    A damaged packet is skipped and logged. A file that ends before its own account of itself gives all frames that
    are there and then raises `MediaError`.

    Parameters
    ----------
    location : str
        Path, or a URL that FFmpeg reads.
    loop : bool
        Start again at the end, for ever; times go on.

    Attributes
    ----------
    frames : int or None
        How many frames there will be, an estimate for a progress bar; None if unknown or without end.
    audio : bool
        Whether the file has sound.
    has_alpha : bool
        Whether frames may be transparent.
    """

    live = False

    def __init__(
        self,
        location: str,
        *,
        loop: Annotated[bool, Field(description="start again at the end")] = False,
    ) -> None:
        self.location = location
        self.frames: int | None = None
        self.audio = False
        self.has_alpha = False
        self._loop = loop
        self._pool = FramePool()
        self._size: Size = (0, 0)
        self._rate = 0.0
        self._missing = 0
        self._time_base = Fraction(1, 1000)
        self._container: InputContainer | None = None
        self._pictures: Iterator[VideoFrame] = iter(())
        self._converter: Converter | None = None
        self._first: Frame | None = None
        self._start = self._last = 0.0
        self._count = 0

    @property
    def size(self) -> Size:
        return self._size

    @property
    def rate(self) -> float:
        return self._rate

    def open(self) -> None:
        """Open the file and decode its first frame.

        Raises
        ------
        MediaError
            For a file that is missing, empty, truncated before its first frame, or no video.
        """
        from framefx.sources._convert import Converter, has_alpha

        is_url = "://" in self.location
        self._missing = 0 if is_url else missing_bytes(checked_file(self.location))
        stream = self._begin()
        self._rate = _rate(stream)
        self.frames = None if self._loop else _expected(stream, self._rate)
        self.audio = bool(stream.container.streams.audio)
        first = next(self._pictures, None)
        if first is None:
            raise MediaError(self._why_not("no frame in it can be decoded"))
        self._start, self._last, self._count = self._seconds(first) or 0.0, 0.0, 0
        self._converter = Converter(self._pool)
        self._first = self._converter.frame(first, 0, 0.0)
        self._size = self._first.size
        # Any GIF might be transparent and few are: the first frame says.
        gif = stream.codec_context.name == "gif"
        self.has_alpha = has_alpha(first.format) and not (gif and self._first.alpha is None)

    def read(self) -> Frame | None:
        """Return the next frame, None at the end.

        Raises
        ------
        MediaError
            After the last frame of a file that is truncated.
        """
        if self._first is not None:
            frame, self._first = self._first, None
            return frame
        picture = next(self._pictures, None)
        if picture is None and self._loop and self._converter is not None and not self._missing:
            picture = self._again()
        if picture is None and self._missing:
            raise MediaError(self._why_not(f"it ends after frame {self._count}"))
        if picture is None or self._converter is None:
            return None
        self._count += 1
        self._last = self._time(picture)
        return self._converter.frame(picture, self._count, self._last)

    def close(self) -> None:
        if self._container is not None:
            self._container.close()
        self._container = self._converter = self._first = None
        self._pictures = iter(())

    def _begin(self) -> VideoStream:
        import av

        name = self.location if "://" in self.location else f"file:{checked_file(self.location)}"
        try:
            self._container = av.open(name)
        except (av.FFmpegError, OSError) as error:
            raise MediaError(self._why_not(_reason(error))) from error
        stream = self._container.streams.best("video")
        # FFmpeg takes any text file for ANSI art.
        if not isinstance(stream, av.VideoStream) or self._container.format.name == "tty":
            raise MediaError(self._why_not("there is no picture in it"))
        self._time_base = stream.time_base or Fraction(1, 1000)
        self._pictures = self._decoded(self._container, stream)
        return stream

    def _again(self) -> VideoFrame | None:
        """Start over; times go on after the last frame, which stays for as long as an average one."""
        if self._container is not None:
            self._container.close()
        self._begin()
        picture = next(self._pictures, None)
        if picture is not None:
            self._start = (self._seconds(picture) or 0.0) - self._last - 1 / self._rate
        return picture

    def _decoded(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        import av

        decoder = stream.codec_context
        if stream.metadata.get("alpha_mode") == "1" and decoder.name in _ALPHA_DECODERS:
            decoder = cast("VideoCodecContext", av.CodecContext.create(_ALPHA_DECODERS[decoder.name], "r"))
        decoder.thread_type = "AUTO"
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError as error:
                # The demuxer cannot go on; what the decoder holds still comes.
                log.warning("%s: %s after %.2f s", self.location, _reason(error), self._last)
                self._missing = self._missing or 1
                packet = None
            last = packet is None or not packet.size
            try:
                yield from decoder.decode(None if last else packet)
            except av.FFmpegError as error:
                log.warning("%s: damaged near %.2f s: %s", self.location, self._last, _reason(error))
                if last:
                    return
            if last:
                return

    def _seconds(self, picture: VideoFrame) -> float | None:
        # Not the picture's own time base: what comes out of a decoder at the end has none.
        stamp = picture.pts if picture.pts is not None else picture.dts
        return None if stamp is None else float(stamp * self._time_base)

    def _time(self, picture: VideoFrame) -> float:
        seconds = self._seconds(picture)
        if seconds is None:
            return self._last + 1 / self._rate
        return max(self._last, seconds - self._start)

    def _why_not(self, what: str) -> str:
        if self._missing:
            lost = f"{self._missing} bytes" if self._missing > 1 else "the end"
            return f"{self.location}: {what}; the file is truncated, {lost} missing: copy or record it again"
        return f"{self.location}: {what}: `ffprobe {self.location}` says more"


def _rate(stream: VideoStream) -> float:
    if stream.codec_context.name == "gif" and stream.frames and stream.duration and stream.time_base:
        # FFmpeg guesses a GIF's rate from a few of its delays.
        return stream.frames / float(stream.duration * stream.time_base)
    return float(stream.average_rate or stream.guessed_rate or 30)


def _expected(stream: VideoStream, rate: float) -> int | None:
    if stream.frames:
        return stream.frames
    duration = cast("InputContainer", stream.container).duration
    if not duration or duration < 0:
        return None
    start = float((stream.start_time or 0) * (stream.time_base or 0))
    return max(1, round((duration / 1e6 - start) * rate))


def _reason(error: Exception) -> str:
    import av

    if isinstance(error, av.InvalidDataError):
        return "it is no video that FFmpeg can read, or it is damaged"
    text = getattr(error, "strerror", None) or str(error)
    return text[:1].lower() + text[1:]
