"""``bokeh`` and ``motion_blur``: blurs with a shape."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from framefx import kernels
from framefx.filters.small import reduced, small_array
from framefx.frame import Frame
from framefx.mask import Mask

Taps = npt.NDArray[np.int32]


def bokeh(
    frame: Frame,
    where: Mask | None = None,
    *,
    radius: Annotated[float, Field(ge=0, le=100, description="pixels, of the disc; 0 leaves it")] = 16.0,
    highlights: Annotated[
        float, Field(ge=0, le=1, description="how much lights outshine the rest, 0 plain mean to 1")
    ] = 0.6,
) -> Frame:
    """Blur the background like a fast lens: a disc instead of a bell, so that lights become round spots.

    Each pixel is the mean over a disc, weighed by the mask, so that the person does not bleed into it (normalised
    convolution, Knutsson and Westin, 1993); bright pixels count more, as they do before a sensor saturates.
    Computed small: costs hardly change with `radius`.
    """
    if radius == 0:
        return frame
    factor = max(2, min(16, round(radius / 3.2)))
    mask = None if where is None else where.values
    pixels = small_array(frame, factor)
    kernels.shaped_blur(frame.pixels, mask, _disc(radius / factor), factor, highlights=highlights, out=pixels)
    return reduced(frame, pixels, factor)


def motion_blur(
    frame: Frame,
    where: Mask | None = None,
    *,
    length: Annotated[float, Field(ge=0, le=200, description="pixels, of the movement; 1 or less leaves it")] = 24.0,
    angle: Annotated[float, Field(ge=-180, le=180, description="degrees, 0 sideways, 90 up and down")] = 0.0,
) -> Frame:
    """Blur the picture as if it rushed by: the mean along a line.

    Weighed by the mask as `bokeh` is. Computed small from 16 pixels on, which softens it a little across the line.
    """
    if length <= 1:
        return frame
    factor = max(1, min(16, int(length / 8)))
    mask = None if where is None else where.values
    pixels = small_array(frame, factor)
    kernels.shaped_blur(frame.pixels, mask, _line(length / factor, angle), factor, out=pixels)
    return reduced(frame, pixels, factor)


@lru_cache(maxsize=32)
def _disc(radius: float) -> Taps:
    reach = math.ceil(radius)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return np.ascontiguousarray(np.argwhere(np.hypot(y, x) <= max(radius, 1.0) + 0.2) - reach, np.int32)


@lru_cache(maxsize=32)
def _line(length: float, angle: float) -> Taps:
    count = max(2, round(length))
    along = (np.arange(count) - (count - 1) / 2) * length / count
    turn = math.radians(angle)
    places = np.stack([-along * math.sin(turn), along * math.cos(turn)], axis=1)
    return np.ascontiguousarray(np.round(places), np.int32)
