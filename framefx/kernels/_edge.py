"""Colours at a soft edge: what of a pixel is the foreground's, and what the old background left on it."""

from __future__ import annotations

from typing import Any

import numpy as np

from framefx.kernels._door import F32, I32, PIXELS, U8, between, check, one_of, others, output
from framefx.kernels._jit import Helper, kernel, uses
from framefx.kernels._merge import MAX_FACTOR
from framefx.kernels._steps import axis

MODES = ("foreground", "despill")


@Helper
def _sample(small: U8, y: int, x: int, down: float, across: float, out: F32) -> None:
    """Interpolate between four reduced pixels."""
    upper, lower = small[y], small[min(y + 1, small.shape[0] - 1)]
    i = np.uint64(3 * x)
    k = np.uint64(min(3 * x + 3, small.shape[1] - 3))
    for c in range(3):
        a, b = np.float32(upper[i]), np.float32(lower[i])
        a += (np.float32(upper[k]) - a) * across
        b += (np.float32(lower[k]) - b) * across
        out[np.uint64(c)] = a + (b - a) * down
        i += np.uint64(1)
        k += np.uint64(1)


@Helper
def _clip(value: float) -> Any:
    return np.uint8(min(max(value + np.float32(0.5), np.float32(0)), np.float32(255)))


@Helper
def _luma(red: float, green: float, blue: float) -> Any:
    return np.float32(0.2126) * red + np.float32(0.7152) * green + np.float32(0.0722) * blue


@Helper
def _restore(pixel: U8, fore: F32, back: F32, part: float, strength: float) -> None:
    """Blur fusion (Forte, 2021): what the two means leave unexplained is the foreground's, as far as it is there."""
    for c in range(3):
        seen = np.float32(pixel[c])
        rest = seen - part * fore[c] - (np.float32(1) - part) * back[c]
        pixel[c] = _clip(seen + (fore[c] + part * rest - seen) * strength)


@Helper
def _despill(pixel: U8, fore: F32, back: F32, strength: float) -> None:
    """Take off what a pixel has of the background's hue beyond what the person nearby has of it."""
    level = _luma(back[0], back[1], back[2])
    seen = _luma(np.float32(pixel[0]), np.float32(pixel[1]), np.float32(pixel[2]))
    own = seen - _luma(fore[0], fore[1], fore[2])
    size, spill = np.float32(100), np.float32(0)
    for c in range(3):
        hue = back[c] - level
        size += hue * hue
        spill += (np.float32(pixel[c]) - fore[c] - own) * hue
    share = max(spill, np.float32(0)) / size * strength
    for c in range(3):
        pixel[c] = _clip(np.float32(pixel[c]) - (back[c] - level) * share)


@kernel(
    "u8[:,:], const u8[:,:], const u8[:,:], const u8[:,:], i64, i64, f64, const i32[:], const f32[:], const i32[:],"
    " const f32[:], f32[:,:]"
)
def _edge(
    out: U8, alpha: U8, fore: U8, back: U8, mode: int, full: int, strength: float,
    row: I32, down: F32, column: I32, across: F32, means: F32,
) -> None:  # fmt: skip
    """Change the pixels of `out` whose alpha is between 0 and `full`."""
    much, near, far = np.float32(strength), means[0], means[1]
    for y in range(out.shape[0]):
        line, a = out[y], alpha[y]
        for x in range(a.size):
            i = np.uint64(x)
            if 0 < a[i] < full:
                _sample(fore, row[y], column[i], down[y], across[i], near)
                _sample(back, row[y], column[i], down[y], across[i], far)
                pixel = line[3 * i :]
                if mode == 0:
                    _restore(pixel, near, far, np.float32(a[i]) * np.float32(1 / 255), much)
                else:
                    _despill(pixel, near, far, much)


@uses(_edge)
def edge_colors(
    src: U8, alpha: U8, fore: U8, back: U8, factor: int, *, mode: str, strength: float = 1.0, out: U8 | None = None
) -> U8:
    """Give the pixels of a soft edge colours without the background's.

    Parameters
    ----------
    src : (h, w, 3) uint8
    alpha : (h, w) uint8, 0 background, 255 foreground
        Pixels at 0 and 255 stay as they are.
    fore, back : (ceil(h / factor), ceil(w / factor), 3) uint8
        Local means of both sides, reduced, as `region_blur` makes them.
    factor : 1 to 64
    mode : foreground or despill
        Estimate the foreground's colour (blur fusion, Forte, 2021), or only take the background's hue off.
    strength : 0 to 1
    out : (h, w, 3) uint8
        May be `src`.

    Returns
    -------
    (h, w, 3) uint8
        `out`.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout, mode or number, or an `out` that cannot be written.
    """
    h, w, _ = check("src", src, PIXELS)
    check("alpha", alpha, (h, w))
    between("factor", factor, 1, MAX_FACTOR)
    between("strength", strength, 0, 1)
    size = small_h, small_w = -(-h // factor), -(-w // factor)
    check("fore", fore, (*size, 3))
    check("back", back, (*size, 3))
    number = one_of("mode", mode, MODES)
    out = output("out", out, (h, w, 3), alpha, fore, back, *others(out, src))
    if out is not src and out.ctypes.data != src.ctypes.data:
        np.copyto(out, src)
    tables = *axis(small_h, h, 1 / factor), *axis(small_w, w, 1 / factor)
    flat = out.reshape(h, -1), alpha, fore.reshape(small_h, -1), back.reshape(small_h, -1)
    _edge(*flat, number, 255, strength, *tables, np.empty((2, 3), np.float32))
    return out
