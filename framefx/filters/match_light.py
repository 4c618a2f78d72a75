"""``match_light``: a background in the person's light."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from framefx import kernels
from framefx.filters.small import small_array
from framefx.frame import Frame
from framefx.mask import Mask

F64 = npt.NDArray[np.float64]

_FACTOR = 16
_TO_YCC = np.array([[0.2126, 0.7152, 0.0722], [-0.1146, -0.3854, 0.5], [0.5, -0.4542, -0.0458]])  # BT.709
_TO_RGB = np.linalg.inv(_TO_YCC)
_TINT = 0.35  # of the colour's difference: skin and clothes are not light
_ENOUGH = 0.01  # of the picture: less of a person or a background says nothing
_SAME = (1.0, 0.0, 0.0, 0.0)


class MatchLight:
    """Give the background the brightness, contrast and tint of the light on the person: put it after `replace`.

    Colour transfer by mean and deviation (Reinhard and others, 2001), in BT.709's luma and chroma, gently, and
    slowly enough that nobody sees it work.
    """

    def __init__(
        self,
        *,
        strength: Annotated[float, Field(ge=0, le=1, description="0 leaves it to 1 all the way")] = 0.4,
        smooth: Annotated[float, Field(ge=0, le=60, description="seconds, time constant of the adaption")] = 1.5,
    ) -> None:
        self._strength, self._smooth = strength, smooth
        self._state: F64 | None = None
        self._time = 0.0

    def warm(self) -> None:
        """Compile the kernels; nothing else changes."""
        kernels.warm(("downsample", "color_matrix_lut", "masked_merge"))

    def __call__(self, frame: Frame, person: Mask) -> Frame:
        if self._strength == 0:
            return frame
        self._follow(self._wanted(frame, person), frame.time)
        pixels = frame.array((*frame.size, 3))
        kernels.color_matrix_lut(frame.pixels, self._matrix(), out=pixels)
        kernels.masked_merge(pixels, frame.pixels, person.values, out=pixels)
        return frame.with_pixels(pixels)

    def close(self) -> None:
        """Start anew with the next frame."""
        self._state = None

    def _follow(self, wanted: F64, time: float) -> None:
        gap, self._time = time - self._time, time
        if self._state is None or gap < 0 or self._smooth == 0:
            self._state = wanted
        else:
            self._state = self._state + (wanted - self._state) * (1 - math.exp(-gap / self._smooth))

    def _wanted(self, frame: Frame, person: Mask) -> F64:
        """Return gain and offset of luma and the offsets of chroma."""
        import cv2

        small = kernels.downsample(frame.pixels, _FACTOR, out=small_array(frame, _FACTOR))
        rows, columns = small.shape[:2]
        weight = cv2.resize(person.values, (columns, rows), interpolation=cv2.INTER_AREA).reshape(-1) / 255
        if not _ENOUGH < weight.mean() < 1 - _ENOUGH:
            return np.array(_SAME)
        colors = small.reshape(-1, 3) @ _TO_YCC.T
        (mean, spread), (there, room) = _statistics(colors, weight), _statistics(colors, 1 - weight)
        gain = min(max((spread / room) ** self._strength, 0.7), 1.4)
        shift = self._strength * (mean - there) * (1, _TINT, _TINT)
        shift = np.clip(shift, -48, 48)
        return np.array([gain, there[0] * (1 - gain) + shift[0], shift[1], shift[2]])

    def _matrix(self) -> F64:
        """Return the colour matrix, rounded, so that a steady picture finds its tables again."""
        gain, *offset = self._state if self._state is not None else _SAME
        matrix = _TO_RGB @ np.diag((gain, 1, 1)) @ _TO_YCC
        return np.round(np.column_stack([matrix, _TO_RGB @ offset]) * 512) / 512


def _statistics(colors: F64, weight: F64) -> tuple[F64, float]:
    """Return the mean colour and the deviation of luma."""
    mean = weight @ colors / weight.sum()
    variance = weight @ (colors[:, 0] - mean[0]) ** 2 / weight.sum()
    return mean, math.sqrt(float(variance)) + 8
