"""Aligning two pictures by a similarity: Gauss–Newton on their grey levels, coarse to fine.

Lucas and Kanade's method in the forward additive form (Baker and Matthews, "Lucas-Kanade 20 years on", 2004): places
of the first picture are looked up in the second, the differences and the second picture's slopes at these places say
how to move them. Two more unknowns, gain and offset, take up a camera's exposure. What does not follow the rest, people
above all, is left out by Tukey's weights (iteratively reweighted least squares). Only places with texture take part.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from framefx import kernels
from framefx.frame import Image

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Unknowns = npt.NDArray[np.float64]

LEVELS = 3
_CELL = 4
"""Pixels; of each cell the place with the steepest slope takes part."""

_LEAST_SLOPE = 6.0
"""Levels between the neighbours of a place, below which it is noise."""

_LEAST_PLACES = 60
_STEPS = (8, 5, 4)
"""Steps at the coarsest level, and at the finer ones, at most."""

_ARRIVED = 0.01
"""Pixels; a smaller step is the last one of its level."""

_LEAST_AGREE = 0.4
"""Part of the places that must follow the motion found."""


class Places(NamedTuple):
    """Textured places of a picture: `at` (1, n, 2) in pixels, from its centre in half widths `u` and `v`, `levels`."""

    at: Floats
    u: Floats
    v: Floats
    levels: Floats


class Found(NamedTuple):
    """A similarity around the centre: growth and turn, shift to the right and down in half widths; and who agrees."""

    growth: float
    turn: float
    right: float
    down: float
    agree: float


def pyramid(pixels: Image) -> list[Grey]:
    """Return a picture's grey levels at full, half and quarter size.

    Parameters
    ----------
    pixels : (height, width, 3) uint8 RGB
        Some hundred pixels wide: more make it slow, not exact.
    """
    import cv2

    levels = [np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)]
    for _ in range(LEVELS - 1):
        height, width = levels[-1].shape
        size = max(1, width // 2), max(1, height // 2)
        levels.append(np.asarray(cv2.resize(levels[-1], size, interpolation=cv2.INTER_AREA), np.uint8))
    return levels


def places(grey: Grey, hidden: Grey | None) -> Places:
    """Choose the places of a picture that tell how it moved.

    Parameters
    ----------
    grey : (height, width) uint8
    hidden : (rows, columns) uint8, optional
        Of any size; where it is not 0 nothing is chosen.
    """
    height, width = grey.shape
    levels = grey.astype(np.int16)
    slope = np.zeros(grey.shape, np.int16)
    slope[1:-1, 1:-1] = np.abs(levels[1:-1, 2:] - levels[1:-1, :-2]) + np.abs(levels[2:, 1:-1] - levels[:-2, 1:-1])
    rows, columns = height // _CELL, width // _CELL
    whole = slope[: rows * _CELL, : columns * _CELL].reshape(rows, _CELL, columns, _CELL)
    cells = whole.swapaxes(1, 2).reshape(rows, columns, _CELL * _CELL)
    best = cells.argmax(axis=2)
    steep = cells.max(axis=2, initial=0) >= _LEAST_SLOPE
    row, column = np.nonzero(steep)
    within = best[row, column]
    y, x = row * _CELL + within // _CELL, column * _CELL + within % _CELL
    if hidden is not None:
        seen = hidden[y * hidden.shape[0] // height, x * hidden.shape[1] // width] == 0
        y, x = y[seen], x[seen]
    at = np.stack([x, y], axis=-1)[None].astype(np.float32)
    u = (at[0, :, 0] - np.float32((width - 1) / 2)) / np.float32(width / 2)
    v = (at[0, :, 1] - np.float32((height - 1) / 2)) / np.float32(width / 2)
    return Places(at, u, v, grey[y, x].astype(np.float32))


def align(before: list[Places], now: list[Grey]) -> Found | None:
    """Find where the places of one picture are in another.

    Parameters
    ----------
    before : list of Places
        Of the first picture's `pyramid`, finest first.
    now : list of (height, width) uint8
        The second picture's.

    Returns
    -------
    Found or None
        None where too few places have texture, or too few of them agree.
    """
    unknowns = np.array([0, 0, 0, 0, 1, 0], np.float64)
    agree = 0.0
    for level, most in zip(reversed(range(LEVELS)), _STEPS, strict=True):
        chosen, picture = before[level], now[level]
        if len(chosen.u) < (_LEAST_PLACES if level == 0 else 8):
            if level == 0:
                return None
            continue
        for _ in range(most):
            step, agree = _step(chosen, picture, unknowns)
            unknowns += step
            if np.abs(step[:4]).max() * picture.shape[1] / 2 < _ARRIVED:
                break
    if agree < _LEAST_AGREE or not np.isfinite(unknowns).all():
        return None
    growth, turn, right, down = (float(value) for value in unknowns[:4])
    return Found(growth, turn, right, down, agree)


def _step(chosen: Places, picture: Grey, unknowns: Unknowns) -> tuple[Unknowns, float]:
    """Return one Gauss–Newton step and the part of the places that agree."""
    height, width = picture.shape
    half = np.float32(width / 2)
    growth, turn, right, down, gain, offset = unknowns.astype(np.float32)
    u, v = chosen.u, chosen.v
    grid = np.empty_like(chosen.at)
    grid[0, :, 0] = np.float32((width - 1) / 2) + half * (u + growth * u - turn * v + right)
    grid[0, :, 1] = np.float32((height - 1) / 2) + half * (v + turn * u + growth * v + down)
    found = kernels.sample_bilinear(picture, grid)
    slopes = kernels.sample_bilinear_grad(picture, grid, np.ones_like(found))[0] * (half * gain)
    across, below, found = slopes[:, 0], slopes[:, 1], found[0]
    difference = gain * found + offset - chosen.levels
    inside = (grid[0] >= 0).all(axis=1) & (grid[0, :, 0] <= width - 1) & (grid[0, :, 1] <= height - 1)
    weights = _tukey(difference, inside)
    ones = np.ones_like(u)
    # Levels divided by 64, so that all unknowns are of one size.
    jacobian = np.stack([across * u + below * v, below * u - across * v, across, below, found / 64, ones])
    weighted = jacobian * weights
    normal = (weighted @ jacobian.T).astype(np.float64)
    normal[np.diag_indices(6)] *= 1 + 1e-6
    normal[np.diag_indices(6)] += 1e-6
    step = np.linalg.solve(normal, -(weighted @ difference).astype(np.float64))
    step[4] /= 64
    return step, float(np.count_nonzero(weights > 0.25) / max(1, len(weights)))


def _tukey(difference: Floats, inside: npt.NDArray[np.bool_]) -> Floats:
    """Return Tukey's weights: none for what is further off than 4.7 times the usual."""
    usual = np.median(np.abs(difference[inside])) * 1.4826 + 1.0 if inside.any() else 1.0
    part = np.minimum(np.abs(difference) / np.float32(4.685 * usual), 1)
    weights: Floats = np.square(1 - np.square(part)) * inside
    return weights.astype(np.float32)
