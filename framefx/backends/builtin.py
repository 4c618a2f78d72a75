"""The runtimes that framefx knows; which of them are installed shows when a network is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from framefx.plugins import hookimpl

if TYPE_CHECKING:
    from framefx.registry import Register


@hookimpl
def framefx_register(register: Register) -> None:
    """Add them."""
    register.backend("litert", "framefx.backends.litert:LiteRT", suffixes=("tflite",))
    register.backend("onnx", "framefx.backends.onnx:Onnx", suffixes=("onnx",))
    register.backend("tflite", "framefx.backends.tflite:TFLite", suffixes=("tflite",))
    register.backend(
        "torch", "framefx.backends.torch:Torch", suffixes=("pt2", "safetensors", "pt", "ts", "torchscript", "pth")
    )
