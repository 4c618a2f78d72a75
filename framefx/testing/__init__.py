"""What plugin authors test with: sources and sinks in memory, a pattern with a known mask, a clock moved by hand.

The names load on first use: pytest imports this package in every project where framefx is installed. Fixtures are
in `framefx.testing.fixtures`, which pytest finds by itself.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from framefx.testing.check import Findings, check_filter
    from framefx.testing.clock import ManualClock
    from framefx.testing.pattern import TestPattern, make_frame, read_barcode
    from framefx.testing.ports import ListSink, ListSource

__all__ = [
    "Findings",
    "ListSink",
    "ListSource",
    "ManualClock",
    "TestPattern",
    "check_filter",
    "make_frame",
    "read_barcode",
]

_HOME = {
    "Findings": "check",
    "check_filter": "check",
    "ListSink": "ports",
    "ListSource": "ports",
    "ManualClock": "clock",
    "TestPattern": "pattern",
    "make_frame": "pattern",
    "read_barcode": "pattern",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'framefx.testing' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"framefx.testing.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
