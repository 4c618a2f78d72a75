"""Steps that several kernels share: fixed-point products and the bilinear upsampling of mask and pixel rows.

Half-pixel centres, edges replicate. A row of the small array is widened once and kept; the step between two
such rows happens inside the loop that uses the result. Everything is 16-bit arithmetic, cast at every step:
numba promotes `int16 * int16` to int64, which LLVM cannot put 32 to a register.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from framefx.kernels._door import F32, I16, I32, U8, U64
from framefx.kernels._jit import Helper

BLOCK = 32  # values that are computed at a time
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
def _limited(level: int, share: int, bias: int) -> Any:
    v = np.int16(np.int16(level) << np.int16(7))
    return np.uint8(np.uint16(np.int16(np.int16(v + mulhi(v, share)) + bias)) >> np.uint16(7))


@Helper
def limit(src: U8, dst: U8, shares: I16) -> None:
    """Scale levels by nearly one: ``shares[0]`` says by how much less, in 1/65536; ``shares[1]`` is added, in 1/128."""
    share, bias = shares[0], shares[1]
    whole = dst.size // BLOCK * BLOCK
    for at in range(0, whole, BLOCK):
        for k in range(BLOCK):
            x = np.uint64(at + k)
            dst[x] = _limited(src[x], share[k], bias[k])
    for i in range(whole, dst.size):
        dst[i] = _limited(src[i], share[0], bias[0])


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
def _add_span(spans: I32, count: int, start: I32, first: int, end: int, kind: U8) -> Any:
    """Append the cells first..end, or join them to the span before; returns the count."""
    now = kind[first]
    if start[end] - start[first] < 3 * _SHORT:
        now = np.uint8(MIX)
    if now == MIX and count and spans[count - 1, 2] == MIX:
        spans[count - 1, 1], spans[count - 1, 4] = start[end], end
        return count
    span = spans[count]
    span[0], span[1], span[2], span[3], span[4] = start[first], start[end], now, first, end
    return count + 1


@Helper
def mark_spans(upper: U8, lower: U8, start: I32, spans: I32, cells: U8, eights: U64) -> Any:
    """Split a pair of mask rows into runs ``(start, end, kind, first cell, last cell)``; returns their count.

    `eights` is the last row of `cells` eight at a time: most of a row is no change of kind.
    """
    n = upper.size
    kind, change = cells[0, :n], cells[3]
    _kinds(upper, lower, cells[1], cells[2], kind)
    later, changed = kind[1:], change[1:]
    for j in range(later.size):
        changed[j] = later[j] ^ kind[j]
    count, first = 0, 0
    for w in range((n + 7) // 8):
        if eights[w]:
            for j in range(8 * w, min(8 * w + 8, n)):
                if change[j] and j:
                    count = _add_span(spans, count, start, first, j, kind)
                    first = j
    return _add_span(spans, count, start, first, n, kind)


# -- reduced pixels: all in whole numbers, levels times 2 * factor across and again down, so nothing is lost -----


@Helper
def _climb(small: U8, factor: int, value: I16, step: I16) -> None:
    """Find each cell's first value, in levels times 2 * factor, and what it climbs by from pixel to pixel."""
    n, right = small.size, small[3:]
    lift, edge = np.int16(2 * factor), np.int16(1 - factor % 2)
    inner, rise = value[3:], step[3:]
    for i in range(right.size):
        d = np.int16(np.int16(right[i]) - np.int16(small[i]))
        inner[i] = np.int16(np.int16(np.int16(small[i]) * lift) + np.int16(d * edge))
        rise[i] = np.int16(d + d)
    for i in range(3):
        value[i], value[n + i] = np.int16(small[i]) * lift, np.int16(small[n - 3 + i]) * lift
        step[i], step[n + i] = 0, 0


@Helper
def _pack_pixels(small: U8, packed: U64) -> None:
    """Put red, green and blue into the 16-bit parts of one word, the pixels at the ends twice."""
    inner = packed[1:]
    n = small.size // 3
    for j in range(n):
        i = np.uint64(3 * j)
        r, g, b = np.uint64(small[i]), np.uint64(small[i + np.uint64(1)]), np.uint64(small[i + np.uint64(2)])
        inner[j] = r | (g << np.uint64(16)) | (b << np.uint64(32))
    packed[0], packed[n + 1] = packed[1], packed[n]


@Helper
def _four_pixels(first: int, step: int) -> Any:
    """Return four pixels from `first` on as the three words that they fill, and the pixel after them.

    Steps may be negative: a word wraps around as a whole, and every part of the sum is right again.
    """
    b = np.uint64(first + step)
    c = np.uint64(b + step)
    d = np.uint64(c + step)
    u, v = first | (b << np.uint64(48)), (b >> np.uint64(16)) | (c << np.uint64(32))
    return u, v, (c >> np.uint64(32)) | (d << np.uint64(16)), np.uint64(d + step)


@Helper
def _widen_by_eight(packed: U64, words: U64) -> None:
    right = packed[1:]
    for j in range(right.size):
        a, at = packed[j], np.uint64(6 * j)
        d = np.uint64(right[j] - a)
        p, d = np.uint64(np.uint64(a << np.uint64(4)) + d), np.uint64(d + d)
        u, v, w, p = _four_pixels(p, d)
        x, y, z, p = _four_pixels(p, d)
        words[at], words[at + np.uint64(1)], words[at + np.uint64(2)] = u, v, w
        words[at + np.uint64(3)], words[at + np.uint64(4)], words[at + np.uint64(5)] = x, y, z


@Helper
def _widen_by_four(packed: U64, words: U64) -> None:
    right = packed[1:]
    for j in range(right.size):
        a, at = packed[j], np.uint64(3 * j)
        d = np.uint64(right[j] - a)
        u, v, w, _ = _four_pixels(np.uint64(np.uint64(a << np.uint64(3)) + d), np.uint64(d + d))
        words[at], words[at + np.uint64(1)], words[at + np.uint64(2)] = u, v, w


@Helper
def _widen_by_any(small: U8, near: I16, factor: int, row: I16) -> None:
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
def _widen_levels(small: U8, factor: int, row: I16, words: U64) -> None:
    """Widen one row of a plane reduced 8, 4 or 2 times; four values go into a word, as in `_four_pixels`."""
    n, lift = small.size, np.int16(2 * factor)
    for k in range(factor):
        row[k], row[n * factor + k] = np.int16(small[0]) * lift, np.int16(small[n - 1]) * lift
    right, inner = small[1:], words[factor // 4 :]
    ones, ramp = np.uint64(0x0001000100010001), np.uint64(0x0003000200010000)
    for j in range(right.size):
        a = np.uint64(small[j])
        d = np.uint64(np.uint64(right[j]) - a)
        climb = np.uint64(np.uint64(d + d) * ramp)
        if factor == 8:
            p, i = np.uint64(np.uint64(np.uint64(np.uint64(a << np.uint64(4)) + d) * ones) + climb), np.uint64(2 * j)
            inner[i], inner[i + np.uint64(1)] = p, np.uint64(p + np.uint64(np.uint64(d << np.uint64(3)) * ones))
        elif factor == 4:
            inner[j] = np.uint64(np.uint64(np.uint64(np.uint64(a << np.uint64(3)) + d) * ones) + climb)
        else:
            v, i = np.int16(np.uint64(np.uint64(a << np.uint64(2)) + d)), np.uint64(2 * j + 2)
            row[i], row[i + np.uint64(1)] = v, np.int16(v + np.int16(np.uint64(d + d)))


@Helper
def widen_pixels(small: U8, factor: int, channels: int, near: I16, packed: U64, row: I16, words: U64) -> None:
    """Widen one row of reduced pixels: the frame's pixel x is at ``row[channels * (x + factor - factor // 2)]``.

    `channels` is 3, or 1 where `factor` is 8, 4 or 2. `words` is `row` four values at a time: single ones are stored
    three times as slowly.
    """
    if channels == 1:
        _widen_levels(small, factor, row, words)
    elif factor == 8:
        _pack_pixels(small, packed)
        _widen_by_eight(packed, words)
    elif factor == 4:
        _pack_pixels(small, packed)
        _widen_by_four(packed, words)
    else:
        _widen_by_any(small, near, factor, row)


@Helper
def widen_pair(
    small: U8, j: int, held: I32, factor: int, channels: int, near: I16, packed: U64, rows: I16, words: U64
) -> None:
    """Have rows j and j + 1 of the reduced picture widened in ``rows[j % 2]`` and ``rows[(j + 1) % 2]``."""
    for i in range(j, min(j + 2, small.shape[0])):
        if held[i % 2] != i:
            widen_pixels(small[i], factor, channels, near, packed, rows[i % 2], words[i % 2])
            held[i % 2] = i


@Helper
def _first_of(a: int, d: int, lift: int, place: int) -> Any:
    """Return ``a * lift + d * place`` and a half, in 1/256 levels; single steps may wrap around, the sum does not."""
    return np.uint16(np.uint16(np.uint16(a * lift) + np.uint16(d * place)) + np.uint16(128))


@Helper
def _four_rows(upper: I16, lower: I16, lift: int, place: int, twice: int, o: U8, p: U8, q: U8, r: U8) -> None:
    for i in range(upper.size):
        a = np.uint16(upper[i])
        d = np.uint16(np.uint16(lower[i]) - a)
        v, d = _first_of(a, d, lift, place), np.uint16(d * twice)
        o[i] = np.uint8(v >> np.uint16(8))
        v = np.uint16(v + d)
        p[i] = np.uint8(v >> np.uint16(8))
        v = np.uint16(v + d)
        q[i] = np.uint8(v >> np.uint16(8))
        v = np.uint16(v + d)
        r[i] = np.uint8(v >> np.uint16(8))


@Helper
def _one_row(upper: I16, lower: I16, lift: int, place: int, out: U8) -> None:
    for i in range(upper.size):
        a = np.uint16(upper[i])
        d = np.uint16(np.uint16(lower[i]) - a)
        out[i] = np.uint8(_first_of(a, d, lift, place) >> np.uint16(8))


@Helper
def _any_row(upper: I16, lower: I16, lift: int, place: int, out: U8) -> None:
    scale = np.float32(1 / (lift * lift))
    for i in range(upper.size):
        a = np.int32(upper[i])
        v = np.int32(a * np.int32(lift)) + np.int32((np.int32(lower[i]) - a) * np.int32(place))
        out[i] = np.uint8(np.float32(v) * scale + np.float32(0.5))


@Helper
def between_rows(upper: I16, lower: I16, factor: int, k: int, count: int, out: U8, y: int, x: int) -> None:
    """Interpolate rows k … k + count - 1 of a cell between two widened rows, into ``out[y:, x:]``."""
    lift, place, done = 2 * factor, 2 * k + 1 - factor % 2, 0
    if factor == 2 or factor == 4 or factor == 8:
        part = 256 // (lift * lift)
        high, twice = np.uint16(part * lift), np.uint16(2 * part)
        while count - done >= 4:
            at, z = np.uint16(part * (place + 2 * done)), y + done
            _four_rows(upper, lower, high, at, twice, out[z, x:], out[z + 1, x:], out[z + 2, x:], out[z + 3, x:])
            done += 4
        for row in range(done, count):
            _one_row(upper, lower, high, np.uint16(part * (place + 2 * row)), out[y + row, x:])
    else:
        for row in range(count):
            _any_row(upper, lower, lift, place + 2 * row, out[y + row, x:])


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
