"""``hologram``: as a figure of blue light, after Benjamin Elder's "Open Source Virtual Background" (CC-BY 4.0)."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from framefx.filters.color_map import BT601, lightness, mapped
from framefx.filters.tone import Weights
from framefx.frame import Frame, Image

_BAND, _PERIOD = 2, 5
_BRIGHT, _GHOSTS = 0.548, ((5, 0.192), (-5, 0.36))


def hologram(
    frame: Frame,
    *,
    flicker: Annotated[float, Field(ge=0, le=60, description="times per second that the bands change")] = 30.0,
    weights: Weights = BT601,
) -> Frame:
    """Show the person as a hologram: cold colours, flickering dark bands, two ghosts."""
    import cv2

    colors = frame.array(frame.pixels.shape)
    mapped(lightness(frame, weights), "winter", colors)
    _darken(colors, int(frame.time * flicker + 1e-6), frame)
    result = frame.array(frame.pixels.shape)
    cv2.convertScaleAbs(colors, dst=result, alpha=_BRIGHT)
    for offset, strength in _GHOSTS:
        _add_shifted(result, colors, offset, strength)
    return frame.with_pixels(result)


def _darken(colors: Image, tick: int, frame: Frame) -> None:
    """Leave a tenth to three tenths of the light of two rows in five, others at each tick."""
    import cv2

    height = len(colors)
    count = -(-height // _PERIOD)
    levels = np.random.Generator(np.random.SFC64([height, tick])).uniform(0.1, 0.3, (count, _BAND)) * 255
    rows = np.full((count, _PERIOD), 255, np.uint8)
    rows[:, :_BAND] = levels
    factors = frame.array(colors.shape)
    factors.reshape(height, -1)[:] = rows.reshape(-1, 1)[:height]
    cv2.multiply(colors, factors, dst=colors, scale=1 / 255)


def _add_shifted(result: Image, colors: Image, offset: int, strength: float) -> None:
    """Add a faint copy, moved right and down by `offset` pixels; nothing comes in from outside."""
    import cv2

    height, width, _ = colors.shape
    if min(height, width) <= abs(offset):
        return
    here, there = slice(max(offset, 0), min(offset, 0) or None), slice(max(-offset, 0), min(-offset, 0) or None)
    part = result[here, here]
    cv2.addWeighted(part, 1, colors[there, there], strength, 0, dst=part)
