"""Runs models for the layers that somebody asked for, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from framefx.errors import MissingLayerError, did_you_mean
from framefx.protocols import Model

if TYPE_CHECKING:
    from framefx.frame import Frame


class LayerComputer:
    """Computes layers of a frame, each model prepared and run at most once. Used by one thread.

    Parameters
    ----------
    models : sequence of Model
        Where two give one layer, the earlier one serves it.
    """

    def __init__(self, models: Sequence[Model]) -> None:
        self._models = tuple(models)
        self._given = {layer: model for model in reversed(self._models) for layer in model.layers}
        self._jobs: dict[tuple[str, ...], list[tuple[Model, tuple[str, ...], Sequence[str]]]] = {}

    @property
    def layers(self) -> dict[str, type]:
        """Names of the layers that can be had, each with the class of its value."""
        return {layer: model.layers[layer] for layer, model in self._given.items()}

    def compute(self, frame: Frame, wanted: Sequence[str]) -> dict[str, Any]:
        """Return the value of each layer in `wanted`, and of no other.

        Parameters
        ----------
        frame : Frame
            The source's frame.
        wanted : sequence of str
            Names of layers; empty runs nothing.

        Raises
        ------
        MissingLayerError
            For a layer that no model gives.
        ModelError
            When a runtime fails.
        """
        values: dict[str, Any] = {}
        for model, layers, outputs in self._jobs_for(tuple(wanted)):
            session = model.session
            model.prepare(frame, session.buffer)
            values |= model.decode(session.run(session.buffer, outputs), layers, frame)
        return values

    def _jobs_for(self, wanted: tuple[str, ...]) -> list[tuple[Model, tuple[str, ...], Sequence[str]]]:
        if wanted not in self._jobs:
            by_model: dict[int, list[str]] = {}
            for layer in wanted:
                if layer not in self._given:
                    raise MissingLayerError(f"no model gives the layer '{layer}'.{did_you_mean(layer, self._given)}")
                by_model.setdefault(self._models.index(self._given[layer]), []).append(layer)
            self._jobs[wanted] = [
                (self._models[number], tuple(layers), self._models[number].outputs_for(layers))
                for number, layers in by_model.items()
            ]
        return self._jobs[wanted]
