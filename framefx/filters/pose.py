"""``skeleton`` and ``heatmap``: what a body network finds, drawn over the picture."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from framefx import kernels
from framefx.filters.color_map import Map, mapped
from framefx.filters.colors import Color, parse_color
from framefx.frame import Frame
from framefx.models.vocabulary import BONES
from framefx.points import Heatmaps, Points

_FRACTION = 4
"""Bits behind the point that OpenCV takes: a sixteenth of a pixel."""

Keypoint = Literal[
    "all", "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
]  # fmt: skip


def skeleton(
    frame: Frame,
    keypoints: Points,
    *,
    color: Color = "#40ffc0",
    radius: Annotated[float, Field(ge=0, le=100, description="pixels, of the points; 0 without")] = 5.0,
    width: Annotated[int, Field(ge=0, le=100, description="pixels, of the lines between them; 0 without")] = 2,
    least: Annotated[
        float, Field(ge=0, le=1, description="0 to 1; points that the model is less sure of are not drawn")
    ] = 0.3,
) -> Frame:
    """Draw a person's keypoints and the lines between them, to see what a model finds."""
    import cv2

    places = {
        name: (round(float(x) * 2**_FRACTION), round(float(y) * 2**_FRACTION))
        for name, (x, y), score in zip(keypoints.names, keypoints.xy, keypoints.scores, strict=True)
        if score >= least and _is_near(x, y, frame)
    }
    bones = [(places[a], places[b]) for a, b in BONES if a in places and b in places] if width else []
    if not bones and not (places and radius):
        return frame
    frame = frame.make_writable()
    planes = [(frame.pixels, parse_color(color))] + ([(frame.alpha, (255,))] if frame.alpha is not None else [])
    for canvas, ink in planes:
        for start, end in bones:
            cv2.line(canvas, start, end, ink, width, cv2.LINE_AA, _FRACTION)
        for place in places.values() if radius else ():
            cv2.circle(canvas, place, round(radius * 2**_FRACTION), ink, -1, cv2.LINE_AA, _FRACTION)
    return frame


def _is_near(x: float, y: float, frame: Frame) -> bool:
    """Whether a point is at most a frame away from the frame: what is further is no place to draw a line to."""
    height, width = frame.size
    return -width <= x <= 2 * width and -height <= y <= 2 * height


def heatmap(
    frame: Frame,
    keypoint_heatmaps: Heatmaps,
    *,
    keypoint: Annotated[Keypoint, Field(description="which one, or the likeliest at each place")] = "all",
    map: Annotated[Map, Field(description="table of colours, as OpenCV and matplotlib name it")] = "turbo",
    opacity: Annotated[float, Field(ge=0, le=1, description="0 leaves it to 1, where the model is sure")] = 0.8,
) -> Frame:
    """Show how likely each place is a keypoint, as colours over the picture, to see what a model finds."""
    if opacity == 0:
        return frame
    values = _values(keypoint_heatmaps, keypoint)
    if not values.any():
        return frame
    full = kernels.upsample_mask(values, frame.array(frame.size))
    colors = mapped(full, map, frame.array(frame.pixels.shape))
    weight = np.multiply(values, np.float32(opacity)).astype(np.uint8)
    frame = frame.make_writable()
    pixels, alpha = frame.pixels, frame.alpha
    kernels.masked_merge(pixels, colors, weight, base_alpha=alpha, out=pixels, out_alpha=alpha)
    return frame


def _values(heatmaps: Heatmaps, keypoint: str) -> npt.NDArray[np.uint8]:
    if keypoint == "all":
        return np.asarray(heatmaps.values.max(axis=0), np.uint8)
    return heatmaps[keypoint].values
