"""Colour: a 3 x 3 matrix with offset, then a lookup table, in one pass."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from framefx.kernels._door import I16, PIXELS, U8, between, check, others, output, scratch
from framefx.kernels._jit import Helper, kernel, uses
from framefx.kernels._steps import mulhi

F64 = npt.NDArray[np.float64]
PERIOD = 960  # elements; a multiple of the 3 colours, long enough to pay for starting the loop
_LUMA = np.array([0.2126, 0.7152, 0.0722])  # BT.709


@Helper
def _mix(row: I16, taps: I16, offset: I16, shift: int, line: U8) -> None:
    """Mix each element with its two neighbours on both sides: three of the five taps are its pixel's r, g, b."""
    s = np.int16(shift)
    for k in range(0, line.size, PERIOD):
        part = line[k : k + PERIOD]
        a, b, c, d, e = row[k:], row[k + 1 :], row[k + 2 :], row[k + 3 :], row[k + 4 :]
        for i in range(part.size):
            v = np.int16(mulhi(a[i], taps[0, i]) + mulhi(b[i], taps[1, i]))
            v = np.int16(v + np.int16(mulhi(c[i], taps[2, i]) + mulhi(d[i], taps[3, i])))
            v = np.int16(np.int16(np.int16(v + mulhi(e[i], taps[4, i])) + offset[i]) >> s)
            part[i] = np.uint8(min(max(v, np.int16(0)), np.int16(255)))


@Helper
def _look_up(line: U8, lut: U8, out: U8) -> None:
    red, green, blue = lut[0], lut[1], lut[2]
    for x in range(0, line.size, 3):
        i = np.uint64(x)
        j, k = i + np.uint64(1), i + np.uint64(2)
        out[i], out[j], out[k] = red[line[i]], green[line[j]], blue[line[k]]


@kernel("u8[:,:], const u8[:,:], const i16[:,:], const i16[:], i64, const u8[:,:], i64, i16[:], u8[:]")
def _color(out: U8, src: U8, taps: I16, offset: I16, shift: int, lut: U8, look: int, row: I16, line: U8) -> None:
    """Write row y of `out` from row y of `src`, which may be the same array: `row` holds a copy, levels times 128."""
    n = src.shape[1]
    for y in range(out.shape[0]):
        s, d = src[y], out[y]
        body = row[2:]
        for i in range(n):
            body[i] = np.int16(np.int16(s[i]) << np.int16(7))
        _mix(row, taps, offset, shift, line if look else d)
        if look:
            _look_up(line, lut, d)


@uses(_color)
def color_matrix_lut(src: U8, matrix: npt.ArrayLike, lut: U8 | None = None, *, out: U8 | None = None) -> U8:
    """Apply a colour matrix, round and saturate, then look each channel up.

    Sixteen-bit fixed point: within one level of exact arithmetic. `color_tables` makes both arguments from
    saturation, contrast and the like.

    Parameters
    ----------
    src : (h, w, 3) uint8
    matrix : (3, 3) or (3, 4) float
        Rows give red, green, blue; a fourth column is added, in levels. Magnitudes in a row sum to 60 at most.
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
        A wrong dtype, shape or layout, a matrix beyond its range, or an `out` that cannot be written.
    """
    h, w, _ = check("src", src, PIXELS)
    table = np.zeros((3, 4))
    given = np.asarray(matrix, np.float64)
    if given.shape not in ((3, 3), (3, 4)) or not np.isfinite(given).all():
        raise ValueError(f"matrix: got shape {given.shape}, want finite numbers of shape (3, 3) or (3, 4)")
    between("matrix: a row's sum of magnitudes", float(np.abs(given[:, :3]).sum(axis=1).max()), 0, 60)
    table[:, : given.shape[1]] = given
    if lut is not None:
        check("lut", lut, (256, 3))
    out = output("out", out, (h, w, 3), *others(out, src))
    taps, offset, shift = _fixed_point(table.tobytes())
    row, line = scratch("color.row", (3 * w + 4,), np.int16), scratch("color.line", (3 * w,), np.uint8)
    row[:2], row[-2:] = 0, 0
    columns = _NO_LUT if lut is None else np.ascontiguousarray(lut.T)
    flat = out.reshape(h, -1), src.reshape(h, -1)
    _color(*flat, taps, offset, shift, columns, int(lut is not None), row, line)
    return out


_NO_LUT = np.zeros((3, 1), np.uint8)


@functools.lru_cache(maxsize=32)
def _fixed_point(table: bytes) -> tuple[I16, I16, int]:
    """Return taps ``(5, PERIOD)``, offset ``(PERIOD,)`` and the final shift, as precise as 16 bits hold."""
    matrix = np.frombuffer(table).reshape(3, 4).copy()
    span = np.abs(matrix[:, :3]).sum(axis=1) * 255
    matrix[:, 3] = np.clip(matrix[:, 3], -span - 255, span + 255)  # beyond, everything saturates
    reach = span + np.abs(matrix[:, 3]) + 1
    biggest = max(float(np.abs(matrix[:, :3]).max()), 1e-9)
    bits = min(14, math.floor(math.log2(32767 / biggest)), 9 + math.floor(math.log2(32700 / float(reach.max()))))
    taps, offset = np.zeros((5, PERIOD)), np.zeros(PERIOD)
    for c in range(3):
        for source in range(3):
            taps[2 + source - c, c::3] = matrix[c, source] * 2**bits
        losses = np.count_nonzero(matrix[c, :3]) / 2  # each product is rounded down
        offset[c::3] = (matrix[c, 3] + 0.5) * 2.0 ** (bits - 9) + losses
    return np.round(taps).astype(np.int16), np.floor(offset).astype(np.int16), bits - 9


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
