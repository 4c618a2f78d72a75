"""Getting ready before the first frame: compiling the kernels that a plan uses, and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from framefx.frame import Frame, Size

if TYPE_CHECKING:
    from framefx.plan import Plan

_PROBE: Size = (72, 128)


def probe_frame(size: Size, index: int) -> Frame:
    """Return a synthetic frame of noise; the same for the same index."""
    noise = np.random.default_rng(index).integers(0, 256, (*size, 3), np.uint8)
    return Frame.borrow(noise, index=index, time=index / 30)


def warm_plan(plan: Plan, *, run_models: bool = True) -> None:
    """Compile what `plan` uses, or load it from the cache; see `Plan.warm`."""
    plan.warm(probe_frame(_PROBE, 0), run_models=run_models)


@contextmanager
def on_compile(tell: Callable[[str], None]) -> Iterator[None]:
    """Call `tell(kernel)` before each kernel that has to be compiled because no cache has it."""
    from framefx.kernels import on_compile as listen

    with listen(tell):
        yield
