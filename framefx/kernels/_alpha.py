"""Transparency: straight alpha in and out, blended premultiplied (Porter and Duff, 1984)."""

from __future__ import annotations

import numpy as np

from framefx.kernels._door import PIXELS, U8, between, check, others, output, scratch
from framefx.kernels._jit import kernel, uses


@kernel("u8[:,:], u8[:,:], const u8[:,:], const u8[:,:], const u8[:,:], const u8[:,:], i64")
def _over(out: U8, out_alpha: U8, base: U8, base_alpha: U8, top: U8, top_alpha: U8, opacity: int) -> None:
    """Write each pixel of `out` from the same pixel of the sources, any of which it may be."""
    strength = np.float32(opacity) * np.float32(1 / (255 * 255))
    for y in range(base.shape[0]):
        b, t, o, ba, ta, oa = base[y], top[y], out[y], base_alpha[y], top_alpha[y], out_alpha[y]
        for x in range(oa.size):
            upper = np.float32(ta[x]) * strength
            lower = np.float32(ba[x]) * np.float32(1 / 255) * (np.float32(1) - upper)
            total = upper + lower
            scale = np.float32(1) / total if total > 0 else np.float32(0)
            oa[x] = np.uint8(total * np.float32(255) + np.float32(0.5))
            for c in range(3):
                i = np.uint64(3 * x + c)
                mixed = (np.float32(t[i]) * upper + np.float32(b[i]) * lower) * scale
                o[i] = np.uint8(mixed + np.float32(0.5)) if total > 0 else b[i]


@kernel("u8[:,:], const u8[:,:], const u8[:,:]")
def _premultiply(out: U8, src: U8, alpha: U8) -> None:
    for y in range(alpha.shape[0]):
        s, o, a = src[y], out[y], alpha[y]
        for x in range(a.size):
            w = np.uint16(a[x])
            for c in range(3):
                i = np.uint64(3 * x + c)
                v = np.uint16(np.uint16(np.uint16(s[i]) * w) + np.uint16(128))
                o[i] = np.uint8(np.uint16(v + np.uint16(v >> np.uint16(8))) >> np.uint16(8))


@kernel("u8[:,:], const u8[:,:], const u8[:,:]")
def _unpremultiply(out: U8, src: U8, alpha: U8) -> None:
    for y in range(alpha.shape[0]):
        s, o, a = src[y], out[y], alpha[y]
        for x in range(a.size):
            scale = np.float32(255) / np.float32(max(a[x], np.uint8(1)))
            for c in range(3):
                i = np.uint64(3 * x + c)
                o[i] = np.uint8(min(np.float32(s[i]) * scale + np.float32(0.5), np.float32(255)))


@uses(_over)
def over(
    base: U8,
    base_alpha: U8 | None,
    top: U8,
    top_alpha: U8 | None,
    *,
    opacity: int = 255,
    out: U8 | None = None,
    out_alpha: U8 | None = None,
) -> U8:
    """Lay `top` over `base`.

    Parameters
    ----------
    base, top : (h, w, 3) uint8
    base_alpha, top_alpha : (h, w) uint8, straight, or None for opaque
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
        A wrong dtype, shape, layout or number, or an output that cannot be written.
    """
    h, w, _ = check("base", base, PIXELS)
    check("top", top, (h, w, 3))
    between("opacity", opacity, 0, 255)
    opaque = scratch("alpha.opaque", (h, w), np.uint8)
    if base_alpha is None or top_alpha is None:
        opaque.fill(255)
    alphas = [opaque if a is None else a for a in (base_alpha, top_alpha)]
    check("base_alpha", alphas[0], (h, w))
    check("top_alpha", alphas[1], (h, w))
    out = output("out", out, (h, w, 3), *others(out, base, top))
    dropped = scratch("alpha.dropped", (h, w), np.uint8)
    out_alpha = output("out_alpha", dropped if out_alpha is None else out_alpha, (h, w), out)
    flat = out.reshape(h, -1), out_alpha, base.reshape(h, -1), alphas[0], top.reshape(h, -1), alphas[1]
    _over(*flat, int(opacity))
    return out


@uses(_premultiply)
def premultiply(pixels: U8, alpha: U8, *, out: U8 | None = None) -> U8:
    """Multiply colours by alpha, rounded to nearest.

    Parameters
    ----------
    pixels : (h, w, 3) uint8, straight
    alpha : (h, w) uint8
    out : (h, w, 3) uint8
        May be `pixels`.

    Returns
    -------
    (h, w, 3) uint8
        `out`.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape or layout, or an `out` that cannot be written.
    """
    h, w, _ = check("pixels", pixels, PIXELS)
    check("alpha", alpha, (h, w))
    out = output("out", out, (h, w, 3), alpha, *others(out, pixels))
    _premultiply(out.reshape(h, -1), pixels.reshape(h, -1), alpha)
    return out


@uses(_premultiply)
def over_black(pixels: U8, alpha: U8, out: U8 | None = None) -> U8:
    """Show a picture with alpha on black, for who cannot show alpha: the same as `premultiply`.

    Parameters
    ----------
    pixels : (h, w, 3) uint8, straight
    alpha : (h, w) uint8
    out : (h, w, 3) uint8
        May be `pixels`.

    Returns
    -------
    (h, w, 3) uint8
        `out`.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape or layout, or an `out` that cannot be written.
    """
    return premultiply(pixels, alpha, out=out)


@uses(_unpremultiply)
def unpremultiply(pixels: U8, alpha: U8, *, out: U8 | None = None) -> U8:
    """Divide colours by alpha, rounded to nearest and saturated; where alpha is 0 it counts as 1.

    Parameters
    ----------
    pixels : (h, w, 3) uint8, premultiplied
    alpha : (h, w) uint8
    out : (h, w, 3) uint8
        May be `pixels`.

    Returns
    -------
    (h, w, 3) uint8
        `out`, straight.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape or layout, or an `out` that cannot be written.
    """
    h, w, _ = check("pixels", pixels, PIXELS)
    check("alpha", alpha, (h, w))
    out = output("out", out, (h, w, 3), alpha, *others(out, pixels))
    _unpremultiply(out.reshape(h, -1), pixels.reshape(h, -1), alpha)
    return out
