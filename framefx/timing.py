"""Facts about a running pipeline: an observer that keeps the last few seconds of them."""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from typing import Any

from framefx.frame import Frame

_KEPT = 300


@dataclass(frozen=True)
class StepTime:
    """Milliseconds that a step took over the last frames."""

    step: str
    median: float
    p99: float
    count: int


class Timings:
    """Observer that remembers how long each step took and counts what happened.

    Attributes
    ----------
    counts : Counter
        Events by name: ``sent``, ``dropped``, ``card``, ``repeated``, …
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._durations: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_KEPT))
        self._totals: Counter[str] = Counter()
        self._sent: deque[float] = deque(maxlen=120)
        self._lock = threading.Lock()

    def before_step(self, step: str, frame: Frame) -> None:
        """Nothing to remember yet."""

    def after_step(self, step: str, frame: Frame, seconds: float) -> None:
        with self._lock:
            self._durations[step].append(seconds)
            self._totals[step] += 1

    def event(self, name: str, **facts: Any) -> None:
        with self._lock:
            self.counts[name] += facts.get("count", 1)
            if name == "sent":
                self._sent.append(time.monotonic())

    @property
    def rate(self) -> float:
        """Frames per second that left, over the last 120 frames."""
        with self._lock:
            times = list(self._sent)
        return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0

    def steps(self) -> list[StepTime]:
        """Return the times of each step in the order in which they first ran."""
        with self._lock:
            kept = {step: sorted(durations) for step, durations in self._durations.items()}
            totals = dict(self._totals)
        return [
            StepTime(step, statistics.median(d) * 1e3, d[min(len(d) - 1, int(len(d) * 0.99))] * 1e3, totals[step])
            for step, d in kept.items()
        ]
