"""The plan: a chain resolved against what is installed.

Every error that can be found before a camera opens is found while the plan is made. What the plan knows:

* which layers are needed, who gives each, and that nothing else is computed;
* groups: consecutive steps with one ``where`` run on one branch, merged once. Merging after each step would
  multiply the soft edge: a border pixel at 0.5 would end at 0.5 to the power of the number of steps;
* dead steps: a filter without a `frame` need ignores its input, so earlier steps of its group need not run;
* sharing: who still reads a frame when a step gets it (see `framefx.frame`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from framefx.carry import take_over
from framefx.chain import Chain
from framefx.errors import MissingLayerError, PlanError
from framefx.feed import Feed
from framefx.frame import Frame, FramePool, Size
from framefx.layers import LayerPlan, Layers, LoadedModel, Post
from framefx.mask import Mask
from framefx.options import Options
from framefx.registry import Registry, find_port
from framefx.resolve import label_steps, resolve
from framefx.stack import Branch, Entry, Stack, empty, place
from framefx.stamps import Stamp
from framefx.steps import BoundStep, Op, Watch
from framefx.where import Where

if TYPE_CHECKING:
    from framefx.protocols import Observer


def _no_models() -> Sequence[LoadedModel]:
    return ()


def _feed(entry: Entry, registry: Registry) -> Feed:
    """Return what shows the entry's picture, video or camera; one that has a rate of its own is asked for it."""
    port, location = find_port(registry.sources, entry.source, "source")
    if entry.rate is None:
        return Feed(port.make(location, {}, entry.origin))
    if "rate" in Options(port.name, port.load()).names:
        return Feed(port.make(location, {"rate": entry.rate}, entry.origin))
    source = port.make(location, {}, entry.origin)
    if source.live:
        raise PlanError(f"{entry.origin}: {entry.source} takes no rate: leave it out")
    return Feed(source, entry.rate)


class Plan:
    """A chain ready to run.

    Parameters
    ----------
    chain : Chain, Stack or str
        What the user asked for.
    registry : Registry
        What is installed (`PluginManager.registry`).
    load_models : callable, optional
        Loads the models to choose from; called at most once, and only when a layer is left for them.
    given : mapping, optional
        Layers given by pictures: name to `Mask`.
    post, given_post : callable, optional
        The mask pipelines for masks that come from models, and for those given by pictures.

    Attributes
    ----------
    pool : FramePool
        Where this plan takes memory from; its counts are facts for observers and tests.
    stack : Stack
        What the user asked for; a chain is a stack of one.
    layers : LayerPlan
        Which layer comes from where.

    Raises
    ------
    UsageError
        For everything that is wrong with the chain; the message says where and how to mend it.
    """

    def __init__(
        self,
        chain: Chain | Stack | str,
        registry: Registry,
        *,
        load_models: Callable[[], Sequence[LoadedModel]] = _no_models,
        given: Mapping[str, Mask] | None = None,
        post: Post | None = None,
        given_post: Post | None = None,
    ) -> None:
        chain = Chain.parse(chain) if isinstance(chain, str) else chain
        self.stack = chain if isinstance(chain, Stack) else Stack.of(chain)
        self.pool = FramePool()
        self.layers = LayerPlan(registry, given or {}, load_models, post, given_post)
        self._watch = Watch()
        self.branches = self._resolve(registry)
        self.layers.settle()

    def _resolve(self, registry: Registry) -> list[Branch]:
        """Resolve every entry; labels are unique over the whole stack."""
        calls = [call for entry in self.stack.entries for call in entry.chain]
        labels = iter(label_steps(Chain(tuple(calls))))
        return [self._branch(entry, [next(labels) for _ in entry.chain], registry) for entry in self.stack.entries]

    def _branch(self, entry: Entry, labels: list[str], registry: Registry) -> Branch:
        cut, feed = None, None
        if entry.source not in ("frame", "empty", "previous"):
            if self._is_layer(entry.source, registry):
                cut = Where.parse(entry.source, f"{entry.origin}: source")
                for term in cut.terms:
                    self.layers.require(term, f"{entry.origin}: source", Mask)
            else:
                feed = _feed(entry, registry)
        if feed is None and entry.rate is not None:
            raise PlanError(f"{entry.origin}: {entry.source} comes with every frame of the camera: leave out rate")
        if feed is None:
            return Branch(entry, resolve(entry.chain, labels, registry, self.layers), cut, self.layers.makers)
        own = LayerPlan(registry, {}, _no_models)
        try:
            ops = resolve(entry.chain, labels, registry, own)
        except MissingLayerError as error:
            raise self._without_layers(entry) from error
        if own.names:
            raise self._without_layers(entry)
        return Branch(entry, ops, None, {}, feed)

    @staticmethod
    def _without_layers(entry: Entry) -> PlanError:
        return PlanError(
            f"{entry.origin}: layers belong to the camera's picture, and the chain on {entry.source} asks for one: "
            "write where=all, or use source: frame"
        )

    def _is_layer(self, source: str, registry: Registry) -> bool:
        try:
            terms = Where.parse(source, "source").terms
        except PlanError:
            return False
        if "." in source or not terms:
            return False
        return not any(port.accepts(source) for port in registry.sources)

    @property
    def ops(self) -> list[Op]:
        """Groups and geometries, in order."""
        return [op for branch in self.branches for op in branch.ops]

    @property
    def steps(self) -> list[BoundStep]:
        """Every step in order, dead ones too."""
        return [step for op in self.ops for step in op.steps]

    @property
    def files(self) -> dict[Path, Stamp]:
        """The files and folders that steps and entries name, as they were when the plan was made."""
        parts = [step.files for step in self.steps] + [branch.files for branch in self.branches]
        return {path: seen for files in parts for path, seen in files.items()}

    def running_on(self, thread: int) -> str:
        """Return the label of the step that the thread with this ident began last."""
        return self._watch.running_on(thread)

    @property
    def needs_layers(self) -> bool:
        return bool(self.layers.names)

    def observe(self, observers: Sequence[Observer]) -> None:
        """Tell `observers` about every step from now on."""
        self._watch = Watch(tuple(observers))

    def output_size(self, size: Size) -> Size:
        """Return the (height, width) of what comes out when frames of `size` go in."""
        return self.branches[0].output_size(size)

    def compute_layers(self, frame: Frame) -> Layers:
        """Compute the layers of `frame`, the source's; on one thread at a time."""
        if not self.layers.names:
            return Layers({}, frame.index, frame.time)
        layers: Layers = self._watch.step("layers", lambda: self.layers.compute(frame), frame)
        return layers

    def apply(self, frame: Frame, layers: Layers, *, shared: bool = False) -> Frame:
        """Run every step on `frame` with `layers`; `shared` says that somebody else still reads it."""
        last = max((i for i, b in enumerate(self.branches) if b.reads_frame), default=-1)
        below: Frame | None = None
        shared = shared or self.layers.keeps_frames
        if len(self.branches) > 1:
            # What a class of one picture keeps may be what the next picture begins with.
            shared = shared or any(step.step.keeps_frames for step in self.steps)
        for number, branch in enumerate(self.branches):
            # A branch that changed nothing handed the frame's own memory on: what lies below is still read.
            read_below = below is not None and np.may_share_memory(below._memory, frame._memory)
            handle = frame._lend(shared=shared or number < last or read_below)
            handle._pool = self.pool
            picture = branch.run(handle, below, layers.values, self.pool, self._watch)
            below = place(below, picture, branch.entry, self.pool)
        return frame if below is None else below

    def run(self, frame: Frame) -> Frame:
        """Compute the layers of `frame` and run every step on it."""
        # Handles of a frame that may still be written do not share its smaller pictures; nobody writes this one now.
        frame = frame._lend(shared=False)
        return self.apply(frame, self.compute_layers(frame))

    def warm(self, frame: Frame, *, run_models: bool = True) -> None:
        """Compile what this plan uses by trying it on `frame`, a synthetic one; stateful steps are left alone.

        A stateful step that has a method `warm()` gets it called. A filter that fails here fails again on the
        first frame, and is reported then. `run_models` is False where another thread runs them at this time.
        """
        values = self.layers.trial(frame, run_models=run_models)
        for op in self.ops:
            op.warm(frame, values, self.pool)
        for branch in self.branches[1:]:
            place(frame, empty(frame, self.pool), branch.entry, self.pool)

    def take_over(self, old: Plan) -> None:
        """Go on where `old` is: a stateful step with the same label and options keeps its state (`framefx.carry`)."""
        take_over(self.branches, old.branches)

    def close(self) -> None:
        """Release what steps and layers hold; a later call takes it again."""
        for step in self.steps:
            step.close()
        for branch in self.branches:
            branch.close()
        self.layers.close()
