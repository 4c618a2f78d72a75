"""``border``: a frame around the picture, and round corners."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field

from framefx import kernels
from framefx.filters.colors import Color, parse_color
from framefx.filters.fonts import rounded_box
from framefx.filters.small import U8
from framefx.frame import Frame, Size


def border(
    frame: Frame,
    *,
    width: Annotated[int, Field(ge=0, le=1000, description="pixels; 0 without")] = 8,
    color: Color = "white",
    radius: Annotated[float, Field(ge=0, le=4000, description="pixels, of the corners; 0 leaves them square")] = 0.0,
) -> Frame:
    """Draw a frame inside the picture's edge, with round corners if wanted, as for a picture in the picture.

    Outside of round corners the picture is transparent: what is below in a stack is seen there, else black.
    """
    if width == 0 and radius == 0:
        return frame
    plan = _drawing(frame.size, width, color, radius)
    frame = frame.make_writable()
    _draw_lines(frame.pixels, width, plan)
    if plan.alpha is None:
        return frame
    return frame.with_alpha(_through(frame, plan.alpha))


class _Drawing(NamedTuple):
    """The colour, the four corners as patches (top, left, pixels, cover), and the alpha, None without round ones."""

    color: tuple[int, int, int]
    corners: list[tuple[int, int, U8, U8]]
    alpha: U8 | None
    side: int


def _through(frame: Frame, alpha: U8) -> U8:
    if frame.alpha is None:
        return alpha
    import cv2

    result = frame.array(frame.size)
    cv2.multiply(frame.alpha, alpha, dst=result, scale=1 / 255)
    return result


def _draw_lines(pixels: U8, width: int, plan: _Drawing) -> None:
    height, columns = pixels.shape[:2]
    side, thick, across = plan.side, min(width, height), min(width, columns)
    if thick:
        pixels[:thick, side : columns - side] = plan.color
        pixels[height - thick :, side : columns - side] = plan.color
    if across:
        pixels[side : height - side, :across] = plan.color
        pixels[side : height - side, columns - across :] = plan.color
    for top, left, patch, cover in plan.corners:
        kernels.stamp(pixels, patch, cover, top, left)


@lru_cache(maxsize=8)
def _drawing(size: Size, width: int, color: str, radius: float) -> _Drawing:
    height, columns = size
    ink = parse_color(color)
    if radius == 0:
        return _Drawing(ink, [], None, 0)
    radius = min(radius, min(size) / 2)
    side = min(max(int(np.ceil(radius)), width), (min(size) + 1) // 2)
    inside = rounded_box(size, width, max(0.0, radius - width)) if 2 * width < min(size) else np.zeros(size)
    cover = np.round(255 * (1 - inside)).astype(np.uint8)
    patch = np.full((side, side, 3), ink, np.uint8)
    places = [(top, left) for top in (0, height - side) for left in (0, columns - side)]
    cut = [np.ascontiguousarray(cover[y : y + side, x : x + side]) for y, x in places]
    corners = [(y, x, patch, part) for (y, x), part in zip(places, cut, strict=True)] if width else []
    alpha = np.round(255 * rounded_box(size, 0, radius)).astype(np.uint8)
    return _Drawing(ink, corners, alpha, side)
