"""Lengths on masks: grow, shrink, soften. In frame pixels, on masks of any resolution, stretched ones too."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from framefx import kernels

Values = npt.NDArray[np.uint8]
"""(rows, columns) uint8, 0 outside, 255 inside."""

Scales = Sequence[float]
"""Mask pixels per frame pixel, down and across."""


def grown(values: Values, length: float, scales: Scales) -> Values:
    """Grow by `length` frame pixels.

    By part pixels and by different lengths down and across, which `framefx.kernels.dilate` does not.
    """
    for axis, scale in enumerate(scales):
        values = np.moveaxis(_grown_down(np.moveaxis(values, axis, 0), length * scale), 0, axis)
    return np.ascontiguousarray(values)


def shrunk(values: Values, length: float, scales: Scales) -> Values:
    """Shrink by `length` frame pixels; the frame's own edges do not shrink it."""
    return ~grown(~values, length, scales)


def feathered(values: Values, length: float, scales: Scales) -> Values:
    """Soften the edge by `length` frame pixels to either side."""
    softened: Values = kernels.box_blur(values, length * math.sqrt(scales[0] * scales[1]))
    return softened


def feathered_out(values: Values, length: float, scales: Scales) -> Values:
    """Soften the edge outwards: nothing inside is lost, and `length` frame pixels outside nothing is left."""
    return np.maximum(values, feathered(grown(values, length / 2, scales), length / 2, scales))


def _grown_down(values: Values, radius: float) -> Values:
    """Take the largest of rows y ± radius; a part row counts for its part."""
    whole = min(int(radius), len(values))
    grown = _largest(values, whole)
    part = round(256 * (radius - whole)) if radius < len(values) else 0
    if not part:
        return grown
    wider = _largest(grown, 1)
    mixed = (grown.astype(np.uint16) * (256 - part) + wider.astype(np.uint16) * part + 128) >> 8
    return mixed.astype(np.uint8)


def _largest(values: Values, radius: int) -> Values:
    """Take the largest of rows y ± radius by joining windows of 1, 2, 4 … rows."""
    rows, window, wanted = len(values), 1, 2 * radius + 1
    reached = np.pad(values, ((radius, radius), (0, 0)))
    while 2 * window <= wanted:
        reached = np.maximum(reached[:-window], reached[window:])
        window *= 2
    rest = wanted - window
    return np.maximum(reached[:rows], reached[rest : rest + rows])
