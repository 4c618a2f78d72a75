"""From a single-shot detector's two tensors to boxes, as MediaPipe does it.

Anchors, decoding and suppression follow MediaPipe's ``SsdAnchorsCalculator``, ``TensorsToDetectionsCalculator`` and
``NonMaxSuppressionCalculator`` with the weighted algorithm of BlazeFace (Bazarevsky et al., 2019): boxes that overlap
are averaged by their scores instead of dropped, which keeps them from trembling.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from framefx.frame import Size

F32 = npt.NDArray[np.float32]


class Scheme(NamedTuple):
    """Where a detector looks: grids of the input's size over each stride, and anchors of each in every cell."""

    strides: tuple[int, ...]
    each: int


class Detections(NamedTuple):
    """What was found, the likeliest first, in fractions of the input's width and height.

    `corners` is (n, 4) float32: left, top, right, bottom; `landmarks` (n, k, 2); `scores` (n,), 0 to 1.
    """

    corners: F32
    landmarks: F32
    scores: F32


def anchors(size: Size, scheme: Scheme) -> F32:
    """Return x and y of the centre of each anchor, (n, 2) float32 in fractions of the input.

    Neighbouring grids of one stride are one grid with the anchors of both in every cell.
    """
    parts = []
    for stride in dict.fromkeys(scheme.strides):
        rows, columns = (-(-side // stride) for side in size)
        y, x = np.mgrid[:rows, :columns]
        centres = np.stack([(x + 0.5) / columns, (y + 0.5) / rows], axis=-1).reshape(-1, 2)
        parts.append(centres.repeat(scheme.each * scheme.strides.count(stride), axis=0))
    return np.concatenate(parts).astype(np.float32)


def decode(offsets: npt.NDArray[Any], logits: npt.NDArray[Any], centres: F32, size: Size, least: float) -> Detections:
    """Return the boxes whose score is at least `least`.

    Parameters
    ----------
    offsets : (n, 4 + 2 k) float32
        Of each anchor in pixels of the input: the box's centre (x, y) from the anchor's, its width and height, then x
        and y of each landmark from the anchor's centre.
    logits : (n,) float32
        Scores before the sigmoid.
    centres : (n, 2) float32
        `anchors`.
    size : (int, int)
        Height and width of the input in pixels.
    least : float
        0 to 1, exclusive.
    """
    likely = np.flatnonzero(logits >= np.log(least / (1 - least)))
    found, scale = offsets[likely].astype(np.float32), np.array([size[1], size[0]], np.float32)
    points = found.reshape(len(found), offsets.shape[1] // 2, 2) / scale
    middle, extent = points[:, 0] + centres[likely], points[:, 1]
    corners = np.concatenate([middle - extent / 2, middle + extent / 2], axis=1)
    # exp of a large number is infinity and the score 0, which is right: nothing to warn of.
    with np.errstate(over="ignore"):
        scores = (1 / (1 + np.exp(-logits[likely].astype(np.float32)))).astype(np.float32)
    return Detections(corners, points[:, 2:] + centres[likely, None], scores)


def merge(found: Detections, overlap: float) -> Detections:
    """Return one box for each group that overlaps: the mean weighted by the scores, with the best one's score.

    Parameters
    ----------
    found : Detections
        In any order.
    overlap : float
        Intersection over union above which two boxes are of one thing.
    """
    rest = np.argsort(-found.scores, kind="stable")
    groups = []
    while rest.size:
        same = _overlap(found.corners[rest[0]], found.corners[rest]) > overlap
        same[0] = True
        groups.append(rest[same])
        rest = rest[~same]
    corners = [_mean(found.corners, found.scores, group) for group in groups]
    landmarks = [_mean(found.landmarks, found.scores, group) for group in groups]
    best = [group[0] for group in groups]
    return Detections(
        np.array(corners, np.float32).reshape(-1, 4),
        np.array(landmarks, np.float32).reshape(-1, *found.landmarks.shape[1:]),
        found.scores[best],
    )


def _overlap(one: F32, many: F32) -> F32:
    """Return intersection over union of one box with each of many; 0 where both are empty."""
    low, high = np.maximum(one[:2], many[:, :2]), np.minimum(one[2:], many[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(np.clip(many[:, 2:] - many[:, :2], 0, None), axis=1)
    own = np.prod(np.clip(one[2:] - one[:2], 0, None))
    result: F32 = shared / np.maximum(own + areas - shared, 1e-12)
    return result


def _mean(values: F32, weights: F32, group: npt.NDArray[np.intp] | Sequence[int]) -> F32:
    result: F32 = np.average(values[group], axis=0, weights=weights[group])
    return result
