"""``--set blur.radius=20``: changing one option of one step, wherever its chain was written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from framefx.chain import Call, Chain
from framefx.errors import OptionError, did_you_mean
from framefx.resolve import label_steps
from framefx.stack import Entry, Stack


def override(stack: Stack, changes: Sequence[str]) -> Stack:
    """Return `stack` with each ``STEP.OPTION=VALUE`` of `changes` applied.

    STEP is a filter's name where one step has it, or a label: ``warm`` or ``color@warm`` for ``color@warm``,
    ``blur#2`` for the second blur without one.

    Raises
    ------
    OptionError
        When a change names no step, or more than one.
    """
    for change in changes:
        step, option, value = _parsed(change)
        calls = [call for entry in stack.entries for call in entry.chain]
        number = _find(calls, step, change)
        call = calls[number]
        options = {**call.options, option: value}
        calls[number] = replace(call, options=options, origin=f"--set {change}", changed=(*call.changed, option))
        stack = _rebuilt(stack, calls)
    return stack


def _parsed(change: str) -> tuple[str, str, str]:
    left, equals, value = change.partition("=")
    step, dot, option = left.strip().rpartition(".")
    if not (equals and dot and step and option):
        raise OptionError(f"--set {change}: wanted STEP.OPTION=VALUE, for example --set blur.radius=20")
    return step, option, value


def _find(calls: Sequence[Call], step: str, change: str) -> int:
    labels = label_steps(Chain(tuple(calls)))
    exact = [i for i, label in enumerate(labels) if step in (label, calls[i].label)]
    found = exact or [i for i, call in enumerate(calls) if call.name == step]
    if len(found) > 1:
        choices = ", ".join(labels[i] for i in found)
        raise OptionError(f"--set {change}: '{step}' could be {choices}: name one of them")
    if not found:
        known = sorted({*labels, *(call.label for call in calls if call.label)})
        raise OptionError(
            f"--set {change}: no step is called '{step}'.{did_you_mean(step, known)} Steps: {', '.join(labels)}"
        )
    return found[0]


def _rebuilt(stack: Stack, calls: Sequence[Call]) -> Stack:
    rest = iter(calls)
    entries: list[Entry] = []
    for entry in stack.entries:
        entries.append(replace(entry, chain=Chain(tuple(next(rest) for _ in entry.chain))))
    return Stack(tuple(entries))
