"""The capturing end of a pipeline: opens the source, opens it again when it went away, closes it while nobody looks."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterator

from framefx.errors import DeviceError
from framefx.frame import Frame
from framefx.protocols import Source

log = logging.getLogger(__name__)

_FIRST_WAIT = 0.25
_LONGEST_WAIT = 1.0

Wait = Callable[[threading.Event, float], bool]
"""Waits for an event, for so many seconds at most, and returns whether it is set."""


class Capture:
    """Frames of a source, with index and time that never run backwards, across reconnects too.

    Parameters
    ----------
    source : Source
        Opened and closed by the thread that iterates.
    stop : Event
        Set when the run ends.
    wanted : Event
        Set while somebody looks; a live source is closed while it is clear. Always set where nobody can know.
    clock : callable
        Monotonic seconds.
    wait : callable
        How pauses between attempts to open are made.

    Attributes
    ----------
    away : str
        Why no frames come at the moment, or "".
    asleep : bool
        Whether the source is closed because nobody looks.
    """

    def __init__(
        self,
        source: Source,
        stop: threading.Event,
        wanted: threading.Event,
        clock: Callable[[], float],
        wait: Wait = threading.Event.wait,
    ) -> None:
        self._source, self._stop, self._wanted, self._clock, self._wait = source, stop, wanted, clock, wait
        self.away = ""
        self.asleep = False
        self._is_open = False
        self._index = 0
        self._began: float | None = None
        self._last = 0.0

    def open(self) -> None:
        """Open the source; what goes wrong at the first time ends the run."""
        self._is_open = True
        self._source.open()

    def close(self) -> None:
        """Close the source once, also after a failed `open`."""
        if self._is_open:
            self._is_open = False
            self._source.close()

    def frames(self) -> Generator[Frame, None, None]:
        """Yield frames until the source ends or the run stops; the source is closed afterwards."""
        try:
            while not self._stop.is_set():
                yield from self._until_interrupted()
                if self._stop.is_set() or not self._source.live or not self._reopen():
                    return
        finally:
            self.close()

    def _until_interrupted(self) -> Iterator[Frame]:
        """Yield frames of one opening of the source; where its time runs backwards, time goes on from the last one."""
        offset: float | None = None
        before = 0.0
        while not self._stop.is_set():
            if self._source.live and not self._wanted.is_set():
                return
            try:
                frame = self._source.read()
            except DeviceError as error:
                if not self._source.live:
                    raise
                self._went_away(error)
                return
            if frame is None:
                self._stop_if_ended()
                return
            if offset is None or frame.time < before:
                offset = self._offset(frame)
            before = frame.time
            self._last = max(self._last, frame.time + offset)
            stamped = frame if offset == 0 and frame.index == self._index else self._restamp(frame)
            self._index += 1
            self.away = ""
            yield stamped

    def _restamp(self, frame: Frame) -> Frame:
        return frame._stamped(self._index, self._last)

    def _offset(self, frame: Frame) -> float:
        now = self._clock()
        if self._began is None:
            self._began = now - frame.time
            return 0.0
        return max(now - self._began, self._last) - frame.time

    def _stop_if_ended(self) -> None:
        # A device that ends has been unplugged in an orderly way; a file that ends is done.
        if self._source.live:
            self._went_away(DeviceError("the camera stopped giving frames"))

    def _went_away(self, error: DeviceError) -> None:
        if self._stop.is_set():
            return  # who ends the run need not be told that the camera ended with it
        if not self.away:
            log.warning("%s; the card is shown until it is back", error)
        self.away = "the camera is away"

    def _reopen(self) -> bool:
        """Wait until somebody looks and the source opens again; return False when the run stops."""
        self.close()
        if not self._wanted.is_set():
            self.asleep = True
            log.info("nobody looks: the camera is closed")
            while not self._wanted.wait(_LONGEST_WAIT):
                if self._stop.is_set():
                    return False
            self.asleep = False
        pause = _FIRST_WAIT
        while not self._stop.is_set():
            try:
                self.open()
            except DeviceError as error:
                self.close()
                self._went_away(error)
                self._wait(self._stop, pause)
                pause = min(2 * pause, _LONGEST_WAIT)
            else:
                if self.away:
                    log.warning("the camera is back")
                return True
        return False
