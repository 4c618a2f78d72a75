"""From a network's last tensor to a mask: one channel or two, probabilities or logits, real or quantised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from framefx import kernels
from framefx.protocols import Tensor

Values = npt.NDArray[np.uint8]
"""(rows, columns) uint8, 0 outside, 255 inside, owning its memory."""

Decoder = Callable[[npt.NDArray[Any]], Values]
"""Takes (rows, columns, 1 or 2), of the tensor's dtype, and returns the person's mask."""

_TOLERANCE = 0.01


def person_decoder(tensor: Tensor, answers: Sequence[npt.NDArray[Any]]) -> Decoder:
    """Choose how to read `tensor`, whose last channel is the person.

    Parameters
    ----------
    tensor : Tensor
        (1, rows, columns, 1 or 2), float32 or quantised.
    answers : sequence of array
        What it held for some pictures. Values outside 0 to 1, or two channels that do not add up to 1, are logits.
    """
    if tensor.dtype != np.float32:
        return _Quantised(tensor, _are_logits([real(answer, tensor) for answer in answers]))
    if not _are_logits(answers):
        return _probabilities
    return _Logits(tensor)


def _are_logits(answers: Sequence[npt.NDArray[Any]]) -> bool:
    for answer in answers:
        if answer.min() < -_TOLERANCE or answer.max() > 1 + _TOLERANCE:
            return True
        if answer.shape[-1] == 2 and np.abs(answer.sum(axis=-1) - 1).max() > 2 * _TOLERANCE:
            return True
    return False


def _probabilities(values: npt.NDArray[Any]) -> Values:
    """The last channel is the mask."""
    return kernels.levels(np.ascontiguousarray(values))


class _Logits:
    """One channel through the sigmoid; of two the difference, which is the softmax of two."""

    def __init__(self, tensor: Tensor) -> None:
        self._scratch = np.empty(tensor.shape[1:3], np.float32)

    def __call__(self, values: npt.NDArray[Any]) -> Values:
        # sigmoid(x) = (1 + tanh(x / 2)) / 2, and NumPy's float32 tanh is vectorised where its exp may overflow.
        scratch = self._scratch
        if values.shape[-1] == 2:
            np.subtract(values[..., 1], values[..., 0], out=scratch)
            np.multiply(scratch, np.float32(0.5), out=scratch)
        else:
            np.multiply(values[..., 0], np.float32(0.5), out=scratch)
        np.tanh(scratch, out=scratch)
        np.add(scratch, np.float32(1), out=scratch)
        np.multiply(scratch, np.float32(0.5), out=scratch)
        return to_bytes(scratch, scratch)


class _Quantised:
    """Bytes through a table: of one channel, or of the difference between two."""

    def __init__(self, tensor: Tensor, logits: bool) -> None:
        self._difference = logits and tensor.shape[3] == 2
        if self._difference:
            levels = np.arange(-255, 256) * np.float32(scale_of(tensor))
        else:
            # In the order of the raw bytes, which for int8 starts at 0 and goes on with the negative numbers.
            levels = real(np.arange(256, dtype=np.uint8).view(tensor.dtype), tensor)
        shares = ((1 + np.tanh(levels / 2)) / 2 if logits else levels).astype(np.float32)
        self._table = to_bytes(shares, shares)
        self._index = np.empty(tensor.shape[1:3], np.intp)

    def __call__(self, values: npt.NDArray[Any]) -> Values:
        if self._difference:
            np.subtract(values[..., 1], values[..., 0], out=self._index, dtype=np.intp)
            np.add(self._index, 255, out=self._index)
        else:
            np.copyto(self._index, values[..., -1].view(np.uint8))
        return self._table.take(self._index)


def scale_of(tensor: Tensor) -> float:
    """Return what one step of a quantised tensor means."""
    # Bytes that do not say what they mean are taken for a grey picture.
    return tensor.scale or 1 / 255


def real(values: npt.NDArray[Any], tensor: Tensor) -> npt.NDArray[np.float32]:
    """Return what quantised values mean, in float32."""
    return (values.astype(np.float32) - tensor.zero_point) * np.float32(scale_of(tensor))


def to_bytes(source: npt.NDArray[np.float32], scratch: npt.NDArray[np.float32]) -> Values:
    """Return shares, 0 to 1 and beyond, as levels; `scratch` is overwritten and may be `source`."""
    # fmax and fmin drop NaN: such a pixel counts as outside and is hidden.
    np.fmax(source, np.float32(0), out=scratch)
    np.fmin(scratch, np.float32(1), out=scratch)
    np.multiply(scratch, np.float32(255), out=scratch)
    np.add(scratch, np.float32(0.5), out=scratch)
    return scratch.astype(np.uint8)
