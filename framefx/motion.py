"""How the camera moved from one frame to the next: the value of the layer ``motion``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from framefx.frame import Size
from framefx.geometry import Geometry, Matrix


@dataclass(frozen=True)
class Motion:
    """Where the still part of a frame's scene was in the frame before.

    Parameters
    ----------
    matrix : (2, 3) float
        A similarity (shift, turn, scale): ``(x, y) before = matrix @ (x, y, 1)``, pixels; whole numbers are centres.
    size : (int, int)
        Height and width in pixels of the frames.
    sure : bool
        False where nothing could be found out: the first frame, a cut, a plain wall. The matrix is the identity then.
    index, since : int
        Indices of the two frames: this one, and the one before that it leads back to.
    """

    kind: ClassVar[str] = "motion"
    matrix: Matrix
    size: Size
    sure: bool = True
    index: int = 0
    since: int = -1

    @classmethod
    def unknown(cls, size: Size, index: int = 0) -> Motion:
        """Return what stands for a motion that could not be found out."""
        return cls(np.eye(2, 3), size, False, index)

    def moved(self, geometry: Geometry) -> Motion:
        """Return the motion between the two frames after both were moved by `geometry`."""
        out = np.vstack([geometry.matrix, (0, 0, 1)])
        matrix = np.linalg.pinv(out) @ np.vstack([self.matrix, (0, 0, 1)]) @ out
        return replace(self, matrix=matrix[:2], size=geometry.size)


def similarity(scale: float, turn: float, shift: tuple[float, float], size: Size) -> Matrix:
    """Return the matrix that scales and turns a frame of `size` around its centre, then shifts it.

    Parameters
    ----------
    scale : float
        Factor.
    turn : float
        Radians.
    shift : (float, float)
        To the right and down, pixels.
    """
    centre = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    linear = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([linear, centre + shift - linear @ centre])


def parts(matrix: Matrix, size: Size) -> tuple[float, float, tuple[float, float]]:
    """Take a similarity apart into scale, turn and shift: the inverse of `similarity`."""
    centre = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2, 1.0])
    x, y = matrix @ centre - centre[:2]
    cos, sin = matrix[0, 0], matrix[1, 0]
    return float(np.hypot(cos, sin)), float(np.arctan2(sin, cos)), (float(x), float(y))
