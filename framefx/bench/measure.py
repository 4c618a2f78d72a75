"""The measuring protocol: how long one way takes, and how long another, on the same machine at the same time.

One process, one thread for every library. After a warm-up the sides take turns, in another order every round, so
that all of them see the same neighbours and the same clock. A turn is some runs one after another, about as long for
every side, because that is what all of them do in real life: a frame's work follows the last frame's. Every run of
a turn counts. Of every side the minimum and the median are kept (the minimum is the time without disturbance, the
median what one gets), both of wall time and of the process's CPU time: on a machine that others use too, only the
latter can be compared.
"""

from __future__ import annotations

import gc
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_TURN = 0.02
"""CPU seconds that a turn lasts, if a run is shorter than that."""
_LONGEST_TURN = 20
"""Runs."""


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Side:
    """One way to do the work.

    Attributes
    ----------
    name : str
        What the table calls it.
    run : callable
        The work; handed what `fresh` returned.
    fresh : callable
        Called before every run, outside the measured time: makes what `run` may change.
    """

    name: str
    run: Callable[[Any], object]
    fresh: Callable[[], Any] = _nothing


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one side, over `runs` runs."""

    name: str
    runs: int
    cpu_median: float
    cpu_min: float
    wall_median: float
    wall_min: float


@contextmanager
def one_thread() -> Iterator[None]:
    """Let OpenCV and PyTorch (where it was imported) use one thread; restores what was set."""
    import cv2

    torch: Any = sys.modules.get("torch")
    before = cv2.getNumThreads(), torch.get_num_threads() if torch else 1
    cv2.setNumThreads(1)
    if torch:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before[0])
        if torch:
            torch.set_num_threads(before[1])


def interleave(
    sides: Sequence[Side], seconds: float, *, warm_up: int = 2, least: int = 5, most: int = 500
) -> list[Timing]:
    """Measure all `sides` in turns.

    Parameters
    ----------
    sides : sequence of Side
    seconds : float
        How long to go on, warm-up not counted.
    warm_up : int
        Runs of each side that do not count.
    least, most : int
        Rounds that are run however long they take, and rounds after which it is enough.

    Returns
    -------
    list of Timing
        In the order of `sides`.
    """
    walls: list[list[float]] = [[] for _ in sides]
    cpus: list[list[float]] = [[] for _ in sides]
    order = list(range(len(sides)))
    shuffle = random.Random(0).shuffle
    with one_thread(), _no_collector():
        counts = [_runs_in_a_turn(side, warm_up) for side in sides]
        end = time.perf_counter() + seconds
        for done in range(most):
            if done >= least and time.perf_counter() >= end:
                break
            shuffle(order)
            for i in order:
                for _ in range(counts[i]):
                    wall, cpu = _one(sides[i])
                    walls[i].append(wall)
                    cpus[i].append(cpu)
    return [_timing(side.name, walls[i], cpus[i]) for i, side in enumerate(sides)]


def _runs_in_a_turn(side: Side, warm_up: int) -> int:
    """Warm `side` up and return how many runs make a turn."""
    cpu = min(_one(side)[1] for _ in range(max(1, warm_up)))
    return max(1, min(_LONGEST_TURN, round(_TURN * 1e3 / max(cpu, 1e-3))))


def _one(side: Side) -> tuple[float, float]:
    """Return wall and CPU milliseconds of one run; the CPU time is the process's, of all its threads."""
    given = side.fresh()
    wall, cpu = time.perf_counter(), time.process_time()
    side.run(given)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return wall * 1e3, cpu * 1e3


def _timing(name: str, walls: Sequence[float], cpus: Sequence[float]) -> Timing:
    median = statistics.median
    return Timing(name, len(walls), median(cpus), min(cpus), median(walls), min(walls))


@contextmanager
def _no_collector() -> Iterator[None]:
    """Keep the garbage collector from running inside somebody's turn."""
    gc.collect()
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
