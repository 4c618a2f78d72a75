"""The plan: a chain resolved against what is installed.

Every error that can be found before a camera opens is found while the plan is made. What the plan knows:

* which layers are needed, who gives each, and that nothing else is computed;
* groups: consecutive steps with one ``where`` run on one branch, merged once. Merging after each step would
  multiply the soft edge: a border pixel at 0.5 would end at 0.5 to the power of the number of steps;
* dead steps: a filter without a `frame` need ignores its input, so earlier steps of its group need not run;
* sharing: who still reads a frame when a step gets it (see `framefx.frame`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from framefx.chain import POSITIONAL, Call, Chain
from framefx.errors import OptionError, PlanError
from framefx.frame import Frame, FramePool, Size
from framefx.layers import LayerPlan, Layers, LoadedModel, Post
from framefx.mask import Mask
from framefx.registry import CORE_NEEDS, Registry
from framefx.steps import BoundStep, Group, Move, Op, Watch, resized
from framefx.where import Where

if TYPE_CHECKING:
    from framefx.protocols import Observer


def _no_models() -> Sequence[LoadedModel]:
    return ()


class Plan:
    """A chain ready to run.

    Parameters
    ----------
    chain : Chain or str
        What the user asked for.
    registry : Registry
        What is installed (`PluginManager.registry`).
    load_models : callable, optional
        Loads the models to choose from; called at most once, and only when a layer is left for them.
    given : mapping, optional
        Layers given by pictures: name to `Mask`.
    post : callable, optional
        The mask pipeline, applied to masks that come from models.

    Attributes
    ----------
    pool : FramePool
        Where this plan takes memory from; its counts are facts for observers and tests.
    ops : list
        Groups and geometries, in order.
    layers : LayerPlan
        Which layer comes from where.

    Raises
    ------
    UsageError
        For everything that is wrong with the chain; the message says where and how to mend it.
    """

    def __init__(
        self,
        chain: Chain | str,
        registry: Registry,
        *,
        load_models: Callable[[], Sequence[LoadedModel]] = _no_models,
        given: Mapping[str, Mask] | None = None,
        post: Post | None = None,
    ) -> None:
        self.chain = Chain.parse(chain) if isinstance(chain, str) else chain
        self.pool = FramePool()
        self.layers = LayerPlan(registry, given or {}, load_models, post)
        self._watch = Watch()
        self.ops: list[Op] = self._resolve(registry)

    @property
    def steps(self) -> list[BoundStep]:
        """Every step in order, dead ones too."""
        return [step for op in self.ops for step in op.steps]

    @property
    def running(self) -> str:
        """Label of the step that was begun last."""
        return self._watch.running

    @property
    def needs_layers(self) -> bool:
        return bool(self.layers.names)

    def observe(self, observers: Sequence[Observer]) -> None:
        """Tell `observers` about every step from now on."""
        self._watch = Watch(tuple(observers))

    def output_size(self, size: Size) -> Size:
        """Return the (height, width) of what comes out when frames of `size` go in."""
        for op in self.ops:
            if isinstance(op, Move):
                for bound in op.steps:
                    size = resized(bound, size)
        return size

    def compute_layers(self, frame: Frame) -> Layers:
        """Compute the layers of `frame`, the source's; on one thread at a time."""
        if not self.layers.names:
            return Layers({}, frame.index, frame.time)
        layers: Layers = self._watch.step("layers", lambda: self.layers.compute(frame), frame)
        return layers

    def apply(self, frame: Frame, layers: Layers, *, shared: bool = False) -> Frame:
        """Run every step on `frame` with `layers`; `shared` says that somebody else still reads it."""
        frame = frame._lend(shared=shared)
        frame._pool = self.pool
        values = dict(layers.values)
        for op in self.ops:
            frame = op.run(frame, values, self.pool, self._watch)
        return frame

    def run(self, frame: Frame) -> Frame:
        """Compute the layers of `frame` and run every step on it."""
        return self.apply(frame, self.compute_layers(frame))

    def warm(self, frame: Frame) -> None:
        """Compile what this plan uses by trying it on `frame`, a synthetic one; stateful steps are left alone.

        A stateful step that has a method `warm()` gets it called. A filter that fails here fails again on the
        first frame, and is reported then.
        """
        values = self.compute_layers(frame).values
        for op in self.ops:
            op.warm(frame, values, self.pool)

    def close(self) -> None:
        """Release what steps and layers hold; a later call takes it again."""
        for step in self.steps:
            step.close()
        self.layers.close()

    def _resolve(self, registry: Registry) -> list[Op]:
        bound: list[tuple[BoundStep, Where]] = []
        labels = _labels(self.chain)
        for call, label in zip(self.chain, labels, strict=True):
            bound.append(self._bind(call, label, registry))
        ops: list[Op] = []
        for key, members in groupby(bound, key=lambda pair: None if pair[0].step.moves else str(pair[1])):
            pairs = list(members)
            steps = [step for step, _ in pairs]
            if key is None:
                ops.append(Move(steps))
            else:
                _mark_dead(steps)
                ops.append(Group(pairs[0][1], steps, self.layers.makers))
        for op in ops:
            self._require(op)
        _set_later_layers(ops)
        return ops

    def _bind(self, call: Call, label: str, registry: Registry) -> tuple[BoundStep, Where]:
        step = registry.filters.find(call.name, call.origin)
        options = dict(call.options)
        if POSITIONAL in options:
            value = options.pop(POSITIONAL)
            if not step.options.names:
                raise OptionError(f"{call.origin}: {call.name} has no options, got {value!r}")
            first = step.options.names[0]
            if first in options:
                raise OptionError(f"{call.origin}: {call.name}: option '{first}' is given twice")
            options = {first: value, **options}
        where_text = options.pop("where", None)
        if step.moves and where_text is not None:
            raise PlanError(f"{call.origin}: {call.name} moves the whole picture and takes no where")
        where = Where.parse(str(where_text or step.where), f"{call.origin}: {call.name}")
        checked = step.options.check(options, call.origin, call.base)
        try:
            bound = BoundStep(label, step, checked, ())
        except (ValueError, TypeError) as error:
            raise OptionError(f"{call.origin}: {call.name}: {error}") from error
        return bound, where

    def _require(self, op: Op) -> None:
        for bound in op.steps:
            if bound.dead:
                continue
            owner = f"filter '{bound.label}'"
            bound.needs = tuple(need.name for need in bound.step.needs)
            for need in bound.step.layers:
                self.layers.require(need.name, owner, need.kind, optional=need.optional)
        if isinstance(op, Group):
            for term in op.where.terms:
                self.layers.require(term, f"where={op.where} of '{op.live[0].label}'", Mask)


def _labels(chain: Chain) -> list[str]:
    """Return a label for each step: its own, its filter's name, or that with a number where names repeat."""
    given = Counter(call.label for call in chain if call.label)
    twice = next((label for label, count in given.items() if count > 1), None)
    if twice:
        raise PlanError(f"two steps are labelled '@{twice}': labels name one step")
    totals = Counter(call.name for call in chain if not call.label)
    seen: Counter[str] = Counter()
    labels = []
    for call in chain:
        if call.label:
            labels.append(f"{call.name}@{call.label}")
            continue
        seen[call.name] += 1
        labels.append(call.name if totals[call.name] == 1 else f"{call.name}#{seen[call.name]}")
    return labels


def _mark_dead(steps: Sequence[BoundStep]) -> None:
    for index in range(len(steps) - 1, 0, -1):
        if not steps[index].step.reads_frame:
            for earlier in steps[:index]:
                earlier.dead = True
            return


def _set_later_layers(ops: Sequence[Op]) -> None:
    later: set[str] = set()
    for op in reversed(ops):
        if isinstance(op, Move):
            op.later_layers = frozenset(later)
        later |= {name for bound in op.steps if not bound.dead for name in bound.needs if name not in CORE_NEEDS}
        if isinstance(op, Group):
            later |= set(op.where.terms)
