"""The person's edge: `foreground`, `despill` and `light_wrap`."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from framefx import kernels
from framefx.filters.small import U8, small_array
from framefx.frame import Frame
from framefx.mask import Mask

Reach = Annotated[float, Field(ge=2, le=100, description="pixels around the edge whose colours are asked")]
_GLOW = 8  # times smaller


def foreground(
    frame: Frame,
    person: Mask,
    *,
    reach: Reach = 10.0,
    strength: Annotated[float, Field(ge=0, le=1, description="0 leaves it to 1")] = 1.0,
) -> Frame:
    """Take the old background out of the person's soft edge, before another one comes in: put it before `replace`.

    Blur fusion (Forte, 2021, after Germer): local means of both sides explain an edge's pixel, and what they leave
    unexplained is the person's. Only pixels between person and background change.
    """
    return _edge(frame, person, reach, strength, "foreground")


def despill(
    frame: Frame,
    person: Mask,
    *,
    reach: Reach = 16.0,
    strength: Annotated[float, Field(ge=0, le=1, description="0 leaves it to 1")] = 1.0,
) -> Frame:
    """Take the background's tint off the person's soft edge, such as a green wall's: put it before `replace`.

    What an edge's pixel has of the background's hue beyond what the person has nearby is taken away; brightness and
    detail stay. Gentler than `foreground`, which estimates the whole colour.
    """
    return _edge(frame, person, reach, strength, "despill")


def light_wrap(
    frame: Frame,
    person: Mask,
    *,
    width: Annotated[float, Field(ge=2, le=200, description="pixels that the light reaches into the person")] = 20.0,
    strength: Annotated[float, Field(ge=0, le=1, description="0 leaves it to 1")] = 0.6,
) -> Frame:
    """Let the new background's light fall around the person's edge: put it after `replace`.

    The compositor's light wrap (Brinkmann, 2008): the blurred background, continued under the person by normalised
    convolution, is mixed into the edge as much as it is bright.
    """
    if strength == 0:
        return frame
    outside = 255 - person.values
    glow = small_array(frame, _GLOW)
    kernels.region_blur(frame.pixels, outside, max(width / 2, 1.7 * _GLOW), _GLOW, out=glow)
    weight = _wrap(outside, glow, width * outside.shape[1] / person.size[1] / 2, strength)
    frame = frame.make_writable()
    kernels.masked_merge(frame.pixels, glow, weight, factor=_GLOW, out=frame.pixels)
    return frame


def _wrap(outside: U8, glow: U8, sigma: float, strength: float) -> U8:
    """Return how much of the glow each place takes: within the person, near its edge, and where the glow is bright."""
    import cv2

    near = kernels.gaussian_blur(outside, sigma)
    rows, columns = outside.shape
    channels = cv2.split(glow)
    light = cv2.resize(cv2.max(cv2.max(*channels[:2]), channels[2]), (columns, rows), interpolation=cv2.INTER_LINEAR)
    inside = 255 - outside
    share = cv2.multiply(near, inside, scale=2 / 255)
    return np.asarray(cv2.multiply(share, light, scale=strength / 255), np.uint8)


def _edge(frame: Frame, person: Mask, reach: float, strength: float, mode: Literal["foreground", "despill"]) -> Frame:
    if strength == 0:
        return frame
    factor = max(1, min(8, int(reach / 1.7)))
    fore, back = small_array(frame, factor), small_array(frame, factor)
    kernels.region_blur(frame.pixels, person.values, reach, factor, out=fore)
    kernels.region_blur(frame.pixels, 255 - person.values, reach, factor, out=back)
    full = kernels.upsample_mask(person.values, frame.array(frame.size))
    frame = frame.make_writable()
    kernels.edge_colors(frame.pixels, full, fore, back, factor, mode=mode, strength=strength, out=frame.pixels)
    return frame
