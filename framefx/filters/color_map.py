"""``color_map``: colours by lightness."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from framefx.filters.tone import Weights
from framefx.frame import Frame, Image

BT601 = (0.299, 0.587, 0.114)

Map = Literal[
    "autumn", "bone", "cividis", "cool", "deepgreen", "hot", "hsv", "inferno", "jet", "magma", "ocean", "parula",
    "pink", "plasma", "rainbow", "spring", "summer", "turbo", "twilight", "twilight_shifted", "viridis", "winter",
]  # fmt: skip


def color_map(
    frame: Frame, *, map: Annotated[Map, Field(description="table, as OpenCV and matplotlib name it")] = "viridis"
) -> Frame:
    """Show how light each place is as a colour of a table: viridis, inferno, jet, bone, …"""
    grey = lightness(frame, BT601)
    result = frame.array(frame.pixels.shape)
    return frame.with_pixels(mapped(grey, map, result))


def lightness(frame: Frame, weights: Weights) -> npt.NDArray[np.uint8]:
    """Return the grey of a frame in memory of its own; OpenCV's two orders are seven times as fast as others."""
    import cv2

    grey = frame.array(frame.size)
    if tuple(weights) == BT601:
        cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2GRAY, dst=grey)
    elif tuple(weights[::-1]) == BT601:
        cv2.cvtColor(frame.pixels, cv2.COLOR_BGR2GRAY, dst=grey)
    else:
        cv2.transform(frame.pixels, np.array([weights], np.float32), dst=grey)
    return grey


def mapped(grey: npt.NDArray[np.uint8], name: str, out: Image) -> Image:
    """Write the colours of a table for a grey picture."""
    import cv2

    cv2.applyColorMap(grey, table(name), dst=out)
    return out


@lru_cache(maxsize=32)
def table(name: str) -> Image:
    """Return a colour table as 256 RGB rows, shaped (256, 1, 3) as OpenCV wants it."""
    import cv2

    ramp = np.arange(256, dtype=np.uint8)[:, None]
    bgr = cv2.applyColorMap(ramp, getattr(cv2, f"COLORMAP_{name.upper()}"))
    return np.ascontiguousarray(bgr[..., ::-1])
