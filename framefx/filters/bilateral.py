"""``bilateral``: smooth surfaces, sharp edges."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from framefx import kernels
from framefx.filters.small import reduced, small_array
from framefx.frame import Frame

_FACTOR = 2


def bilateral(
    frame: Frame,
    *,
    strength: Annotated[
        float, Field(ge=0, le=255, description="levels: smaller differences are smoothed away; 0 leaves it")
    ] = 40.0,
    radius: Annotated[float, Field(ge=1, le=8, description="pixels, reach of the smoothing")] = 4.0,
) -> Frame:
    """Smooth skin and walls while edges stay: the bilateral filter (Tomasi and Manduchi, 1998).

    Computed at half the size, so the finest detail goes as well, and costs grow with the square of `radius`.
    """
    import cv2

    if strength == 0:
        return frame
    small = kernels.downsample(frame.pixels, _FACTOR, out=small_array(frame, _FACTOR))
    pixels = small_array(frame, _FACTOR)
    reach = radius / _FACTOR
    cv2.bilateralFilter(small, 2 * max(1, round(reach)) + 1, strength, max(reach, 0.5), dst=pixels)
    return reduced(frame, pixels, _FACTOR)
