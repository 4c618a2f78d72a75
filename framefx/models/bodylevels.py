"""From what a body network's output holds, logits or probabilities, real or quantised, to levels for the kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from framefx.models.bodygrid import Role
from framefx.models.decoding import real
from framefx.protocols import Tensor

# Levels have 12 bits: sixteenths of a quantised step, which leaves room to interpolate, or 128ths of a logit.
_OF_A_BYTE, _OF_A_LOGIT = 16, 128
_LOWEST, _HIGHEST = -2048, 2047
_TOLERANCE = 0.01


class Levels:
    """Turns an output into the levels that `framefx.kernels.logit_masks` and its like take.

    Parameters
    ----------
    role : Role
        The output.
    shown : sequence of array
        What it held for some pictures; values outside 0 to 1 are logits.

    Attributes
    ----------
    unit : float
        What a level is worth as a logit.
    lut : (4096,) uint8
        The sigmoid of levels -2048 to 2047, times 255.
    """

    def __init__(self, role: Role, shown: Sequence[npt.NDArray[Any]]) -> None:
        self._role = role
        tensor = role.tensor
        logits = any(_leave_0_to_1(real(one, tensor) if tensor.dtype != np.float32 else one) for one in shown)
        self._convert = _converter(tensor, logits)
        self.unit, self._shift = 1 / _OF_A_LOGIT, 0.0
        if logits and tensor.dtype != np.float32:
            zero, one = real(np.array([0, 1], tensor.dtype), tensor)
            middle = 128 if tensor.dtype == np.uint8 else 0
            self.unit, self._shift = float(one - zero) / _OF_A_BYTE, float(zero + middle * (one - zero))
        self._out = np.empty((*role.cells, role.channels), np.int16)
        self.lut = np.round(255 * self.probability(np.arange(_LOWEST, _HIGHEST + 1))).astype(np.uint8)

    def __call__(self, values: npt.NDArray[Any]) -> npt.NDArray[np.int16]:
        """Return (h, w, channels) levels, valid until the next call. What is not a number counts as surely not."""
        self._convert(self._role.view(values), self._out)
        return self._out

    def probability(self, levels: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return what levels mean, 0 to 1."""
        return np.asarray((1 + np.tanh((levels * self.unit + self._shift) / 2)) / 2, np.float64)


def _leave_0_to_1(values: npt.NDArray[Any]) -> bool:
    return bool(values.min() < -_TOLERANCE or values.max() > 1 + _TOLERANCE)


def _converter(tensor: Tensor, logits: bool) -> Any:
    """Return a function that writes the levels of its first argument into its second."""
    if tensor.dtype == np.float32:
        return _RealLogits() if logits else _RealShares()
    if not logits:
        bytes_ = np.arange(256, dtype=np.uint8).view(tensor.dtype)
        table = np.empty(256, np.int16)
        _RealShares()(real(bytes_, tensor), table)
        return lambda values, out: np.copyto(out, table.take(values.view(np.uint8)))
    middle = 128 if tensor.dtype == np.uint8 else 0

    def convert(values: npt.NDArray[Any], out: npt.NDArray[np.int16]) -> None:
        np.subtract(values, middle, out=out, dtype=np.int16)
        np.multiply(out, _OF_A_BYTE, out=out)

    return convert


class _RealLogits:
    """Logits beyond ±16, where the sigmoid has no more bytes to give, are cut off."""

    def __init__(self) -> None:
        self._scratch = np.empty(0, np.float32)

    def __call__(self, values: npt.NDArray[Any], out: npt.NDArray[np.int16]) -> None:
        if self._scratch.shape != values.shape:
            self._scratch = np.empty(values.shape, np.float32)
        scaled = np.multiply(values, np.float32(_OF_A_LOGIT), out=self._scratch)
        # fmax and fmin drop NaN.
        np.fmax(scaled, np.float32(_LOWEST), out=scaled)
        np.fmin(scaled, np.float32(_HIGHEST), out=scaled)
        np.rint(scaled, out=scaled)
        np.copyto(out, scaled, casting="unsafe")


class _RealShares:
    """Probabilities: back through the sigmoid, as it is logits that are interpolated."""

    def __init__(self) -> None:
        self._as_logits = _RealLogits()

    def __call__(self, values: npt.NDArray[Any], out: npt.NDArray[np.int16]) -> None:
        least = np.float32(1e-7)
        shares = np.fmin(np.fmax(values, least), 1 - least).astype(np.float32, copy=False)
        self._as_logits(np.log(shares / (1 - shares)), out)
