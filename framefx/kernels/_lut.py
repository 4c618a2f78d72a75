"""Three-dimensional lookup tables: colour grades as `.cube` files hold them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from framefx.kernels._door import F32, I64, PIXELS, U8, between, check, others, output, scratch
from framefx.kernels._jit import Helper, kernel, uses

_LANE = 21  # bits: a 12-bit level times a weight of up to 256 fits, so three channels go into one multiplication


@Helper
def _place(pixels: U8, side: int, upper: I64, lower: I64) -> None:
    """Find for each pixel the four corners of its tetrahedron and their weights in 1/256.

    The channel that is furthest into its cell leads to the second corner, the next one to the third: part and
    stride are one number while they are sorted. No branch and few arrays, or LLVM would take the pixels one by one.
    """
    last, full = np.int32(side - 2), np.int32(257 * (side - 1))
    for x in range(upper.size):
        i = np.uint64(3 * x)
        red = (np.int32(pixels[i]) * full + np.int32(128)) >> np.int32(8)
        green = (np.int32(pixels[i + np.uint64(1)]) * full + np.int32(128)) >> np.int32(8)
        blue = (np.int32(pixels[i + np.uint64(2)]) * full + np.int32(128)) >> np.int32(8)
        m = min(red >> np.int32(8), last)
        n = min(green >> np.int32(8), last)
        o = min(blue >> np.int32(8), last)
        first = (m * np.int32(side) + n) * np.int32(side) + o
        u = (red - (m << np.int32(8))) << np.int32(16) | np.int32(side * side)
        v = (green - (n << np.int32(8))) << np.int32(16) | np.int32(side)
        w = (blue - (o << np.int32(8))) << np.int32(16) | np.int32(1)
        high, low = max(u, v), min(u, v)
        middle = max(low, min(high, w))
        high, low = max(high, w), min(low, w)
        second = first + (high & np.int32(0xFFFF))
        third = second + (middle & np.int32(0xFFFF))
        fourth = third + (low & np.int32(0xFFFF))
        high, middle, low = high >> np.int32(16), middle >> np.int32(16), low >> np.int32(16)
        first = first << np.int32(9) | (np.int32(256) - high)
        second = second << np.int32(9) | (high - middle)
        third = third << np.int32(9) | (middle - low)
        fourth = fourth << np.int32(9) | low
        upper[x] = np.int64(first) << 32 | np.int64(second)
        lower[x] = np.int64(third) << 32 | np.int64(fourth)


@Helper
def _product(table: I64, corner: int) -> Any:
    return table[np.uint64(corner >> 9)] * (corner & 511)


@kernel("u8[:,:], const u8[:,:], const i64[:], i64, i64[:], i64[:]")
def _lut_3d(out: U8, src: U8, table: I64, side: int, upper: I64, lower: I64) -> None:
    """Write row y of `out` from row y of `src`, which may be the same array."""
    for y in range(out.shape[0]):
        line = out[y]
        _place(src[y], side, upper, lower)
        for x in range(upper.size):
            a, b, i = upper[x], lower[x], np.uint64(3 * x)
            mixed = _product(table, a >> 32) + _product(table, a & 0xFFFFFFFF)
            mixed += _product(table, b >> 32) + _product(table, b & 0xFFFFFFFF)
            line[i] = np.uint8(mixed >> 12)
            line[i + np.uint64(1)] = np.uint8(mixed >> 33)
            line[i + np.uint64(2)] = np.uint8(mixed >> 54)


@uses(_lut_3d)
def lut_3d(src: U8, table: F32, *, out: U8 | None = None) -> U8:
    """Look colours up in a cube: tetrahedral interpolation (Kasson and others, 1995), which keeps greys grey.

    Parameters
    ----------
    src : (h, w, 3) uint8
    table : (n, n, n, 3) float32, 0 to 1, n from 2 to 129
        Indexed by red, green, blue; levels beyond 0 to 1 saturate.
        It is packed once: hand the same array in again, and do not write to it.
    out : (h, w, 3) uint8
        May be `src`.

    Returns
    -------
    (h, w, 3) uint8
        `out`, within one level of exact arithmetic.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape or layout, or an `out` that cannot be written.
    """
    h, w, _ = check("src", src, PIXELS)
    side = check("table", table, (None, None, None, 3), np.float32)[0]
    between("table: its side", side, 2, 129)
    if table.shape != (side, side, side, 3):
        raise ValueError(f"table: got shape {table.shape}, want all sides alike")
    out = output("out", out, (h, w, 3), *others(out, src))
    upper, lower = scratch("lut.corners", (2, w), np.int64)
    _lut_3d(out.reshape(h, -1), src.reshape(h, -1), _packed(_Key(table)), side, upper, lower)
    return out


class _Key:
    """A table by identity; it keeps the table alive, so that no other one gets its address."""

    def __init__(self, table: F32) -> None:
        self.table = table

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.table is self.table

    def __hash__(self) -> int:
        return id(self.table)


@functools.lru_cache(maxsize=8)
def _packed(key: _Key) -> I64:
    """Return each entry as one number: levels times 16, rounding included, in lanes of 21 bits."""
    levels = np.round(np.clip(key.table, 0, 1) * (255 * 16)).astype(np.int64).reshape(-1, 3) + 8
    return np.asarray(levels[:, 0] | levels[:, 1] << _LANE | levels[:, 2] << 2 * _LANE, np.int64)
