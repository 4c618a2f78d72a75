"""Fast picture operations, each a plain function on NumPy arrays; public, for plugins too.

Pixels are ``(height, width, 3)`` uint8 RGB, masks ``(height, width)`` uint8 from 0 outside to 255 inside, all
C-contiguous. Results go to `out`, which is made when missing and always returned. Every function releases
the GIL, works in one thread, may run in several threads at once, and after its first call at a size allocates
nothing of a frame's size. Machine code is made on first use and kept on disk: `warm` does that ahead of time.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from framefx.kernels._color import ColorTables, color_matrix_lut, color_tables
    from framefx.kernels._jit import on_compile, warm
    from framefx.kernels._merge import masked_merge, upsample, upsample_mask
    from framefx.kernels._resample import Rectangle, downsample, prepare

__all__ = [
    "ColorTables",
    "Rectangle",
    "color_matrix_lut",
    "color_tables",
    "downsample",
    "masked_merge",
    "on_compile",
    "prepare",
    "upsample",
    "upsample_mask",
    "warm",
]

_HOME = {
    "_color": ("ColorTables", "color_matrix_lut", "color_tables"),
    "_jit": ("on_compile", "warm"),
    "_merge": ("masked_merge", "upsample", "upsample_mask"),
    "_resample": ("Rectangle", "downsample", "prepare"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOME.items():
        if name in names:
            value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
