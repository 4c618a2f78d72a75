"""Pictures from beside the camera, for a stack: a still, a looping video, or a second camera."""

from __future__ import annotations

import threading

from framefx.errors import DeviceError, MediaError
from framefx.frame import Frame
from framefx.protocols import Source

_EARLY = 1e-6
"""Seconds that a picture may come early: sums of periods are a little more than multiples of them."""


class Feed:
    """Shows a source by the clock of another one's frames.

    A live source is read on a thread of its own, and its newest frame counts: a slow second camera never holds
    up the first. Anything else is read as the time asks for it, and begins again at its end.

    Parameters
    ----------
    source : Source
        Opened at the first call of `at`, and again after `close`.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._current: Frame | None = None
        self._next: Frame | None = None
        self._base = 0.0
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
        self._base = time
        self._current = self._read()
        self._next = self._source.read()

    def _read(self) -> Frame:
        frame = self._source.read()
        if frame is None:
            raise MediaError("a picture of the stack gives no frame: check its file")
        return frame

    def _timed(self, time: float) -> Frame:
        while self._next is not None and self._next.time <= time - self._base + _EARLY:
            self._current, self._next = self._next, self._source.read()
            if self._next is None:
                self._begin_again()
        if self._current is None:
            raise MediaError("a picture of the stack gives no frame: check its file")
        return self._current

    def _begin_again(self) -> None:
        period = 1 / self._source.rate if self._source.rate else 0.0
        self._base += (self._current.time if self._current else 0.0) + period
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
