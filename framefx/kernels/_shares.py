"""From a network's probabilities to the levels of a mask."""

from __future__ import annotations

import numpy as np

from framefx.kernels._door import F32, U8, check, output
from framefx.kernels._jit import kernel, uses


@kernel("u8[:], const f32[:], i64")
def _levels(out: U8, shares: F32, channels: int) -> None:
    last = shares[channels - 1 :]
    for i in range(out.size):
        share = last[i * channels] if channels > 1 else last[i]
        # Both comparisons are false for NaN, which is hidden, not shown.
        share = share if share > 0 else np.float32(0)
        share = share if share < 1 else np.float32(1)
        out[i] = np.uint8(np.int32(share * np.float32(255) + np.float32(0.5)))


@uses(_levels)
def levels(shares: F32, *, out: U8 | None = None) -> U8:
    """Return the last channel's probabilities as levels: 0 to 255 for 0 to 1, rounded to nearest.

    Parameters
    ----------
    shares : (h, w, channels) float32
        What lies outside 0 to 1 is clipped; what is not a number counts as 0.
    out : (h, w) uint8

    Returns
    -------
    (h, w) uint8
        `out`.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape or layout, or an `out` that cannot be written.
    """
    h, w, channels = check("shares", shares, (None, None, None), np.float32)
    made = output("out", out, (h, w))
    _levels(made.reshape(-1), shares.reshape(-1), channels)
    return made
