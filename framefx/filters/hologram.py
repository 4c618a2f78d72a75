"""``hologram``: as a figure of blue light, after Benjamin Elder's "Open Source Virtual Background" (CC-BY 4.0)."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from framefx.filters.color_map import BT601, lightness, table
from framefx.filters.small import U8
from framefx.filters.tone import Weights
from framefx.frame import Frame

_BAND, _PERIOD = 2, 5
_OFFSET, _BRIGHT, _GHOSTS = 5, 0.548, (0.192, 0.36)


def hologram(
    frame: Frame,
    *,
    flicker: Annotated[float, Field(ge=0, le=60, description="times per second that the bands change")] = 30.0,
    weights: Weights = BT601,
) -> Frame:
    """Show the person as a hologram: cold colours, flickering dark bands, two ghosts."""
    import cv2

    levels = _band_levels(frame.size[0], int(frame.time * flicker + 1e-6))
    green = lightness(frame, weights)
    blue = frame.array(frame.size)
    cv2.LUT(green, np.ascontiguousarray(table("winter")[:, 0, 2]), dst=blue)
    planes = [frame.array(frame.size) for _ in range(3)]
    planes[0].fill(0)  # OpenCV's map "winter" has no red, and its green is the lightness itself
    for light, plane in zip((green, blue), planes[1:], strict=True):
        _darken(light, levels, frame)
        _with_ghost(plane, light)
        _add_shifted(plane, light, -_OFFSET, _GHOSTS[1])
    result = frame.array(frame.pixels.shape)
    cv2.merge(planes, dst=result)
    return frame.with_pixels(result)


def _band_levels(height: int, tick: int) -> U8:
    """Return how much light is left of the dark rows, a tenth to three tenths: (bands, rows of one)."""
    count = -(-height // _PERIOD)
    levels = np.random.Generator(np.random.SFC64([height, tick])).uniform(0.1, 0.3, (count, _BAND)) * 255
    return levels.astype(np.uint8)


def _darken(light: U8, levels: U8, frame: Frame) -> None:
    """Take light from two rows in five."""
    import cv2

    for first in range(_BAND):
        rows = light[first::_PERIOD]
        if rows.size:
            factors = frame.array(rows.shape)
            factors[:] = levels[: len(rows), first, None]
            cv2.multiply(rows, factors, dst=rows, scale=1 / 255)


def _with_ghost(result: U8, light: U8) -> None:
    """Write a plane with its first ghost: one pass but for the strips where there is none."""
    import cv2

    height, width = light.shape
    top, left = min(_OFFSET, height), min(_OFFSET, width)
    for strip in (np.s_[:top], np.s_[top:, :left]):
        if light[strip].size:
            part = result[strip]
            cv2.convertScaleAbs(light[strip], dst=part, alpha=_BRIGHT)
    if height > top and width > left:
        part = result[top:, left:]
        cv2.addWeighted(light[top:, left:], _BRIGHT, light[:-top, :-left], _GHOSTS[0], 0, dst=part)


def _add_shifted(result: U8, light: U8, offset: int, strength: float) -> None:
    """Add a faint copy, moved right and down by `offset` pixels; nothing comes in from outside."""
    import cv2

    height, width = light.shape
    if min(height, width) <= abs(offset):
        return
    here, there = slice(max(offset, 0), min(offset, 0) or None), slice(max(-offset, 0), min(-offset, 0) or None)
    part = result[here, here]
    cv2.addWeighted(part, 1, light[there, there], strength, 0, dst=part)
