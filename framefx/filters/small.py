"""Results computed small: their size, and how they keep an alpha."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from framefx import kernels
from framefx.frame import Frame, Image

U8 = npt.NDArray[np.uint8]


def factor_for(sigma: float) -> int:
    """Return how much a picture can be reduced before a blur of `sigma` pixels: 8, 4, 2 or 1 times.

    About one reduced pixel to a standard deviation is enough: 47 dB and more against a blur at full size. Kernels
    enlarge by these factors at their fastest.
    """
    return next((factor for factor in (8, 4, 2) if sigma >= 0.85 * factor), 1)


def small_array(frame: Frame, factor: int) -> Image:
    """Lend an array for `frame` reduced `factor` times."""
    height, width = frame.size
    return frame.array((-(-height // factor), -(-width // factor), 3))


def reduced(frame: Frame, pixels: Image, factor: int) -> Frame:
    """Return `frame` with reduced pixels; enlarged at once where it has an alpha, which stays as it is."""
    if frame.alpha is None:
        return frame.reduced(pixels, factor)
    full = frame.array((*frame.size, 3))
    kernels.upsample(pixels, full, factor)
    return frame.with_pixels(full)
