"""Fitting a picture to a frame."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from framefx.errors import MediaError
from framefx.frame import Size
from framefx.geometry import middle

Plane = npt.NDArray[np.uint8]
"""Pixels (height, width, 3) or an alpha (height, width), uint8."""

Picture = tuple[Plane, Plane | None]
"""Pixels and straight alpha, None for opaque."""

FitName = Literal["cover", "contain", "stretch", "tile"]
SamplingName = Literal["smooth", "linear", "nearest"]
Fit = Annotated[
    FitName, Field(description="cover crops, contain leaves borders, stretch distorts, tile repeats at its own size")
]
Sampling = Annotated[
    SamplingName, Field(description="smooth averages where it shrinks, linear does not, nearest keeps hard pixels")
]


def read_picture(path: Path) -> Picture:
    """Read a picture file: pixels and alpha, upright.

    Raises
    ------
    MediaError
        When it cannot be read.
    """
    from framefx.sources.image import ImageFile

    source = ImageFile(str(path))
    source.open()
    frame = source.read()
    source.close()
    if frame is None:
        raise MediaError(f"{path} holds no picture")
    return frame.pixels, frame.alpha


def fit_picture(
    picture: Plane, size: Size, fit: FitName, sampling: SamplingName = "smooth", out: Plane | None = None
) -> Plane:
    """Return a picture, or its alpha, fitted to `size`; what `contain` leaves is 0.

    Parameters
    ----------
    picture : (rows, columns, 3) or (rows, columns) uint8
    size : (int, int)
        Height and width in pixels.
    fit, sampling : str
        As the options of `replace`.
    out : uint8, optional
        Of `size`.

    Returns
    -------
    uint8
        `out`.
    """
    height, width = size
    rows, columns = picture.shape[:2]
    if out is None:
        out = np.empty((*size, *picture.shape[2:]), np.uint8)
    if fit == "tile":
        for top in range(0, height, rows):
            for left in range(0, width, columns):
                part = out[top : top + rows, left : left + columns]
                part[:] = picture[: part.shape[0], : part.shape[1]]
    elif fit == "contain":
        scale = min(height / rows, width / columns)
        inner = max(1, round(rows * scale)), max(1, round(columns * scale))
        top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
        out.fill(0)
        resize(picture, out[top : top + inner[0], left : left + inner[1]], sampling)
    else:
        resize(picture[middle((rows, columns), size)] if fit == "cover" else picture, out, sampling)
    return out


def resize(src: Plane, dst: Any, sampling: SamplingName) -> None:
    """Scale `src` to the size of `dst`, which may be part of a larger array."""
    import cv2

    methods = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "smooth": cv2.INTER_CUBIC}
    method = methods[sampling]
    if sampling == "smooth" and dst.shape[0] < src.shape[0]:
        method = cv2.INTER_AREA
    if src.shape == dst.shape:
        np.copyto(dst, src)
        return
    cv2.resize(src, (dst.shape[1], dst.shape[0]), dst=dst, interpolation=method)
