"""What plugin authors test with: sources and sinks in memory, a known mask, a clock moved by hand, faults at will.

The names load on first use: pytest imports this package in every project where framefx is installed. Fixtures are
in `framefx.testing.fixtures`, which pytest finds by itself.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from framefx.testing.check import Findings, check_filter
    from framefx.testing.clock import ManualClock
    from framefx.testing.faults import FAULTS
    from framefx.testing.faulty_ports import FaultySink, FaultySource
    from framefx.testing.faulty_steps import FaultyFilter, FaultyModel
    from framefx.testing.pattern import TestPattern, make_frame, read_barcode
    from framefx.testing.ports import ListSink, ListSource
    from framefx.testing.watermark import Watermark

__all__ = [
    "FAULTS",
    "FaultyFilter",
    "FaultyModel",
    "FaultySink",
    "FaultySource",
    "Findings",
    "ListSink",
    "ListSource",
    "ManualClock",
    "TestPattern",
    "Watermark",
    "check_filter",
    "make_frame",
    "read_barcode",
]

_HOME = {
    "Findings": "check",
    "check_filter": "check",
    "FAULTS": "faults",
    "FaultyFilter": "faulty_steps",
    "FaultyModel": "faulty_steps",
    "FaultySink": "faulty_ports",
    "FaultySource": "faulty_ports",
    "ListSink": "ports",
    "ListSource": "ports",
    "ManualClock": "clock",
    "TestPattern": "pattern",
    "make_frame": "pattern",
    "read_barcode": "pattern",
    "Watermark": "watermark",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'framefx.testing' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"framefx.testing.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
