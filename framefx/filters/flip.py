"""``flip``: a mirror."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from framefx.frame import Frame
from framefx.geometry import Geometry


def flip(
    frame: Frame,
    *,
    horizontal: Annotated[bool, Field(description="swap left and right")] = True,
    vertical: Annotated[bool, Field(description="swap top and bottom")] = False,
) -> Geometry:
    """Mirror the picture, and every mask with it."""
    height, width = frame.size
    matrix = np.eye(2, 3)
    if horizontal:
        matrix[0] = (-1, 0, width - 1)
    if vertical:
        matrix[1] = (0, -1, height - 1)
    return Geometry(matrix, frame.size)
