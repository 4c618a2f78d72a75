"""The arrays that go into a network and come out of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from framefx.errors import ModelError

LARGEST_INPUT = 2048 * 2048 * 3
"""Elements of the largest input that is accepted; more is a mistake, and gigabytes of memory."""


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
