"""Steps that several kernels share: fixed-point products and the bilinear upsampling of mask and pixel rows.

Half-pixel centres, edges replicate. A row of the small array is widened once and kept; the step between two
such rows happens inside the loop that uses the result. Everything is 16-bit arithmetic, cast at every step:
numba promotes `int16 * int16` to int64, which LLVM cannot put 32 to a register.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from framefx.kernels._door import F32, I16, I32, U8
from framefx.kernels._jit import Helper

LANES = 32  # mask rows are widened in blocks of this many elements, so their buffers end in spare room
BASE, MIX, TOP = 0, 1, 2
_SHORT = 32  # pixels; a shorter run of pure base or top is blended along with its neighbours


@Helper
def mulhi(a: int, b: int) -> Any:
    """Return ``a * b >> 16``; both must be loaded in the loop, or LLVM misses the one-instruction form."""
    return np.int16(np.int32(np.int32(a) * np.int32(b)) >> np.int32(16))


@Helper
def weight(level: int) -> Any:
    """Turn a mask level 0..255 into 0..16383: the most that a difference times two still fits 16 bits."""
    return np.float32((np.int32(level) * 16447 + 128) >> 8)


@Helper
def fill(row: Any, value: Any) -> None:
    """Write one value everywhere: numba compiles this in a tenth of the time of ``row[:] = value``."""
    for i in range(row.size):
        row[i] = value


@Helper
def copy(src: Any, dst: Any) -> None:
    """Copy a row."""
    for i in range(dst.size):
        dst[i] = src[i]


@Helper
def widen_mask(upper: U8, lower: U8, start: I32, frac: F32, first: int, last: int, value: I16, step: I16) -> None:
    """Widen two mask rows over their cells first..last: `value` of the upper row, twice the `step` to the lower."""
    for j in range(first, last):
        k = min(j + 1, upper.size - 1)
        a, b = weight(upper[j]), weight(lower[j])
        da, db = weight(upper[k]) - a, weight(lower[k]) - b
        for at in range(start[j], start[j + 1], LANES):
            for t in range(LANES):
                i = np.uint64(at + t)
                v = np.int32(a + da * frac[i])
                value[i] = np.int16(v)
                step[i] = np.int16(2 * (np.int32(b + db * frac[i]) - v))


@Helper
def _kinds(upper: U8, lower: U8, low: U8, high: U8, kind: U8) -> None:
    """Tell for each cell, between a column and the next, whether all four corners are 0 or 255."""
    last = kind.size - 1
    for j in range(last + 1):
        low[j], high[j] = min(upper[j], lower[j]), max(upper[j], lower[j])
    right_low, right_high = low[1:], high[1:]
    for j in range(last):
        least, most = min(low[j], right_low[j]), max(high[j], right_high[j])
        kind[j] = BASE if most == 0 else TOP if least == 255 else MIX
    kind[last] = BASE if high[last] == 0 else TOP if low[last] == 255 else MIX


@Helper
def mark_spans(upper: U8, lower: U8, start: I32, spans: I32, cells: U8) -> Any:
    """Split a pair of mask rows into runs ``(start, end, kind, first cell, last cell)``; returns their count."""
    kind = cells[0]
    _kinds(upper, lower, cells[1], cells[2], kind)
    count, first = 0, 0
    for j in range(1, kind.size + 1):
        if j == kind.size or kind[j] != kind[j - 1]:
            now = kind[j - 1]
            if start[j] - start[first] < 3 * _SHORT:
                now = np.uint8(MIX)
            if now == MIX and count and spans[count - 1, 2] == MIX:
                spans[count - 1, 1], spans[count - 1, 4] = start[j], j
            else:
                span = spans[count]
                span[0], span[1], span[2], span[3], span[4] = start[first], start[j], now, first, j
                count += 1
            first = j
    return count


@Helper
def _climb(small: U8, factor: int, value: I16, step: I16) -> None:
    """Find each cell's first value, in levels times 64, and what it climbs by from pixel to pixel."""
    n, right = small.size, small[3:]
    edge, slope = np.float32((32 - 32 * (factor % 2)) / factor), np.float32(64 / factor)
    inner, rise = value[3:], step[3:]
    for i in range(right.size):
        d = np.float32(np.int32(right[i]) - np.int32(small[i]))
        inner[i] = np.int16(np.int32(np.float32(small[i]) * np.float32(64) + d * edge + np.float32(0.5)))
        rise[i] = np.int16(np.int32(d * slope + np.float32(16384.5)) - 16384)
    for i in range(3):
        value[i], value[n + i] = np.int16(small[i]) * 64, np.int16(small[n - 3 + i]) * 64
        step[i], step[n + i] = 0, 0


@Helper
def widen_pixels(small: U8, near: I16, factor: int, row: I16) -> None:
    """Widen one row of reduced pixels: levels times 64, the frame's pixel x at ``row[3 * (x + factor - factor // 2)]``.

    Stores this narrow are bound by the store port: products with a colour pattern, 16 to a register, were slower.
    """
    value, step, at = near[0], near[1], np.uint64(0)
    _climb(small, factor, value, step)
    for j in range(0, small.size + 3, 3):
        i = np.uint64(j)
        k, m = i + np.uint64(1), i + np.uint64(2)
        r, g, b, dr, dg, db = value[i], value[k], value[m], step[i], step[k], step[m]
        for _ in range(factor):
            row[at], row[at + np.uint64(1)], row[at + np.uint64(2)] = r, g, b
            r, g, b = np.int16(r + dr), np.int16(g + dg), np.int16(b + db)
            at += np.uint64(3)


@Helper
def widen_pair(small: U8, j: int, held: I32, near: I16, factor: int, rows: I16) -> None:
    """Have rows j and j + 1 of the reduced picture widened in ``rows[j % 2]`` and ``rows[(j + 1) % 2]``."""
    for i in range(j, min(j + 2, small.shape[0])):
        if held[i % 2] != i:
            widen_pixels(small[i], near, factor, rows[i % 2])
            held[i % 2] = i


@Helper
def between_rows(upper: I16, lower: I16, frac: I16, out: U8) -> None:
    """Interpolate between two widened pixel rows."""
    for i in range(out.size):
        a = upper[i]
        d = np.int16(lower[i] - a)
        v = np.int16(a + mulhi(np.int16(d + d), frac[i]))
        out[i] = np.uint8(np.int16(v + np.int16(32)) >> np.int16(6))


# -- tables, one per pair of sizes ----------------------------------------------------------------------------


@functools.lru_cache(maxsize=16)
def axis(small: int, size: int, ratio: float) -> tuple[I32, F32]:
    """Return for each of `size` places the cell of the small axis it falls into, and how far into it (0..1)."""
    at = np.clip((np.arange(size) + 0.5) * ratio - 0.5, 0, small - 1)
    cell = at.astype(np.int32)
    return cell, (at - cell).astype(np.float32)


@functools.lru_cache(maxsize=16)
def rows_of(small: int, size: int, ratio: float) -> tuple[I32, I16]:
    """Return `axis` for rows: the upper row and the fraction in 1/32768."""
    cell, frac = axis(small, size, ratio)
    return cell, np.minimum(np.round(frac * 32768), 32767).astype(np.int16)


@functools.lru_cache(maxsize=16)
def columns_of(small: int, size: int, channels: int) -> tuple[I32, F32]:
    """Return for a mask's row the first element of each cell (and the end), and each element's fraction."""
    cell, frac = axis(small, size, small / size)
    start = np.searchsorted(cell, np.arange(small + 1)).astype(np.int32) * channels
    return start.astype(np.int32), np.pad(np.repeat(frac, channels), (0, LANES))


@functools.lru_cache(maxsize=16)
def fracs_of(factor: int) -> F32:
    """Return how far each of the `factor` pixels of a cell lies between the two reduced pixels."""
    return ((np.arange(factor) + factor // 2 + 0.5) / factor - 0.5).astype(np.float32)
