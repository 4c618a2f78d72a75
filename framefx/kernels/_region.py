"""The background blur: computed small, and without the colours of what it must not touch."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from framefx.kernels._door import I32, PIXELS, PLANE, U8, U16, between, check, output, scratch
from framefx.kernels._downsample import _downsample, downsample
from framefx.kernels._jit import Helper, kernel, uses
from framefx.kernels._merge import MAX_FACTOR
from framefx.kernels._steps import axis, fill

SPAN = 640  # elements that share a row of taps: short enough for the first cache
_PURITY = 8  # power of the mask as weight: a block that holds a tenth of the person counts less than half


@Helper
def _weigh_row(upper: U8, lower: U8, lut: U8, cell: I32, least: U8, weight: U16) -> None:
    """Weigh each small pixel by the least of the four mask values around its centre: its block may reach that far."""
    last = least.size - 1
    for i in range(last + 1):
        least[i] = min(upper[i], lower[i])
    right = least[1:]
    for i in range(last):
        least[i] = min(least[i], right[i])
    for x in range(weight.size):
        weight[x] = lut[least[cell[x]]]


@Helper
def _weigh_pixels(small: U8, weight: U16, planes: U16) -> None:
    """Write red, green, blue times weight, and the weight itself, as 15-bit planes one after another."""
    w = weight.size
    r, g, b, total = planes[:w], planes[w : 2 * w], planes[2 * w : 3 * w], planes[3 * w :]
    for x in range(w):
        m, i = weight[x], np.uint64(3 * x)
        r[x] = np.uint16(np.uint16(small[i]) * m) >> np.uint16(1)
        g[x] = np.uint16(np.uint16(small[i + np.uint64(1)]) * m) >> np.uint16(1)
        b[x] = np.uint16(np.uint16(small[i + np.uint64(2)]) * m) >> np.uint16(1)
        total[x] = np.uint16(np.uint16(255) * m) >> np.uint16(1)


@Helper
def _product(a: int, b: int, tap: int) -> Any:
    """Return ``(a + b) * tap / 65536``; `tap` must be loaded in the loop (see `mulhi`)."""
    return np.uint16(np.uint32(np.uint32(np.uint16(a + b)) * np.uint32(tap)) >> np.uint32(16))


@Helper
def _add_pairs(a: U16, b: U16, tap: U16, c: U16, d: U16, next_tap: U16, total: U16) -> None:
    """Add two symmetric pairs of the kernel; each tap is repeated in an array of its own."""
    for k in range(0, total.size, SPAN):
        p, q, r, s, t = a[k:], b[k:], c[k:], d[k:], total[k : k + SPAN]
        for i in range(t.size):
            t[i] = np.uint16(t[i] + np.uint16(_product(p[i], q[i], tap[i]) + _product(r[i], s[i], next_tap[i])))


@Helper
def _blur_across(wide: U16, radius: int, taps: U16, total: U16) -> None:
    fill(total, (radius + 1) // 2)  # what the products lose by rounding down
    for k in range(0, radius, 2):
        a, b, c, d = wide[radius - k :], wide[radius + k :], wide[radius - k - 1 :], wide[radius + k + 1 :]
        _add_pairs(a, b, taps[k], c, d, taps[k + 1], total)


@Helper
def _blur_down(planes: U16, above: I32, radius: int, taps: U16, first: int, total: U16) -> None:
    last = first + total.size
    fill(total, (radius + 1) // 2)
    for k in range(0, radius, 2):
        a, b = planes[above[radius - k], first:last], planes[above[radius + k], first:last]
        c, d = planes[above[radius - k - 1], first:last], planes[above[radius + k + 1], first:last]
        _add_pairs(a, b, taps[k], c, d, taps[k + 1], total)


@Helper
def _divide(total: U16, pitch: int, out: U8) -> None:
    r, g, b, weight = total, total[pitch:], total[2 * pitch :], total[3 * pitch :]
    for x in range(out.size // 3):
        i, scale = np.uint64(3 * x), np.float32(255) / np.float32(max(weight[x], np.uint16(1)))
        out[i] = np.uint8(min(np.float32(r[x]) * scale + np.float32(0.5), np.float32(255)))
        out[i + np.uint64(1)] = np.uint8(min(np.float32(g[x]) * scale + np.float32(0.5), np.float32(255)))
        out[i + np.uint64(2)] = np.uint8(min(np.float32(b[x]) * scale + np.float32(0.5), np.float32(255)))


@kernel(
    "u8[:,:], const u8[:,:], const u8[:,:], const u8[:], const i32[:], const i32[:], const i32[:],"
    " const i32[:], const u16[:,:], u16[:,:], u8[:], u16[:], u16[:,:], u16[:]"
)
def _region_blur(
    out: U8, small: U8, mask: U8, lut: U8, cell: I32, row: I32,
    above: I32, beside: I32, taps: U16, planes: U16, least: U8, weight: U16, tall: U16,
    total: U16,
) -> None:  # fmt: skip
    """Write row y of `out` from rows y ± radius of `small`; `above` and `beside` mirror places beyond the edges."""
    radius, w = taps.shape[0] - 1, weight.size
    pitch = w + 2 * radius
    for y in range(small.shape[0]):
        lower = mask[min(row[y] + 1, mask.shape[0] - 1)]
        _weigh_row(mask[row[y]], lower, lut, cell, least, weight)
        _weigh_pixels(small[y], weight, planes[y])
    for p in range(4):  # one plane after the other: its rows stay in the first cache
        for y in range(small.shape[0]):
            line = tall[y, p * pitch : (p + 1) * pitch]
            plane = line[radius : radius + w]
            _blur_down(planes, above[y:], radius, taps, p * w, plane)
            for x in range(radius):
                line[x], line[radius + w + x] = plane[beside[x]], plane[beside[radius + w + x]]
    for y in range(small.shape[0]):
        _blur_across(tall[y], radius, taps, total)
        _divide(total, pitch, out[y])


@uses(_downsample, _region_blur)
def region_blur(
    src: U8 | tuple[int, int],
    mask: U8 | None,
    sigma: float,
    factor: int,
    *,
    small: U8 | None = None,
    out: U8 | None = None,
) -> U8:
    """Blur the part of a picture that a mask shows, for `masked_merge` to lay over it.

    The picture is averaged down by `factor` and blurred there, each pixel weighed by the mask's eighth power
    (normalised convolution, Knutsson and Westin, 1993), so that nothing outside the region bleeds into it. `sigma`
    is what the viewer sees: the variance that averaging and bilinear enlarging add is taken off. Edges mirror.

    Parameters
    ----------
    src : (h, w, 3) uint8, or with `small` the size (h, w)
    mask : (mh, mw) uint8, 255 in the region, or None for the whole picture
        Any size; it covers the whole picture. Where it is 0 everywhere around, the plain blur appears.
    sigma : pixels of `src`
    factor : 1 to 64
        About ``sigma / 0.85`` or less; with more, the result is blurrier than asked for.
    small : (ceil(h / factor), ceil(w / factor), 3) uint8, optional
        ``downsample(src, factor)``, where that is known already.
    out : (ceil(h / factor), ceil(w / factor), 3) uint8

    Returns
    -------
    (ceil(h / factor), ceil(w / factor), 3) uint8
        `out`, reduced pixels. Costs grow with ``sigma / factor``.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout or number, or an `out` that cannot be written.
    """
    h, w = src if isinstance(src, tuple) else check("src", src, PIXELS)[:2]
    between("factor", factor, 1, MAX_FACTOR)
    between("sigma", sigma, 0, 256 * factor)
    mask = _EVERYWHERE if mask is None else mask
    mask_h, mask_w = check("mask", mask, PLANE)
    size = small_h, small_w = -(-h // factor), -(-w // factor)
    out = output("out", out, (*size, 3), None if isinstance(src, tuple) else src, mask)
    if small is not None:
        check("small", small, (*size, 3))
    elif isinstance(src, tuple):
        raise TypeError("src: got a size, want the picture where `small` is missing")
    elif factor == 1:
        small = src
    else:
        small = downsample(src, factor, out=scratch("region.small", (*size, 3), np.uint8))
    taps = _gaussian(max(0.0, sigma * sigma - _added_variance(factor)) / factor**2)
    radius = taps.shape[0] - 1
    tables = axis(mask_w, small_w, mask_w / w * factor)[0], axis(mask_h, small_h, mask_h / h * factor)[0]
    edges = _mirror(small_h, radius), _mirror(small_w, radius)
    planes = scratch("region.planes", (small_h, 4 * small_w), np.uint16)
    least, weight = scratch("region.least", (mask_w,), np.uint8), scratch("region.weight", (small_w,), np.uint16)
    pitch = small_w + 2 * radius
    tall, total = (
        scratch("region.tall", (small_h, 4 * pitch), np.uint16),
        scratch("region.total", (4 * pitch,), np.uint16),
    )
    flat = out.reshape(small_h, -1), small.reshape(small_h, -1), mask, _WEIGHTS
    _region_blur(*flat, *tables, *edges, taps, planes, least, weight, tall, total[: 4 * pitch - 2 * radius])
    return out


_EVERYWHERE = np.full((1, 1), 255, np.uint8)
_WEIGHTS = np.maximum(np.round(255 * (np.arange(256) / 255) ** _PURITY), 1).astype(np.uint8)


@functools.lru_cache(maxsize=64)
def _added_variance(factor: int) -> float:
    """Return the variance of averaging over a block, plus the mean of what bilinear enlarging adds."""
    at = (np.arange(factor) + 0.5 + factor // 2) / factor - 0.5
    return float((factor**2 - 1) / 12 + np.mean(at * (1 - at)) * factor**2)


@functools.lru_cache(maxsize=16)
def _gaussian(variance: float) -> U16:
    """Return ``(radius + 1, SPAN)``: each tap in 1/65536, repeated; the middle one halved, as it counts twice.

    An even count of taps, so that they go in pairs.
    """
    sigma = math.sqrt(variance)
    radius = math.ceil(2.5 * sigma)
    radius += 1 - radius % 2
    place = np.arange(radius + 1)
    taps = np.exp(-(place**2) / (2 * max(variance, 1e-9)))
    taps[0] /= 2
    taps *= 32767 / taps.sum()
    return np.repeat(np.round(taps).astype(np.uint16)[:, None], SPAN, axis=1)


@functools.lru_cache(maxsize=16)
def _mirror(size: int, radius: int) -> I32:
    """Return the places -radius … size + radius, mirrored at the edges as often as it takes."""
    at = np.arange(-radius, size + radius) % (2 * size)
    return np.minimum(at, 2 * size - 1 - at).astype(np.int32)
