"""``vignette`` and ``grain``: what film does to a picture."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from framefx import kernels
from framefx.frame import Frame, Size

_FACTOR = 8
_SPARE = 128  # pixels of the tile to the right of a frame
_ROWS = 256


def vignette(
    frame: Frame,
    *,
    strength: Annotated[float, Field(ge=0, le=1, description="how dark the corners become; 0 leaves it")] = 0.5,
    size: Annotated[float, Field(ge=0, le=1, description="where it begins, from 0 the middle to 1 the corners")] = 0.35,
) -> Frame:
    """Darken the corners softly, so that eyes go to the middle."""
    if strength == 0:
        return frame
    frame = frame.make_writable()
    kernels.shade(frame.pixels, _corners(frame.size, strength, size), _FACTOR, out=frame.pixels)
    return frame


def grain(
    frame: Frame,
    *,
    strength: Annotated[float, Field(ge=0, le=1, description="1 swings by 60 levels; 0 leaves it")] = 0.15,
    size: Annotated[float, Field(ge=0.5, le=8, description="pixels, of a grain")] = 1.5,
    rate: Annotated[float, Field(ge=0, le=240, description="new grain per second; 0 lets it stand still")] = 24.0,
    colored: Annotated[bool, Field(description="each channel has grain of its own")] = False,
) -> Frame:
    """Add film grain, strongest in the middle tones, at the speed of film whatever the camera's is.

    Noise from a tile made once, shown at another place each time.
    """
    if strength == 0:
        return frame
    tile = _tile(frame.size[1], strength, size, colored)
    # Two steps without a common divisor never repeat a pair before all have been.
    step = int(frame.time * rate + 1e-6)
    frame = frame.make_writable()
    kernels.grain(frame.pixels, tile, step * 97 % _ROWS, step * 53 % (_SPARE + 1), 16, out=frame.pixels)
    return frame


@lru_cache(maxsize=8)
def _corners(size: Size, strength: float, start: float) -> npt.NDArray[np.float32]:
    height, width = size
    y = ((np.arange(-(-height // _FACTOR)) + 0.5) * _FACTOR - height / 2)[:, None]
    x = (np.arange(-(-width // _FACTOR)) + 0.5) * _FACTOR - width / 2
    distance = np.hypot(x, y) / (np.hypot(height, width) / 2)
    part = np.clip((distance - start) / max(1 - start, 1e-3), 0, 1)
    return np.asarray(1 - strength * part * part * (3 - 2 * part), np.float32)


@lru_cache(maxsize=4)
def _tile(width: int, strength: float, size: float, colored: bool) -> npt.NDArray[np.int16]:
    import cv2

    rng = np.random.default_rng(5)
    noise = rng.standard_normal((_ROWS, width + _SPARE, 3 if colored else 1), np.float32)
    if size > 0.5:
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), size / 2.5), np.float32).reshape(noise.shape)
    noise *= 60 * strength / noise.std()
    full = np.broadcast_to(np.clip(np.rint(noise), -127, 127), (_ROWS, width + _SPARE, 3))
    return np.ascontiguousarray(full.reshape(_ROWS, -1), np.int16)
