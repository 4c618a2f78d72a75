"""A source and a sink that fail where a test wants them to."""

from __future__ import annotations

import errno
from collections.abc import Mapping

import numpy as np

from framefx.errors import DeviceError
from framefx.frame import Frame, Size
from framefx.protocols import Sink, Source
from framefx.testing.clock import ManualClock
from framefx.testing.faults import Faults

_HOUR = 3600.0


class FaultySource(Faults):
    """A source with faults.

    Parameters
    ----------
    source : Source
        Where its frames come from.
    faults : mapping
        The number of a frame, counted from 0 over all openings, to what happens when it is due.
    clock : ManualClock, optional
        Moved by what takes time.

    Attributes
    ----------
    opened, closed, given : int
        How often `open` succeeded, how often `close` was called, and how many frames were due.
    """

    place = "source"

    def __init__(self, source: Source, faults: Mapping[int, str], clock: ManualClock | None = None) -> None:
        super().__init__(faults, clock, 0.0)
        self.live = source.live
        self.opened = self.closed = self.given = 0
        self._source = source
        self._refusals = 0
        self._late = 0.0

    @property
    def size(self) -> Size:
        return self._source.size

    @property
    def rate(self) -> float:
        return self._source.rate

    def open(self) -> None:
        if self._refusals:
            self._refusals -= 1
            raise DeviceError("the camera is used by another program: close it")
        self._source.open()
        self.opened += 1

    def read(self) -> Frame | None:
        """Return the next frame of the source, or do what the fault says."""
        fault = self.faults.get(self.given)
        self.given += 1
        frame = self._source.read()
        if fault is None or frame is None:
            return frame and self._dated(frame)
        return self._spoiled(fault, frame)

    def close(self) -> None:
        self.closed += 1
        self._source.close()

    def _dated(self, frame: Frame, seconds: float = 0.0) -> Frame:
        late = self._late + seconds
        return frame._stamped(frame.index, frame.time + late) if late else frame

    def _spoiled(self, fault: str, frame: Frame) -> Frame | None:
        if fault == "ended":
            return None
        if fault == "damaged":
            return self._decoded(frame)
        if fault == "another mode":
            return Frame.borrow(np.ascontiguousarray(frame.pixels[::2, ::2]), index=frame.index, time=frame.time)
        if fault == "clock back":
            return self._dated(frame, -_HOUR)
        if fault == "clock jump":
            self._late += _HOUR
            self.clock.advance(_HOUR)
            return self._dated(frame)
        if fault == "crash":
            raise RuntimeError("the source has a bug")
        if fault == "busy":
            self._refusals = 2
        if fault == "frozen":
            self.clock.advance(2)
            raise DeviceError("the camera has given no picture for 2 seconds: plug it in again")
        raise DeviceError("the camera is gone: plug it in again")

    def _decoded(self, frame: Frame) -> Frame | None:
        """Send the picture as half a JPEG through the decoder that cameras have."""
        import cv2

        from framefx.v4l2.decode import JpegDecoder

        whole = cv2.imencode(".jpg", frame.pixels)[1].tobytes()
        out = np.zeros_like(frame.pixels)
        try:
            JpegDecoder()(memoryview(whole[: len(whole) // 2]), out)
        except ValueError:
            return self.read()
        return Frame.borrow(out, index=frame.index, time=frame.time)


class FaultySink(Faults):
    """A sink with faults.

    Parameters
    ----------
    sink : Sink
        What takes the frames.
    faults : mapping
        The number of a call of `send`, counted from 0, to what happens then.
    clock, patience
        As for `FaultyFilter`.

    Attributes
    ----------
    hanging, release : Event
        Set when it is blocked; set by the test to let it go on.
    """

    place = "sink"

    def __init__(
        self,
        sink: Sink,
        faults: Mapping[int, str],
        clock: ManualClock | None = None,
        *,
        patience: float = 60.0,
    ) -> None:
        super().__init__(faults, clock, patience)
        self.live = sink.live
        self.takes_alpha = getattr(sink, "takes_alpha", True)
        self._sink = sink
        self._sent = 0

    def open(self, size: Size, rate: float, has_alpha: bool) -> None:
        self._sink.open(size, rate, has_alpha)

    def send(self, frame: Frame) -> None:
        """Pass the frame on, or do what the fault says."""
        fault = self.faults.get(self._sent)
        self._sent += 1
        if fault == "taken":
            raise DeviceError("the virtual camera is written by another program: close it")
        if fault == "full disk":
            raise OSError(errno.ENOSPC, "No space left on device")
        if fault == "blocked":
            self.hang()
        if fault == "slow":
            self.clock.advance(0.5)
        if fault != "gone":
            self._sink.send(frame)

    def wanted(self) -> bool:
        return self._sink.wanted()

    def finish(self) -> None:
        self._sink.finish()

    def abort(self) -> None:
        self._sink.abort()
