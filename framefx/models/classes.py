"""From a tensor with a channel for each class to a mask of each class that is wanted, and of no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from framefx.mask import Mask
from framefx.models.decoding import Values, real, to_bytes
from framefx.models.inputs import Preparation
from framefx.models.planes import Planes
from framefx.models.probes import answers
from framefx.protocols import Session

if TYPE_CHECKING:
    from framefx.frame import Frame

Activation = Literal["none", "sigmoid", "softmax", "labels"]
"""What is left to do: nothing (0 to 1 already), a sigmoid or softmax; or each value is the number of a class."""

Channels = Mapping[str, Sequence[int]]
"""Layer to the channels whose sum it is."""

F32 = npt.NDArray[np.float32]

_TOLERANCE = 0.01
_LARGEST = np.float32(80)
"""Up to here exp fits float32 a thousand times, in both directions; few networks are surer."""


def activation_of(planes: Planes, shown: Sequence[npt.NDArray[Any]]) -> Activation:
    """Tell from a network's answers what is left to do with them.

    Parameters
    ----------
    planes : Planes
        How to see them.
    shown : sequence of array
        What the output held for some pictures. Whole numbers of four bytes and more are class numbers; real ones
        outside 0 to 1 are logits, and so are two channels that do not add up to 1.
    """
    tensor = planes.tensor
    if tensor.dtype.itemsize > 2 and tensor.dtype.kind != "f":
        return "labels"
    logits: Activation = "sigmoid" if planes.channels == 1 else "softmax"
    for answer in shown:
        values = planes.view(answer if tensor.dtype.kind == "f" else real(answer, tensor))
        if values.min() < -_TOLERANCE or values.max() > 1 + _TOLERANCE:
            return logits
        if planes.channels == 2 and np.abs(values.sum(axis=1) - 1).max() > 2 * _TOLERANCE:
            return logits
    return "none"


class ClassDecoder:
    """Reads the classes of one output.

    Parameters
    ----------
    planes : Planes
        The output.
    activation : str
        What is left to do.
    channels : mapping
        Layer to the channels, or class numbers, whose sum it is.
    """

    def __init__(self, planes: Planes, activation: Activation, channels: Channels) -> None:
        self._planes = planes
        self._channels = channels
        self._activation = activation
        self._weigh = _weights_of(planes, activation)

    def __call__(self, values: npt.NDArray[Any], wanted: Sequence[str]) -> dict[str, Values]:
        """Return the mask of each layer in `wanted`, of the output's own size.

        What is not a number counts as outside every class.
        """
        seen = self._planes.view(values)
        if self._activation == "labels":
            return {name: self._shaped(np.isin(seen, list(self._channels[name])) * np.uint8(255)) for name in wanted}
        weights = self._weigh(seen)
        total = _sum(weights, range(self._planes.channels)) if self._activation == "softmax" else None
        return {name: self._share(weights, total, self._channels[name]) for name in wanted}

    def _share(self, weights: F32, total: F32 | None, chosen: Sequence[int]) -> Values:
        part = _sum(weights, chosen)
        if total is not None:
            with np.errstate(invalid="ignore"):
                np.divide(part, total, out=part)
        return self._shaped(to_bytes(part, part))

    def _shaped(self, values: npt.NDArray[np.uint8]) -> Values:
        return values.reshape(self._planes.size)


def _sum(weights: F32, chosen: Sequence[int]) -> F32:
    """Return the sum of some channels of each pixel, in memory of its own."""
    selector = np.zeros(weights.shape[1], np.float32)
    selector[list(chosen)] = 1
    if weights.flags.c_contiguous:
        result: F32 = np.einsum("pc,c->p", weights, selector)
        return result
    result = weights[:, chosen[0]].copy()
    for channel in chosen[1:]:
        result += weights[:, channel]
    return result


def _weights_of(planes: Planes, activation: Activation) -> Callable[[npt.NDArray[Any]], F32]:
    """Return what makes the channels of each pixel add up, or be shares of their sum; bytes go through a table."""
    tensor = planes.tensor
    weigh = {"sigmoid": _sigmoid, "softmax": _exp}.get(activation, _float)
    if tensor.dtype.itemsize > 1:
        return weigh
    levels = real(np.arange(256, dtype=np.uint8).view(tensor.dtype), tensor)
    if activation == "softmax":
        # A softmax does not change when all its logits are moved.
        levels -= (levels.max() + levels.min()) / 2
        if levels.max() > _LARGEST:
            return lambda seen: weigh(real(seen, tensor))
    table = weigh(levels)
    return lambda seen: table.take(seen.view(np.uint8))


def _float(values: npt.NDArray[Any]) -> F32:
    return values.astype(np.float32, copy=False)


def _sigmoid(values: npt.NDArray[Any]) -> F32:
    # (1 + tanh(x / 2)) / 2: NumPy's float32 tanh is vectorised where its exp may overflow.
    result: F32 = np.tanh(_float(values) * np.float32(0.5))
    result += np.float32(1)
    result *= np.float32(0.5)
    return result


def _exp(values: npt.NDArray[Any]) -> F32:
    """Return e to the power of each, divided by something that is the same for all channels of a pixel."""
    logits = _float(values)
    if logits.max() > _LARGEST or logits.min() < -_LARGEST:
        logits = np.nan_to_num(logits, nan=np.nan)
        with np.errstate(over="ignore"):
            logits = np.maximum(logits - logits.max(axis=1, keepdims=True), -_LARGEST)
    result: F32 = np.exp(logits)
    return result


class ClassModel:
    """Gives a mask for each named class; see `framefx.protocols.Model`.

    Parameters
    ----------
    session : Session
        The network; it is run on a few pictures to see what is left to do with its answers.
    preparation : Preparation
        What it wants to see.
    planes : Planes
        The output that holds the classes.
    channels : mapping
        Layer to the channels whose sum it is.
    activation : str, optional
        What is left to do with the output; told by looking where left out.

    Attributes
    ----------
    preparation, planes, channels, activation
        What was given, and what was told by looking.

    Raises
    ------
    ModelError
        When it answers a plain picture with something that is not a number.
    """

    def __init__(
        self,
        session: Session,
        preparation: Preparation,
        planes: Planes,
        channels: Channels,
        activation: Activation | None = None,
    ) -> None:
        self.session = session
        self.layers: Mapping[str, type] = dict.fromkeys(channels, Mask)
        self.preparation = preparation
        self.planes = planes
        self.channels = channels
        self._name = planes.tensor.name
        shown = [answer[self._name] for answer in answers(session, preparation, (self._name,))]
        self.activation: Activation = activation or activation_of(planes, shown)
        self._decoder = ClassDecoder(planes, self.activation, channels)

    def prepare(self, frame: Frame, out: npt.NDArray[Any]) -> None:
        """Write `frame`, stretched to the network's size, into `out`, the session's buffer."""
        self.preparation.fill(frame, out, self.session.inputs[0])

    def outputs_for(self, wanted: Sequence[str]) -> Sequence[str]:
        """Return the names of the outputs that the layers `wanted` are made of."""
        return (self._name,) if self.layers.keys() & {*wanted} else ()

    def decode(self, outputs: Mapping[str, npt.NDArray[Any]], wanted: Sequence[str], frame: Frame) -> dict[str, Any]:
        """Return a `Mask` of each layer that is wanted, at the output's own resolution.

        Masks own their memory. What is not a number decodes to 0.
        """
        asked = [name for name in wanted if name in self.layers]
        if not asked:
            return {}
        masks = self._decoder(outputs[self._name], asked)
        return {name: Mask(values, frame.size, frame.index) for name, values in masks.items()}
