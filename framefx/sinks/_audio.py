"""The sound of another file, packet by packet, untouched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from framefx.errors import MediaError

if TYPE_CHECKING:
    from av import Packet
    from av.container import OutputContainer


class AudioCopy:
    """Copies the first sound track of a file into `container`, in step with the pictures that are sent.

    The picture's first frame is time 0, as on `Frame.time`, and the sound keeps its distance to it. All of the sound is
    copied, unless the pictures stop before those of the file do: then it stops with them.

    Parameters
    ----------
    location : str
        The file. One without sound adds none.
    container : OutputContainer
        Where its stream is added.

    Raises
    ------
    MediaError
        For a file that cannot be read, or a sound format that the container cannot hold.
    """

    def __init__(self, location: str, container: OutputContainer) -> None:
        import av

        try:
            self._input = av.open(location if "://" in location else f"file:{location}")
        except (av.FFmpegError, OSError) as error:
            raise MediaError(f"audio_from: {location} cannot be read ({error.strerror}): check the path") from error
        sound = self._input.streams.best("audio")
        pictures = self._input.streams.best("video")
        self._start = _first_time(location, pictures.index) if sound and pictures else 0.0
        self._packets: Iterator[Packet[Any]] = iter(())
        self._held: Packet[Any] | None = None
        if sound is None:
            return
        try:
            self._stream = container.add_stream_from_template(sound)
        except (ValueError, av.FFmpegError) as error:
            raise _wont_hold(location, sound.codec_context.name, container.format.name) from error
        self._sound, self._pictures = sound, pictures
        self._packets = self._input.demux([s for s in (sound, pictures) if s is not None])

    def until(self, time: float) -> Iterator[Packet[Any]]:
        """Yield the packets that begin before `time`, in seconds."""
        for packet in self._rest():
            if packet.stream is self._pictures:
                continue
            if self._time(packet) >= time:
                self._held = packet
                return
            yield self._moved(packet)

    def rest(self, end: float) -> Iterator[Packet[Any]]:
        """Yield what remains when the last picture ended at `end` seconds."""
        late: list[Packet[Any]] = []
        for packet in self._rest():
            if packet.stream is self._pictures:
                if self._time(packet) > end:
                    return
            elif self._time(packet) >= end:
                late.append(packet)
            else:
                yield self._moved(packet)
        yield from (self._moved(packet) for packet in late)

    def close(self) -> None:
        self._input.close()

    def _rest(self) -> Iterator[Packet[Any]]:
        if self._held is not None:
            packet, self._held = self._held, None
            yield packet
        for packet in self._packets:
            if packet.size:
                yield packet

    def _time(self, packet: Packet[Any]) -> float:
        stamp = packet.pts if packet.pts is not None else packet.dts
        return float((stamp or 0) * packet.time_base) - self._start

    def _moved(self, packet: Packet[Any]) -> Packet[Any]:
        shift = round(self._start / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts = None if packet.dts is None else packet.dts - shift
        packet.stream = self._stream
        return packet


def _first_time(location: str, index: int) -> float:
    """Return when the first picture of stream `index` is shown, in the file's own seconds."""
    import av

    with av.open(location if "://" in location else f"file:{location}") as container:
        first = next(container.decode(container.streams[index]), None)
    if not isinstance(first, av.VideoFrame) or first.pts is None or first.time_base is None:
        return 0.0
    return float(first.pts * first.time_base)


def _wont_hold(location: str, codec: str, muxer: str) -> MediaError:
    return MediaError(
        f"audio_from: {muxer} cannot hold the {codec} sound of {location}: "
        "write to a `.mkv` file, or leave it out with `--sink-option audio_from=`"
    )
