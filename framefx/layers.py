"""Which layer comes from where, and computing them: each at most once per frame, and only those that are needed.

Looked for in this order: a picture given for the layer, a layer a plugin registered, a model. A model is loaded
only when something is left for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from framefx.errors import MissingLayerError, ModelError, PlanError, PluginError, did_you_mean
from framefx.frame import Frame
from framefx.mask import Mask
from framefx.models.vocabulary import LAYERS
from framefx.protocols import Model, Session
from framefx.registry import Registry, Step
from framefx.signature import Need

if TYPE_CHECKING:
    from framefx.gate import MotionGate
    from framefx.roi import RegionOfInterest

log = logging.getLogger(__name__)

Post = Callable[[str, Mask, Frame], Mask]
"""What happens to a model's mask before it is used: `(layer, mask, frame) -> mask`."""


@dataclass
class Layers:
    """The layers of one frame: `values` by name, and the index and time of the frame they were computed from."""

    values: dict[str, Any]
    index: int
    time: float


@dataclass
class LoadedModel:
    """A model with the name the user knows it by.

    `gate` spares it pictures that stand still; `region` shows it the part of the picture where the person is.
    """

    name: str
    model: Model
    wanted: list[str] = field(default_factory=list)
    gate: MotionGate | None = None
    region: RegionOfInterest | None = None

    _cut: Session | None = field(default=None, init=False)

    def settle(self) -> None:
        """Use a network without the outputs that nobody wants, where the runtime can make one."""
        only = getattr(self.model.session, "only", None)
        if only is not None and self.wanted:
            self._cut = only(self.model.outputs_for(self.wanted))

    def compute(self, frame: Frame) -> dict[str, Any]:
        """Return what is wanted of `frame`; the network runs once, not at all, or twice (see `gate` and `region`)."""
        kept = self.gate.kept(frame) if self.gate else None
        if kept is not None:
            return kept
        values = self.region(self._look, frame) if self.region and self._can_crop() else self._look(frame)
        if self.gate:
            self.gate.keep(frame, values)
        return values

    def reset(self) -> None:
        """Forget the last picture and where the person was."""
        for memory in (self.gate, self.region):
            if memory is not None:
                memory.reset()

    def _can_crop(self) -> bool:
        """Whether there is a person to follow, and every layer can be brought back from a crop."""
        kinds = [self.model.layers[name] for name in self.wanted]
        return "person" in self.wanted and all(issubclass(k, Mask) or hasattr(k, "moved") for k in kinds)

    def _look(self, frame: Frame) -> dict[str, Any]:
        """Run the network once on `frame` and decode what is wanted."""
        session = self._cut or self.model.session
        self.model.prepare(frame, session.buffer)
        outputs = session.run(session.buffer, self.model.outputs_for(self.wanted))
        for name, output in outputs.items():
            # A mask made of NaN would say that nothing is there: where the person is hidden, it would show them.
            if output.dtype.kind == "f" and np.isnan(output.min(initial=0)):
                raise ModelError(f"model {self.name} gave NaN in '{name}': its weights are damaged, choose another")
        values = self.model.decode(outputs, self.wanted, frame)
        missing = [name for name in self.wanted if name not in values]
        if missing:
            raise PluginError(f"model {self.name} did not give the layer '{missing[0]}' that it promised")
        return {name: values[name] for name in self.wanted}


@dataclass
class _Made:
    """A registered layer that this plan computes, in the order of its needs."""

    name: str
    step: Step
    instance: Callable[..., Any]
    arguments: tuple[Need, ...]


class LayerPlan:
    """Resolves layers as the plan asks for them, then computes them frame by frame.

    Parameters
    ----------
    registry : Registry
        Where registered layers are found.
    given : mapping
        Layers given by pictures: name to `Mask`.
    load_models : callable
        Loads the models the user chose; called at most once, and only when a layer is left for them.
    post, given_post : callable, optional
        Applied to masks that come from models, and to those given by pictures.
    """

    def __init__(
        self,
        registry: Registry,
        given: Mapping[str, Mask],
        load_models: Callable[[], Sequence[LoadedModel]],
        post: Post | None = None,
        given_post: Post | None = None,
    ) -> None:
        self._registry = registry
        self._given = given
        self._load_models = load_models
        self._post = post
        self._given_post = given_post
        self._models: Sequence[LoadedModel] | None = None
        self._made: list[_Made] = []
        self._kinds: dict[str, type | None] = {}
        self._resolving: list[str] = []
        self.makers: dict[str, object] = {}

    @property
    def models(self) -> Sequence[LoadedModel]:
        """The models that this plan runs; those that give nothing it needs are not among them."""
        return [loaded for loaded in self._models or () if loaded.wanted]

    def settle(self) -> None:
        """Tell the models that nothing more will be asked for; called once, when every layer is resolved."""
        for loaded in self.models:
            loaded.settle()

    @property
    def keeps_frames(self) -> bool:
        """Whether a layer may keep the frame it is computed from."""
        return any(made.step.keeps_frames for made in self._made)

    @property
    def names(self) -> list[str]:
        """Every layer this plan computes."""
        return list(self._kinds)

    def require(self, name: str, owner: str, kind: type | None = None, *, optional: bool = False) -> bool:
        """Make sure that layer `name` will be there, for `owner`; return whether it will.

        Raises
        ------
        MissingLayerError
            When nothing gives it and it is not optional.
        PlanError
            When it is of another kind than `kind`, or needs itself.
        """
        if optional and not self._can_have(name, ()):
            return False
        if name not in self._kinds and not self._find(name, owner):
            raise self._missing(name, owner)
        found = self._kinds[name]
        if kind is not None and found is not None and not issubclass(found, kind):
            raise PlanError(f"{owner} needs the layer '{name}' as {kind.__name__}, and it is {found.__name__}")
        return True

    def _can_have(self, name: str, asked: tuple[str, ...]) -> bool:
        """Whether `name` can be had with all that it needs; nothing is asked to compute it yet."""
        if name in self._kinds or name in self._given:
            return True
        if name in self._registry.layers:
            needs = self._registry.layers.find(name).layers
            return name not in asked and all(n.optional or self._can_have(n.name, (*asked, name)) for n in needs)
        return any(name in loaded.model.layers for loaded in self._loaded())

    def _find(self, name: str, owner: str) -> bool:
        if name in self._given:
            self._kinds[name] = Mask
            self.makers[name] = self._given[name]
        elif name in self._registry.layers:
            self._add_registered(name, owner)
        else:
            loaded = next((m for m in self._loaded() if name in m.model.layers), None)
            if loaded is None:
                return False
            loaded.wanted.append(name)
            self._kinds[name] = loaded.model.layers[name]
            self.makers[name] = loaded
        return True

    def _add_registered(self, name: str, owner: str) -> None:
        if name in self._resolving:
            raise PlanError(f"layers need each other in a circle: {' → '.join([*self._resolving, name])}")
        step = self._registry.layers.find(name, owner)
        self._resolving.append(name)
        for need in step.layers:
            self.require(need.name, f"layer '{name}'", need.kind, optional=need.optional)
        self._resolving.pop()
        instance = step.target(**step.options.check({})) if step.stateful else step.target
        self._made.append(_Made(name, step, instance, step.needs))
        self._kinds[name] = step.kind
        self.makers[name] = step

    def _loaded(self) -> Sequence[LoadedModel]:
        if self._models is None:
            self._models = self._load_models()
        return self._models

    def _missing(self, name: str, owner: str) -> MissingLayerError:
        models = self._models or ()
        known = {*self._given, *self._registry.layers.names, *(n for m in models for n in m.model.layers)}
        have = "; ".join(f"{m.name} gives {', '.join(m.model.layers)}" for m in models) or "no model is loaded"
        meaning = LAYERS.get(name)
        family = f" (family {' or '.join(meaning.families)})" if meaning else ""
        picture = "" if meaning and meaning.kind != Mask.kind else f", or give a picture with --layer {name}=FILE.png"
        return MissingLayerError(
            f"{owner} needs the layer '{name}', and nothing gives it ({have}).{did_you_mean(name, known)} "
            f"Choose a model that does with --model FILE{family}{picture}"
        )

    def compute(self, frame: Frame) -> Layers:
        """Compute every layer of this plan from `frame`, the source's."""
        frame = frame._lend(shared=True)
        values = self._of_pictures(frame)
        for loaded in self.models:
            values |= self._of_model(loaded, frame)
        for made in self._made:
            values[made.name] = self._make(made, frame, values)
        return Layers(values, frame.index, frame.time)

    def trial(self, frame: Frame, *, run_models: bool = True) -> dict[str, Any]:
        """Return layers to warm a plan up with: what keeps no state is computed, the rest is made up."""
        frame = frame._lend(shared=True)
        makers: list[Callable[[], dict[str, Any]]] = [lambda: self._of_pictures(frame)]
        if run_models:
            makers += [lambda m=loaded: self._of_model(m, frame) for loaded in self.models]  # type: ignore[misc]
        made_up = Mask(np.full((2, 2), 128, np.uint8), frame.size)
        values: dict[str, Any] = {name: made_up for name, kind in self._kinds.items() if kind is Mask}
        makers += [
            lambda m=made: {m.name: self._make(m, frame, values)}  # type: ignore[misc]
            for made in self._made
            if not made.step.stateful
        ]
        for make in makers:
            try:
                values |= make()
            except Exception as error:  # the first real frame tells, with everything known by then
                log.debug("a layer cannot be tried beforehand: %s", error)
        self.reset()
        return values

    def _of_pictures(self, frame: Frame) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in self._kinds:
            if name in self._given:
                mask = Mask(self._given[name].values, frame.size, frame.index)
                values[name] = self._given_post(name, mask, frame) if self._given_post else mask
        return values

    def _of_model(self, loaded: LoadedModel, frame: Frame) -> dict[str, Any]:
        values = loaded.compute(frame)
        for name, value in values.items():
            _check(value, loaded.model.layers[name], frame, f"model {loaded.name}, layer '{name}'")
            if self._post and isinstance(value, Mask):
                values[name] = self._post(name, value, frame)
        return values

    def _make(self, made: _Made, frame: Frame, values: Mapping[str, Any]) -> Any:
        arguments = [frame._lend(shared=True) if n.name == "frame" else values.get(n.name) for n in made.arguments]
        try:
            value = made.instance(*arguments)
        except Exception as error:
            error.add_note(f"in layer '{made.name}' of plugin '{made.step.plugin}', frame {frame.index}")
            raise
        _check(value, made.step.kind, frame, f"plugin '{made.step.plugin}', layer '{made.name}'")
        return value

    def describe(self) -> Iterable[tuple[str, str]]:
        """Yield each layer with where it comes from."""
        for name in self._kinds:
            maker = self.makers[name]
            if isinstance(maker, LoadedModel):
                yield name, f"model {maker.name}"
            elif isinstance(maker, Step):
                needs = ", ".join(need.name for need in maker.needs)
                yield name, f"{maker.plugin}: {maker.name}({needs})"
            else:
                yield name, "a picture"

    def reset(self) -> None:
        """Forget what was computed so far: the next frame has nothing to do with the last one."""
        for loaded in self.models:
            loaded.reset()
        for post in (self._post, self._given_post):
            getattr(post, "reset", _nothing)()

    def close(self) -> None:
        """Release what stateful layers hold; a later `compute` takes it again."""
        for made in self._made:
            getattr(made.instance, "close", _nothing)()


def _check(value: Any, kind: type | None, frame: Frame, who: str) -> None:
    if kind is not None and not isinstance(value, kind):
        raise PluginError(f"{who}: it gave {type(value).__name__}, wanted {kind.__name__}")
    if isinstance(value, Mask) and value.size != frame.size:
        raise PluginError(f"{who}: its mask stands for a frame of {value.size}, wanted {frame.size}")


def _nothing() -> None:
    """Stands in for a `close` that a class does not have."""
