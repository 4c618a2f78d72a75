"""The hooks a plugin can implement: few, typed, and called at stated times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from framefx.plan import Plan
    from framefx.protocols import Observer
    from framefx.registry import Register

_spec = pluggy.HookspecMarker("framefx")


@_spec
def framefx_register(register: Register) -> None:
    """Add filters, layers, sources, sinks, model families and backends.

    Called once for each plugin, before any chain is looked at. Import heavy libraries inside what you register,
    not here: every run calls this.
    """


@_spec
def framefx_observe(plan: Plan) -> Observer | None:
    """Return an observer for a pipeline that is about to run `plan`, or None.

    Called once for each pipeline, before the source opens.
    """
