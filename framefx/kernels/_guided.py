"""Masks that follow the picture's edges: the guided filter."""

from __future__ import annotations

import functools

import numpy as np

from framefx.kernels._door import F32, PLANE, U8, between, check, others, output, scratch
from framefx.kernels._jit import Helper, kernel, uses
from framefx.kernels._steps import copy, fill


@Helper
def _slide(total: F32, mask: U8, guide: U8, y: int, sign: float) -> None:
    """Add one row (or take it off) to the column sums of guide, mask, their product and the guide's square."""
    g, m, f = guide[y], mask[y], np.float32(sign)
    for x in range(m.size):
        i, p = np.float32(g[x]) * np.float32(1 / 255), np.float32(m[x]) * np.float32(1 / 255)
        total[0, x] += i * f
        total[1, x] += p * f
        total[2, x] += i * p * f
        total[3, x] += i * i * f


@Helper
def _add(row: F32, sign: float, total: F32) -> None:
    f = np.float32(sign)
    for x in range(total.size):
        total[x] += row[x] * f


@Helper
def _sum_windows(total: F32, radius: int, now: F32, then: F32, sums: F32) -> None:
    """Sum each column's neighbours x ± radius; outside is nothing. Windows of 1, 2, 4 … join as the width's bits say.

    Running sums would take two steps, whatever the radius, and one after the other: this way eight go at once.
    """
    fill(now, 0)
    copy(total, now[radius : radius + total.size])
    fill(sums, 0)
    width, reach, done = 2 * radius + 1, 1, 0
    while True:
        if width & reach:
            _add(now[done:], 1.0, sums)
            done += reach
        if 2 * reach > width:
            break
        ahead = now[reach:]
        for x in range(ahead.size):
            then[x] = now[x] + ahead[x]
        now, then, reach = then, now, 2 * reach


@Helper
def _fit_lines(sums: F32, share: F32, rows: int, eps: float, slope: F32, level: F32) -> None:
    """Fit ``mask = slope * guide + level`` in each window."""
    scale, e = np.float32(1) / np.float32(rows), np.float32(eps)
    guide, mask, product, square = sums[0], sums[1], sums[2], sums[3]
    for x in range(slope.size):
        f = share[x] * scale
        i, p = guide[x] * f, mask[x] * f
        a = (product[x] * f - i * p) / (max(square[x] * f - i * i, np.float32(0)) + e)
        slope[x], level[x] = a, p - a * i


@Helper
def _draw_lines(sums: F32, share: F32, rows: int, guide: U8, out: U8) -> None:
    scale = np.float32(1) / np.float32(rows)
    slope, level = sums[0], sums[1]
    for x in range(out.size):
        q = (slope[x] * np.float32(guide[x]) + level[x] * np.float32(255)) * (share[x] * scale)
        out[x] = np.uint8(np.int32(min(max(q + np.float32(0.5), np.float32(0)), np.float32(255))))


@Helper
def _fit(
    mask: U8, guide: U8, radius: int, eps: float, share: F32, lines: F32, total: F32, sums: F32, wide: F32
) -> None:
    h = mask.shape[0]
    fill(total.reshape(-1), 0)
    for y in range(-radius, h):
        if y + radius < h:
            _slide(total, mask, guide, y + radius, 1.0)
        if y > radius:
            _slide(total, mask, guide, y - radius - 1, -1.0)
        if y >= 0:
            for k in range(4):
                _sum_windows(total[k], radius, wide[0], wide[1], sums[k])
            _fit_lines(sums, share, min(y + radius, h - 1) - max(y - radius, 0) + 1, eps, lines[0, y], lines[1, y])


@kernel("u8[:,:], const u8[:,:], const u8[:,:], i64, f64, const f32[:], f32[:,:,:], f32[:,:], f32[:,:], f32[:,:]")
def _guided(
    out: U8, mask: U8, guide: U8, radius: int, eps: float, share: F32, lines: F32, total: F32, sums: F32, wide: F32
) -> None:
    """Write row y of `out` from rows y ± 2 radius; `out` may be `mask`, which is read before anything is written."""
    _fit(mask, guide, radius, eps, share, lines, total, sums, wide)
    h = mask.shape[0]
    fill(total.reshape(-1), 0)
    for y in range(-radius, h):
        for k in range(2):
            if y + radius < h:
                _add(lines[k, y + radius], 1.0, total[k])
            if y > radius:
                _add(lines[k, y - radius - 1], -1.0, total[k])
        if y >= 0:
            for k in range(2):
                _sum_windows(total[k], radius, wide[0], wide[1], sums[k])
            _draw_lines(sums, share, min(y + radius, h - 1) - max(y - radius, 0) + 1, guide[y], out[y])


@kernel("u8[:], const u8[:]")
def _to_luma(out: U8, src: U8) -> None:
    for x in range(out.size):
        i = np.uint64(3 * x)
        y = np.int32(src[i]) * 77 + np.int32(src[i + np.uint64(1)]) * 150 + np.int32(src[i + np.uint64(2)]) * 29
        out[x] = np.uint8((y + 128) >> 8)


@uses(_guided, rgb=_to_luma)
def guided_filter(mask: U8, guide: U8, radius: int, eps: float, *, out: U8 | None = None) -> U8:
    """Let a mask's edge follow the edges of a picture (guided filter, He, Sun and Tang, 2010).

    In each window the mask becomes the straight line of the guide's grey that fits it best.

    Parameters
    ----------
    mask : (h, w) uint8
    guide : (h, w) uint8 grey, or (h, w, 3) uint8 RGB, of which BT.601 luma is taken
        (variant ``rgb`` for `warm`).
    radius : pixels, 0 to 1024
        Windows have side ``2 * radius + 1``, cut off at the edges.
    eps : above 0
        Variance of the guide (0 to 1) below which its edges do not count; 0.001 to 0.01 is usual.
    out : (h, w) uint8
        May be `mask`.

    Returns
    -------
    (h, w) uint8
        `out`, within one level of exact arithmetic.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout or number, or an `out` that cannot be written.
    """
    h, w = check("mask", mask, PLANE)
    check("guide", guide, (h, w, 3) if getattr(guide, "ndim", 2) == 3 else (h, w))
    between("radius", radius, 0, 1024)
    between("eps", eps, 1e-6, 1e6)
    out = output("out", out, (h, w), guide, *others(out, mask))
    grey = guide if guide.ndim == 2 else _luma(guide)
    radius = min(int(radius), max(h, w))
    lines = scratch("guided.lines", (2, h, w), np.float32)
    rows = scratch("guided.rows", (8, w), np.float32)
    wide = scratch("guided.wide", (2, w + 2 * radius), np.float32)
    _guided(out, mask, grey, radius, eps, _shares(w, radius), lines, rows[:4], rows[4:], wide)
    return out


def _luma(guide: U8) -> U8:
    grey: U8 = scratch("guided.grey", guide.shape[:2], np.uint8)
    _to_luma(grey.reshape(-1), guide.reshape(-1))
    return grey


@functools.lru_cache(maxsize=16)
def _shares(w: int, radius: int) -> F32:
    """Return one over each column's count of neighbours."""
    column = np.arange(w)
    count = np.minimum(column + radius, w - 1) - np.maximum(column - radius, 0) + 1
    return (1 / count).astype(np.float32)
