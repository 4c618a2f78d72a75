"""framefx turns a camera into a better camera.

The names below are the public API. They load on first use, so that ``framefx --help`` imports neither NumPy
nor a runtime.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import Field

    from framefx.boxes import Boxes
    from framefx.chain import Chain
    from framefx.errors import FramefxError
    from framefx.frame import Frame, FramePool
    from framefx.geometry import Geometry
    from framefx.job import run
    from framefx.mask import Mask
    from framefx.motion import Motion
    from framefx.pipeline import Pipeline
    from framefx.plan import Plan
    from framefx.plugins import hookimpl
    from framefx.points import Heatmaps, Points
    from framefx.protocols import Backend, Model, Observer, Session, Sink, Source
    from framefx.registry import Register

__version__ = "0.1.0"

__all__ = [
    "Backend",
    "Boxes",
    "Chain",
    "Field",
    "Frame",
    "FramePool",
    "FramefxError",
    "Geometry",
    "Heatmaps",
    "Mask",
    "Model",
    "Motion",
    "Observer",
    "Pipeline",
    "Plan",
    "Points",
    "Register",
    "Session",
    "Sink",
    "Source",
    "hookimpl",
    "run",
]

_HOME = {
    "Backend": "framefx.protocols",
    "Boxes": "framefx.boxes",
    "Chain": "framefx.chain",
    "Field": "pydantic",
    "Frame": "framefx.frame",
    "FramePool": "framefx.frame",
    "FramefxError": "framefx.errors",
    "Geometry": "framefx.geometry",
    "Heatmaps": "framefx.points",
    "Mask": "framefx.mask",
    "Model": "framefx.protocols",
    "Motion": "framefx.motion",
    "Observer": "framefx.protocols",
    "Pipeline": "framefx.pipeline",
    "Plan": "framefx.plan",
    "Points": "framefx.points",
    "Register": "framefx.registry",
    "Session": "framefx.protocols",
    "Sink": "framefx.protocols",
    "Source": "framefx.protocols",
    "hookimpl": "framefx.plugins",
    "run": "framefx.job",
}


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'framefx' has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
