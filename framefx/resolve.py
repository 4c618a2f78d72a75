"""From the steps as written to the parts that run: binding, grouping, and who needs which layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from framefx.chain import POSITIONAL, Call, Chain
from framefx.errors import OptionError, PlanError
from framefx.layers import LayerPlan
from framefx.mask import Mask
from framefx.registry import Registry
from framefx.signature import CORE_NEEDS
from framefx.steps import BoundStep, Group, Move, Op
from framefx.where import Where


def resolve(chain: Chain, labels: Sequence[str], registry: Registry, layers: LayerPlan) -> list[Op]:
    """Return the groups and geometries that `chain` comes to, and ask `layers` for what they need.

    Raises
    ------
    UsageError
        For everything that is wrong with the chain.
    """
    bound = [_bind(call, label, registry) for call, label in zip(chain, labels, strict=True)]
    ops: list[Op] = []
    for key, members in groupby(bound, key=lambda pair: None if pair[0].step.moves else str(pair[1])):
        pairs = list(members)
        steps = [step for step, _ in pairs]
        if key is None:
            ops.append(Move(steps))
        else:
            _mark_dead(steps)
            ops.append(Group(pairs[0][1], steps, layers.makers))
    for op in ops:
        _require(op, layers)
    _set_later_layers(ops)
    return ops


def _bind(call: Call, label: str, registry: Registry) -> tuple[BoundStep, Where]:
    step = registry.filters.find(call.name, call.origin)
    options = dict(call.options)
    if POSITIONAL in options:
        value = options.pop(POSITIONAL)
        if not step.options.names:
            raise OptionError(f"{call.origin}: {call.name} has no options, got {value!r}")
        first = step.options.names[0]
        if first in options and first not in call.changed:
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
    bound.origin = call.origin
    return bound, where


def _require(op: Op, layers: LayerPlan) -> None:
    for bound in op.steps:
        if bound.dead:
            continue
        owner = (f"{bound.origin}: " if bound.origin else "") + f"filter '{bound.label}'"
        bound.needs = tuple(need.name for need in bound.step.needs)
        for need in bound.step.layers:
            layers.require(need.name, owner, need.kind, optional=need.optional)
    if isinstance(op, Group):
        for term in op.where.terms:
            first = op.live[0]
            at = f"{first.origin}: " if first.origin else ""
            layers.require(term, f"{at}where={op.where} of '{first.label}'", Mask)


def label_steps(chain: Chain) -> list[str]:
    """Return a label for each step: its own, its filter's name, or that with a number where names repeat.

    Raises
    ------
    PlanError
        When two steps have the same label.
    """
    given = Counter(call.label for call in chain if call.label)
    twice = next((label for label, count in given.items() if count > 1), None)
    if twice:
        origin = [call.origin for call in chain if call.label == twice][1]
        raise PlanError(f"{origin}: two steps are labelled '@{twice}': labels name one step")
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
