"""The learning rate over a run."""

from __future__ import annotations

import math


def learning_rate(step: int, steps: int, peak: float, *, warmup: int = 300, final: float = 0.01) -> float:
    """Return the rate at `step`: a linear rise, then half a cosine down to `final` * peak."""
    if step < warmup:
        return peak * (step + 1) / warmup
    done = min(1.0, (step - warmup) / max(1, steps - warmup))
    return peak * (final + (1 - final) * 0.5 * (1 + math.cos(math.pi * done)))
