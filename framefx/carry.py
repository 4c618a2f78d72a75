"""What one plan takes over from the one before it: state, and only where that shows nothing it should not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from framefx.stack import Branch
from framefx.steps import BoundStep, Group

Place = tuple[str, object, str]
"""A step as another plan may have it: its label, what is called, and where it is limited to."""


def take_over(new: Sequence[Branch], old: Sequence[Branch]) -> None:
    """Let steps with the same label and options, and entries with the same video or camera, go on where `old` is.

    A step that may have kept frames does so only if whatever runs before it now ran before it then: what it kept
    would come out without the steps that were put in front of it, such as the one that hides the room.
    """
    known = list(_places(old))
    for source, step, before in _places(new):
        if step.step.keeps_frames:
            fit = [other for where, other, ran in known if where == source and before <= ran]
        else:
            fit = [other for _, other, _ in known]
        step.take_over(fit)
    for branch in new:
        branch.take_over(old)


def _places(branches: Sequence[Branch]) -> Iterator[tuple[str, BoundStep, frozenset[Place]]]:
    """Yield every step with its entry's source and the steps that run before it."""
    everything: set[Place] = set()
    for branch in branches:
        before = set(everything) if branch.entry.source == "previous" else set()
        for op in branch.ops:
            where = str(op.where) if isinstance(op, Group) else ""
            for step in op.steps:
                yield branch.entry.source, step, frozenset(before)
                if not step.dead:
                    before.add((step.label, step.step.target, where))
        everything |= before
