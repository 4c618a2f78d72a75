"""tflite-runtime: small, for Python up to 3.11 and NumPy 1.

It lacks MediaPipe's transposed convolution, which those that overlap nowhere do without (`framefx.backends.flatlower`).
"""

from __future__ import annotations

from framefx.backends.interpreter import Interpreter
from framefx.backends.runtime import Runtime


class TFLite(Interpreter):
    """Runs ``.tflite`` networks with tflite-runtime."""

    runtime = Runtime("tflite", "tflite_runtime.interpreter", "tflite-runtime", "pip install 'framefx[tflite]'")
