"""A clock that moves when it is told to."""

from __future__ import annotations

import threading


class ManualClock:
    """Stands in for the `time` module where a pipeline is tested: nothing waits, and every run is the same.

    Parameters
    ----------
    start : float
        What `monotonic` says first, in seconds.

    Attributes
    ----------
    sleeps : list of float
        Each sleep that was asked for, in seconds, in order.
    """

    def __init__(self, start: float = 0.0) -> None:
        self.sleeps: list[float] = []
        self._now = start
        self._changed = threading.Condition()

    def monotonic(self) -> float:
        """Return the time in seconds; it stands still until somebody moves it."""
        with self._changed:
            return self._now

    perf_counter = monotonic

    def advance(self, seconds: float) -> None:
        """Move the clock forward and wake whoever waits.

        Raises
        ------
        ValueError
            For a negative number: a monotonic clock never runs backwards.
        """
        if seconds < 0:
            raise ValueError(f"a monotonic clock never runs backwards: got {seconds} s")
        with self._changed:
            self._now += seconds
            self._changed.notify_all()

    def sleep(self, seconds: float) -> None:
        """Move the clock forward by `seconds` and return at once."""
        self.sleeps.append(seconds)
        self.advance(max(0.0, seconds))

    def wait(self, event: threading.Event, timeout: float | None = None) -> bool:
        """Stand in for ``event.wait(timeout)``: say whether `event` is set, or let `timeout` seconds pass at once.

        Without a timeout there is nothing to let pass, and it really waits.
        """
        if timeout is None:
            return event.wait()
        if not event.is_set():
            self.sleep(timeout)
        return event.is_set()

    def wait_until(self, moment: float, timeout: float = 10.0) -> bool:
        """Block this thread until another one moved the clock to `moment`; False after `timeout` real seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._now >= moment, timeout)
