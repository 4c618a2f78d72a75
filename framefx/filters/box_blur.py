"""``box_blur`` and ``gaussian_blur``: the plain blurs, of different widths across and down."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

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
    """Blur the colours more across than down, or the other way round; `blur` is the round one without a halo."""
    import cv2

    if x == y == 0:
        return frame
    result = frame.array(frame.pixels.shape)
    sides = tuple(1 + 2 * round(3 * sigma) for sigma in (x, y))
    cv2.GaussianBlur(frame.pixels, sides, max(x, 1e-6), dst=result, sigmaY=max(y, 1e-6))
    return frame.with_pixels(result)
