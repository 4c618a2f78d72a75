"""Blocks of one colour: the mosaic that hides details."""

from __future__ import annotations

import numpy as np

from framefx.kernels._door import PIXELS, U8, between, check, others, output, scratch
from framefx.kernels._downsample import _downsample, downsample
from framefx.kernels._jit import kernel, uses
from framefx.kernels._merge import MAX_FACTOR


@kernel("u8[:,:], const u8[:,:], i64")
def _blocks(out: U8, small: U8, size: int) -> None:
    """Repeat each pixel of `small` over a block of `out`."""
    for top in range(0, out.shape[0], size):
        first, line = out[top], small[top // size]
        for x in range(first.size):
            first[x] = line[3 * (x // (3 * size)) + x % 3]
        for y in range(top + 1, min(top + size, out.shape[0])):
            row = out[y]
            for x in range(first.size):
                row[x] = first[x]


@uses(_downsample, _blocks)
def blocks(src: U8, size: int, *, out: U8 | None = None) -> U8:
    """Show the mean of each block of `size` x `size` pixels; those at the right and bottom edge are cut off.

    Parameters
    ----------
    src : (h, w, 3) uint8
    size : 1 to 64
    out : (h, w, 3) uint8
        May be `src`.

    Returns
    -------
    (h, w, 3) uint8
        `out`.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout or size, or an `out` that cannot be written.
    """
    h, w, _ = check("src", src, PIXELS)
    between("size", size, 1, MAX_FACTOR)
    out = output("out", out, (h, w, 3), *others(out, src))
    small = scratch("blocks.small", (-(-h // size), -(-w // size), 3), np.uint8)
    downsample(src, size, out=small)
    _blocks(out.reshape(h, -1), small.reshape(small.shape[0], -1), size)
    return out
