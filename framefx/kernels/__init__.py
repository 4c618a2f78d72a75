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
    from framefx.kernels._alpha import over, over_black, premultiply, unpremultiply
    from framefx.kernels._blend import blend
    from framefx.kernels._blocks import blocks
    from framefx.kernels._blur import box_blur, gaussian_blur, masked_blur
    from framefx.kernels._color import ColorTables, color_matrix_lut, color_tables
    from framefx.kernels._downsample import downsample
    from framefx.kernels._edge import edge_colors
    from framefx.kernels._grain import grain
    from framefx.kernels._guided import guided_filter
    from framefx.kernels._jit import on_compile, warm
    from framefx.kernels._lut import lut_3d
    from framefx.kernels._mask import dilate, ema, erode, soft_range, threshold
    from framefx.kernels._merge import masked_merge, upsample, upsample_mask
    from framefx.kernels._parts import Axis, logit_masks, logit_peaks, part_masks
    from framefx.kernels._planes import (
        downsample_i420,
        fits_i420,
        limit_i420,
        merge_i420,
        nv12_to_i420,
        yuyv_to_i420,
    )
    from framefx.kernels._prepare import Rectangle, prepare
    from framefx.kernels._region import region_blur
    from framefx.kernels._sample import sample_bilinear, sample_bilinear_grad
    from framefx.kernels._shade import shade
    from framefx.kernels._shares import levels
    from framefx.kernels._smooth import motion_ema
    from framefx.kernels._stamp import stamp
    from framefx.kernels._taps import shaped_blur
    from framefx.kernels._yuv import i420_to_rgb, nv12_to_rgb, rgb_to_i420, rgb_to_nv12, rgb_to_yuyv, yuyv_to_rgb

__all__ = [
    "Axis",
    "ColorTables",
    "Rectangle",
    "blend",
    "blocks",
    "box_blur",
    "color_matrix_lut",
    "color_tables",
    "dilate",
    "downsample",
    "downsample_i420",
    "edge_colors",
    "ema",
    "erode",
    "fits_i420",
    "gaussian_blur",
    "grain",
    "guided_filter",
    "i420_to_rgb",
    "levels",
    "limit_i420",
    "logit_masks",
    "logit_peaks",
    "lut_3d",
    "masked_blur",
    "masked_merge",
    "merge_i420",
    "motion_ema",
    "nv12_to_i420",
    "nv12_to_rgb",
    "on_compile",
    "over",
    "over_black",
    "part_masks",
    "premultiply",
    "prepare",
    "region_blur",
    "rgb_to_i420",
    "rgb_to_nv12",
    "rgb_to_yuyv",
    "sample_bilinear",
    "sample_bilinear_grad",
    "shade",
    "shaped_blur",
    "soft_range",
    "stamp",
    "threshold",
    "unpremultiply",
    "upsample",
    "upsample_mask",
    "warm",
    "yuyv_to_i420",
    "yuyv_to_rgb",
]

_HOME = {
    "_alpha": ("over", "over_black", "premultiply", "unpremultiply"),
    "_blend": ("blend",),
    "_blocks": ("blocks",),
    "_blur": ("box_blur", "gaussian_blur", "masked_blur"),
    "_color": ("ColorTables", "color_matrix_lut", "color_tables"),
    "_downsample": ("downsample",),
    "_edge": ("edge_colors",),
    "_grain": ("grain",),
    "_guided": ("guided_filter",),
    "_jit": ("on_compile", "warm"),
    "_lut": ("lut_3d",),
    "_mask": ("dilate", "ema", "erode", "soft_range", "threshold"),
    "_merge": ("masked_merge", "upsample", "upsample_mask"),
    "_parts": ("Axis", "logit_masks", "logit_peaks", "part_masks"),
    "_planes": ("downsample_i420", "fits_i420", "limit_i420", "merge_i420", "nv12_to_i420", "yuyv_to_i420"),
    "_prepare": ("Rectangle", "prepare"),
    "_region": ("region_blur",),
    "_sample": ("sample_bilinear", "sample_bilinear_grad"),
    "_shade": ("shade",),
    "_shares": ("levels",),
    "_smooth": ("motion_ema",),
    "_stamp": ("stamp",),
    "_taps": ("shaped_blur",),
    "_yuv": ("i420_to_rgb", "nv12_to_rgb", "rgb_to_i420", "rgb_to_nv12", "rgb_to_yuyv", "yuyv_to_rgb"),
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
