"""From a frame to a network's input: which size, range, order and layout, and the one pass that makes it so."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from framefx.kernels import Rectangle, prepare
from framefx.protocols import Tensor

if TYPE_CHECKING:
    from framefx.frame import Frame, Image, Size

Layout = Literal["nhwc", "nchw"]
Channels = float | tuple[float, float, float]

DTYPES = (np.dtype(np.float32), np.dtype(np.uint8), np.dtype(np.int8))
"""What an input may hold."""


@dataclass(frozen=True)
class Preparation:
    """What a network wants to see.

    Parameters
    ----------
    mean, std : float, or one for each channel in the network's order
        Each value is ``(level - mean) / std``, where levels are 0 to 255: (0, 255) gives 0 to 1, (127.5, 127.5) gives
        -1 to 1. An input of bytes gets the levels themselves, unless `quantise`.
    order : "rgb" or "bgr"
    layout : "nhwc" or "nchw"
    fit : "stretch" or "letterbox"
        Letterbox keeps the proportions; the rest is black.
    quantise : bool
        Whether bytes are made from mean and std by what the tensor says about its scale.
    """

    mean: Channels = 0.0
    std: Channels = 255.0
    order: Literal["rgb", "bgr"] = "rgb"
    layout: Layout = "nhwc"
    fit: Literal["stretch", "letterbox"] = "stretch"
    quantise: bool = False

    def fill(self, frame: Frame, out: npt.NDArray[Any], tensor: Tensor) -> Rectangle:
        """Write `frame` into `out` and return where it lies there.

        Starts from the frame's own smaller picture where that is still larger than the input: a blur needs it too.
        """
        factor = _shared_factor(frame.size, self.size(tensor))
        return self.fill_pixels(frame.pixels if factor == 1 else frame.downsampled(factor), out, tensor)

    def fill_pixels(self, pixels: Image, out: npt.NDArray[Any], tensor: Tensor) -> Rectangle:
        """Write `pixels`, (height, width, 3) uint8 RGB, into `out` and return where they lie there."""
        scale, offset = _gains(self, tensor)
        signed = out.dtype == np.int8
        box = prepare(
            pixels,
            out.view(np.uint8) if signed else out,
            scale=scale,
            offset=offset,
            order=self.order,
            layout=self.layout,
            fit=self.fit,
        )
        if signed:
            # From 0 to 255 to -128 to 127: the top bit is all the difference.
            np.bitwise_xor(out.view(np.uint8), 0x80, out=out.view(np.uint8))
        return box

    def size(self, tensor: Tensor) -> Size:
        """Return height and width of the network's picture."""
        sides = tensor.shape[-2:] if self.layout == "nchw" else tensor.shape[-3:-1]
        return sides[0], sides[1]


@functools.lru_cache(maxsize=64)
def _gains(wants: Preparation, tensor: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return scale and offset of each channel: a value is ``level * scale + offset``."""
    if tensor.dtype != np.float32 and not (wants.quantise and tensor.scale):
        return (1.0,) * 3, (0.0,) * 3
    mean, std = np.broadcast_to(wants.mean, 3), np.broadcast_to(wants.std, 3)
    scale, offset = 1 / std, -mean / std
    if tensor.dtype != np.float32:
        zero_point = tensor.zero_point + (128 if tensor.dtype == np.int8 else 0)
        scale, offset = scale / tensor.scale, offset / tensor.scale + zero_point
    return tuple(map(float, scale)), tuple(map(float, offset))


def _shared_factor(size: Size, wanted: Size) -> int:
    """Return the largest of 4, 2 and 1 whose smaller picture has full blocks and no fewer pixels than wanted."""
    for factor in (4, 2):
        if all(side % factor == 0 and side // factor >= least for side, least in zip(size, wanted, strict=True)):
            return factor
    return 1
