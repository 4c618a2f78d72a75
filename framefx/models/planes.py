"""Which of a network's outputs is a picture, and how its channels lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from framefx.frame import Size
from framefx.models.inputs import Layout
from framefx.protocols import Tensor

_LEAST_SIDE = 4
_SMALLEST = 64
"""An output may be this many times smaller than the input; less is no picture."""


@dataclass(frozen=True)
class Planes:
    """An output seen as channels of a picture.

    Attributes
    ----------
    tensor : Tensor
        The output.
    size : (int, int)
        Its rows and columns.
    channels : int
    planar : bool
        Whether each channel lies by itself (NCHW), or those of a pixel side by side.
    """

    tensor: Tensor
    size: Size
    channels: int
    planar: bool

    def view(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the output as (pixels, channels), planar or not; nothing is copied."""
        if self.planar:
            return values.reshape(self.channels, -1).T
        return values.reshape(-1, self.channels)


def planes(tensor: Tensor, size: Size, layout: Layout, asked: Layout | None = None) -> Planes | None:
    """Return how `tensor` is a picture of what was shown, or None where it is none.

    Parameters
    ----------
    tensor : Tensor
        An output, with or without the batch's one and with or without channels.
    size : (int, int)
        Height and width of the network's input.
    layout : str
        Of the input; decides where the shape does not.
    asked : str, optional
        The only layout that is tried.
    """
    if tensor.dtype.kind not in "fiu":
        return None
    sides = tensor.shape[1:] if len(tensor.shape) > 2 and tensor.shape[0] == 1 else tensor.shape
    if len(sides) == 2:
        return Planes(tensor, (sides[0], sides[1]), 1, True) if _is_picture((sides[0], sides[1]), size) else None
    if len(sides) != 3:
        return None
    first: Layout = asked or layout
    other: Layout = "nhwc" if first == "nchw" else "nchw"
    for one in (first,) if asked else (first, other):
        inner: Size = (sides[1], sides[2]) if one == "nchw" else (sides[0], sides[1])
        if _is_picture(inner, size):
            return Planes(tensor, inner, sides[0] if one == "nchw" else sides[2], one == "nchw")
    return None


def pictures_among(tensors: Sequence[Tensor], size: Size, layout: Layout, asked: Layout | None = None) -> list[Planes]:
    """Return the outputs that are pictures, the largest first; of several equal ones the order stays."""
    found = [one for one in (planes(tensor, size, layout, asked) for tensor in tensors) if one]
    return sorted(found, key=lambda one: -one.size[0] * one.size[1])


def _is_picture(inner: Size, size: Size) -> bool:
    """Whether `inner` has the proportions of `size`, but for rounding to whole cells."""
    if min(inner) < _LEAST_SIDE or any(small * _SMALLEST < big for small, big in zip(inner, size, strict=True)):
        return False
    # A network of stride s rounds each side up or down by as much as a cell.
    return abs(inner[0] * size[1] - inner[1] * size[0]) <= 1.5 * max(size)
