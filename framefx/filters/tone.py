"""Filters of colour alone: every pixel by itself, one 3×3 matrix."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field

from framefx import kernels
from framefx.filters.colors import Color, parse_color
from framefx.frame import Frame

BT709 = (0.2126, 0.7152, 0.0722)


def _as_numbers(value: Any) -> Any:
    """Split ``0.3/0.6/0.1``, as it is written in a chain, where commas and colons have other work."""
    return value.replace(",", "/").split("/") if isinstance(value, str) else value


Weight = Annotated[float, Field(ge=-4, le=4)]
Weights = Annotated[
    tuple[Weight, Weight, Weight],
    BeforeValidator(_as_numbers),
    Field(description="parts of red, green and blue in the grey, r/g/b; BT.709's by default"),
]
Gain = Annotated[float, Field(ge=0, le=16, description="factor; 1 leaves it")]


def grayscale(frame: Frame, *, weights: Weights = BT709) -> Frame:
    """Show the picture in shades of grey."""
    return _by_matrix(frame, np.tile(weights, (3, 1)))


def colorize(frame: Frame, *, color: Color = "#ffb060", gain: Gain = 1.0, weights: Weights = BT709) -> Frame:
    """Show the picture in shades of one colour: black stays black, white becomes `color`."""
    return _by_matrix(frame, gain * np.outer(np.divide(parse_color(color), 255), weights))


def color_filter(frame: Frame, *, color: Color = "#ffd0a0", gain: Gain = 1.0) -> Frame:
    """Look through coloured glass: each channel is multiplied by that of `color`, white leaves it."""
    return _by_matrix(frame, gain * np.diag(np.divide(parse_color(color), 255)))


def brightness(frame: Frame, *, gain: Gain = 1.2) -> Frame:
    """Make the picture brighter or darker: all levels times `gain`, saturated at white."""
    return _by_matrix(frame, gain * np.eye(3))


def invert(frame: Frame) -> Frame:
    """Show the picture as a negative."""
    import cv2

    frame = frame.make_writable()
    cv2.bitwise_not(frame.pixels, dst=frame.pixels)
    return frame


def _by_matrix(frame: Frame, matrix: Any) -> Frame:
    frame = frame.make_writable()
    kernels.color_matrix_lut(frame.pixels, matrix, out=frame.pixels)
    return frame
