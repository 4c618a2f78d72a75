"""Video files, written with FFmpeg's libraries (PyAV)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from framefx.errors import MediaError, OptionError
from framefx.frame import Frame, Size
from framefx.sinks._audio import AudioCopy
from framefx.sinks._encode import MUXERS, Encoder, carries_alpha, check_codec
from framefx.sinks._files import PendingFile, write_error

if TYPE_CHECKING:
    from av import Packet
    from av.container import OutputContainer

Preset = Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"]


class VideoFile:
    """A video file: MP4, MOV, Matroska (H.264), WebM (VP9, with alpha) or GIF, by its ending.

    Frames keep their own times: a variable frame rate stays one. Every frame is in the file, whatever its rate. Samples
    are limited range, BT.709 from 720 lines on and BT.601 below, and tagged so. H.264 cannot halve the colour of odd
    sizes, so these are written with full colour (4:4:4): no pixel is lost or added; some players cannot show it.

    The file is written beside its final name and renamed by `finish`; `abort` leaves nothing.

    Parameters
    ----------
    location : str
        Path; its ending chooses container and codec.
    codec : str, optional
        FFmpeg's name of another encoder.
    quality : int
        Constant rate factor, 0 (best) to 51, of x264, x265, AV1 and VP9; 18 is hard to tell from the input.
    preset : str
        What x264 and x265 trade: ``ultrafast`` for speed, ``veryslow`` for smaller files.
    audio_from : str, optional
        File whose sound is copied, packet by packet. None or empty: no sound; a GIF has none either.

    Raises
    ------
    OptionError
        For an unknown ending or codec.
    """

    live = False

    def __init__(
        self,
        location: str,
        *,
        codec: Annotated[str | None, Field(description="FFmpeg's name of the encoder")] = None,
        quality: Annotated[int, Field(ge=0, le=51, description="constant rate factor, 0 is best")] = 18,
        preset: Annotated[Preset, Field(description="of x264 and x265: speed against size")] = "veryfast",
        audio_from: Annotated[str | None, Field(description="file whose sound is copied")] = None,
    ) -> None:
        suffix = Path(location).suffix.lower()
        if suffix not in MUXERS:
            known = " ".join(sorted(MUXERS))
            raise OptionError(f"{location}: '{suffix}' is no video format, wanted one of {known}: write e.g. `out.mp4`")
        if codec is not None:
            check_codec(codec)
        self.location = location
        self._muxer, usual = MUXERS[suffix]
        self._codec = codec or usual
        self.takes_alpha = carries_alpha(self._codec)
        self._quality, self._preset, self._audio_from = quality, preset, audio_from
        self._pending: PendingFile | None = None
        self._container: OutputContainer | None = None
        self._encoder: Encoder | None = None
        self._audio: AudioCopy | None = None
        self._end = self._period = 0.0
        self._sent = 0

    def open(self, size: Size, rate: float, has_alpha: bool) -> None:
        """Make the file and start the encoder.

        Raises
        ------
        MediaError
            When the file cannot be made, or its container cannot hold the codec or the sound.
        """
        import av

        self._pending = PendingFile(self.location)
        self._end, self._period, self._sent = 0.0, 1 / rate, 0
        with self._writing():
            self._container = av.open(f"file:{self._pending.path}", "w", format=self._muxer)
        settings: dict[str, Any] = {"size": size, "rate": rate, "alpha": has_alpha}
        try:
            self._encoder = Encoder(
                self._container, self._codec, quality=self._quality, preset=self._preset, **settings
            )
            if self._audio_from and self._muxer != "gif":
                self._audio = AudioCopy(self._audio_from, self._container)
            self._container.start_encoding()
        except (ValueError, av.FFmpegError) as error:
            what = f"{self._codec} at {size[1]}x{size[0]}" + (" with this sound" if self._audio else "")
            raise MediaError(
                f"{self.location}: {self._muxer} cannot hold {what} ({error}): try `.mkv`, or another codec"
            ) from error

    def send(self, frame: Frame) -> None:
        """Encode one frame.

        Raises
        ------
        MediaError
            When it cannot be written: a full disk, above all.
        """
        if self._encoder is None:
            return
        with self._writing():
            if self._audio is not None:
                self._mux(self._audio.until(frame.time))
            self._mux(self._encoder.encode(frame))
        self._end = frame.time + self._period
        self._sent += 1

    def wanted(self) -> bool:
        return True

    def finish(self) -> None:
        """Write what is left and give the file its name.

        Raises
        ------
        MediaError
            When it cannot be written, or no frame came; nothing is left then.
        """
        if self._container is None or self._encoder is None or self._pending is None:
            return
        try:
            with self._writing():
                if not self._sent:
                    raise MediaError(f"{self.location}: no frame came, so there is no video: look at the source")
                self._mux(self._encoder.flush())
                if self._audio is not None:
                    self._mux(self._audio.rest(self._end))
                self._container.close()
        except BaseException:
            self.abort()
            raise
        self._container = None
        pending, self._pending = self._pending, None
        self.abort()
        pending.commit()

    def abort(self) -> None:
        with contextlib.suppress(Exception):
            if self._container is not None:
                self._container.close()
        if self._audio is not None:
            self._audio.close()
        if self._pending is not None:
            self._pending.discard()
        self._container = self._encoder = self._audio = self._pending = None

    def _mux(self, packets: Iterable[Packet[Any]]) -> None:
        if self._container is not None:
            for packet in packets:
                self._container.mux_one(packet)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        import av

        try:
            yield
        except (av.FFmpegError, OSError) as error:
            raise error if isinstance(error, MediaError) else write_error(self.location, error) from error
