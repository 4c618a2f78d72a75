"""Aligning two pictures by a similarity: phase correlation first, then Gauss–Newton on their grey levels.

Phase correlation (Kuglin and Hines, 1975) of the coarsest level gives a shift to begin with, without which one in ten
large movements ends in a wrong place. Then Lucas and Kanade's method, coarse to fine, in the forward additive form
(Baker and Matthews, "Lucas-Kanade 20 years on", 2004): places of the first picture are looked up in the second, the
differences and the second picture's slopes at these places say how to move them. Two more unknowns, gain and offset,
take up a camera's exposure. What does not follow the rest, people above all, is left out by Tukey's weights
(iteratively reweighted least squares). Only places with texture take part.
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

_LEAST_INSIDE = 0.5
"""Part of the places that must be in the second picture too."""

_MISFIT = 0.35
"""Usual difference that stays, in parts of the usual contrast; of pictures that have nothing in common it is 1.4."""


class Places(NamedTuple):
    """Textured places of a picture: `at` (1, n, 2) in pixels, from its centre in half widths `u` and `v`.

    Their grey `levels`, and how far those usually are from the middle one: the `contrast`.
    """

    at: Floats
    u: Floats
    v: Floats
    levels: Floats
    contrast: float


class Template(NamedTuple):
    """A picture to be found in another: its `places`, finest level first, and its `coarse`st level."""

    places: list[Places]
    coarse: Floats


class Found(NamedTuple):
    """A similarity around the centre: growth and turn, shift to the right and down in half widths."""

    growth: float
    turn: float
    right: float
    down: float


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


def template(levels: list[Grey], hidden: Grey | None) -> Template:
    """Choose the places of a picture that tell how it moved.

    Parameters
    ----------
    levels : list of (height, width) uint8
        Its `pyramid`.
    hidden : (rows, columns) uint8, optional
        Of any size; where it is not 0 nothing is chosen.
    """
    return Template([_places(grey, hidden) for grey in levels], levels[-1].astype(np.float32))


def _places(grey: Grey, hidden: Grey | None) -> Places:
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
    found = grey[y, x].astype(np.float32)
    contrast = float(np.median(np.abs(found - np.median(found)))) if len(found) else 0.0
    return Places(at, u, v, found, contrast)


def align(before: Template, now: list[Grey]) -> Found | None:
    """Find where the places of one picture are in another.

    Parameters
    ----------
    before : Template
        The first picture.
    now : list of (height, width) uint8
        The second picture's `pyramid`, of the same sizes.

    Returns
    -------
    Found or None
        None where too few places have texture, or the pictures do not fit.
    """
    if len(before.places[0].u) < _LEAST_PLACES:
        return None
    unknowns, fit = _start(before, now), (0.0, np.inf)
    for level, most in zip(reversed(range(LEVELS)), _STEPS, strict=True):
        chosen, picture = before.places[level], now[level]
        for _ in range(most if len(chosen.u) else 0):
            step, fit = _step(chosen, picture, unknowns)
            unknowns += step
            if np.abs(step[:4]).max() * picture.shape[1] / 2 < _ARRIVED:
                break
    inside, misfit = fit
    if inside < _LEAST_INSIDE or not misfit <= _MISFIT or not np.isfinite(unknowns).all():
        return None
    growth, turn, right, down = (float(value) for value in unknowns[:4])
    return Found(growth, turn, right, down)


def _start(before: Template, now: list[Grey]) -> Unknowns:
    """Return what fits better of no movement and the shift that phase correlation finds, which may be a person's."""
    import cv2

    still = np.array([0, 0, 0, 0, 1, 0], np.float64)
    height, width = now[-1].shape
    chosen = before.places[-1]
    if min(height, width) < 8 or not len(chosen.u):
        return still
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    (x, y), _ = cv2.phaseCorrelate(before.coarse, now[-1].astype(np.float32), window)
    shifted = np.array([0, 0, 2 * x / width, 2 * y / width, 1, 0])
    if not np.isfinite(shifted).all():
        return still
    return min((still, shifted), key=lambda start: _step(chosen, now[-1], start)[1][1])


def _step(chosen: Places, picture: Grey, unknowns: Unknowns) -> tuple[Unknowns, tuple[float, float]]:
    """Return one Gauss–Newton step, the part of the places that are in the picture, and how badly they fit."""
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
    usual = float(np.median(np.abs(difference[inside]))) if inside.any() else np.inf
    weights = _tukey(difference, usual) * inside
    ones = np.ones_like(u)
    # Levels divided by 64, so that all unknowns are of one size.
    jacobian = np.stack([across * u + below * v, below * u - across * v, across, below, found / 64, ones])
    weighted = jacobian * weights
    normal = (weighted @ jacobian.T).astype(np.float64)
    normal[np.diag_indices(6)] *= 1 + 1e-6
    normal[np.diag_indices(6)] += 1e-6
    step = np.linalg.solve(normal, -(weighted @ difference).astype(np.float64))
    step[4] /= 64
    return step, (float(inside.mean()), usual / max(1.0, chosen.contrast))


def _tukey(difference: Floats, usual: float) -> Floats:
    """Return Tukey's weights: none for what is further off than 4.7 standard deviations, as `usual` tells them."""
    part = np.minimum(np.abs(difference) / np.float32(4.685 * (1.4826 * usual + 1)), 1)
    weights: Floats = np.square(1 - np.square(part))
    return weights
