"""ai-edge-litert: the default runtime."""

from __future__ import annotations

from framefx.backends.interpreter import Interpreter
from framefx.backends.runtime import Runtime


class LiteRT(Interpreter):
    """Runs ``.tflite`` networks with ai-edge-litert."""

    runtime = Runtime("litert", "ai_edge_litert.interpreter", "ai-edge-litert", "pip install ai-edge-litert")
