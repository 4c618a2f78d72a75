"""Blurs of any shape: each pixel becomes the mean of the places a list names, as a lens or a shutter draws it."""

from __future__ import annotations

import functools

import numpy as np

from framefx.kernels._door import F32, I32, PIXELS, PLANE, U8, U16, between, check, output, scratch
from framefx.kernels._downsample import _downsample, downsample
from framefx.kernels._jit import Helper, kernel, uses
from framefx.kernels._merge import MAX_FACTOR
from framefx.kernels._region import _EVERYWHERE, _WEIGHTS, _mirror, _weigh_row
from framefx.kernels._steps import axis

_LEVELS = 4096


@Helper
def _lift_row(small: U8, weight: U16, lift: F32, beside: I32, line: F32) -> None:
    """Write the lifted levels times weight, and the weight itself, as four parts of a line, mirrored at their ends."""
    w, pitch = weight.size, beside.size
    radius = (pitch - w) // 2
    r, g, b, total = line[radius:], line[pitch + radius :], line[2 * pitch + radius :], line[3 * pitch + radius :]
    for x in range(w):
        # The least weight is 1; lifting would make even that much of a bright person visible.
        m, i = np.float32(weight[x]) - np.float32(0.9999), np.uint64(3 * x)
        r[x], g[x], b[x] = lift[small[i]] * m, lift[small[i + np.uint64(1)]] * m, lift[small[i + np.uint64(2)]] * m
        total[x] = m
    for p in range(4):
        part = line[p * pitch : (p + 1) * pitch]
        for x in range(radius):
            part[x], part[radius + w + x] = part[radius + beside[x]], part[radius + beside[radius + w + x]]


@Helper
def _gather_row(planes: F32, above: I32, radius: int, taps: I32, total: F32) -> None:
    """Sum up four taps at a time: the sums are stored less often."""
    for x in range(total.size):
        total[x] = np.float32(0)
    n = total.size - 2 * radius
    whole = taps.shape[0] // 4 * 4
    for t in range(whole, taps.shape[0]):
        line = planes[above[radius + taps[t, 0]], radius + taps[t, 1] :]
        for x in range(n):
            total[x] += line[x]
    for t in range(0, whole, 4):
        a = planes[above[radius + taps[t, 0]], radius + taps[t, 1] :]
        b = planes[above[radius + taps[t + 1, 0]], radius + taps[t + 1, 1] :]
        c = planes[above[radius + taps[t + 2, 0]], radius + taps[t + 2, 1] :]
        d = planes[above[radius + taps[t + 3, 0]], radius + taps[t + 3, 1] :]
        for x in range(n):
            total[x] += (a[x] + b[x]) + (c[x] + d[x])


@Helper
def _lower_row(total: F32, pitch: int, lower: U8, out: U8) -> None:
    """Divide by the weight and take the lifting back; an empty table says that nothing was lifted."""
    weight = total[3 * pitch :]
    for c in range(3):
        line = total[c * pitch :]
        if lower.size == 0:
            for x in range(out.size // 3):
                level = line[x] / weight[x] * np.float32(255) + np.float32(0.5)
                out[np.uint64(3 * x + c)] = np.uint8(np.int32(min(level, np.float32(255))))
        else:
            for x in range(out.size // 3):
                level = np.sqrt(line[x] / weight[x]) * np.float32(_LEVELS - 1) + np.float32(0.5)
                out[np.uint64(3 * x + c)] = lower[np.int32(min(level, np.float32(_LEVELS - 1)))]


@kernel(
    "u8[:,:], const u8[:,:], const u8[:,:], const u8[:], const i32[:], const i32[:], const i32[:], const i32[:],"
    " const i32[:,:], const f32[:], const u8[:], f32[:,:], f32[:], u8[:], u16[:]"
)
def _shaped(
    out: U8, small: U8, mask: U8, lut: U8, cell: I32, row: I32, above: I32, beside: I32, taps: I32,
    lift: F32, lower: U8, planes: F32, total: F32, least: U8, weight: U16,
) -> None:  # fmt: skip
    """Write row y of `out` from rows y ± radius of `small`."""
    radius = (beside.size - weight.size) // 2
    for y in range(small.shape[0]):
        below = mask[min(row[y] + 1, mask.shape[0] - 1)]
        _weigh_row(mask[row[y]], below, lut, cell, least, weight)
        _lift_row(small[y], weight, lift, beside, planes[y])
    for y in range(small.shape[0]):
        _gather_row(planes, above[y:], radius, taps, total)
        _lower_row(total, beside.size, lower, out[y])


@uses(_downsample, _shaped)
def shaped_blur(
    src: U8, mask: U8 | None, taps: I32, factor: int, *, highlights: float = 0.0, out: U8 | None = None
) -> U8:
    """Blur the part of a picture that a mask shows with a kernel of any shape, for `masked_merge` to lay over it.

    As `region_blur`, but each reduced pixel is the mean of those at `taps` around it: a disc looks like a lens, a
    line like a moving camera. Edges mirror.

    Parameters
    ----------
    src : (h, w, 3) uint8
    mask : (mh, mw) uint8, 255 in the region, or None for the whole picture
    taps : (n, 2) int32, (down, right) in reduced pixels, magnitudes up to 256
    factor : 1 to 64
    highlights : 0 to 1
        How much more bright pixels count: levels are averaged at the power of ``1 + 3 * highlights``.
    out : (ceil(h / factor), ceil(w / factor), 3) uint8

    Returns
    -------
    (ceil(h / factor), ceil(w / factor), 3) uint8
        `out`, reduced pixels. Costs grow with n.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout or number, or an `out` that cannot be written.
    """
    h, w, _ = check("src", src, PIXELS)
    between("factor", factor, 1, MAX_FACTOR)
    between("highlights", highlights, 0, 1)
    check("taps", taps, (None, 2), np.int32)
    radius = int(np.abs(taps).max())
    between("taps", radius, 0, 256)
    mask = _EVERYWHERE if mask is None else mask
    mask_h, mask_w = check("mask", mask, PLANE)
    size = small_h, small_w = -(-h // factor), -(-w // factor)
    out = output("out", out, (*size, 3), src, mask)
    small = src if factor == 1 else downsample(src, factor, out=scratch("taps.small", (*size, 3), np.uint8))
    tables = axis(mask_w, small_w, mask_w / w * factor)[0], axis(mask_h, small_h, mask_h / h * factor)[0]
    edges = _mirror(small_h, radius), _mirror(small_w, radius)
    planes = scratch("taps.planes", (small_h, 4 * (small_w + 2 * radius)), np.float32)
    total = scratch("taps.total", (4 * (small_w + 2 * radius),), np.float32)
    least, weight = scratch("taps.least", (mask_w,), np.uint8), scratch("taps.weight", (small_w,), np.uint16)
    flat = out.reshape(small_h, -1), small.reshape(small_h, -1), mask, _WEIGHTS
    _shaped(*flat, *tables, *edges, taps, *_lifting(float(highlights)), planes, total, least, weight)
    return out


@functools.lru_cache(maxsize=16)
def _lifting(highlights: float) -> tuple[F32, U8]:
    """Return levels raised to a power, and the way back from its square root, which keeps dark levels apart."""
    power = 1 + 3 * highlights
    if highlights == 0:
        return (np.arange(256) / 255).astype(np.float32), np.empty(0, np.uint8)
    lift = (np.arange(256) / 255) ** power
    lower = 255 * (np.arange(_LEVELS) / (_LEVELS - 1)) ** (2 / power)
    return lift.astype(np.float32), np.round(lower).astype(np.uint8)
