"""Pictures from beside the camera, for a stack: a still, a looping video, or a second camera."""

from __future__ import annotations

import threading

from framefx.errors import DeviceError, MediaError
from framefx.frame import Frame
from framefx.protocols import Source

EARLY = 1e-3
"""Seconds that a picture may come early: Matroska and WebM round times to milliseconds."""


class Pace:
    """Which pictures are shown when there may only be so many a second: the first of each period.

    Each comes at its own time: what plays at a lower rate plays as fast as before.

    Parameters
    ----------
    rate : float or None
        Pictures per second at most; None for all of them.
    """

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._period = -1

    def takes(self, time: float) -> bool:
        """Whether the picture at `time`, seconds from the first one, is shown; times do not fall."""
        if self._rate is None:
            return True
        period = int((time + EARLY) * self._rate)
        is_first, self._period = period > self._period, period
        return is_first


class Feed:
    """Shows a source by the clock of another one's frames.

    A live source is read on a thread of its own, and its newest frame counts: a slow second camera never holds
    up the first. Anything else is read as the time asks for it, and begins again at its end.

    Parameters
    ----------
    source : Source
        Opened at the first call of `at`, and again after `close`.
    rate : float, optional
        Pictures per second at most of a source that is not live.
    """

    def __init__(self, source: Source, rate: float | None = None) -> None:
        self._source, self._rate = source, rate
        self._pace = Pace(rate)
        self._current: Frame | None = None
        self._next: Frame | None = None
        self._base = self._begun = 0.0
        self._is_open = False
        self._stop = threading.Event()
        self._came = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None

    def at(self, frame: Frame) -> Frame:
        """Return the picture that goes with `frame`, under its index and time.

        Raises
        ------
        MediaError, DeviceError
            When there is none.
        """
        if not self._is_open:
            self._open(frame.time)
        picture = self._newest() if self._source.live else self._timed(frame.time)
        return picture._lend(shared=True)._stamped(frame.index, frame.time)

    def close(self) -> None:
        """Close the source; a later call opens it again."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(2)
            self._thread = None
        elif self._is_open:
            self._source.close()
        self._current = self._next = None
        self._is_open = False

    def _open(self, time: float) -> None:
        self._is_open = True
        if self._source.live:
            self._stop.clear()
            self._thread = threading.Thread(target=self._read_live, name="framefx-feed", daemon=True)
            self._thread.start()
            return
        self._source.open()
        self._base = self._begun = time
        self._pace = Pace(self._rate)
        self._current = self._read()
        self._pace.takes(self._current.time)
        self._next = self._source.read()

    def _read(self) -> Frame:
        frame = self._source.read()
        if frame is None:
            raise MediaError("a picture of the stack gives no frame: check its file")
        return frame

    def _timed(self, time: float) -> Frame:
        while self._next is not None and self._next.time <= time - self._base + EARLY:
            shown, self._next = self._next, self._source.read()
            if self._pace.takes(shown.time + self._base - self._begun):
                self._current = shown
            if self._next is None:
                self._begin_again(shown.time)
        if self._current is None:
            raise MediaError("a picture of the stack gives no frame: check its file")
        return self._current

    def _begin_again(self, last: float) -> None:
        period = 1 / self._source.rate if self._source.rate else 0.0
        self._base += last + period
        self._source.close()
        self._source.open()
        self._next = self._source.read()

    def _read_live(self) -> None:
        try:
            self._source.open()
            while not self._stop.is_set():
                frame = self._source.read()
                if frame is None:
                    break
                self._current = frame
                self._came.set()
        except Exception as error:  # raised by the runner's thread, which asks for the picture
            self._error = error
        finally:
            self._source.close()
            self._came.set()

    def _newest(self) -> Frame:
        self._came.wait(2)
        if self._error is not None:
            raise self._error
        if self._current is None:
            raise DeviceError("the second camera gives no frame: `framefx devices` says who holds it")
        return self._current
