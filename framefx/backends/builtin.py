"""The runtimes that framefx knows; which of them are installed shows when a network is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from framefx.plugins import hookimpl

if TYPE_CHECKING:
    from framefx.protocols import Backend
    from framefx.registry import Register


def _litert() -> Backend:
    from framefx.backends.litert import LiteRT

    return LiteRT()


def _tflite() -> Backend:
    from framefx.backends.tflite import TFLite

    return TFLite()


@hookimpl
def framefx_register(register: Register) -> None:
    """Add them."""
    register.backend("litert", _litert, suffixes=("tflite",))
    register.backend("tflite", _tflite, suffixes=("tflite",))
