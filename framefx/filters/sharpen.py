"""``sharpen``: unsharp masking."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from framefx import kernels
from framefx.filters.small import small_array
from framefx.frame import Frame, Image


def sharpen(
    frame: Frame,
    *,
    amount: Annotated[float, Field(ge=0, le=4, description="how much of the detail is added; 0 leaves it")] = 0.6,
    radius: Annotated[float, Field(ge=0.5, le=20, description="pixels, standard deviation of what is detail")] = 1.2,
) -> Frame:
    """Sharpen the picture: its difference from a blurred copy is added (unsharp masking).

    A small radius sharpens edges, a large one adds local contrast.
    """
    import cv2

    if amount == 0:
        return frame
    frame = frame.make_writable()
    soft = frame.array((*frame.size, 3))
    _soften(frame, radius, soft)
    cv2.addWeighted(frame.pixels, 1 + amount, soft, -amount, 0, dst=frame.pixels)
    return frame


def _soften(frame: Frame, radius: float, out: Image) -> None:
    import cv2

    if radius < 3.4:
        side = 2 * round(2 * radius + 0.5) + 1
        cv2.GaussianBlur(frame.pixels, (side, side), radius, dst=out)
        return
    factor = int(radius / 1.7)
    small = kernels.region_blur(frame.pixels, None, radius, factor, out=small_array(frame, factor))
    kernels.upsample(small, out, factor)
