"""``low_light``: dark rooms made bright."""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from framefx import kernels
from framefx.filters.small import small_array
from framefx.frame import Frame

F32 = npt.NDArray[np.float32]

_FACTOR = 8
_TARGET = 0.5  # mean brightness of a well exposed face call
_MOST = 6.0  # more gain shows nothing but noise
_FLICKER = 0.12  # seconds over which the map follows the picture


class LowLight:
    """Brighten dark pictures and dark corners, and leave well lit ones alone.

    Retinex with an illumination map (Guo, Li and Ling, LIME, 2017): the brightest channel, smoothed along edges at
    an eighth of the size, becomes a map of gains. How much is decided by the picture's mean, slowly, and the map
    follows quickly: nothing flickers.
    """

    def __init__(
        self,
        *,
        strength: Annotated[float, Field(ge=0, le=1, description="0 leaves it to 1 all the way")] = 0.8,
        smooth: Annotated[float, Field(ge=0, le=10, description="seconds, time constant of the adaption")] = 0.8,
    ) -> None:
        self._strength, self._smooth = strength, smooth
        self._gains: F32 | None = None
        self._power = 1.0
        self._time = 0.0

    def warm(self) -> None:
        """Compile the kernels; nothing else changes."""
        kernels.warm(("downsample", "guided_filter", "shade"))

    def __call__(self, frame: Frame) -> Frame:
        if self._strength == 0:
            return frame
        small = kernels.downsample(frame.pixels, _FACTOR, out=small_array(frame, _FACTOR))
        light = np.maximum(np.maximum(small[..., 0], small[..., 1]), small[..., 2])
        power = _power(float(light.mean()) / 255)
        gap = frame.time - self._time
        self._time = frame.time
        if self._gains is None or self._gains.shape != light.shape or not 0 <= gap <= 0.5:
            self._power = power
            self._gains = self._map(light)
        else:
            self._power += (power - self._power) * _part(gap, self._smooth)
            self._gains += (self._map(light) - self._gains) * np.float32(_part(gap, _FLICKER))
        pixels = frame.array((*frame.size, 3))
        kernels.shade(frame.pixels, self._gains, _FACTOR, out=pixels)
        return frame.with_pixels(pixels)

    def close(self) -> None:
        """Start anew with the next frame."""
        self._gains = None

    def _map(self, light: npt.NDArray[np.uint8]) -> F32:
        """Return gains that raise the illumination to a power, without driving a channel into white."""
        import cv2

        smooth = kernels.guided_filter(light, light, 6, 0.01)
        gains = _table(round(self._power, 3), self._strength)[smooth]
        room = 255 / np.maximum(cv2.dilate(light, np.ones((3, 3), np.uint8)), 1).astype(np.float32)
        return np.asarray(np.clip(gains, 1, np.maximum(room, 1)), np.float32)


def _power(mean: float) -> float:
    """Return the exponent that takes a picture's mean to the target; 1 for one that is bright enough."""
    if mean >= _TARGET:
        return 1.0
    return max(0.35, math.log(_TARGET) / math.log(max(mean, 0.01)))


def _part(gap: float, constant: float) -> float:
    return 1.0 if constant == 0 else 1 - math.exp(-gap / constant)


def _table(power: float, strength: float) -> Any:
    level = np.maximum(np.arange(256), 4) / 255
    return (1 + strength * (np.minimum(level ** (power - 1), _MOST) - 1)).astype(np.float32)
