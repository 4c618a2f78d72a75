"""Blend two pictures through a mask that may be smaller than they are, and upsample what is reduced.

Where the mask is all 0 or all 255 nothing is interpolated: those spans are copied, or left alone in place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from framefx.kernels._door import F32, I16, I32, PIXELS, PLANE, U8, U64, between, check, is_same, output, scratch
from framefx.kernels._jit import Helper, kernel, uses
from framefx.kernels._steps import (
    BASE,
    BLOCK,
    LANES,
    MIX,
    TOP,
    between_rows,
    columns_of,
    copy,
    fill,
    limit,
    mark_spans,
    mulhi,
    rows_of,
    widen_mask,
    widen_pair,
)

APART, ON_BASE, ON_TOP = 0, 1, 2  # which source the destination is
LIMITED = 3  # none, and the base's levels are limited on their way
MAX_FACTOR = 64
_NO_SHARES = np.zeros((2, BLOCK), np.int16)


@Helper
def _blend(dst: U8, other: U8, value: I16, step: I16, frac: I16, swap: int) -> None:
    """Blend `other` over `dst` in place; with `swap` (0xffff) the mask counts the other way round."""
    flip, add = np.uint16(swap), np.uint16(257 & swap)
    for i in range(dst.size):
        w = np.uint16(np.uint16(np.int16(value[i] + mulhi(step[i], frac[i])) + np.int16(32)) >> np.uint16(6))
        w = np.uint16(np.uint16(w ^ flip) + add)
        a = np.uint16(np.uint16(dst[i]) * np.uint16(np.uint16(256) - w))
        b = np.uint16(np.uint16(np.uint16(other[i]) * w) + np.uint16(128))
        dst[i] = np.uint8(np.uint16(a + b) >> np.uint16(8))


@Helper
def _merge_row(
    out: U8, base: U8, top: U8, place: int, spans: I32, count: int, value: I16, step: I16, down: int, frac: I16
) -> None:
    for s in range(count):
        a, b, kind = spans[s, 0], spans[s, 1], spans[s, 2]
        if (kind == BASE and place != ON_BASE) or (kind == MIX and place == APART):
            copy(base[a:b], out[a:b])
        if kind == TOP and place != ON_TOP:
            copy(top[a:b], out[a:b])
        if kind == MIX:
            other, swap = (base[a:b], 0xFFFF) if place == ON_TOP else (top[a:b], 0)
            fill(frac[a:b], down)
            _blend(out[a:b], other, value[a:b], step[a:b], frac[a:b], swap)


@Helper
def _read_mask(
    mask: U8, j: int, start: I32, across: F32, spans: I32, cells: U8, eights: U64, value: I16, step: I16
) -> Any:
    """Find the spans between mask rows j and j + 1 and widen where they mix; returns the count of spans."""
    upper, lower = mask[j], mask[min(j + 1, mask.shape[0] - 1)]
    count = mark_spans(upper, lower, start, spans, cells, eights)
    for s in range(count):
        if spans[s, 2] == MIX:
            widen_mask(upper, lower, start, across, spans[s, 3], spans[s, 4], value, step)
    return count


@Helper
def _cell_of(y: int, factor: int) -> Any:
    """Return the upper row of reduced pixels for row y of the frame, -1 above the first, and the place below it."""
    at = y + factor - factor // 2
    return at // factor - 1, at % factor


@Helper
def _merge_band(
    out: U8, base: U8, small: U8, place: int, factor: int, channels: int, y: int, end: int, spans: I32, count: int,
    value: I16, step: I16, down: I16, frac: I16, wide: I16, words: U64, near: I16, packed: U64, held: I32, top: U8,
    shares: I16,
) -> None:  # fmt: skip
    """Write rows y … end of `out`, which lie between the same rows of the mask and of the reduced pixels."""
    cell, k = _cell_of(y, factor)
    skip, last = channels * (factor - factor // 2), small.shape[0] - 1
    if count > 1 or spans[0, 2] != BASE:
        widen_pair(small, max(cell, 0), held, factor, channels, near, packed, wide, words)
    upper, lower = wide[max(cell, 0) % 2, skip:], wide[min(cell + 1, last) % 2, skip:]
    for s in range(count):
        a, b, kind = spans[s, 0], spans[s, 1], spans[s, 2]
        if kind != TOP and place == LIMITED:
            for row in range(y, end):
                limit(base[row, a:b], out[row, a:b], shares)
        elif kind != TOP and place == APART:
            for row in range(y, end):
                copy(base[row, a:b], out[row, a:b])
        if kind != BASE:
            onto, first = (out, y) if kind == TOP else (top, 0)
            between_rows(upper[a:b], lower[a:b], factor, k, end - y, onto, first, a)
        if kind == MIX:
            for row in range(y, end):
                fill(frac[a:b], down[row])
                _blend(out[row, a:b], top[row - y, a:b], value[a:b], step[a:b], frac[a:b], 0)


@kernel(
    "u8[:,:], const u8[:,:], const u8[:,:], const u8[:,:], i64, const i32[:], const f32[:], const i32[:], const i16[:],"
    " i32[:,:], u8[:,:], u64[:], i16[:,:]"
)
def _merge(
    out: U8, base: U8, top: U8, mask: U8, place: int, start: I32, across: F32, row: I32, down: I16,
    spans: I32, cells: U8, eights: U64, work: I16,
) -> None:  # fmt: skip
    """Write rows of `out` from the same rows of `base` and `top`; `out` may be either."""
    value, step, frac = work[0], work[1], work[2]
    last, count = -1, 0
    for y in range(out.shape[0]):
        if row[y] != last:
            last = row[y]
            count = _read_mask(mask, last, start, across, spans, cells, eights, value, step)
        _merge_row(out[y], base[y], top[y], place, spans, count, value, step, down[y], frac)


@kernel(
    "u8[:,:,:], const u8[:,:,:], const u8[:,:,:], const u8[:,:], i64, i64, i64, const i32[:], const f32[:],"
    " const i32[:], const i16[:], i32[:,:], u8[:,:], u64[:], i16[:,:], i16[:,:,:], u64[:,:,:], i16[:,:], u64[:],"
    " i32[:,:], u8[:,:], const i16[:,:]"
)
def _merge_reduced(
    out: U8, base: U8, small: U8, mask: U8, place: int, factor: int, channels: int,
    start: I32, across: F32, row: I32, down: I16, spans: I32, cells: U8, eights: U64, work: I16,
    wide: I16, words: U64, near: I16, packed: U64, held: I32, top: U8, shares: I16,
) -> None:  # fmt: skip
    """Write planes of `out` from `base` and `small`, upsampled band by band; `out` may be `base`."""
    value, step, frac = work[0], work[1], work[2]
    last, count, y, height = -1, 0, 0, out.shape[1]
    while y < height:
        if row[y] != last:
            last = row[y]
            count = _read_mask(mask, last, start, across, spans, cells, eights, value, step)
        end, below = y + 1, min(y + factor - _cell_of(y, factor)[1], height)
        while end < below and row[end] == last:
            end += 1
        for p in range(out.shape[0]):
            _merge_band(
                out[p], base[p], small[p], place, factor, channels, y, end, spans, count, value, step, down, frac,
                wide[p], words[p], near, packed, held[p], top, shares,
            )  # fmt: skip
        y = end


@kernel("u8[:,:], const u8[:,:], i64, i16[:,:], u64[:,:], i16[:,:], u64[:], i32[:]")
def _upsample(out: U8, small: U8, factor: int, wide: I16, words: U64, near: I16, packed: U64, held: I32) -> None:
    skip, last, y, width = 3 * (factor - factor // 2), small.shape[0] - 1, 0, out.shape[1]
    while y < out.shape[0]:
        cell, k = _cell_of(y, factor)
        end = min(y + factor - k, out.shape[0])
        widen_pair(small, max(cell, 0), held, factor, 3, near, packed, wide, words)
        upper, lower = wide[max(cell, 0) % 2, skip:], wide[min(cell + 1, last) % 2, skip:]
        between_rows(upper[:width], lower[:width], factor, k, end - y, out, y, 0)
        y = end


@kernel("u8[:,:], const u8[:,:], const i32[:], const f32[:], const i32[:], const i16[:], i16[:,:]")
def _upsample_mask(out: U8, mask: U8, start: I32, across: F32, row: I32, down: I16, work: I16) -> None:
    value, step, frac = work[0], work[1], work[2]
    last = -1
    for y in range(out.shape[0]):
        j = row[y]
        if j != last:
            lower, last = mask[min(j + 1, mask.shape[0] - 1)], j
            widen_mask(mask[j], lower, start, across, 0, mask.shape[1], value, step)
        fill(frac, down[y])
        line = out[y]
        for i in range(line.size):
            w = np.uint16(np.uint16(np.int16(value[i] + mulhi(step[i], frac[i])) + np.int16(32)) >> np.uint16(6))
            line[i] = np.uint8(np.uint16(np.uint16(w * np.uint16(255)) + np.uint16(128)) >> np.uint16(8))


@kernel(
    "u8[:,:], u8[:,:], const u8[:,:], const u8[:,:], const u8[:,:], const u8[:,:], const u8[:,:],"
    " const i32[:], const f32[:], const i32[:], const i16[:], i16[:,:]"
)
def _merge_alpha(
    out: U8, out_alpha: U8, base: U8, base_alpha: U8, top: U8, top_alpha: U8, mask: U8,
    start: I32, across: F32, row: I32, down: I16, work: I16,
) -> None:  # fmt: skip
    """Blend premultiplied; every output pixel depends on the same pixel of the sources only."""
    value, step, frac = work[0], work[1], work[2]
    last = -1
    for y in range(base.shape[0]):
        j = row[y]
        if j != last:
            lower, last = mask[min(j + 1, mask.shape[0] - 1)], j
            widen_mask(mask[j], lower, start, across, 0, mask.shape[1], value, step)
        fill(frac, down[y])
        b, t, o, ba, ta, oa = base[y], top[y], out[y], base_alpha[y], top_alpha[y], out_alpha[y]
        for x in range(oa.size):
            w = np.uint16(np.uint16(np.int16(value[x] + mulhi(step[x], frac[x])) + np.int16(32)) >> np.uint16(6))
            upper = np.float32(w) * np.float32(1 / 256)
            lower_weight, upper_weight = np.float32(ba[x]) * (np.float32(1) - upper), np.float32(ta[x]) * upper
            total = lower_weight + upper_weight
            if total == 0:  # nothing to see: the colours mix, so that a later step finds no black
                lower_weight, upper_weight = np.float32(1) - upper, upper
            scale = np.float32(1) / (lower_weight + upper_weight)
            oa[x] = np.uint8(total + np.float32(0.5))
            for c in range(3 * x, 3 * x + 3):
                mixed = np.float32(b[c]) * lower_weight + np.float32(t[c]) * upper_weight
                o[c] = np.uint8(mixed * scale + np.float32(0.5))


# -- public ---------------------------------------------------------------------------------------------------


@uses(_merge, reduced=_merge_reduced, alpha=_merge_alpha)
def masked_merge(
    base: U8,
    top: U8,
    mask: U8,
    *,
    factor: int = 1,
    base_alpha: U8 | None = None,
    top_alpha: U8 | None = None,
    out: U8 | None = None,
    out_alpha: U8 | None = None,
) -> U8:
    """Show `top` where the mask is 255 and `base` where it is 0, exactly; blend between.

    The mask is upsampled inside (bilinear, half-pixel centres, edges replicate), to 1/256. A mask larger than
    the picture is sampled, not averaged. Variants for `warm`: ``reduced`` (factor > 1), ``alpha``.

    Parameters
    ----------
    base : (h, w, 3) uint8
    top : (h, w, 3) uint8, or (ceil(h / factor), ceil(w / factor), 3) with a factor above 1
        A reduced picture is upsampled as `upsample` does.
    mask : (mh, mw) uint8, 0 base, 255 top
        Any size; it covers the whole picture.
    factor : 1 to 64
    base_alpha, top_alpha : (h, w) uint8, straight
        When one is given the blend is premultiplied; a missing one counts as opaque. With a factor above 1,
        `top_alpha` may be reduced like `top`.
    out : (h, w, 3) uint8
        May be `base`, or a full-size `top`: then what does not change is not touched.
    out_alpha : (h, w) uint8
        Where the alpha goes; made and dropped when missing. May be one of the alphas.

    Returns
    -------
    (h, w, 3) uint8
        `out`.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout, or an `out` that cannot be written or overlaps the mask.
    """
    h, w, _ = check("base", base, PIXELS)
    size = _reduced(h, w, factor)
    check("top", top, (*size, 3))
    mask_w = check("mask", mask, PLANE)[1]
    if base_alpha is not None or top_alpha is not None:
        return _merge_with_alpha(base, top, mask, factor, base_alpha, top_alpha, out, out_alpha)
    out, place = _destination(out, base, top if factor == 1 else None)
    flat = out.reshape(1, h, -1), base.reshape(1, h, -1), top.reshape(1, size[0], -1)
    if factor == 1:
        _merge(*(one[0] for one in flat), mask, place, *_tables(mask, (h, w), 3), *_work(mask_w, 3 * w))
    else:
        merge_reduced(*flat, mask, place, factor, 3)
    return out


def merge_reduced(
    out: U8, base: U8, small: U8, mask: U8, place: int, factor: int, channels: int, shares: I16 = _NO_SHARES
) -> None:
    """Run the kernel ``reduced`` on planes of rows: one of pixels, or some of single values, `factor` 8, 4 or 2.

    `shares` are `limit`'s, where `place` is `LIMITED`.
    """
    count, h, row = out.shape
    tables, work = _tables(mask, (h, row // channels), channels), _work(mask.shape[1], row)
    room = _small_scratch(small.shape[2] // channels, factor, channels, count)
    tile = scratch("merge.top", (factor, row), np.uint8)
    _merge_reduced(out, base, small, mask, place, factor, channels, *tables, *work, *room, tile, shares)


@uses(_upsample)
def upsample(small: U8, out: U8 | tuple[int, int], factor: int) -> U8:
    """Enlarge reduced pixels: bilinear, half-pixel centres, edges replicate.

    Parameters
    ----------
    small : (ceil(h / factor), ceil(w / factor), 3) uint8
    out : (h, w, 3) uint8, or the size (h, w)
    factor : 1 to 64

    Returns
    -------
    (h, w, 3) uint8
        `out`: exactly what `masked_merge` shows of `small`.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape or layout, or an `out` that cannot be written.
    """
    h, w = out if isinstance(out, tuple) else check("out", out, PIXELS)[:2]
    small_h, small_w = _reduced(h, w, factor)
    check("small", small, (small_h, small_w, 3))
    made = output("out", None if isinstance(out, tuple) else out, (h, w, 3), small)
    if factor == 1:
        np.copyto(made, small)
        return made
    wide, words, near, packed, held = _small_scratch(small_w, factor)
    rows = made.reshape(h, -1), small.reshape(small_h, -1)
    _upsample(*rows, factor, wide[0], words[0], near, packed, held[0])
    return made


@uses(_upsample_mask)
def upsample_mask(mask: U8, out: U8 | tuple[int, int]) -> U8:
    """Enlarge a mask to frame size with `masked_merge`'s own interpolation.

    Parameters
    ----------
    mask : (mh, mw) uint8
    out : (h, w) uint8, or the size (h, w)

    Returns
    -------
    (h, w) uint8
        What `masked_merge` shows of white over black.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape or layout, or an `out` that cannot be written.
    """
    check("mask", mask, PLANE)
    made = output("out", None, out) if isinstance(out, tuple) else output("out", out, check("out", out, PLANE), mask)
    (mask_h, mask_w), (h, w) = mask.shape, made.shape
    work = scratch("merge.work", (3, w + LANES), np.int16)
    _upsample_mask(made, mask, *columns_of(mask_w, w, 1), *rows_of(mask_h, h, mask_h / h), work)
    return made


def _merge_with_alpha(
    base: U8, top: U8, mask: U8, factor: int,
    base_alpha: U8 | None, top_alpha: U8 | None, out: U8 | None, out_alpha: U8 | None,
) -> U8:  # fmt: skip
    h, w, _ = base.shape
    if factor > 1:
        top = upsample(top, scratch("merge.pixels", base.shape, np.uint8), factor)
        if top_alpha is not None and top_alpha.shape != (h, w):
            check("top_alpha", top_alpha, _reduced(h, w, factor))
            top_alpha = upsample_mask(top_alpha, scratch("merge.alpha", (h, w), np.uint8))
    opaque = scratch("merge.opaque", (h, w), np.uint8)
    opaque.fill(255)
    alphas = [opaque if a is None else a for a in (base_alpha, top_alpha)]
    for name, alpha in zip(("base_alpha", "top_alpha"), alphas, strict=True):
        check(name, alpha, (h, w))
    out, _ = _destination(out, base, top)
    out_alpha = output("out_alpha", out_alpha, (h, w), mask, out)
    tables = (*columns_of(mask.shape[1], w, 1), *rows_of(mask.shape[0], h, mask.shape[0] / h))
    flat = out.reshape(h, -1), out_alpha, base.reshape(h, -1), alphas[0], top.reshape(h, -1), alphas[1]
    _merge_alpha(*flat, mask, *tables, scratch("merge.work", (3, w + LANES), np.int16))
    return out


def _destination(out: U8 | None, base: U8, top: U8 | None) -> tuple[U8, int]:
    if out is None:
        return np.empty(base.shape, np.uint8), APART
    if out.shape == base.shape and is_same(out, base):
        return output("out", out, base.shape, top), ON_BASE
    if top is not None and out.shape == base.shape and is_same(out, top):
        return output("out", out, base.shape, base), ON_TOP
    return output("out", out, base.shape, base, top), APART


def _reduced(h: int, w: int, factor: int) -> tuple[int, int]:
    between("factor", factor, 1, MAX_FACTOR)
    return -(-h // factor), -(-w // factor)


def _tables(mask: U8, size: tuple[int, int], channels: int) -> tuple[I32, F32, I32, I16]:
    return *columns_of(mask.shape[1], size[1], channels), *rows_of(mask.shape[0], size[0], mask.shape[0] / size[0])


def _work(mask_w: int, row: int) -> tuple[I32, U8, U64, I16]:
    """Return room for the spans of a mask row and for a row of what is merged."""
    spans, kinds = (
        scratch("merge.spans", (mask_w, 5), np.int32),
        scratch("merge.kinds", (4, -(-mask_w // 8)), np.uint64),
    )
    return spans, kinds.view(np.uint8), kinds[3], scratch("merge.work", (3, row + LANES), np.int16)


def _small_scratch(small_w: int, factor: int, channels: int = 3, planes: int = 1) -> tuple[I16, U64, I16, U64, I32]:
    """Return room for two widened rows, the same as words, for what makes them, and which two they are: none yet."""
    words = scratch("merge.wide", (planes, 2, -(-channels * factor * (small_w + 1) // 4)), np.uint64)
    near, packed = (
        scratch("merge.near", (2, 3 * small_w + 3), np.int16),
        scratch("merge.packed", (small_w + 2,), np.uint64),
    )
    held = scratch("merge.held", (planes, 2), np.int32)
    held.fill(-1)
    return words.view(np.int16), words, near, packed, held
