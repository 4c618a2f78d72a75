"""``hologram``: as a figure of blue light, after Benjamin Elder's "Open Source Virtual Background" (CC-BY 4.0)."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from framefx.filters.color_map import BT601, lightness, mapped
from framefx.filters.tone import Weights
from framefx.frame import Frame, Image

_BAND, _PERIOD = 2, 5
_OFFSET, _BRIGHT, _GHOSTS = 5, 0.548, (0.192, 0.36)


def hologram(
    frame: Frame,
    *,
    flicker: Annotated[float, Field(ge=0, le=60, description="times per second that the bands change")] = 30.0,
    weights: Weights = BT601,
) -> Frame:
    """Show the person as a hologram: cold colours, flickering dark bands, two ghosts."""
    colors = frame.array(frame.pixels.shape)
    mapped(lightness(frame, weights), "winter", colors)
    _darken(colors, int(frame.time * flicker + 1e-6), frame)
    result = frame.array(frame.pixels.shape)
    _with_ghost(result, colors)
    _add_shifted(result, colors, -_OFFSET, _GHOSTS[1])
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


def _with_ghost(result: Image, colors: Image) -> None:
    """Write the picture with its first ghost: one pass but for the strips where there is none."""
    import cv2

    height, width, _ = colors.shape
    top, left = min(_OFFSET, height), min(_OFFSET, width)
    for strip in (np.s_[:top], np.s_[top:, :left]):
        if colors[strip].size:
            part = result[strip]
            cv2.convertScaleAbs(colors[strip], dst=part, alpha=_BRIGHT)
    if height > top and width > left:
        part = result[top:, left:]
        cv2.addWeighted(colors[top:, left:], _BRIGHT, colors[:-top, :-left], _GHOSTS[0], 0, dst=part)


def _add_shifted(result: Image, colors: Image, offset: int, strength: float) -> None:
    """Add a faint copy, moved right and down by `offset` pixels; nothing comes in from outside."""
    import cv2

    height, width, _ = colors.shape
    if min(height, width) <= abs(offset):
        return
    here, there = slice(max(offset, 0), min(offset, 0) or None), slice(max(-offset, 0), min(-offset, 0) or None)
    part = result[here, here]
    cv2.addWeighted(part, 1, colors[there, there], strength, 0, dst=part)
