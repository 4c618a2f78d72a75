"""The arrays that go into a network and come out of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from framefx.errors import ModelError
from framefx.frame import Size

LARGEST_INPUT = 2048 * 2048 * 3
"""Elements of the largest input that is accepted; more is a mistake, and gigabytes of memory."""


Shape = tuple[int | str | None, ...]
"""Sides of a tensor: a number, the name of one left open, or None for one left open without a name."""

_CHANNELS = (1, 3, 4)


def take(array: npt.NDArray[Any], buffer: npt.NDArray[Any], path: Path) -> None:
    """Copy `array` into a session's `buffer`, unless it is that.

    Raises
    ------
    ModelError
        For another shape or dtype.
    """
    if array is buffer:
        return
    if array.shape != buffer.shape or array.dtype != buffer.dtype:
        raise ModelError(f"{path}: got {array.dtype} of shape {array.shape}, wanted {buffer.dtype} of {buffer.shape}")
    np.copyto(buffer, array)


def sides(shape: Sequence[int | str | None]) -> str:
    """Return a shape as people write it, ``1×3×?×?``, where what is below 1 or no number was left open."""
    return "×".join(str(side) if isinstance(side, int) and side > 0 else "?" for side in shape)


def sized(shape: Shape, size: Size | None, path: Path) -> Shape:
    """Return `shape` with `size` as its height and width, wherever the channels are."""
    if size is None or len(shape) != 4:
        return shape
    places = next((places for axis, places in ((1, (2, 3)), (3, (1, 2))) if shape[axis] in _CHANNELS), None)
    if places is None:
        return shape
    result = list(shape)
    for place, side in zip(places, size, strict=True):
        known = shape[place]
        if isinstance(known, int) and known != side:
            raise ModelError(f"{path}: its input is {sides(shape)}, and the size asked for is {size[1]}x{size[0]}")
        result[place] = side
    return tuple(result)
