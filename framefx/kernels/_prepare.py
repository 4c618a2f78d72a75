"""Resize a picture straight into a model's input tensor."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from framefx.kernels._door import F32, I32, I64, PIXELS, U8, between, check, one_of, output, scratch
from framefx.kernels._jit import Helper, kernel, uses


class Rectangle(NamedTuple):
    """Where the picture lies in a model's input: pixels, from the top left."""

    x: int
    y: int
    width: int
    height: int


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
