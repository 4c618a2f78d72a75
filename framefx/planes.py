"""A picture as cameras send it and call programs read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from framefx import kernels

if TYPE_CHECKING:
    from framefx.frame import FramePool, Image, Size

Plane = npt.NDArray[np.uint8]


@dataclass(eq=False)
class Planes:
    """A picture as planar 4:2:0 by BT.601: luma, then U, then V, as `framefx.kernels.rgb_to_i420` writes it.

    Attributes
    ----------
    data : flat uint8
        ``height * width * 3 / 2`` values; both sides are even.
    size : (int, int)
        Height and width in pixels.
    full_range : bool
        Luma 0 to 255, as in JPEG, instead of 16 to 235.
    was_read : bool
        Whether somebody asked for its pixels.
    """

    data: Plane
    size: Size
    full_range: bool
    was_read: bool = False

    def rgb(self, pool: FramePool) -> Image:
        """Return the picture's pixels, (height, width, 3) uint8 RGB, in memory of their own."""
        self.was_read = True
        pixels = pool.array((*self.size, 3))
        kernels.i420_to_rgb(self.data, self.size, full_range=self.full_range, out=pixels)
        return pixels

    def parts(self) -> tuple[Plane, Plane, Plane]:
        """Return luma, (height, width), and U and V, (height / 2, width / 2), as views of `data`."""
        height, width = self.size
        u, v = self.data[height * width :].reshape(2, height // 2, width // 2)
        return self.data[: height * width].reshape(height, width), u, v
