"""From any network that framefx can load to a function that finds the person in a picture.

The whole way is framefx's own: its runtimes, its families, its preparation and decoding, so that what is measured is
what users get.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from framefx.errors import MissingLayerError
from framefx.frame import Frame
from framefx.mask import Mask
from framefx.models.loading import find, load
from framefx.plugins import PluginManager
from framefx.protocols import Session
from framefx.registry import Registry

Bytes = npt.NDArray[np.uint8]

PERSON = "person"


class LoadedPredictor:
    """A network that gives the layer ``person``; see `framefx.training.predict.Predictor`.

    Parameters
    ----------
    name : str
        As ``--model`` takes it: a file, or the name of weights that are registered or were fetched.
    registry : Registry, optional
        Whose weights, runtimes and families are asked; those of all installed plugins by default.
    backend : str
        A runtime's name, or ``auto``.
    threads : int
        Threads that one run may use.
    options : mapping, optional
        Options of the runtime.

    Raises
    ------
    ModelError, BackendUnavailableError
        When there is no such network, or it cannot be loaded.
    MissingLayerError
        When it gives no person.
    """

    def __init__(
        self,
        name: str,
        registry: Registry | None = None,
        *,
        backend: str = "auto",
        threads: int = 1,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        registry = registry or PluginManager().registry
        path = find(name, registry.weights)
        model = load(path, registry, backend=backend, threads=threads, options=options)
        if not issubclass(model.layers.get(PERSON, object), Mask):
            raise MissingLayerError(f"{name} gives {', '.join(model.layers)} and no mask of the person to measure")
        self._model = model
        self._outputs = model.outputs_for([PERSON])
        only = getattr(model.session, "only", None)
        # As in a chain that asks for the person alone: what only other layers need is cut off.
        self._session: Session = only(self._outputs) if only else model.session

    def prepare(self, picture: Bytes) -> None:
        """Put `picture`, RGB (H, W, 3), into the network's input."""
        self._model.prepare(Frame.borrow(picture), self._session.buffer)

    def run(self) -> dict[str, npt.NDArray[Any]]:
        """Run the network on what was prepared; return the raw outputs that the person is made of."""
        return self._session.run(self._session.buffer, self._outputs)

    def __call__(self, picture: Bytes) -> Bytes:
        """Return the person, (h, w), 0 to 255, for RGB (H, W, 3), uint8."""
        frame = Frame.borrow(picture)
        self._model.prepare(frame, self._session.buffer)
        mask: Mask = self._model.decode(self.run(), [PERSON], frame)[PERSON]
        return mask.values
