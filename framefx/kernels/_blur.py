"""Blurs whose cost does not depend on the radius: repeated running means.

A box of fractional width (the "extended box" of Gwosdek et al., SSVM 2011) is a running sum of whole pixels and
a part of the next one on both sides; three of them are a Gaussian within 3 %. Between passes values are 16 bits
wide, sums are whole numbers in 32 bits, so nothing drifts. Edges replicate.
"""

from __future__ import annotations

import math

import numpy as np

from framefx.kernels._door import F32, I32, PIXELS, PLANE, U8, U16, between, check, others, output, scratch
from framefx.kernels._jit import Helper, kernel, uses
from framefx.kernels._steps import fill

MAX_RADIUS = 8192  # pixels: the sum of so many 16-bit values still fits 31 bits with room for both ends


@Helper
def _box_down(src: U16, dst: U16, radius: int, inner: float, outer: float, total: I32) -> None:
    """Average columns: rows y ± (radius + 1) of `src` make row y of `dst`."""
    bottom, whole, part = src.shape[0] - 1, np.float32(inner), np.float32(outer)
    fill(total, 0)
    for k in range(-radius, radius + 1):
        line = src[min(max(k, 0), bottom)]
        for i in range(total.size):
            total[i] += line[i]
    for y in range(bottom + 1):
        above, below = src[max(y - radius - 1, 0)], src[min(y + radius + 1, bottom)]
        leaving, out = src[max(y - radius, 0)], dst[y]
        for i in range(total.size):
            ends = np.float32(np.int32(above[i]) + np.int32(below[i]))
            out[i] = np.uint16(np.int32(np.float32(total[i]) * whole + ends * part + np.float32(0.5)))
            total[i] += np.int32(below[i]) - np.int32(leaving[i])


@Helper
def _box_across(src: U16, dst: U16, channels: int, radius: int, inner: float, outer: float, rows: I32) -> None:
    """Average rows: each is copied to `rows[0]`, widened by radius + 1 pixels at both ends, and summed up in `rows[1]`.

    Only the summing is serial; sums wrap around and their differences are right all the same.
    """
    n, pad, whole, part = src.shape[1], (radius + 1) * channels, np.float32(inner), np.float32(outer)
    row, sums = rows[0], rows[1]
    body, end, right = row[pad:], row[pad + n :], row[2 * pad :]
    first, last = sums[channels:], sums[2 * pad :]
    for y in range(src.shape[0]):
        line, out = src[y], dst[y]
        for i in range(n):
            body[i] = line[i]
        for i in range(pad):
            row[i], end[i] = line[i % channels], line[n - channels + i % channels]
        for c in range(channels):
            total = np.int32(0)
            for i in range(np.uint64(c), np.uint64(2 * pad + n), np.uint64(channels)):
                sums[i] = total  # of the pixels before this one
                total = np.int32(total + row[i])
        for i in range(n):
            inside = np.float32(np.int32(last[i] - first[i]))
            out[i] = np.uint16(np.int32(inside * whole + np.float32(row[i] + right[i]) * part + np.float32(0.5)))


@Helper
def _smooth(a: U16, b: U16, channels: int, passes: int, box: F32, total: I32, rows: I32) -> None:
    """Blur `a` in place, with `b` as the other buffer."""
    radius = int(box[0])
    for _ in range(passes):
        _box_down(a, b, radius, box[1], box[2], total)
        _box_across(b, a, channels, radius, box[1], box[2], rows)


@kernel("u8[:,:], const u8[:,:], i64, i64, const f32[:], u16[:,:], u16[:,:], i32[:], i32[:,:]")
def _box_blur(out: U8, src: U8, channels: int, passes: int, box: F32, a: U16, b: U16, total: I32, rows: I32) -> None:
    """Blur `src` into `out`, which may be the same array."""
    for y in range(src.shape[0]):
        line, wide = src[y], a[y]
        for i in range(line.size):
            wide[i] = np.uint16(np.uint16(line[i]) << np.uint16(8))
    _smooth(a, b, channels, passes, box, total, rows)
    for y in range(src.shape[0]):
        wide, dst = a[y], out[y]
        for i in range(dst.size):
            dst[i] = np.uint8((np.int32(wide[i]) + 128) >> 8)


@kernel(
    "u8[:,:], const u8[:,:], const u8[:,:], i64, const f32[:], u16[:,:], u16[:,:], u16[:,:], u16[:,:], i32[:], i32[:,:]"
)
def _masked_blur(
    out: U8, src: U8, mask: U8, passes: int, box: F32, a: U16, b: U16, weight: U16, other: U16, total: I32, rows: I32
) -> None:
    """Blur `src` times `mask` and `mask` alone, and divide; `out` may be `src`."""
    w = mask.shape[1]
    for y in range(mask.shape[0]):
        for x in range(w):
            m = np.uint16(mask[y, x])
            weight[y, x] = m * 255
            for c in range(3 * x, 3 * x + 3):
                a[y, c] = np.uint16(src[y, c]) * m
    _smooth(a, b, 3, passes, box, total, rows)
    _smooth(weight, other, 1, passes, box, total[:w], rows)
    for y in range(mask.shape[0]):
        for x in range(w):
            if weight[y, x] >= 16:  # less is what rounding leaves of nothing
                scale = np.float32(255) / np.float32(weight[y, x])
                for c in range(3 * x, 3 * x + 3):
                    out[y, c] = np.uint8(min(np.float32(a[y, c]) * scale + np.float32(0.5), np.float32(255)))
            else:
                for c in range(3 * x, 3 * x + 3):
                    out[y, c] = src[y, c]


# -- public ---------------------------------------------------------------------------------------------------


@uses(_box_blur)
def box_blur(src: U8, radius: float, *, passes: int = 1, out: U8 | None = None) -> U8:
    """Average over a square of side ``2 * radius + 1``.

    Parameters
    ----------
    src : (h, w, 3) or (h, w) uint8
    radius : pixels, 0 leaves the picture alone
        May be fractional: the pixels at both ends then count in part.
    passes : 1 to 16
        Three make a good Gaussian.
    out : like `src`
        May be `src`.

    Returns
    -------
    like `src`
        `out`, within one level of exact arithmetic. Edges replicate.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout or number, or an `out` that cannot be written.
    """
    shape = check("src", src, PLANE if getattr(src, "ndim", 3) == 2 else PIXELS)
    between("radius", radius, 0, MAX_RADIUS)
    between("passes", passes, 1, 16)
    out = output("out", out, shape, *others(out, src))
    h, channels = shape[0], 3 if len(shape) == 3 else 1
    a, b = scratch("blur.a", (2, h, src.size // h), np.uint16)
    flat = out.reshape(h, -1), src.reshape(h, -1)
    _box_blur(*flat, channels, passes, *_box(radius), a, b, *_sums(shape[1], channels, radius))
    return out


@uses(_box_blur)
def gaussian_blur(src: U8, sigma: float, *, out: U8 | None = None) -> U8:
    """Blur like a Gaussian: three boxes of the same total variance.

    Parameters
    ----------
    src : (h, w, 3) or (h, w) uint8
    sigma : pixels, 0 leaves the picture alone
    out : like `src`
        May be `src`.

    Returns
    -------
    like `src`
        `out`. Edges replicate.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout or number, or an `out` that cannot be written.
    """
    between("sigma", sigma, 0, MAX_RADIUS / 2)
    return box_blur(src, _radius(sigma), passes=3, out=out)


@uses(_masked_blur)
def masked_blur(src: U8, mask: U8, sigma: float, *, out: U8 | None = None) -> U8:
    """Blur so that pixels count as much as the mask says: excluded colours do not bleed into their neighbours.

    Normalised convolution (Knutsson and Westin, 1993) with `gaussian_blur`'s kernel: blurred ``mask * src`` over
    blurred ``mask``. Where no weight reaches, a pixel stays as it is.

    Parameters
    ----------
    src : (h, w, 3) uint8
    mask : (h, w) uint8, 0 excluded, 255 counts fully
    sigma : pixels
    out : (h, w, 3) uint8
        May be `src`.

    Returns
    -------
    (h, w, 3) uint8
        `out`, within one level of exact arithmetic where at least 5 % of the weight is left.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout or number, or an `out` that cannot be written.
    """
    h, w, _ = check("src", src, PIXELS)
    check("mask", mask, (h, w))
    between("sigma", sigma, 0, MAX_RADIUS / 2)
    out = output("out", out, (h, w, 3), mask, *others(out, src))
    radius = _radius(sigma)
    a, b = scratch("blur.a", (2, h, 3 * w), np.uint16)
    weight, other = scratch("blur.weight", (2, h, w), np.uint16)
    flat = out.reshape(h, -1), src.reshape(h, -1)
    _masked_blur(*flat, mask, 3, *_box(radius), a, b, weight, other, *_sums(w, 3, radius))
    return out


def _radius(sigma: float) -> float:
    """Return the radius whose box, applied three times, has the variance of a Gaussian.

    A box of whole radius r with ends of weight a has the variance below; solved for a, with r the largest fit.
    """
    wanted = sigma * sigma / 3
    r = math.floor((math.sqrt(12 * wanted + 1) - 1) / 2)
    a = (2 * r + 1) * (r * (r + 1) - 3 * wanted) / (6 * (wanted - (r + 1) ** 2))
    return r + max(0.0, a)


def _box(radius: float) -> tuple[F32]:
    """Return (whole radius, weight of a pixel inside, weight of each end)."""
    r = math.floor(radius)
    return (np.array([r, 1 / (2 * radius + 1), (radius - r) / (2 * radius + 1)], np.float32),)


def _sums(w: int, channels: int, radius: float) -> tuple[I32, I32]:
    rows = scratch("blur.rows", (2, channels * (w + 2 * math.floor(radius) + 2)), np.int32)
    return scratch("blur.total", (channels * w,), np.int32), rows
