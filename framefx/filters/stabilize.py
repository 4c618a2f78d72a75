"""``stabilize``: a hand-held camera that stands still."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from pydantic import Field

from framefx.frame import Frame, Size
from framefx.geometry import Geometry, Matrix
from framefx.motion import Motion, parts, similarity

_HALVINGS = 12


class Stabilize:
    """Steady a hand-held camera: shaking is taken out, slow movement stays.

    Each frame is put where the last ones were, by the layer ``motion``; this correction fades with `smooth`, so that
    the picture follows a camera that is moved on purpose, and is bounded by what `zoom` leaves: no border shows.
    """

    def __init__(
        self,
        *,
        smooth: Annotated[float, Field(ge=0, le=10, description="seconds over which movement is evened out")] = 1.0,
        zoom: Annotated[float, Field(ge=1, le=2, description="factor, the room for corrections; 1 leaves it")] = 1.1,
    ) -> None:
        self._smooth, self._zoom = smooth, zoom
        self._correction: Matrix = np.eye(3)
        self._time, self._index = 0.0, -1
        self._size: Size = (0, 0)

    def __call__(self, frame: Frame, motion: Motion) -> Geometry:
        size = frame.size
        step, self._time = frame.time - self._time, frame.time
        if motion.index != self._index:
            follows = motion.sure and motion.since == self._index and size == self._size
            self._correct(motion if follows else Motion.unknown(size), max(0.0, step))
            self._index, self._size = motion.index, size
        return Geometry(self._zoomed(self._correction, size)[:2], size, "edge")

    def close(self) -> None:
        """Forget where the last frames were."""
        self._correction, self._index = np.eye(3), -1

    def _correct(self, motion: Motion, step: float) -> None:
        """Hold on to where the picture was, let go of a part of that, and stay within the frame."""
        held = np.linalg.inv(_square(motion.matrix)) @ self._correction
        fading = math.exp(-step / self._smooth) if self._smooth else 0.0
        low, high = 0.0, fading
        self._correction = _part_of(held, high, motion.size)
        if self._is_inside(motion.size):
            return
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            self._correction = _part_of(held, middle, motion.size)
            low, high = (middle, high) if self._is_inside(motion.size) else (low, middle)
        self._correction = _part_of(held, low, motion.size)

    def _zoomed(self, correction: Matrix, size: Size) -> Matrix:
        return correction @ _square(similarity(1 / self._zoom, 0.0, (0.0, 0.0), size))

    def _is_inside(self, size: Size) -> bool:
        """Whether every corner of what is shown is in the frame."""
        height, width = size
        corners = np.array([[0, 0, 1], [width - 1, 0, 1], [0, height - 1, 1], [width - 1, height - 1, 1]], np.float64).T
        x, y, _ = self._zoomed(self._correction, size) @ corners
        return bool(min(x.min(), y.min()) >= -1e-6 and x.max() <= width - 1 + 1e-6 and y.max() <= height - 1 + 1e-6)


def _part_of(matrix: Matrix, part: float, size: Size) -> Matrix:
    """Return a part of a similarity, 0 nothing to 1 all of it."""
    scale, turn, (x, y) = parts(matrix[:2], size)
    return _square(similarity(scale**part, turn * part, (x * part, y * part), size))


def _square(matrix: Matrix) -> Matrix:
    return np.vstack([matrix, (0, 0, 1)])
