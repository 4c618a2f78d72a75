"""``blur``: a soft background without a halo."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from framefx import kernels
from framefx.filters.small import factor_for
from framefx.frame import Frame
from framefx.mask import Mask


def blur(
    frame: Frame,
    where: Mask | None = None,
    *,
    radius: Annotated[float, Field(ge=0, le=200, description="pixels; standard deviation, as CSS counts it")] = 12,
) -> Frame:
    """Blur the background like a lens, without the person's colours bleeding into it.

    Pixels outside `where` count for nothing in the average (normalised convolution, Knutsson and Westin 1993), so
    no halo surrounds the person. Computed small: the cost does not grow with `radius`. 0 leaves the frame alone.
    """
    if radius == 0:
        return frame
    factor = factor_for(radius)
    mask = None if where is None else _coarse(where, frame, factor)
    out = frame.array(_small(frame, factor))
    # Only the smaller picture is read: pixels that a camera did not send need not be made.
    src, small = (frame.pixels, None) if factor == 1 else (frame.size, frame.downsampled(factor))
    pixels = kernels.region_blur(src, mask, radius, factor, small=small, out=out)
    return frame.reduced(pixels, factor)


def _coarse(where: Mask, frame: Frame, factor: int) -> npt.NDArray[np.uint8]:
    """Return a mask no finer than the small picture: each value must say what the whole of a block holds."""
    rows, columns, _ = _small(frame, factor)
    if where.values.shape[0] < 2 * rows or where.values.shape[1] < 2 * columns:
        return where.values
    import cv2

    coarse = frame.array((rows, columns))
    cv2.resize(where.values, (columns, rows), dst=coarse, interpolation=cv2.INTER_AREA)
    return coarse


def _small(frame: Frame, factor: int) -> tuple[int, int, int]:
    height, width = frame.size
    return -(-height // factor), -(-width // factor), 3
