"""Three-dimensional lookup tables: colour grades as `.cube` files hold them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from framefx.kernels._door import F32, I32, I64, PIXELS, U8, U16, between, check, others, output, scratch
from framefx.kernels._jit import Helper, kernel, uses

_LANE = 21  # bits: a 12-bit level times a weight of up to 256 fits, so three channels go into one multiplication
_BLOCK = 256  # pixels: what is known of them stays in the first cache


@Helper
def _place_on_axis(level: int, steps: int) -> Any:
    """Return where a level lies on an axis of the cube, in 1/256 of a cell."""
    at = np.uint16(np.uint16(level) * steps)
    return np.uint16(at + np.uint16(np.uint16(at + np.uint16(128)) >> np.uint16(8)))


@Helper
def _part(place: int, cell: int, axis: int) -> Any:
    """Return how far into its cell a place is, with the axis in the two lowest bits."""
    return np.uint16(np.uint16(np.uint16(place - np.uint16(cell << np.uint16(8))) << np.uint16(2)) | np.uint16(axis))


@Helper
def _stride(part: int, side: int, plane: int) -> Any:
    axis = np.uint16(part & np.uint16(3))
    return plane if axis == np.uint16(2) else side if axis == np.uint16(1) else np.uint16(1)


@Helper
def _find_corners(pixels: U8, side: int, first: I32, parts: U16, count: int) -> None:
    """Find for each pixel the four corners of its tetrahedron and their weights in 1/256.

    The channel that is furthest into its cell leads to the second corner, the next one to the third; the fourth is
    always the opposite one. `parts` holds, for a block of pixels each: the way to the second and to the third
    corner, then the weights. In 16 bits and without a branch, so that 32 pixels go at once.
    """
    steps, last = np.uint16(side - 1), np.uint16(side - 2)
    row, plane = np.uint16(side), np.uint16(side * side)
    for x in range(count):
        i, at = np.uint64(3 * x), np.uint64(x)
        red, green = _place_on_axis(pixels[i], steps), _place_on_axis(pixels[i + np.uint64(1)], steps)
        blue = _place_on_axis(pixels[i + np.uint64(2)], steps)
        m, n = min(np.uint16(red >> np.uint16(8)), last), min(np.uint16(green >> np.uint16(8)), last)
        o = min(np.uint16(blue >> np.uint16(8)), last)
        first[at] = (np.int32(m) * np.int32(side) + np.int32(n)) * np.int32(side) + np.int32(o)
        u, v, w = _part(red, m, 2), _part(green, n, 1), _part(blue, o, 0)
        high, low = max(u, v), min(u, v)
        middle = max(low, min(high, w))
        high, low = max(high, w), min(low, w)
        second = _stride(high, row, plane)
        parts[at] = second
        parts[at + np.uint64(_BLOCK)] = np.uint16(second + _stride(middle, row, plane))
        high, middle, low = high >> np.uint16(2), middle >> np.uint16(2), low >> np.uint16(2)
        parts[at + np.uint64(2 * _BLOCK)] = np.uint16(np.uint16(256) - np.uint16(high))
        parts[at + np.uint64(3 * _BLOCK)] = np.uint16(np.uint16(high) - np.uint16(middle))
        parts[at + np.uint64(4 * _BLOCK)] = np.uint16(np.uint16(middle) - np.uint16(low))
        parts[at + np.uint64(5 * _BLOCK)] = np.uint16(low)


@Helper
def _mix_corners(table: I64, first: I32, parts: U16, opposite: int, mixed: I64, count: int) -> None:
    for x in range(count):
        at = np.uint64(x)
        i = np.uint64(np.uint32(first[at]))
        a = table[i] * np.int64(parts[at + np.uint64(2 * _BLOCK)])
        b = table[i + np.uint64(parts[at])] * np.int64(parts[at + np.uint64(3 * _BLOCK)])
        c = table[i + np.uint64(parts[at + np.uint64(_BLOCK)])] * np.int64(parts[at + np.uint64(4 * _BLOCK)])
        d = table[i + opposite] * np.int64(parts[at + np.uint64(5 * _BLOCK)])
        mixed[at] = (a + b) + (c + d)


@Helper
def _write_pixels(mixed: I64, out: U8, count: int) -> None:
    for x in range(count):
        w, i = np.uint64(mixed[x]), np.uint64(3 * x)
        out[i], out[i + np.uint64(1)] = np.uint8(w >> np.uint64(12)), np.uint8(w >> np.uint64(33))
        out[i + np.uint64(2)] = np.uint8(w >> np.uint64(54))


@kernel("u8[:,:], const u8[:,:], const i64[:], i64, i32[:], u16[:], i64[:]")
def _lut_3d(out: U8, src: U8, table: I64, side: int, first: I32, parts: U16, mixed: I64) -> None:
    """Write row y of `out` from row y of `src`, which may be the same array, block by block."""
    width, opposite = src.shape[1] // 3, np.uint64(side * side + side + 1)
    for y in range(out.shape[0]):
        for x in range(0, width, _BLOCK):
            count = min(_BLOCK, width - x)
            _find_corners(src[y, 3 * x :], side, first, parts, count)
            _mix_corners(table, first, parts, opposite, mixed, count)
            _write_pixels(mixed, out[y, 3 * x :], count)


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
    first, parts = scratch("lut.first", (_BLOCK,), np.int32), scratch("lut.parts", (6 * _BLOCK,), np.uint16)
    mixed = scratch("lut.mixed", (_BLOCK,), np.int64)
    _lut_3d(out.reshape(h, -1), src.reshape(h, -1), _packed(_Key(table)), side, first, parts, mixed)
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
