"""What happens to a model's mask before it is used, at the model's own resolution.

The order is not the order in which one would think of the stages. Smoothing comes first, on the model's own
values: after it, the soft range cuts off the tail that an exponential leaves, so that a person who moves away
leaves no ghost. Refinement comes before the soft range too, which sharpens what the guided filter blurs: the other
way round the error along the edge grows by a quarter. The lengths come last, because they are lengths of what one
sees.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from framefx import kernels
from framefx.frame import Frame, Size
from framefx.mask import Mask

Values = npt.NDArray[np.uint8]
"""(rows, columns) uint8, 0 outside, 255 inside."""

# Wider windows cost boundary F-score and overlap on every picture set tried; epsilon hardly matters.
_REFINE_RADIUS = 1
_REFINE_EPSILON = 1e-4

_LONGEST_GAP = 0.5
"""Seconds without a mask after which nothing is smoothed: what was there is no longer there."""


def _as_range(value: Any) -> Any:
    """Split ``0.3/0.7``, as it is written on the command line, where commas and colons have other work."""
    return re.split(r"[/\s]+", value.strip()) if isinstance(value, str) else value


class MaskOptions(BaseModel):
    """Options of the mask pipeline: ``mask:`` in a config file, ``--mask`` on the command line."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # Measured with selfie-landscape and segm_full on 76 pictures: mean error 7 and 11 % less than without, the same
    # overlap (0.02 points). Narrower ranges gain another 2 % and make the edge rough and flicker.
    range: Annotated[
        tuple[float, float],
        BeforeValidator(_as_range),
        Field(description="where the soft edge begins and ends, 0 to 1: below the first is outside, above is inside"),
    ] = (0.3, 0.7)
    dilate: float = Field(0.0, ge=0, le=500, description="grow by this many frame pixels")
    erode: float = Field(0.0, ge=0, le=500, description="shrink by this many frame pixels, after growing")
    feather: float = Field(0.0, ge=0, le=500, description="soften the edge by this many frame pixels to either side")
    smooth: float = Field(0.08, ge=0, le=5, description="seconds in which a change gets to 63 %; 0: at once")
    # Off: at 256×144 it gains 0.2 to 0.6 points of boundary F-score for 0.7 ms, a third of a whole blur chain.
    refine: bool = Field(False, description="let the edge follow the picture's own (guided filter)")
    max_age: float = Field(0.1, gt=0, le=10, description="seconds; an older mask is not used, the card is shown")

    @field_validator("range")
    @classmethod
    def _check_range(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0 <= value[0] <= value[1] <= 1:
            raise ValueError("two numbers from 0 to 1, the smaller first, such as 0.3/0.7")
        return value


@dataclass
class _Memory:
    """One layer's smoothed values, times 257, with the frame size and the time they stand for."""

    values: npt.NDArray[np.uint16]
    size: Size
    time: float


class MaskPipeline:
    """Applies `MaskOptions` to masks, layer by layer. Used by one thread.

    Smoothing remembers each layer's last mask. It starts anew after half a second without one, when time does not
    go forward, and when the mask's or the frame's size changes.

    Parameters
    ----------
    options : MaskOptions
    """

    def __init__(self, options: MaskOptions) -> None:
        self.options = options
        self._memory: dict[str, _Memory] = {}

    def reset(self) -> None:
        """Forget every layer's last mask."""
        self._memory.clear()

    def __call__(self, layer: str, mask: Mask, frame: Frame) -> Mask:
        """Return what is to be used for `mask`.

        Parameters
        ----------
        layer : str
            Its name; each has a memory of its own.
        mask : Mask
            As the model gave it.
        frame : Frame
            The frame it was computed from.

        Returns
        -------
        Mask
            Of the same resolution; `mask` itself where every option is neutral.
        """
        values = mask.values
        if self.options.smooth:
            values = self._smoothed(layer, mask, frame.time)
        if self.options.refine:
            values = _refined(values, frame)
        low, high = self.options.range
        if (low, high) != (0, 1):
            values = kernels.soft_range(values, 255 * low, 255 * high)
        values = self._shaped(values, mask.size)
        return mask if values is mask.values else Mask(values, mask.size, mask.index)

    def _smoothed(self, layer: str, mask: Mask, time: float) -> Values:
        memory = self._memory.get(layer)
        step = 0.0
        if memory is not None and memory.size == mask.size and memory.values.shape == mask.values.shape:
            step = time - memory.time
        if memory is None or not 0 < step <= _LONGEST_GAP:
            # A weight of 1 takes the mask as it is; going through the kernel compiles it before the second frame.
            memory = self._memory[layer] = _Memory(np.zeros(mask.values.shape, np.uint16), mask.size, time)
            weight = 1.0
        else:
            memory.time = time
            weight = -math.expm1(-step / self.options.smooth)
        smoothed: Values = kernels.ema(memory.values, mask.values, weight)
        return smoothed

    def _shaped(self, values: Values, size: Size) -> Values:
        """Grow, shrink and soften; lengths in frame pixels become lengths in the mask's own."""
        scales = values.shape[0] / size[0], values.shape[1] / size[1]
        if self.options.dilate:
            values = _grown(values, [self.options.dilate * scale for scale in scales])
        if self.options.erode:
            values = ~_grown(~values, [self.options.erode * scale for scale in scales])
        if self.options.feather:
            values = kernels.box_blur(values, self.options.feather * math.sqrt(scales[0] * scales[1]))
        return values


def _refined(values: Values, frame: Frame) -> Values:
    guide = np.empty((*values.shape, 3), np.uint8)
    kernels.prepare(frame.pixels, guide, scale=1.0)
    refined: Values = kernels.guided_filter(values, guide, _REFINE_RADIUS, _REFINE_EPSILON)
    return refined


def _grown(values: Values, radii: list[float]) -> Values:
    """Grow by part pixels and by different lengths down and across, which `framefx.kernels.dilate` does not."""
    for axis, radius in enumerate(radii):
        values = np.moveaxis(_grown_down(np.moveaxis(values, axis, 0), radius), 0, axis)
    return np.ascontiguousarray(values)


def _grown_down(values: Values, radius: float) -> Values:
    """Take the largest of rows y ± radius; a part row counts for its part."""
    whole = min(int(radius), len(values))
    grown = _largest(values, whole)
    part = round(256 * (radius - whole)) if radius < len(values) else 0
    if not part:
        return grown
    wider = _largest(grown, 1)
    mixed = (grown.astype(np.uint16) * (256 - part) + wider.astype(np.uint16) * part + 128) >> 8
    return mixed.astype(np.uint8)


def _largest(values: Values, radius: int) -> Values:
    """Take the largest of rows y ± radius by joining windows of 1, 2, 4 … rows."""
    rows, window, wanted = len(values), 1, 2 * radius + 1
    reached = np.pad(values, ((radius, radius), (0, 0)))
    while 2 * window <= wanted:
        reached = np.maximum(reached[:-window], reached[window:])
        window *= 2
    rest = wanted - window
    return np.maximum(reached[:rows], reached[rest : rest + rows])
