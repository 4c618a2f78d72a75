"""Masks in time: each layer's last mask is remembered, and the next one goes on from there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from framefx import kernels
from framefx.frame import Size

Values = npt.NDArray[np.uint8]
"""(rows, columns) uint8, 0 outside, 255 inside."""

_LONGEST_GAP = 0.5
"""Seconds without a mask after which nothing is smoothed: what was there is no longer there."""

# Levels within which a mask flickers, and from which on something moved. With more than 24, what a person leaves behind
# would come near the default soft range (it begins at 76 levels) and be seen.
_STILL, _MOVING = 24.0, 128.0


@dataclass
class _Memory:
    """One layer's smoothed values, times 257, with the frame size and the time they stand for."""

    values: npt.NDArray[np.uint16]
    size: Size
    time: float


class Smoothing:
    """Smooths masks in time, layer by layer. Used by one thread.

    It starts anew after half a second without a mask, when time does not go forward, and when the mask's or the
    frame's size changes.

    Parameters
    ----------
    constant : float
        Seconds in which a change gets to 63 %, above 0.
    follows_motion : bool
        Whether that is so where the mask hardly changes only, and what changed much is taken as it is: see
        `framefx.kernels.motion_ema`. Of the masks of a person who sits still a third of the flicker stays with half
        a second, and behind who moves nothing stays that the default soft range shows: faint levels only.
    """

    def __init__(self, constant: float, *, follows_motion: bool) -> None:
        self._constant = constant
        self._follows_motion = follows_motion
        self._memory: dict[str, _Memory] = {}

    def reset(self) -> None:
        """Forget every layer's last mask."""
        self._memory.clear()

    def __call__(
        self, layer: str, values: Values, size: Size, time: float, stretch: tuple[float, float] = (0.0, 1.0)
    ) -> Values:
        """Return the smoothed mask.

        Parameters
        ----------
        layer : str
            Its name; each has a memory of its own.
        values : (rows, columns) uint8
        size : (int, int)
            Height and width of the frame it stands for.
        time : float
            Of that frame, seconds.
        stretch : (float, float)
            What comes out is 0 up to the first and 255 from the second on, 0 to 1; what is remembered is not stretched.
        """
        memory, step = self._memory.get(layer), 0.0
        if memory is not None and memory.size == size and memory.values.shape == values.shape:
            step = time - memory.time
        if memory is None or not 0 < step <= _LONGEST_GAP:
            # A weight of 1 takes the mask as it is; going through the kernel compiles it before the second frame.
            memory = self._memory[layer] = _Memory(np.zeros(values.shape, np.uint16), size, time)
            weight = 1.0
        else:
            memory.time = time
            weight = -math.expm1(-step / self._constant)
        low, high = (255 * end for end in stretch)
        smoothed: Values
        if self._follows_motion:
            smoothed = kernels.motion_ema(memory.values, values, weight, _STILL, _MOVING, low=low, high=high)
            return smoothed
        smoothed = kernels.ema(memory.values, values, weight)
        return smoothed if stretch == (0, 1) else kernels.soft_range(smoothed, low, high)
