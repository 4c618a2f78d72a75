"""Masks: grow, shrink, threshold, soften in time. Made for model resolution."""

from __future__ import annotations

import functools

import numpy as np

from framefx.kernels._door import PLANE, U8, U16, between, check, others, output, scratch
from framefx.kernels._jit import Helper, kernel, uses
from framefx.kernels._steps import copy, fill

# -- dilate, erode --------------------------------------------------------------------------------------------


@Helper
def _larger(a: U8, b: U8, out: U8) -> None:
    for i in range(out.size):
        out[i] = max(a[i], b[i])


@Helper
def _spread_rows(src: U8, dst: U8, radius: int, before: U8, after: U8) -> None:
    """Take the maximum of rows y ± radius: three comparisons each, whatever the radius (van Herk; Gil and Werman).

    `before` holds running maxima from the start of each block of 2 * radius + 1 rows, `after` from its end; a window
    is the tail of one block and the head of the next.
    """
    h, block = src.shape[0], 2 * radius + 1
    for y in range(h):
        if y % block == 0:
            copy(src[y], before[y])
        else:
            _larger(before[y - 1], src[y], before[y])
    for y in range(h - 1, -1, -1):
        if y == h - 1 or y % block == block - 1:
            copy(src[y], after[y])
        else:
            _larger(after[y + 1], src[y], after[y])
    for y in range(h):
        top, bottom = max(y - radius, 0), min(y + radius, h - 1)
        if top // block == bottom // block:  # at the edges only, or a whole block
            if top % block == 0:
                copy(before[bottom], dst[y])
            else:
                copy(after[top], dst[y])
        else:
            _larger(after[top], before[bottom], dst[y])


@Helper
def _spread_columns(line: U8, dst: U8, radius: int, wide: U8) -> None:
    """Take the maximum of columns x ± radius: windows of 2, 4, 8 … join, in log2 steps of 64 lanes.

    Measured faster than running maxima for any radius up to the width: those are serial along a row.
    """
    n, now, then = line.size, wide[0], wide[1]
    fill(now, 0)
    copy(line, now[radius : radius + n])
    reach = 1
    while 2 * reach <= 2 * radius + 1:
        _larger(now, now[reach:], then[: then.size - reach])  # the rest is wider than what is used below
        now, then, reach = then, now, 2 * reach
    _larger(now, now[2 * radius + 1 - reach :], dst)


@kernel("u8[:,:], const u8[:,:], i64, u8, u8[:,:], u8[:,:], u8[:,:], u8[:,:]")
def _dilate(out: U8, mask: U8, radius: int, invert: int, a: U8, before: U8, after: U8, wide: U8) -> None:
    """Write maxima, or with `invert` 255 minima, of squares of `mask` into `out`, which may be the same array."""
    for y in range(mask.shape[0]):
        line, turned = mask[y], a[y]
        for x in range(line.size):
            turned[x] = line[x] ^ invert
        _spread_columns(turned, turned, radius, wide)
    _spread_rows(a, a, radius, before, after)
    for y in range(mask.shape[0]):
        turned, dst = a[y], out[y]
        for x in range(dst.size):
            dst[x] = turned[x] ^ invert


@uses(_dilate)
def dilate(mask: U8, radius: int, *, out: U8 | None = None) -> U8:
    """Grow: each value becomes the largest in a square of side ``2 * radius + 1``. Outside the mask is nothing.

    Parameters
    ----------
    mask : (h, w) uint8
    radius : pixels of the mask, 0 leaves it alone
    out : (h, w) uint8
        May be `mask`.

    Returns
    -------
    (h, w) uint8
        `out`.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout or radius, or an `out` that cannot be written.
    """
    return _extreme(mask, radius, out, 0)


@uses(_dilate)
def erode(mask: U8, radius: int, *, out: U8 | None = None) -> U8:
    """Shrink: each value becomes the smallest in a square of side ``2 * radius + 1``; edges do not shrink it.

    Parameters
    ----------
    mask : (h, w) uint8
    radius : pixels of the mask, 0 leaves it alone
    out : (h, w) uint8
        May be `mask`.

    Returns
    -------
    (h, w) uint8
        `out`.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout or radius, or an `out` that cannot be written.
    """
    return _extreme(mask, radius, out, 255)


def _extreme(mask: U8, radius: int, out: U8 | None, invert: int) -> U8:
    h, w = check("mask", mask, PLANE)
    between("radius", radius, 0, 1 << 20)
    out = output("out", out, (h, w), *others(out, mask))
    radius = min(int(radius), max(h, w))
    rows = scratch("mask.rows", (3, h, w), np.uint8)
    _dilate(out, mask, radius, invert, *rows, scratch("mask.wide", (2, w + 2 * radius), np.uint8))
    return out


# -- levels ---------------------------------------------------------------------------------------------------


@kernel("u8[:], const u8[:], const u8[:]")
def _look_up(out: U8, mask: U8, lut: U8) -> None:
    for i in range(out.size):
        out[i] = lut[mask[i]]


@uses(_look_up)
def threshold(mask: U8, level: int, *, out: U8 | None = None) -> U8:
    """Make a mask hard: 255 where it is at least `level`, 0 elsewhere.

    Parameters
    ----------
    mask : (h, w) uint8
    level : 0 to 255
    out : (h, w) uint8
        May be `mask`.

    Returns
    -------
    (h, w) uint8
        `out`.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout or level, or an `out` that cannot be written.
    """
    between("level", level, 0, 255)
    return _map(mask, _ramp(level - 0.5, level - 0.5), out)


@uses(_look_up)
def soft_range(mask: U8, low: float, high: float, *, out: U8 | None = None) -> U8:
    """Stretch levels: 0 up to `low`, 255 from `high` on, a straight line between.

    Parameters
    ----------
    mask : (h, w) uint8
    low, high : 0 to 255, low ≤ high
    out : (h, w) uint8
        May be `mask`.

    Returns
    -------
    (h, w) uint8
        `out`, rounded to nearest.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout or range, or an `out` that cannot be written.
    """
    between("high", high, 0, 255)
    between("low", low, 0, high)
    return _map(mask, _ramp(low, high), out)


def _map(mask: U8, lut: U8, out: U8 | None) -> U8:
    shape = check("mask", mask, PLANE)
    out = output("out", out, shape, *others(out, mask))
    _look_up(out.reshape(-1), mask.reshape(-1), lut)
    return out


@functools.lru_cache(maxsize=64)
def _ramp(low: float, high: float) -> U8:
    level = np.arange(256)
    rise = np.where(level > low, 1.0, 0.0) if low == high else np.clip((level - low) / (high - low), 0, 1)
    lut: U8 = np.round(rise * 255).astype(np.uint8)
    return lut


# -- time -----------------------------------------------------------------------------------------------------


@kernel("u8[:], u16[:], const u8[:], i64")
def _ema(out: U8, state: U16, mask: U8, weight: int) -> None:
    w = np.int32(weight)
    for i in range(out.size):
        old = np.int32(state[i])
        new = old + (((np.int32(mask[i]) * 257 - old) * w + 16384) >> 15)
        state[i] = np.uint16(new)
        out[i] = np.uint8(((new + 128) * 65281) >> 24)  # divided by 257


@uses(_ema)
def ema(state: U16, mask: U8, weight: float, *, out: U8 | None = None) -> U8:
    """Follow a mask in time: ``state += weight * (mask - state)``, an exponential moving average.

    Parameters
    ----------
    state : (h, w) uint16, a mask times 257
        Changed in place. Start it with ``mask.astype(numpy.uint16) * 257``.
    mask : (h, w) uint8
        The newest.
    weight : 0 keeps the state, 1 takes the mask
        ``1 - exp(-dt / tau)`` for a time constant tau.
    out : (h, w) uint8
        May be `mask`.

    Returns
    -------
    (h, w) uint8
        `out`: the state, rounded to nearest.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout or weight, or an array that cannot be written.
    """
    shape = check("mask", mask, PLANE)
    output("state", state, shape, mask, dtype=np.uint16)
    between("weight", weight, 0, 1)
    out = output("out", out, shape, state, *others(out, mask))
    _ema(out.reshape(-1), state.reshape(-1), mask.reshape(-1), round(weight * 32768))
    return out
