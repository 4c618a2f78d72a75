"""What a thread of a pipeline is doing, so that others can see whether it hangs and leave it behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from framefx.plan import Plan

_HANG = 1.0
"""Seconds after which a step counts as hanging."""


class Turn:
    """One thread's turn at running plans.

    Each thread has its own, so that one that was left behind and comes back later changes nothing for the thread
    that took its place.

    Attributes
    ----------
    left_behind : bool
        Whether another thread took over; what this one still brings is not shown.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.left_behind = False
        self._clock = clock
        self._begun: tuple[float, Plan, int] | None = None

    @contextmanager
    def busy(self, plan: Plan) -> Iterator[None]:
        """Say that this thread runs `plan` while the block lasts."""
        self._begun = self._clock(), plan, threading.get_ident()
        try:
            yield
        finally:
            self._begun = None

    def hangs(self) -> str:
        """Return which step does not return, in words, or "" while all is well."""
        begun = self._begun
        if begun is None or self._clock() - begun[0] <= _HANG:
            return ""
        return f"step '{begun[1].running_on(begun[2])}' does not return"
