"""Gain maps: a small map of factors, widened and multiplied in one pass; what vignettes and retinex need."""

from __future__ import annotations

import functools

import numpy as np

from framefx.kernels._door import F32, I32, PIXELS, U8, between, check, others, output, scratch
from framefx.kernels._jit import Helper, kernel, uses
from framefx.kernels._merge import MAX_FACTOR
from framefx.kernels._steps import axis, fracs_of


@Helper
def _widen(line: F32, fracs: F32, row: F32) -> None:
    """Widen a line of gains: the frame's pixel x at ``row[3 * (x + factor - factor // 2)]``, as `widen_pixels`."""
    last, width = line.size - 1, fracs.size
    for j in range(line.size + 1):
        a = line[max(j - 1, 0)]
        step = line[min(j, last)] - a
        part = row[j * width : (j + 1) * width]
        for i in range(width):
            part[i] = a + step * fracs[i]


@kernel("u8[:,:], const u8[:,:], const f32[:,:], const i32[:], const f32[:], const f32[:], i64, f32[:], f32[:], u8[:]")
def _shade(
    out: U8, src: U8, gains: F32, cell: I32, frac: F32, fracs: F32, first: int, line: F32, row: F32, held: U8
) -> None:
    """Write row y of `out` from row y of `src`, which may be the same array."""
    for y in range(out.shape[0]):
        upper, lower, f = gains[cell[y]], gains[min(cell[y] + 1, gains.shape[0] - 1)], frac[y]
        for j in range(line.size):
            line[j] = upper[j] + (lower[j] - upper[j]) * f
        _widen(line, fracs, row)
        s, d, g = src[y], out[y], row[first:]
        for i in range(d.size):  # where source and destination are one, LLVM would go pixel by pixel
            held[i] = s[i]
        for i in range(d.size):
            level = min(np.float32(held[i]) * g[i] + np.float32(0.5), np.float32(255))
            d[i] = np.uint8(np.int32(level))


@uses(_shade)
def shade(src: U8, gains: F32, factor: int, *, out: U8 | None = None) -> U8:
    """Multiply a picture by a smooth map of gains: bilinear, half-pixel centres, edges replicate, saturated.

    Parameters
    ----------
    src : (h, w, 3) uint8
    gains : (ceil(h / factor), ceil(w / factor)) float32, 0 to 1000
        1 leaves a pixel alone.
    factor : 1 to 64
    out : (h, w, 3) uint8
        May be `src`.

    Returns
    -------
    (h, w, 3) uint8
        `out`, rounded to nearest.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout or number, or an `out` that cannot be written.
    """
    h, w, _ = check("src", src, PIXELS)
    between("factor", factor, 1, MAX_FACTOR)
    small_h, small_w = check("gains", gains, (-(-h // factor), -(-w // factor)), np.float32)
    out = output("out", out, (h, w, 3), *others(out, src))
    fracs = _fracs_of_pixels(factor)
    line = scratch("shade.line", (small_w,), np.float32)
    row = scratch("shade.row", ((small_w + 1) * fracs.size,), np.float32)
    first = 3 * (factor - factor // 2)
    tables = *axis(small_h, h, 1 / factor), fracs, first
    _shade(out.reshape(h, -1), src.reshape(h, -1), gains, *tables, line, row, scratch("shade.held", (3 * w,), np.uint8))
    return out


@functools.lru_cache(maxsize=16)
def _fracs_of_pixels(factor: int) -> F32:
    return np.repeat(fracs_of(factor), 3)
