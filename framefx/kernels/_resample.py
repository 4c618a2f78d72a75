"""Make pictures smaller: by a whole factor, or straight into a model's input tensor."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from framefx.kernels._door import F32, I32, I64, PIXELS, U8, U16, U64, between, check, one_of, output, scratch
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
def _blend_pairs(total: F32, columns: I32, weights: F32, gains: F32, out: F32) -> None:
    """Write a row of interleaved pixels that are made of two neighbours each, four levels to a register.

    The fourth level is the next pixel's first, which then writes its own; the last pixel has no next one.
    """
    last = columns.size - 1
    p, q, s, u, v, w = gains[0], gains[1], gains[2], gains[3], gains[4], gains[5]
    for x in range(last):
        i, j = np.uint64(3 * columns[x]), np.uint64(3 * x)
        k, f, g = i + np.uint64(3), weights[x, 0], weights[x, 1]
        a = (total[i] * f + total[k] * g) * p + u
        b = (total[i + np.uint64(1)] * f + total[k + np.uint64(1)] * g) * q + v
        c = (total[i + np.uint64(2)] * f + total[k + np.uint64(2)] * g) * s + w
        d = (total[i + np.uint64(3)] * f + total[k + np.uint64(3)] * g) * p + u
        out[j], out[j + np.uint64(1)], out[j + np.uint64(2)], out[j + np.uint64(3)] = a, b, c, d
    r, g, b = _blend_pixels(total, columns[last], weights[last])
    out[3 * last], out[3 * last + 1], out[3 * last + 2] = r * p + u, g * q + v, b * s + w


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
    in_pairs = column_weights.shape[1] == 2 and i == 0 and j == 1 and step == 3
    for y in range(rows.size):
        _blend_rows(src, rows[y], row_weights[y], total[: src.shape[1]])
        at = place[0] + y * place[1]
        if in_pairs:
            _blend_pairs(total, columns, column_weights, scale, out[at : at + 3 * columns.size])
            continue
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
    swapped = one_of("order", order, ("rgb", "bgr")) == 1
    gains = _gains(_three(scale), _three(offset), swapped)
    if box != (0, 0, width, height):
        _fill_pad(out, _gains(_three(scale), _three(offset), False).reshape(2, 3), pad, planar)
    place = _places(box, width, height, planar, swapped)
    columns, column_weights = _taps(w, box.width, 1)
    total = scratch("prepare.total", (3 * (w + column_weights.shape[1]),), np.float32)
    total[3 * w :] = 0
    run = _prepare_f32 if out.dtype == np.float32 else _prepare_u8
    flat = out.reshape(-1), src.reshape(h, -1)
    run(*flat, *_taps(h, box.height, 2), columns, column_weights, gains, place, total)
    return box


def _tensor_size(out: npt.NDArray[Any], planar: bool, src: U8) -> tuple[int, int]:
    kind = np.float32 if getattr(out, "dtype", None) == np.float32 else np.uint8
    batch = (1,) if getattr(out, "ndim", 3) == 4 else ()
    shape = check("out", out, (*batch, 3, None, None) if planar else (*batch, None, None, 3), kind)
    output("out", out, shape, src, dtype=kind)
    sides = shape[-2:] if planar else shape[-3:-1]
    return sides[0], sides[1]


def _three(value: float | Sequence[float]) -> tuple[float, ...]:
    return (value, value, value) if isinstance(value, (int, float)) else tuple(value)


@functools.lru_cache(maxsize=16)
def _gains(scale: tuple[float, ...], offset: tuple[float, ...], swapped: bool) -> F32:
    """Return what red, green and blue are multiplied with, and what is added."""
    gains = np.empty((2, 3), np.float32)
    gains[0], gains[1] = scale, offset
    return np.ascontiguousarray(gains[:, ::-1] if swapped else gains).reshape(-1)


@functools.lru_cache(maxsize=16)
def _places(box: Rectangle, width: int, height: int, planar: bool, swapped: bool) -> I64:
    """Return where the first pixel goes, and how far on are the next row, the next pixel, red, green and blue."""
    per_row, per_pixel, per_channel = (width, 1, height * width) if planar else (3 * width, 3, 1)
    channels = [0, per_channel, 2 * per_channel]
    first = box.y * per_row + box.x * per_pixel
    return np.array([first, per_row, per_pixel, *(channels[::-1] if swapped else channels)], np.int64)


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
