"""The layer ``motion``: how the camera moved since the last frame, found on what stands still."""

from __future__ import annotations

import numpy as np

from framefx.aligning import Grey, Template, align, pyramid, template
from framefx.frame import Frame, Size
from framefx.mask import Mask
from framefx.motion import Motion, similarity

_WIDE = 320
"""Pixels; what is found out at this width is exact to a quarter of a pixel at 1280."""

_LONGEST_GAP = 0.5
"""Seconds between two frames after which they have nothing to do with each other."""

_HIDDEN = 40
"""Levels of the mask from which on a place may be the person."""


class CameraMotion:
    """How the camera moved since the last frame; people do not count where a model finds them.

    It keeps the textured places of one picture, and grey levels of 80 pixels' width.
    """

    def __init__(self) -> None:
        self._before: Template | None = None
        self._size: Size = (0, 0)
        self._time, self._index = 0.0, -1

    def __call__(self, frame: Frame, person: Mask | None = None) -> Motion:
        factor = max(1, min(64, round(frame.size[1] / _WIDE)))
        levels = pyramid(frame.downsampled(factor))
        found = None
        if self._before is not None and self._size == frame.size and 0 < frame.time - self._time <= _LONGEST_GAP:
            found = align(self._before, levels)
        motion = Motion.unknown(frame.size, frame.index)
        if found is not None:
            scale, turn = float(np.hypot(1 + found.growth, found.turn)), float(np.arctan2(found.turn, 1 + found.growth))
            # Half a picture's width is `width / 2` of the block grid's pixels, which may stick out by part of a block.
            half = levels[0].shape[1] * factor / 2
            ahead = similarity(scale, turn, (found.right * half, found.down * half), frame.size)
            back = np.linalg.inv(np.vstack([ahead, (0, 0, 1)]))[:2]
            motion = Motion(back, frame.size, True, frame.index, self._index)
        hidden = None if person is None else _hidden(person)
        self._before = template(levels, hidden)
        self._size, self._time, self._index = frame.size, frame.time, frame.index
        return motion

    def close(self) -> None:
        """Forget the last picture."""
        self._before = None


def _hidden(person: Mask) -> Grey:
    """Return where the person may be, with a rim of a mask's pixel."""
    import cv2

    inside = np.asarray(person.values >= _HIDDEN).view(np.uint8)
    return np.asarray(cv2.dilate(inside, np.ones((3, 3), np.uint8)), np.uint8)
