"""``chroma_key``: what has the colour of the screen becomes transparent."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from framefx.filters.colors import Color, parse_color
from framefx.frame import Frame, Image


def chroma_key(
    frame: Frame,
    *,
    color: Color = "green",
    fuzz: Annotated[float, Field(ge=0, le=255, description="levels that a channel may differ and still go")] = 40.0,
    soft: Annotated[float, Field(ge=0, le=255, description="levels beyond those in which it fades in; 0: hard")] = 30.0,
    despill: Annotated[float, Field(ge=0, le=1, description="how much of the screen's light is taken off")] = 0.8,
) -> Frame:
    """Make a green screen transparent, softly, and take its light off what stands before it."""
    import cv2

    key = parse_color(color)
    apart = frame.array(frame.pixels.shape)
    cv2.absdiff(frame.pixels, np.array((*key, 0), np.float64), dst=apart)
    key_alpha, plane = frame.array(frame.size), frame.array(frame.size)
    cv2.extractChannel(apart, 0, dst=key_alpha)
    for channel in (1, 2):
        cv2.extractChannel(apart, channel, dst=plane)
        cv2.max(key_alpha, plane, dst=key_alpha)
    cv2.LUT(key_alpha, _ramp(fuzz, soft), dst=key_alpha)
    if frame.alpha is not None:
        cv2.multiply(key_alpha, frame.alpha, dst=key_alpha, scale=1 / 255)
    if despill:
        frame = frame.make_writable()
        _despill(frame.pixels, int(np.argmax(key)), despill, key_alpha.shape, frame)
    return frame.with_alpha(key_alpha)


def _despill(pixels: Image, strongest: int, amount: float, shape: tuple[int, ...], frame: Frame) -> None:
    """Let the screen's strongest channel be no more than the larger of the other two."""
    import cv2

    spilt, limit, other = (frame.array(shape) for _ in range(3))
    first, second = (channel for channel in range(3) if channel != strongest)
    cv2.extractChannel(pixels, strongest, dst=spilt)
    cv2.extractChannel(pixels, first, dst=limit)
    cv2.extractChannel(pixels, second, dst=other)
    cv2.max(limit, other, dst=limit)
    cv2.min(spilt, limit, dst=limit)
    cv2.addWeighted(spilt, 1 - amount, limit, amount, 0, dst=spilt)
    cv2.insertChannel(spilt, pixels, strongest)


@lru_cache(maxsize=16)
def _ramp(fuzz: float, soft: float) -> npt.NDArray[np.uint8]:
    """Return the alpha by distance from the key."""
    levels = np.arange(256)
    ramp = (levels > fuzz) * 255.0 if soft == 0 else np.clip((levels - fuzz) / soft, 0, 1) * 255
    return np.round(ramp).astype(np.uint8)
