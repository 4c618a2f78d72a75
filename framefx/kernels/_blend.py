"""Blend modes of W3C's Compositing and Blending, level 1, on straight alpha."""

from __future__ import annotations

from typing import Any

import numpy as np

from framefx.kernels._door import PIXELS, U8, between, check, is_same, one_of, others, output, scratch
from framefx.kernels._jit import Helper, kernel, uses

MODES = ("multiply", "screen", "overlay", "add")
_MULTIPLY, _SCREEN, _OVERLAY = 0, 1, 2


@Helper
def _blended(mode: int, cb: float, cs: float) -> Any:
    """Return the blend of two colours from 0 to 1, `cb` the backdrop's."""
    one, two = np.float32(1), np.float32(2)
    if mode == _MULTIPLY:
        return cb * cs
    if mode == _SCREEN:
        return cb + cs - cb * cs
    if mode == _OVERLAY:
        dark = two * cb * cs
        return dark if cb <= np.float32(0.5) else two * (cb + cs) - dark - one
    return min(cb + cs, one)


@kernel("u8[:,:], u8[:,:], const u8[:,:], const u8[:,:], const u8[:,:], const u8[:,:], i64, i64")
def _blend(out: U8, out_alpha: U8, base: U8, base_alpha: U8, top: U8, top_alpha: U8, opacity: int, mode: int) -> None:
    """Write each pixel of `out` from the same pixel of the sources, any of which it may be."""
    strength, unit, full = np.float32(opacity) * np.float32(1 / (255 * 255)), np.float32(1 / 255), np.float32(255)
    half, one = np.float32(0.5), np.float32(1)
    for y in range(base.shape[0]):
        b, t, o, ba, ta, oa = base[y], top[y], out[y], base_alpha[y], top_alpha[y], out_alpha[y]
        for x in range(oa.size):
            upper, below = np.float32(ta[x]) * strength, np.float32(ba[x]) * unit
            lower = below * (one - upper)
            total = upper + lower
            scale = full / total if total > 0 else np.float32(0)
            oa[x] = np.uint8(total * full + half)
            for c in range(3):
                i = np.uint64(3 * x + c)
                cb, cs = np.float32(b[i]) * unit, np.float32(t[i]) * unit
                mixed = (one - below) * cs + below * _blended(mode, cb, cs)
                level = min((mixed * upper + cb * lower) * scale + half, full)
                o[i] = np.uint8(level) if total > 0 else b[i]


@Helper
def _blended_row(mode: int, base: U8, top: U8, line: U8) -> None:
    """Write the blend of two opaque rows, rounded to nearest."""
    n, full = line.size, np.int32(255)
    if mode == _MULTIPLY:
        for i in range(n):
            line[i] = np.uint8((np.int32(base[i]) * np.int32(top[i]) + 127) // full)
    elif mode == _SCREEN:
        for i in range(n):
            line[i] = np.uint8(full - ((full - np.int32(base[i])) * (full - np.int32(top[i])) + 127) // full)
    elif mode == _OVERLAY:
        for i in range(n):
            b, t = np.int32(base[i]), np.int32(top[i])
            dark, light = (2 * b * t + 127) // full, full - (2 * (full - b) * (full - t) + 127) // full
            line[i] = np.uint8(dark if b < 128 else light)
    else:
        for i in range(n):
            line[i] = np.uint8(min(np.int32(base[i]) + np.int32(top[i]), full))


@kernel("u8[:,:], const u8[:,:], const u8[:,:], i64, i64, u8[:]")
def _blend_opaque(out: U8, top: U8, top_alpha: U8, opacity: int, mode: int, line: U8) -> None:
    """Write `out`, the backdrop, in place: with one array that is read and written the loop is vectorised."""
    strength, full = np.int32(opacity), np.int32(255)
    blended, cover = line[: out.shape[1]], line[out.shape[1] :]
    for y in range(out.shape[0]):
        o, a = out[y], top_alpha[y]
        _blended_row(mode, o, top[y], blended)
        for x in range(a.size):
            cover[x] = np.uint8((np.int32(a[x]) * strength + 127) // full)
        for x in range(a.size):
            level = np.int32(cover[x])
            for c in range(3):
                i = np.uint64(3 * x + c)
                o[i] = np.uint8((np.int32(o[i]) * (full - level) + np.int32(blended[i]) * level + 127) // full)


@uses(_blend, _blend_opaque)
def blend(
    base: U8,
    base_alpha: U8 | None,
    top: U8,
    top_alpha: U8 | None,
    *,
    mode: str,
    opacity: int = 255,
    out: U8 | None = None,
    out_alpha: U8 | None = None,
) -> U8:
    """Lay `top` over `base` with a blend mode; `over` is the mode called normal.

    Parameters
    ----------
    base, top : (h, w, 3) uint8
    base_alpha, top_alpha : (h, w) uint8, straight, or None for opaque
    mode : multiply, screen, overlay or add
        W3C's formulas; add saturates.
    opacity : 0 to 255
        Of `top` as a whole.
    out : (h, w, 3) uint8
        May be `base` or `top`. Where nothing is visible the colour of `base` stays.
    out_alpha : (h, w) uint8
        Where the alpha goes; may be one of the alphas.

    Returns
    -------
    (h, w, 3) uint8
        `out`, within one level of exact arithmetic.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout, mode or number, or an output that cannot be written.
    """
    h, w, _ = check("base", base, PIXELS)
    check("top", top, (h, w, 3))
    between("opacity", opacity, 0, 255)
    number = one_of("mode", mode, MODES)
    opaque = scratch("blend.opaque", (h, w), np.uint8)
    if base_alpha is None or top_alpha is None:
        opaque.fill(255)
    alphas = [opaque if a is None else a for a in (base_alpha, top_alpha)]
    check("base_alpha", alphas[0], (h, w))
    check("top_alpha", alphas[1], (h, w))
    out = output("out", out, (h, w, 3), *others(out, base, top))
    dropped = scratch("blend.dropped", (h, w), np.uint8)
    out_alpha = output("out_alpha", dropped if out_alpha is None else out_alpha, (h, w), out)
    if base_alpha is None:
        if is_same(out, top):
            top = scratch("blend.top", (h, w, 3), np.uint8)
            np.copyto(top, out)
        if not is_same(out, base):
            np.copyto(out, base)
        line = scratch("blend.line", (4 * w,), np.uint8)
        _blend_opaque(out.reshape(h, -1), top.reshape(h, -1), alphas[1], int(opacity), number, line)
        out_alpha.fill(255)
        return out
    flat = out.reshape(h, -1), out_alpha, base.reshape(h, -1), alphas[0], top.reshape(h, -1), alphas[1]
    _blend(*flat, int(opacity), number)
    return out
