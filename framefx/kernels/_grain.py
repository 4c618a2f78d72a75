"""Film grain: noise from a tile, strongest in the middle tones."""

from __future__ import annotations

import numpy as np

from framefx.kernels._door import I16, PIXELS, U8, between, check, others, output, scratch
from framefx.kernels._jit import kernel, uses


@kernel("u8[:,:], const u8[:,:], const i16[:,:], i64, i64, i64, u8[:]")
def _grain(out: U8, src: U8, tile: I16, top: int, left: int, strength: int, held: U8) -> None:
    """Write row y of `out` from row y of `src`, which may be the same array, and row y + top of the tile."""
    k = np.int16(strength)
    for y in range(out.shape[0]):
        s, d, n = src[y], out[y], tile[(y + top) % tile.shape[0], left:]
        for i in range(d.size):  # where source and destination are one, LLVM would go pixel by pixel
            held[i] = s[i]
        for i in range(d.size):
            v = np.int16(held[i])
            # Film has little grain where nothing or everything is exposed: 12 to 63 of 64.
            room = np.int16(np.int16(12) + np.int16(np.uint16(np.uint16(v) * np.uint16(255 - v)) * np.uint16(51) >> 14))
            much = np.int16(np.int16(n[i] * k) >> np.int16(4))
            v = np.int16(v + np.int16(np.int16(np.int16(much * room) + np.int16(32)) >> np.int16(6)))
            d[i] = np.uint8(min(max(v, np.int16(0)), np.int16(255)))


@uses(_grain)
def grain(src: U8, tile: I16, top: int, left: int, strength: int, *, out: U8 | None = None) -> U8:
    """Add noise from a tile, weighed by how much room a level leaves above and below.

    Parameters
    ----------
    src : (h, w, 3) uint8
    tile : (rows, 3 * columns) int16, -127 to 127
        `columns` is at least ``left + w``; rows wrap around.
    top, left : pixels from 0
        Where in the tile this picture's noise begins.
    strength : 0 to 64
        16 adds the tile's own values to middle grey.
    out : (h, w, 3) uint8
        May be `src`.

    Returns
    -------
    (h, w, 3) uint8
        `out`.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout or number, or an `out` that cannot be written.
    """
    h, w, _ = check("src", src, PIXELS)
    _, columns = check("tile", tile, (None, None), np.int16)
    between("left", left, 0, columns // 3 - w)
    between("strength", strength, 0, 64)
    out = output("out", out, (h, w, 3), *others(out, src))
    place = int(top) % tile.shape[0], 3 * int(left), int(strength)
    _grain(out.reshape(h, -1), src.reshape(h, -1), tile, *place, scratch("grain.held", (3 * w,), np.uint8))
    return out
