"""Average a picture down by a whole factor."""

from __future__ import annotations

import numpy as np

from framefx.kernels._door import I32, PIXELS, U8, U16, U64, between, check, output, scratch
from framefx.kernels._jit import Helper, kernel, uses
from framefx.kernels._merge import MAX_FACTOR


@Helper
def _sum_four_rows(src: U8, top: int, total: U16) -> None:
    a, b, c, d = src[top], src[top + 1], src[top + 2], src[top + 3]
    for i in range(total.size):
        upper, lower = np.uint16(np.uint16(a[i]) + np.uint16(b[i])), np.uint16(np.uint16(c[i]) + np.uint16(d[i]))
        total[i] = np.uint16(upper + lower)


@Helper
def _sum_rows(src: U8, top: int, bottom: int, total: U16) -> None:
    first = top
    if bottom - top >= 4:
        _sum_four_rows(src, top, total)
        first = top + 4
    for y in range(first, bottom, 2):
        a, b = src[y], src[min(y + 1, bottom - 1)]
        keep = np.uint16(0xFFFF if y + 1 < bottom else 0)
        if y == top:
            for i in range(total.size):
                total[i] = np.uint16(np.uint16(a[i]) + np.uint16(np.uint16(b[i]) & keep))
        else:
            for i in range(total.size):
                total[i] = np.uint16(np.uint16(total[i] + np.uint16(a[i])) + np.uint16(np.uint16(b[i]) & keep))


@Helper
def _sum_neighbours(total: U16, apart: int, half: U16) -> None:
    right = total[apart:]  # a view: numba's test for a negative `i + apart` would keep the loop from its registers
    for i in range(right.size):
        half[i] = np.uint16(total[i] + right[i])


@Helper
def _gather(total: U16, step: int, apart: int, count: int, sums: I32) -> None:
    """Sum `count` pixels that lie `apart`, starting every `step` elements."""
    at = np.uint64(0)
    for x in range(0, sums.size - 2, 3):
        i = np.uint64(x)
        r, g, b = np.int32(total[at]), np.int32(total[at + np.uint64(1)]), np.int32(total[at + np.uint64(2)])
        for k in range(1, count):
            j = at + np.uint64(k * apart)
            r, g, b = r + total[j], g + total[j + np.uint64(1)], b + total[j + np.uint64(2)]
        sums[i], sums[i + np.uint64(1)], sums[i + np.uint64(2)] = r, g, b
        at += np.uint64(step)


@Helper
def _mean(sums: I32, count: int, line: U8) -> None:
    """Divide by multiplying with 2**24 / count: exact for powers of two, else within 0.03 before rounding."""
    scale = np.uint32(round(16777216 / count))
    for i in range(sums.size):
        line[i] = np.uint8(np.uint32(np.uint32(np.uint32(sums[i]) * scale) + np.uint32(8388608)) >> np.uint32(24))


@Helper
def _sum_fours(words: U64, pairs: int, sums: U64) -> None:
    """Sum four pixels, or with `pairs` two and two: red, green and blue in the 16-bit parts of one word each."""
    low = np.uint64(0xFFFFFFFFFFFF)
    for g in range(words.size // 3):
        i = np.uint64(3 * g)
        u, v, w = words[i], words[i + np.uint64(1)], words[i + np.uint64(2)]
        left = np.uint64((u & low) + ((u >> np.uint64(48)) | ((v << np.uint64(16)) & low)))
        right = np.uint64(((v >> np.uint64(32)) | ((w << np.uint64(32)) & low)) + (w >> np.uint64(16)))
        if pairs:
            j = np.uint64(2 * g)
            sums[j], sums[j + np.uint64(1)] = left, right
        else:
            sums[g] = np.uint64(left + right)


@Helper
def _write_means(sums: U64, half: int, bits: int, line: U8) -> None:
    spread, by = np.uint64(half * 0x000100010001), np.uint64(bits)
    for x in range(line.size // 3):
        w, i = np.uint64(np.uint64(sums[x] + spread) >> by), np.uint64(3 * x)
        line[i], line[i + np.uint64(1)] = np.uint8(w), np.uint8(w >> np.uint64(16))
        line[i + np.uint64(2)] = np.uint8(w >> np.uint64(32))


@Helper
def _mean_of_blocks(words: U64, factor: int, sums: U64, line: U8) -> None:
    """Average blocks of 2, 4, 8 or 16 columns of summed rows; their sums fit the parts of a word."""
    if factor == 2:
        _sum_fours(words, 1, sums)
    else:
        _sum_fours(words, 0, sums)
    n, width = words.size // 3, 4
    while width < factor:
        n //= 2
        for x in range(n):
            sums[x] = np.uint64(sums[2 * x] + sums[2 * x + 1])
        width *= 2
    bits = 2 if factor == 2 else 4 if factor == 4 else 6 if factor == 8 else 8
    _write_means(sums, 1 << (bits - 1), bits, line)


@Helper
def _mean_of_any(total: U16, half: U16, factor: int, rows: int, sums: I32, line: U8) -> None:
    """Average blocks of `factor` columns; the last block may be narrower."""
    end = line.size - 3
    narrow = total.size - end * factor
    _gather(total[end * factor :], 0, 3, narrow // 3, sums[end:])
    _mean(sums[end:], rows * (narrow // 3), line[end:])
    count, apart = factor, 3
    while count % 2 == 0 and factor * (factor // count) * 2 <= 257:
        _sum_neighbours(total, apart, half)
        total, half, count, apart = half, total, count // 2, apart * 2
    _gather(total, 3 * factor, apart, count, sums[:end])
    _mean(sums[:end], rows * factor, line[:end])


@kernel("u8[:,:], const u8[:,:], i64, u16[:,:], u64[:], u64[:], i32[:]")
def _downsample(out: U8, src: U8, factor: int, totals: U16, words: U64, fours: U64, sums: I32) -> None:
    """Write row y of `out` from rows y * factor … of `src`: rows are summed, then columns."""
    whole = words.size // 3 * 4 // factor if factor == 2 or factor == 4 or factor == 8 or factor == 16 else 0
    for y in range(out.shape[0]):
        top, bottom = y * factor, min((y + 1) * factor, src.shape[0])
        _sum_rows(src, top, bottom, totals[0])
        done = 3 * whole if bottom - top == factor else 0
        if done:
            _mean_of_blocks(words, factor, fours, out[y, :done])
        if done < out.shape[1]:
            rest = slice(done * factor, totals.shape[1])
            _mean_of_any(totals[0, rest], totals[1, rest], factor, bottom - top, sums[done:], out[y, done:])


@uses(_downsample)
def downsample(src: U8, factor: int, *, out: U8 | None = None) -> U8:
    """Average blocks of `factor` x `factor` pixels; blocks at the right and bottom edge average what exists.

    Parameters
    ----------
    src : (h, w, 3) uint8
    factor : 1 to 64
    out : (ceil(h / factor), ceil(w / factor), 3) uint8

    Returns
    -------
    (ceil(h / factor), ceil(w / factor), 3) uint8
        `out`, rounded to nearest.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout or factor, or an `out` that cannot be written.
    """
    h, w, _ = check("src", src, PIXELS)
    between("factor", factor, 1, MAX_FACTOR)
    small_h, small_w = -(-h // factor), -(-w // factor)
    out = output("out", out, (small_h, small_w, 3), src)
    if factor == 1:
        np.copyto(out, src)
    else:
        totals, sums = scratch("down.totals", (2, 3 * w), np.uint16), scratch("down.sums", (3 * small_w,), np.int32)
        words = totals[0, : w // 4 * 12].view(np.uint64)
        fours = scratch("down.fours", (w // 4 * 2,), np.uint64)
        _downsample(out.reshape(small_h, -1), src.reshape(h, -1), factor, totals, words, fours, sums)
    return out
