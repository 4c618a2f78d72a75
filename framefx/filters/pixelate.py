"""``pixelate``: blocks of one colour."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from framefx import kernels
from framefx.frame import Frame


def pixelate(
    frame: Frame,
    *,
    size: Annotated[int, Field(ge=1, le=64, description="pixels, side of a block; 1 leaves it")] = 16,
) -> Frame:
    """Show the picture in square blocks, each the mean of its pixels."""
    if size == 1:
        return frame
    frame = frame.make_writable()
    kernels.blocks(frame.pixels, size, out=frame.pixels)
    return frame
