"""Layers without a model: a value of each kind, the same each time."""

from __future__ import annotations

from typing import Any

import numpy as np

from framefx.boxes import Boxes
from framefx.frame import Size
from framefx.mask import Mask
from framefx.models.vocabulary import KEYPOINTS
from framefx.points import Heatmaps, Points


def made_up(kind: type | None, size: Size) -> Any:
    """Return a layer's value for a frame of `size`, or None for a kind that is not framefx's.

    Parameters
    ----------
    kind : type or None
        `Mask` (also where nothing is said), `Boxes`, `Points` or `Heatmaps`.
    size : (int, int)
        Height and width in pixels; masks and maps have a place for four of them.
    """
    small = max(1, size[0] // 4), max(1, size[1] // 4)
    ramp = np.tile(np.linspace(0, 255, small[1]).astype(np.uint8), (small[0], 1))
    if kind is None or issubclass(Mask, kind):
        return Mask(ramp, size)
    if issubclass(Boxes, kind):
        right, bottom = size[1] / 2, size[0] / 2
        landmarks = np.linspace((right / 4, bottom / 4), (right / 2, bottom / 2), 6)
        return Boxes([[0, 0, right, bottom]], [0.9], landmarks[None], size=size)
    if issubclass(Points, kind):
        xy = np.linspace((0, 0), (size[1] - 1, size[0] - 1), len(KEYPOINTS))
        return Points(xy, np.linspace(0, 1, len(KEYPOINTS)), KEYPOINTS, size)
    if issubclass(Heatmaps, kind):
        return Heatmaps(np.stack([ramp] * len(KEYPOINTS)), KEYPOINTS, size)
    return None
