"""Masks: one layer's value for one frame, kept at the model's own resolution."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from framefx.errors import PluginError
from framefx.frame import Size


class Mask:
    """Where something is: 0 outside, 255 inside, soft between.

    Parameters
    ----------
    values : (rows, columns) uint8
        At the resolution it was computed at; framefx never writes to it.
    size : (int, int)
        Height and width in pixels of the frame it stands for.
    index : int
        Index of the frame it was computed from.

    Attributes
    ----------
    values : (rows, columns) uint8
        Read-only. Kernels take this one and upsample it while they use it.

    Raises
    ------
    PluginError
        For another dtype or number of dimensions.

    Examples
    --------
    ``numpy.asarray(mask)`` gives it at frame size, computed once, on first use. ``~mask`` is everything else.
    """

    kind: ClassVar[str] = "mask"
    __slots__ = ("_full", "index", "size", "values")

    def __init__(self, values: npt.NDArray[np.uint8], size: Size, index: int = 0) -> None:
        if values.dtype != np.uint8 or values.ndim != 2 or 0 in values.shape:
            raise PluginError(f"mask: got {values.dtype} of shape {values.shape}, wanted uint8 (rows, columns)")
        values = np.ascontiguousarray(values).view()
        values.flags.writeable = False
        self.values = values
        self.size = size
        self.index = index
        self._full: npt.NDArray[np.uint8] | None = None

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[np.uint8]:
        if self._full is None:
            if self.values.shape == self.size:
                self._full = self.values
            else:
                from framefx.kernels import upsample_mask

                full = np.empty(self.size, np.uint8)
                upsample_mask(self.values, full)
                full.flags.writeable = False
                self._full = full
        result = self._full
        if dtype is not None and np.dtype(dtype) != result.dtype:
            return result.astype(dtype)
        return result.copy() if copy else result

    def __invert__(self) -> Mask:
        return Mask(255 - self.values, self.size, self.index)

    def __repr__(self) -> str:
        rows, columns = self.values.shape
        return f"<Mask {columns}x{rows} of frame {self.index} at {self.size[1]}x{self.size[0]}>"
