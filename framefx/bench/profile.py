"""Where a plan's time goes: CPU milliseconds of each part of a frame, the network apart from what surrounds it."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from framefx.frame import Frame
from framefx.layers import LoadedModel
from framefx.plan import Plan


class _StepTimes:
    """Observer that keeps the CPU time of each step, less that of steps inside it."""

    def __init__(self) -> None:
        self.taken: defaultdict[str, list[float]] = defaultdict(list)
        self._open: list[float] = []

    def before_step(self, step: str, frame: Frame) -> None:
        self._open.append(time.process_time())

    def after_step(self, step: str, frame: Frame, seconds: float) -> None:
        self.taken[step].append((time.process_time() - self._open.pop()) * 1e3)

    def event(self, name: str, **facts: Any) -> None:
        """Nothing here is counted."""


def profile(plan: Plan, frames: Callable[[], Frame], runs: int = 15) -> dict[str, float]:
    """Return the median CPU milliseconds of each part of `plan`, from `runs` frames.

    The layers are taken apart: ``prepare``, ``network`` and ``decode`` of each model; what the mask pipeline and
    derived layers take is the rest, ``masks``.
    """
    steps = _StepTimes()
    plan.run(frames())
    plan.observe([steps])
    for _ in range(runs):
        plan.run(frames())
    plan.observe([])
    result: dict[str, float] = {}
    for step, taken in steps.taken.items():
        median = statistics.median(taken)
        if step == "layers":
            parts = [_model_parts(loaded, frames, runs) for loaded in plan.layers.models]
            for part in parts:
                result |= part
            result["masks"] = max(0.0, median - sum(sum(part.values()) for part in parts))
        else:
            result[step] = median
    return result


def _model_parts(loaded: LoadedModel, frames: Callable[[], Frame], runs: int) -> dict[str, float]:
    model, taken = loaded.model, defaultdict[str, list[float]](list)
    session = model.session
    for _ in range(runs):
        frame = frames()
        marks = [time.process_time()]
        model.prepare(frame, session.buffer)
        marks.append(time.process_time())
        outputs = session.run(session.buffer, model.outputs_for(loaded.wanted))
        marks.append(time.process_time())
        model.decode(outputs, loaded.wanted, frame)
        marks.append(time.process_time())
        for name, begin, end in zip(("prepare", "network", "decode"), marks, marks[1:], strict=False):
            taken[name].append((end - begin) * 1e3)
    return {name: statistics.median(values) for name, values in taken.items()}
