"""Small pictures laid over large ones, in place: captions, clocks, corners."""

from __future__ import annotations

import numpy as np

from framefx.kernels._door import PIXELS, PLANE, U8, check, output
from framefx.kernels._jit import kernel, uses


@kernel("u8[:,:], const u8[:,:], const u8[:,:], i64, i64")
def _stamp(out: U8, patch: U8, cover: U8, top: int, left: int) -> None:
    """Write the part of `out` that the patch covers."""
    h, w = out.shape[0], out.shape[1] // 3
    first, last = max(0, -left), min(cover.shape[1], w - left)
    for y in range(max(0, -top), min(cover.shape[0], h - top)):
        d, p, a = out[y + top], patch[y], cover[y]
        for x in range(first, last):
            level = np.int32(a[x])
            for c in range(3):
                i, j = np.uint64(3 * (x + left) + c), np.uint64(3 * x + c)
                d[i] = np.uint8((np.int32(d[i]) * (255 - level) + np.int32(p[j]) * level + 127) // 255)


@kernel("u8[:,:], u8[:,:], const u8[:,:], const u8[:,:], i64, i64")
def _stamp_alpha(out: U8, alpha: U8, patch: U8, cover: U8, top: int, left: int) -> None:
    """Write the parts of `out` and `alpha` that the patch covers, blended premultiplied."""
    first, last = max(0, -left), min(cover.shape[1], alpha.shape[1] - left)
    for y in range(max(0, -top), min(cover.shape[0], alpha.shape[0] - top)):
        d, p, a, under = out[y + top], patch[y], cover[y], alpha[y + top]
        for x in range(first, last):
            at = np.uint64(x + left)
            upper = np.float32(a[x]) * np.float32(1 / 255)
            lower = np.float32(under[at]) * np.float32(1 / 255) * (np.float32(1) - upper)
            total = upper + lower
            if total > 0:
                under[at] = np.uint8(total * np.float32(255) + np.float32(0.5))
                for c in range(3):
                    i, j = np.uint64(3 * (x + left) + c), np.uint64(3 * x + c)
                    d[i] = np.uint8((np.float32(p[j]) * upper + np.float32(d[i]) * lower) / total + np.float32(0.5))


@uses(_stamp, alpha=_stamp_alpha)
def stamp(out: U8, patch: U8, cover: U8, top: int, left: int, *, alpha: U8 | None = None) -> U8:
    """Lay a small picture over a part of a large one, in place; what is outside of it is cut off.

    Parameters
    ----------
    out : (h, w, 3) uint8
        Changed where the patch is; nothing else is read.
    patch : (ph, pw, 3) uint8, straight
    cover : (ph, pw) uint8, 0 shows `out`, 255 the patch
    top, left : pixels, may be negative
        Where the patch's first pixel goes.
    alpha : (h, w) uint8, straight, optional
        Of `out`, changed with it (variant ``alpha`` for `warm`).

    Returns
    -------
    (h, w, 3) uint8
        `out`, rounded to nearest.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape or layout, or a destination that cannot be written.
    """
    h, w, _ = check("out", out, PIXELS)
    ph, pw = check("cover", cover, PLANE)
    check("patch", patch, (ph, pw, 3))
    output("out", out, (h, w, 3), patch, cover)
    if alpha is None:
        _stamp(out.reshape(h, -1), patch.reshape(ph, -1), cover, int(top), int(left))
    else:
        output("alpha", alpha, (h, w), out, patch, cover)
        _stamp_alpha(out.reshape(h, -1), alpha, patch.reshape(ph, -1), cover, int(top), int(left))
    return out
