"""``box_blur`` and ``gaussian_blur``: the plain blurs, of different widths across and down."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field

from framefx import kernels
from framefx.frame import Frame

Side = Annotated[int, Field(ge=1, le=1000, description="pixels that are averaged; 1 leaves them")]
Sigma = Annotated[float, Field(ge=0, le=200, description="pixels; standard deviation, 0 leaves them")]


def box_blur(frame: Frame, *, width: Side = 10, height: Side = 10) -> Frame:
    """Average over a rectangle: a plain blur of the colours, whose edges stay visible as boxes."""
    import cv2

    if width == height == 1:
        return frame
    result = frame.array(frame.pixels.shape)
    cv2.blur(frame.pixels, (width, height), dst=result)
    return frame.with_pixels(result)


def gaussian_blur(frame: Frame, *, x: Sigma = 4.0, y: Sigma = 4.0) -> Frame:
    """Blur the colours more across than down, or the other way round; `blur` is the round one without a halo.

    Computed small where both are above 3 pixels; a blur that is sharp one way costs what its size in pixels costs.
    """
    import cv2

    if x == y == 0:
        return frame
    factor = max(1, min(8, int(min(x, y) / 1.7)))
    height, width = frame.size
    small = frame.pixels
    if factor > 1:
        small = kernels.downsample(small, factor, out=frame.array((-(-height // factor), -(-width // factor), 3)))
    # What averaging and enlarging blur already is taken off.
    added = (factor**2 - 1) / 12 + factor**2 / 6 * (factor > 1)
    sigmas = [math.sqrt(max(1e-6, sigma**2 - added)) / factor for sigma in (x, y)]
    result = frame.array(small.shape)
    sides = tuple(1 + 2 * math.ceil(2.5 * sigma) for sigma in sigmas)
    cv2.GaussianBlur(small, sides, sigmas[0], dst=result, sigmaY=sigmas[1])
    return frame.with_pixels(result) if factor == 1 else frame.reduced(result, factor)
