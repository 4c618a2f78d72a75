"""A filter and a model that fail where a test wants them to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from framefx.frame import Frame
from framefx.mask import Mask
from framefx.protocols import Model, Session
from framefx.testing.clock import ManualClock
from framefx.testing.faults import Faults


class FaultyFilter(Faults):
    """A filter that changes nothing, with faults: ``register.filter(faulty.apply, name="faulty")``.

    Parameters
    ----------
    faults : mapping
        The index of a frame to what happens at it.
    clock : ManualClock, optional
        Moved by what takes time.
    patience : float
        Real seconds after which what hangs returns by itself.

    Attributes
    ----------
    hanging, release : Event
        Set when it hangs; set by the test to let it return.
    """

    place = "filter"

    def __init__(self, faults: Mapping[int, str], clock: ManualClock | None = None, *, patience: float = 60.0) -> None:
        super().__init__(faults, clock, patience)

    def apply(self, frame: Frame) -> Frame:
        fault = self.faults.get(frame.index)
        if fault == "hangs":
            self.hang()
        elif fault == "slow":
            self.clock.advance(0.3)
        elif fault is not None:
            spoiled: Frame = _SPOIL[fault](frame)
            return spoiled
        return frame


def _raise(frame: Frame) -> Any:
    raise RuntimeError("the filter has a bug")


def _half_done(frame: Frame) -> Any:
    frame = frame.make_writable()
    frame.pixels[: frame.size[0] // 2] = 9
    raise RuntimeError("the filter has a bug")


def _consumed(frame: Frame) -> Frame:
    frame.make_writable()
    return frame


def _write(frame: Frame) -> Frame:
    frame.pixels.fill(9)
    return frame


_SPOIL: Mapping[str, Callable[[Frame], Any]] = {
    "raises": _raise,
    "None": lambda frame: None,
    "pixels": lambda frame: frame.pixels,
    "another size": lambda frame: Frame.borrow(np.ascontiguousarray(frame.pixels[1:])),
    "another dtype": lambda frame: frame.with_pixels(frame.pixels.astype(np.float64)),
    "NaN": lambda frame: frame.with_pixels(np.full((*frame.size, 3), np.nan)),
    "consumed frame": _consumed,
    "read-only": _write,
    "half done": _half_done,
}


class FaultyModel(Faults):
    """A model with faults.

    Parameters
    ----------
    model : Model
        What it is while nothing is wrong.
    faults : mapping
        The index of a frame to what happens when its layers are computed.
    clock, patience
        As for `FaultyFilter`.

    Attributes
    ----------
    hanging, release : Event
        Set when it hangs; set by the test to let it return.
    """

    place = "model"

    def __init__(
        self,
        model: Model,
        faults: Mapping[int, str],
        clock: ManualClock | None = None,
        *,
        patience: float = 60.0,
    ) -> None:
        super().__init__(faults, clock, patience)
        self.layers = model.layers
        self.session: Session = _FaultySession(model.session, self)
        self.fault: str | None = None
        self._model = model

    def prepare(self, frame: Frame, out: npt.NDArray[Any]) -> None:
        self.fault = self.faults.get(frame.index)
        self._model.prepare(frame, out)

    def outputs_for(self, wanted: Sequence[str]) -> Sequence[str]:
        return self._model.outputs_for(wanted)

    def decode(self, outputs: Mapping[str, npt.NDArray[Any]], wanted: Sequence[str], frame: Frame) -> dict[str, Any]:
        if self.fault == "hangs":
            self.hang()
        elif self.fault == "slow":
            self.clock.advance(0.3)
        elif self.fault == "raises":
            raise RuntimeError("the model has a bug")
        elif self.fault is not None and self.fault in _MISSHAPEN:
            return _MISSHAPEN[self.fault](wanted)
        return self._model.decode(outputs, wanted, frame)


_MISSHAPEN: Mapping[str, Callable[[Sequence[str]], dict[str, Any]]] = {
    "no layer": lambda wanted: {},
    "None": lambda wanted: dict.fromkeys(wanted),
    "no mask": lambda wanted: dict.fromkeys(wanted, np.zeros((4, 4), np.uint8)),
    "another size": lambda wanted: dict.fromkeys(wanted, Mask(np.zeros((4, 4), np.uint8), (3, 3))),
}


class _FaultySession:
    """A session whose outputs are NaN while its model says so."""

    def __init__(self, session: Session, model: FaultyModel) -> None:
        self.inputs, self.outputs = session.inputs, session.outputs
        self._session, self._model = session, model

    @property
    def buffer(self) -> npt.NDArray[Any]:
        return self._session.buffer

    def run(self, array: npt.NDArray[Any], wanted: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        outputs = self._session.run(array, wanted)
        if self._model.fault != "NaN":
            return outputs
        return {name: np.full(np.shape(value), np.nan, np.float32) for name, value in outputs.items()}
