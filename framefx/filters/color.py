"""``color``: white balance, saturation and tone in one pass."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from framefx import kernels
from framefx.frame import Frame

if TYPE_CHECKING:
    from collections.abc import Sequence


def color(
    frame: Frame,
    *,
    saturation: Annotated[float, Field(ge=0, le=4, description="factor; 0 is grey, 1 leaves it")] = 1.0,
    temperature: Annotated[float, Field(ge=-1, le=1, description="-1 cold to 1 warm, 0 leaves it")] = 0.0,
    tint: Annotated[float, Field(ge=-1, le=1, description="-1 green to 1 magenta, 0 leaves it")] = 0.0,
    brightness: Annotated[float, Field(ge=-1, le=1, description="added, as a part of full scale; 0 leaves it")] = 0.0,
    contrast: Annotated[float, Field(ge=0, le=4, description="factor around middle grey; 1 leaves it")] = 1.0,
    gamma: Annotated[float, Field(ge=0.1, le=10, description="exponent 1/gamma: above 1 lightens; 1 leaves it")] = 1.0,
    hue: Annotated[float, Field(ge=-180, le=180, description="degrees around the colour circle")] = 0.0,
) -> Frame:
    """Correct colours: saturation, white balance, brightness, contrast, gamma and hue.

    All of it is one 3×3 matrix and one lookup table (ITU-R BT.709 luma), applied in a single pass.
    """
    matrix, lut = _tables(saturation, temperature, tint, brightness, contrast, gamma, hue)
    frame = frame.make_writable()
    kernels.color_matrix_lut(frame.pixels, matrix, lut, out=frame.pixels)
    return frame


@lru_cache(maxsize=64)
def _tables(*options: float) -> Sequence[Any]:
    names = ("saturation", "temperature", "tint", "brightness", "contrast", "gamma", "hue")
    tables: Sequence[Any] = kernels.color_tables(**dict(zip(names, options, strict=True)))
    return tables
