"""Geometries: zoom, move, affine and roll. The core moves pixels, alpha and every layer that a later step needs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from framefx.frame import Frame, Size
from framefx.geometry import Border, Geometry, Matrix

Anchor = Literal["center", "top-left", "top", "top-right", "left", "right", "bottom-left", "bottom", "bottom-right"]
Edge = Annotated[
    Border,
    Field(description="beyond the picture's edge: black, transparent, edge (its last pixels), mirror, or wrap"),
]


def zoom(
    frame: Frame,
    *,
    x: Annotated[float, Field(gt=0, le=100, description="factor of width; 1 leaves it")] = 1.2,
    y: Annotated[float | None, Field(gt=0, le=100, description="factor of height; as x by default")] = None,
    anchor: Annotated[Anchor, Field(description="the place that stays where it is")] = "center",
    border: Edge = "transparent",
) -> Geometry:
    """Enlarge or shrink the picture within its frame; the person's mask follows."""
    factors = x, x if y is None else y
    matrix = np.zeros((2, 3))
    for axis, (factor, side, at) in enumerate(zip(factors, reversed(frame.size), _fractions(anchor), strict=True)):
        # The centres of the outermost pixels are those of the zoomed picture: nothing is sampled past its edge.
        whole = max(1, round(side * factor))
        step = (side - 1) / (whole - 1) if whole > 1 else float(side)
        matrix[axis, axis] = step
        matrix[axis, 2] = at * ((side - 1) - step * (side - 1))
    return Geometry(matrix, frame.size, border)


def move(
    frame: Frame,
    *,
    x: Annotated[float, Field(ge=-100_000, le=100_000, description="to the right, pixels (parts if relative)")] = 0.0,
    y: Annotated[float, Field(ge=-100_000, le=100_000, description="down, pixels (parts if relative)")] = 0.0,
    relative: Annotated[bool, Field(description="x and y are parts of the picture's width and height")] = False,
    border: Edge = "transparent",
) -> Geometry:
    """Move the picture; what leaves it on one side comes back on the other with ``border=wrap``."""
    height, width = frame.size
    if relative:
        x, y = int(width * x), int(height * y)
    return _shift(frame.size, x, y, border)


def roll(
    frame: Frame,
    *,
    speed_x: Annotated[float, Field(ge=-100_000, le=100_000, description="to the right, pixels per second")] = 0.0,
    speed_y: Annotated[float, Field(ge=-100_000, le=100_000, description="down, pixels per second")] = 0.0,
) -> Geometry:
    """Let the picture roll by without end: what leaves it on one side comes back on the other."""
    height, width = frame.size
    # Whole pixels: a copy instead of a resampling, and nothing shimmers.
    return _shift(frame.size, round(speed_x * frame.time) % width, round(speed_y * frame.time) % height, "wrap")


def _as_rows(value: Any) -> Any:
    """Split ``1/0.2/10/-0.2/1/40``, as it is written in a chain."""
    if isinstance(value, str):
        parts = value.replace(",", "/").split("/")
        return [parts[:3], parts[3:]]
    return value


Row = tuple[float, float, float]


def affine(
    frame: Frame,
    *,
    matrix: Annotated[
        tuple[Row, Row],
        BeforeValidator(_as_rows),
        Field(description="2×3, a/b/c/d/e/f: output (x, y) shows input (a·x + b·y + c, d·x + e·y + f), pixels"),
    ] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    border: Edge = "transparent",
) -> Geometry:
    """Turn, shear, scale and move the picture by a matrix from output to input."""
    return Geometry(np.array(matrix, np.float64), frame.size, border)


def _shift(size: Size, x: float, y: float, border: Border) -> Geometry:
    matrix: Matrix = np.array([[1, 0, -x], [0, 1, -y]], np.float64)
    return Geometry(matrix, size, border)


def _fractions(anchor: Anchor) -> tuple[float, float]:
    """Return how far right and down the anchor is, from 0 to 1."""
    across = 0.0 if "left" in anchor else 1.0 if "right" in anchor else 0.5
    down = 0.0 if "top" in anchor else 1.0 if "bottom" in anchor else 0.5
    return across, down
