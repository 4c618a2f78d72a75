"""Make pictures smaller: by a whole factor, or straight into a model's input tensor."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from framefx.kernels._door import F32, I32, I64, PIXELS, U8, U16, between, check, one_of, output, scratch
from framefx.kernels._jit import Helper, kernel, uses
from framefx.kernels._merge import MAX_FACTOR


class Rectangle(NamedTuple):
    """Where the picture lies in a model's input: pixels, from the top left."""

    x: int
    y: int
    width: int
    height: int


# -- by a whole factor ----------------------------------------------------------------------------------------


@Helper
def _sum_rows(src: U8, top: int, bottom: int, total: U16) -> None:
    for y in range(top, bottom, 2):
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


@kernel("u8[:,:], const u8[:,:], i64, u16[:,:], i32[:]")
def _downsample(out: U8, src: U8, factor: int, totals: U16, sums: I32) -> None:
    """Write row y of `out` from rows y * factor … of `src`: rows are summed, then pairs, then the rest."""
    end, n = out.shape[1] - 3, src.shape[1]
    narrow = n - end * factor
    for y in range(out.shape[0]):
        top, bottom = y * factor, min((y + 1) * factor, src.shape[0])
        line, total, half = out[y], totals[0], totals[1]
        _sum_rows(src, top, bottom, total)
        _gather(total[end * factor :], 0, 3, narrow // 3, sums[end:])  # the last block may be narrower
        _mean(sums[end:], (bottom - top) * (narrow // 3), line[end:])
        count, apart = factor, 3
        while count % 2 == 0 and factor * (factor // count) * 2 <= 257:
            _sum_neighbours(total, apart, half)
            total, half, count, apart = half, total, count // 2, apart * 2
        _gather(total, 3 * factor, apart, count, sums[:end])
        _mean(sums[:end], (bottom - top) * factor, line[:end])


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
        _downsample(out.reshape(small_h, -1), src.reshape(h, -1), factor, totals, sums)
    return out


# -- into a model's tensor ------------------------------------------------------------------------------------


@Helper
def _blend_rows(src: U8, first: int, weights: F32, total: F32) -> None:
    """Sum weighted rows, two at a time."""
    bottom = src.shape[0] - 1
    for k in range(0, weights.size, 2):
        a, b = src[min(first + k, bottom)], src[min(first + k + 1, bottom)]
        p, q = weights[k], weights[k + 1]
        if k == 0:
            for i in range(total.size):
                total[i] = np.float32(a[i]) * p + np.float32(b[i]) * q
        else:
            for i in range(total.size):
                total[i] += np.float32(a[i]) * p + np.float32(b[i]) * q


@Helper
def _blend_pixels(total: F32, first: int, weights: F32) -> Any:
    """Sum weighted neighbours; `total` has room for pixels past its end, which weigh nothing."""
    at = np.uint64(3 * first)
    r = g = b = np.float32(0)
    for k in range(weights.size):
        f = weights[k]
        r += total[at] * f
        g += total[at + np.uint64(1)] * f
        b += total[at + np.uint64(2)] * f
        at += np.uint64(3)
    return r, g, b


@Helper
def _level(value: float) -> Any:
    return np.uint8(min(max(value + np.float32(0.5), np.float32(0)), np.float32(255)))


@kernel(
    "f32[:], const u8[:,:], const i32[:], const f32[:,:], const i32[:], const f32[:,:], const f32[:], const i64[:],"
    " f32[:]"
)
def _prepare_f32(
    out: F32, src: U8, rows: I32, row_weights: F32, columns: I32, column_weights: F32, scale: F32, place: I64,
    total: F32,
) -> None:  # fmt: skip
    """Write pixel (x, y) to ``place = (first, per row, per pixel, red, green, blue)``."""
    p, q, s, u, v, w = scale[0], scale[1], scale[2], scale[3], scale[4], scale[5]
    i, j, k, step = place[3], place[4], place[5], place[2]
    for y in range(rows.size):
        _blend_rows(src, rows[y], row_weights[y], total[: src.shape[1]])
        at = place[0] + y * place[1]
        for x in range(columns.size):
            r, g, b = _blend_pixels(total, columns[x], column_weights[x])
            out[np.uint64(at + i)] = r * p + u
            out[np.uint64(at + j)] = g * q + v
            out[np.uint64(at + k)] = b * s + w
            at += step


@kernel(
    "u8[:], const u8[:,:], const i32[:], const f32[:,:], const i32[:], const f32[:,:], const f32[:], const i64[:],"
    " f32[:]"
)
def _prepare_u8(
    out: U8, src: U8, rows: I32, row_weights: F32, columns: I32, column_weights: F32, scale: F32, place: I64,
    total: F32,
) -> None:  # fmt: skip
    """Do as `_prepare_f32`, rounded and saturated."""
    p, q, s, u, v, w = scale[0], scale[1], scale[2], scale[3], scale[4], scale[5]
    i, j, k, step = place[3], place[4], place[5], place[2]
    for y in range(rows.size):
        _blend_rows(src, rows[y], row_weights[y], total[: src.shape[1]])
        at = place[0] + y * place[1]
        for x in range(columns.size):
            r, g, b = _blend_pixels(total, columns[x], column_weights[x])
            out[np.uint64(at + i)] = _level(r * p + u)
            out[np.uint64(at + j)] = _level(g * q + v)
            out[np.uint64(at + k)] = _level(b * s + w)
            at += step


@uses(_prepare_f32, uint8=_prepare_u8)
def prepare(
    src: U8,
    out: npt.NDArray[Any],
    *,
    scale: float | Sequence[float] = 1 / 255,
    offset: float | Sequence[float] = 0.0,
    order: str = "rgb",
    layout: str = "nhwc",
    fit: str = "stretch",
    pad: float = 0.0,
) -> Rectangle:
    """Fill a model's input: resize, scale and reorder in one pass.

    Shrinking averages the exact area, fractions of pixels included; enlarging is bilinear with half-pixel
    centres; each axis by itself. Variant for `warm`: ``uint8`` (an `out` of bytes).

    Parameters
    ----------
    src : (h, w, 3) uint8
        RGB.
    out : (H, W, 3) or (1, H, W, 3), with layout "nchw" (3, H, W) or (1, 3, H, W); float32 or uint8
        Each value is ``level * scale + offset``; bytes are rounded and saturated.
    scale, offset : float, or one per channel in the order of `out`
    order : "rgb" or "bgr"
        Of the channels of `out`.
    layout : "nhwc" or "nchw"
    fit : "stretch" or "letterbox"
        Letterbox keeps the proportions, centres the picture and fills the rest with the level `pad`.
    pad : 0 to 255
        A level; scaled like the picture.

    Returns
    -------
    Rectangle
        Where the picture lies in `out`.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout or word, or an `out` that cannot be written.
    """
    h, w, _ = check("src", src, PIXELS)
    planar = one_of("layout", layout, ("nhwc", "nchw")) == 1
    height, width = _tensor_size(out, planar, src)
    letterbox = one_of("fit", fit, ("stretch", "letterbox")) == 1
    box = _letterbox(h, w, height, width) if letterbox else Rectangle(0, 0, width, height)
    gains = np.empty((2, 3), np.float32)
    gains[0], gains[1] = scale, offset
    if box != (0, 0, width, height):
        _fill_pad(out, gains, pad, planar)
    if one_of("order", order, ("rgb", "bgr")):
        gains = np.ascontiguousarray(gains[:, ::-1])
    per_row, per_pixel, per_channel = (width, 1, height * width) if planar else (3 * width, 3, 1)
    channels = [2 * per_channel, per_channel, 0] if order == "bgr" else [0, per_channel, 2 * per_channel]
    place = np.array([box.y * per_row + box.x * per_pixel, per_row, per_pixel, *channels], np.int64)
    columns, column_weights = _taps(w, box.width, 1)
    total = scratch("prepare.total", (3 * (w + column_weights.shape[1]),), np.float32)
    total[3 * w :] = 0
    run = _prepare_f32 if out.dtype == np.float32 else _prepare_u8
    flat = out.reshape(-1), src.reshape(h, -1)
    run(*flat, *_taps(h, box.height, 2), columns, column_weights, gains.reshape(-1), place, total)
    return box


def _tensor_size(out: npt.NDArray[Any], planar: bool, src: U8) -> tuple[int, int]:
    kind = np.float32 if getattr(out, "dtype", None) == np.float32 else np.uint8
    batch = (1,) if getattr(out, "ndim", 3) == 4 else ()
    shape = check("out", out, (*batch, 3, None, None) if planar else (*batch, None, None, 3), kind)
    output("out", out, shape, src, dtype=kind)
    sides = shape[-2:] if planar else shape[-3:-1]
    return sides[0], sides[1]


def _fill_pad(out: npt.NDArray[Any], gains: F32, pad: float, planar: bool) -> None:
    between("pad", pad, 0, 255)
    values = gains[0] * np.float32(pad) + gains[1]
    if out.dtype == np.uint8:
        values = np.clip(np.round(values), 0, 255)
    out[...] = values[:, None, None] if planar else values


def _letterbox(h: int, w: int, height: int, width: int) -> Rectangle:
    scale = min(height / h, width / w)
    inner_h, inner_w = max(1, min(height, round(h * scale))), max(1, min(width, round(w * scale)))
    return Rectangle((width - inner_w) // 2, (height - inner_h) // 2, inner_w, inner_h)


@functools.lru_cache(maxsize=16)
def _taps(size: int, wanted: int, multiple: int) -> tuple[I32, F32]:
    """Return the first source place and the weights (a multiple of `multiple`) that make each wanted place."""
    place = np.arange(wanted)[:, None]
    if wanted < size:
        left, right = place * size / wanted, (place + 1) * size / wanted
        first = np.floor(left + 1e-9).astype(np.int32)
        at = first + np.arange(int(np.ceil(size / wanted)) + 1)
        weights = np.clip(np.minimum(right, at + 1) - np.maximum(left, at), 0, None) * wanted / size
    else:
        centre = np.clip((place + 0.5) * size / wanted - 0.5, 0, size - 1)
        first = np.floor(centre).astype(np.int32)
        weights = np.concatenate([1 - (centre - first), centre - first], axis=1)
    used = int(np.max(np.nonzero(weights.max(axis=0) > 1e-6)[0])) + 1
    weights = np.pad(weights[:, :used], ((0, 0), (0, -used % multiple)))
    return first[:, 0].copy(), np.ascontiguousarray(weights, np.float32)
