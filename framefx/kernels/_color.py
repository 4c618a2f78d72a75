"""Colour: a 3 x 3 matrix with offset, then a lookup table, in one pass."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from framefx.kernels._door import F32, PIXELS, U8, check, others, output, scratch
from framefx.kernels._jit import Helper, kernel, uses
from framefx.kernels._steps import copy

F64 = npt.NDArray[np.float64]
_LUMA = np.array([0.2126, 0.7152, 0.0722])  # BT.709


@Helper
def _level(value: Any) -> Any:
    """Round down and saturate."""
    return np.uint8(np.int32(min(max(value, np.float32(0)), np.float32(255))))


@Helper
def _mix(row: U8, m: F32, line: U8) -> None:
    a, b, c, d = m[0], m[1], m[2], m[3]
    e, f, g, h = m[4], m[5], m[6], m[7]
    p, q, r, s = m[8], m[9], m[10], m[11]
    for x in range(row.size // 3):
        i = np.uint64(3 * x)
        j, k = i + np.uint64(1), i + np.uint64(2)
        red, green, blue = np.float32(row[i]), np.float32(row[j]), np.float32(row[k])
        line[i] = _level(red * a + green * b + blue * c + d)
        line[j] = _level(red * e + green * f + blue * g + h)
        line[k] = _level(red * p + green * q + blue * r + s)


@Helper
def _look_up(line: U8, lut: U8, out: U8) -> None:
    red, green, blue = lut[0], lut[1], lut[2]
    for x in range(0, line.size, 3):
        i = np.uint64(x)
        j, k = i + np.uint64(1), i + np.uint64(2)
        out[i], out[j], out[k] = red[line[i]], green[line[j]], blue[line[k]]


@kernel("u8[:,:], const u8[:,:], const f32[:], const u8[:,:], i64, u8[:], u8[:]")
def _color(out: U8, src: U8, matrix: F32, lut: U8, look: int, row: U8, line: U8) -> None:
    """Write row y of `out` from row y of `src`, which may be the same array: `row` holds a copy."""
    for y in range(out.shape[0]):
        copy(src[y], row)
        _mix(row, matrix, line if look else out[y])
        if look:
            _look_up(line, lut, out[y])


@uses(_color)
def color_matrix_lut(src: U8, matrix: npt.ArrayLike, lut: U8 | None = None, *, out: U8 | None = None) -> U8:
    """Apply a colour matrix, round and saturate, then look each channel up.

    `color_tables` makes both arguments from saturation, contrast and the like.

    Parameters
    ----------
    src : (h, w, 3) uint8
    matrix : (3, 3) or (3, 4) float
        Rows give red, green, blue; a fourth column is added, in levels.
    lut : (256, 3) uint8, optional
        One column per channel, applied after the matrix.
    out : (h, w, 3) uint8
        May be `src`.

    Returns
    -------
    (h, w, 3) uint8
        `out`.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape or layout, a matrix of other numbers, or an `out` that cannot be written.
    """
    h, w, _ = check("src", src, PIXELS)
    given = np.asarray(matrix, np.float64)
    if given.shape not in ((3, 3), (3, 4)) or not np.isfinite(given).all():
        raise ValueError(f"matrix: got shape {given.shape}, want finite numbers of shape (3, 3) or (3, 4)")
    table = np.zeros((3, 4), np.float32)
    table[:, : given.shape[1]] = given
    table[:, 3] += 0.5  # rounding
    if lut is not None:
        check("lut", lut, (256, 3))
    out = output("out", out, (h, w, 3), *others(out, src))
    row, line = scratch("color.rows", (2, 3 * w), np.uint8)
    columns = _NO_LUT if lut is None else np.ascontiguousarray(lut.T)
    _color(out.reshape(h, -1), src.reshape(h, -1), table.reshape(-1), columns, int(lut is not None), row, line)
    return out


_NO_LUT = np.zeros((3, 1), np.uint8)


# -- what the user turns into numbers -------------------------------------------------------------------------


class ColorTables(NamedTuple):
    """Arguments for `color_matrix_lut`; `lut` is None when gamma is 1."""

    matrix: F64
    lut: U8 | None


def color_tables(
    *,
    saturation: float = 1.0,
    temperature: float = 0.0,
    tint: float = 0.0,
    brightness: float = 0.0,
    contrast: float = 1.0,
    gamma: float = 1.0,
    hue: float = 0.0,
) -> ColorTables:
    """Fold colour adjustments into one matrix and one lookup table.

    Order: temperature and tint, hue, saturation, contrast around mid grey, brightness, gamma.

    Parameters
    ----------
    saturation : 0 grey, 1 unchanged
        Keeps BT.709 luma (the SVG `saturate` matrix).
    temperature : -1 blue to 1 orange
        Gains of red and blue, up to 30 %, with luma of grey kept.
    tint : -1 green to 1 magenta
    brightness : -1 to 1
        Added, 1 is white.
    contrast : 0 grey, 1 unchanged
    gamma : above 0, 1 unchanged
        Above 1 brightens the midtones: ``out = in ** (1 / gamma)``.
    hue : degrees
        Turns colours around the grey axis (the SVG `hueRotate` matrix), keeping luma.

    Returns
    -------
    ColorTables

    Raises
    ------
    ValueError
        A gamma that is not above 0.
    """
    if not gamma > 0:
        raise ValueError(f"gamma: got {gamma}, want more than 0")
    gains = np.array([1 + 0.3 * temperature, 1 - 0.3 * tint, 1 - 0.3 * temperature])
    gains /= _LUMA @ gains
    grey = np.tile(_LUMA, (3, 1))
    matrix = contrast * (grey + saturation * (np.eye(3) - grey)) @ _hue(math.radians(hue)) @ np.diag(gains)
    offset = np.full((3, 1), 127.5 * (1 - contrast) + 255 * brightness)
    levels = 255 * (np.arange(256) / 255) ** (1 / gamma)
    lut = np.repeat(np.round(levels).astype(np.uint8)[:, None], 3, axis=1) if gamma != 1 else None
    return ColorTables(np.concatenate([matrix, offset], axis=1), lut)


def _hue(angle: float) -> F64:
    """Rotate around grey as SVG's feColorMatrix does, with BT.709 weights so that luma stays."""
    grey = np.tile(_LUMA, (3, 1))
    turn = np.array([[-0.2126, -0.7152, 0.9278], [0.143, 0.140, -0.283], [-0.7874, 0.7152, 0.0722]])
    return np.asarray(grey + math.cos(angle) * (np.eye(3) - grey) + math.sin(angle) * turn)
