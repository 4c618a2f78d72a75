"""A still picture costs no inference: what a model said of one picture is what it would say of the same again.

Why that is safe. The picture is compared with the one that the network last saw, not with the last frame, so that no
slow change adds up unseen; any block that changed counts, not the mean, so that a hand in a corner is seen; and the
limit is close to a sensor's noise. What is reused is a mask *of this picture*, as far as the blocks tell, and `every`
bounds for how long: the age of a mask (`max_age`) counts from the frame that was compared, as it does from a frame
that was inferred.
"""

from __future__ import annotations

from typing import Any

from framefx import kernels
from framefx.frame import Frame, Image, Size
from framefx.mask import Mask

_BLOCKS = 45
"""Blocks down the picture, as high as three rows of a usual mask: 16 pixels at 720 lines."""

# Levels. Averaged over such a block, a noisy sensor's two pictures differ by 1 or 2 at most; an edge of contrast 50
# that moves by a pixel, a quarter of a mask's, differs by 4 along its way.
_STILL = 3

_LONGEST_GAP = 0.5
"""Seconds between two frames after which the picture is looked at anew, whatever it shows."""


class MotionGate:
    """Keeps what was computed of a picture for as long as the picture stands still. Used by one thread.

    Parameters
    ----------
    every : int
        How many frames one inference serves at most; with 1 nothing is kept.
    """

    def __init__(self, every: int) -> None:
        self._every = every
        self.reset()

    def reset(self) -> None:
        """Forget what was kept."""
        self._values: dict[str, Any] = {}
        self._seen: Image | None = None
        self._size: Size = (0, 0)
        self._time = 0.0
        self._served = 0

    def kept(self, frame: Frame) -> dict[str, Any] | None:
        """Return the layers of `frame` if it shows what the last computed one did, else None: compute them.

        Parameters
        ----------
        frame : Frame
            The newest.
        """
        import cv2

        step, self._time = frame.time - self._time, frame.time
        seen, self._served = self._seen, self._served + 1
        if seen is None or self._served > self._every or frame.size != self._size or not 0 <= step <= _LONGEST_GAP:
            return None
        if cv2.norm(_blocks(frame), seen, cv2.NORM_INF) > _STILL:
            return None
        return {name: _stamped(value, frame) for name, value in self._values.items()}

    def keep(self, frame: Frame, values: dict[str, Any]) -> None:
        """Remember that `values` were computed of `frame`."""
        self._values, self._seen, self._size = dict(values), _blocks(frame), frame.size
        self._time, self._served = frame.time, 1


def _blocks(frame: Frame) -> Image:
    """Return the means of square blocks, by way of the smaller picture that a model and a blur need too."""
    factor = max(1, min(64, round(frame.size[0] / _BLOCKS)))
    if factor < 8:
        return frame.downsampled(factor)
    small: Image = kernels.downsample(frame.downsampled(4), factor // 4)
    return small


def _stamped(value: Any, frame: Frame) -> Any:
    return Mask(value.values, value.size, frame.index) if isinstance(value, Mask) else value
