"""``alpha``: how much of the picture is seen."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from framefx.frame import Frame


def alpha(
    frame: Frame,
    *,
    add: Annotated[float, Field(ge=-1, le=1, description="added to the alpha, 1 is all of it; 0 leaves it")] = 0.0,
    low: Annotated[float, Field(ge=0, le=1, description="least alpha, 0 transparent to 1")] = 0.0,
    high: Annotated[float, Field(ge=0, le=1, description="most alpha, 0 to 1 opaque")] = 1.0,
) -> Frame:
    """Make the picture more or less transparent, for a stack or a sink that takes alpha."""
    import cv2

    table = _table(add, low, high)
    if frame.alpha is None and table[255] == 255:
        return frame
    result = frame.array(frame.size)
    if frame.alpha is None:
        result.fill(table[255])
    else:
        cv2.LUT(frame.alpha, table, dst=result)
    return frame.with_alpha(result)


@lru_cache(maxsize=64)
def _table(add: float, low: float, high: float) -> npt.NDArray[np.uint8]:
    levels = np.clip(np.arange(256) + 255 * add, 255 * low, 255 * high)
    table: npt.NDArray[np.uint8] = np.floor(levels + 0.5).astype(np.uint8)
    return table
