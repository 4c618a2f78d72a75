"""A pattern in the region that a chain hides: whoever sees it sees what should be hidden."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from framefx.frame import Image, Size
from framefx.mask import Mask


class Watermark:
    """A pattern that tells whether what a chain hides can be seen.

    Rough blocks of black and white, so that it is found after a change of colours, at another brightness, mirrored
    or upside down; what blurs it well enough to hide a person hides it.

    Parameters
    ----------
    size : (int, int)
        Height and width of frames in pixels.
    seed : int
        Another number, another pattern.

    Attributes
    ----------
    region : (slice, slice)
        Rows and columns where it sits: the right half.
    """

    def __init__(self, size: Size, seed: int = 0) -> None:
        height, width = size
        self.size = size
        self.region = slice(0, height), slice(width // 2, width)
        side = max(1, min(size) // 12)
        shape = -(-height // side), -(-(width - width // 2) // side)
        bits = np.random.default_rng(seed).integers(0, 2, shape, np.uint8)
        self._pattern = np.repeat(np.repeat(bits, side, 0), side, 1)[:height, : width - width // 2]

    def mask(self, index: int = 0) -> Mask:
        """Return where it sits, as the mask of frame `index`."""
        values = np.zeros(self.size, np.uint8)
        values[self.region] = 255
        return Mask(values, self.size, index)

    def draw(self, pixels: Image) -> None:
        """Write it into (height, width, 3) uint8."""
        pixels[self.region] = (20 + 215 * self._pattern)[:, :, None]

    def is_in(self, pixels: Image) -> bool:
        """Whether (height, width, 3) uint8 of any size shows it, whichever way round."""
        rows, columns = (np.arange(own) * got // own for own, got in zip(self.size, pixels.shape, strict=False))
        grey = pixels[rows][:, columns].mean(axis=2)
        return any(self._likeness(grey[::up, ::left]) > 0.5 for up in (1, -1) for left in (1, -1))

    def _likeness(self, grey: npt.NDArray[np.float64]) -> float:
        """Return how much the region looks like the pattern: 0 not at all, 1 the same or its negative."""
        seen = grey[self.region] - grey[self.region].mean()
        own = self._pattern - self._pattern.mean()
        size = float(np.linalg.norm(seen) * np.linalg.norm(own))
        return abs(float((seen * own).sum())) / size if size > 1e-6 else 0.0
