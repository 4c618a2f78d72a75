"""Masks in time: still pixels settle, moving pixels do not trail."""

from __future__ import annotations

import numpy as np

from framefx.kernels._door import PLANE, U8, U16, between, check, others, output
from framefx.kernels._jit import kernel, uses


@kernel("u8[:], u16[:], const u8[:], f64, f64, f64, f64, f64")
def _motion_ema(
    out: U8, state: U16, mask: U8, weight: float, still: float, rise: float, low: float, gain: float
) -> None:
    least, begin, slope = np.float32(weight), np.float32(still), np.float32(rise)
    bottom, steep = np.float32(low), np.float32(gain)
    for i in range(out.size):
        old = np.float32(state[i])
        change = np.float32(mask[i]) * np.float32(257) - old
        w = min(least + max(abs(change) - begin, np.float32(0)) * slope, np.float32(1))
        new = np.int32(old + change * w + np.float32(0.5))
        state[i] = np.uint16(new)
        level = min(max((np.float32(new) - bottom) * steep, np.float32(0)), np.float32(255))
        out[i] = np.uint8(np.int32(level + np.float32(0.5)))


@uses(_motion_ema)
def motion_ema(
    state: U16,
    mask: U8,
    weight: float,
    still: float = 24.0,
    moving: float = 128.0,
    *,
    low: float = 0.0,
    high: float = 255.0,
    out: U8 | None = None,
) -> U8:
    """Follow a mask in time, the faster the further it is away: an exponential average whose weight grows with change.

    Where the mask is within `still` levels of its average it flickers, and `weight` counts; from `moving` levels on
    something moved there, and the mask is taken as it is; between the two the weight rises in a straight line. This is
    motion-adaptive noise reduction as in video denoisers (Dubois and Sabri, "Noise reduction in image sequences using
    motion-compensated temporal filtering", 1984; FFmpeg's hqdn3d), on masks.

    Parameters
    ----------
    state : (h, w) uint16, a mask times 257
        Changed in place. Start it with ``mask.astype(numpy.uint16) * 257``.
    mask : (h, w) uint8
        The newest.
    weight : 0 keeps the state, 1 takes the mask
        Of still pixels: ``1 - exp(-dt / tau)`` for a time constant tau.
    still, moving : levels, 0 to 255, still < moving
    low, high : levels, 0 to 255, low ≤ high
        What comes out is stretched: 0 up to `low`, 255 from `high` on. The state is not.
    out : (h, w) uint8
        May be `mask`.

    Returns
    -------
    (h, w) uint8
        `out`: the state, stretched and rounded to nearest.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout or number, or an array that cannot be written.
    """
    shape = check("mask", mask, PLANE)
    output("state", state, shape, mask, dtype=np.uint16)
    between("weight", weight, 0, 1)
    between("moving", moving, 0.01, 255)
    between("still", still, 0, moving - 0.01)
    between("high", high, 0, 255)
    between("low", low, 0, high)
    out = output("out", out, shape, state, *others(out, mask))
    rise = (1 - weight) / (257 * (moving - still))
    gain = 255 / max(257 * (high - low), 1)
    _motion_ema(out.reshape(-1), state.reshape(-1), mask.reshape(-1), weight, 257 * still, rise, 257 * low, gain)
    return out
