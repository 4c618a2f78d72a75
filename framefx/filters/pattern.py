"""``stripes`` and ``noise``: patterns over the picture."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Annotated

import numpy as np
from pydantic import Field

from framefx.frame import Frame, Image


def stripes(
    frame: Frame,
    *,
    width: Annotated[int, Field(ge=1, le=2000, description="height of one band in pixels")] = 5,
    intensity: Annotated[
        float, Field(ge=-255, le=255, description="levels by which bands are darker or lighter")
    ] = 10.0,
    speed: Annotated[float, Field(ge=-100_000, le=100_000, description="downwards, pixels per second")] = 30.0,
    wrap: Annotated[bool, Field(description="bands also above the first dark one as it moves down")] = True,
) -> Frame:
    """Draw bands over the picture, dark and light by turns, that move down like those of an old monitor."""
    import cv2

    levels = round(intensity)
    phase = round(speed * frame.time) % (2 * width)
    if levels == 0:
        return frame
    frame = frame.make_writable()
    first = 0 if wrap else min(phase, frame.size[0])
    rows, at = frame.pixels[first:], (first - phase) % (2 * width)
    dark, light = _bands(frame.size[0], frame.size[1], width, levels)
    cv2.subtract(rows, dark[at : at + len(rows)], dst=rows)
    cv2.add(rows, light[at : at + len(rows)], dst=rows)
    return frame


@lru_cache(maxsize=1)
def _bands(height: int, columns: int, width: int, levels: int) -> tuple[Image, Image]:
    """Return what is taken off and put on each row, with a period to spare for the phase."""
    is_dark = np.arange(height + 2 * width) // width % 2 == 0
    pair = []
    for chosen in (is_dark, ~is_dark):
        pair.append(np.repeat((abs(levels) * chosen).astype(np.uint8), 3 * columns).reshape(-1, columns, 3))
    return (pair[0], pair[1]) if levels > 0 else (pair[1], pair[0])


def noise(
    frame: Frame,
    *,
    amount: Annotated[float, Field(ge=0, le=1, description="part of the pixels")] = 0.05,
    seed: Annotated[int, Field(ge=0, le=2**32 - 1, description="another number, another snow")] = 0,
    opaque: Annotated[bool, Field(description="also where the picture is transparent")] = False,
) -> Frame:
    """Let it snow: some pixels turn white, others on every frame, the same ones each time a video is made."""
    height, width = frame.size
    # So many draws, with repetition, leave a part 1 - amount of the pixels alone.
    count = round(-math.log1p(-min(amount, 0.999)) * height * width)
    if count == 0:
        return frame
    chosen = np.random.Generator(np.random.SFC64([seed, frame.index])).integers(
        0, height * width, count, dtype=np.uint32
    )
    frame = frame.make_writable()
    frame.pixels.reshape(-1, 3)[chosen] = 255
    if opaque and frame.alpha is not None:
        frame.alpha.reshape(-1)[chosen] = 255
    return frame
