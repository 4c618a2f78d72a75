"""What happens to a model's mask before it is used, at the model's own resolution.

The order is not the order in which one would think of the stages. Smoothing comes first, on the model's own
values: after it, the soft range cuts off the tail that an exponential leaves, so that a person who moves away
leaves no ghost. Refinement comes before the soft range too, which sharpens what the guided filter blurs: the other
way round the error along the edge grows by a quarter. The lengths come last, because they are lengths of what one
sees.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from framefx import kernels
from framefx.frame import Frame, Image, Size
from framefx.largest import LargestPerson
from framefx.mask import Mask
from framefx.shaping import feathered, feathered_out, grown, shrunk
from framefx.smoothing import Smoothing, Values

# Wider windows cost boundary F-score and overlap on every picture set tried; epsilon hardly matters.
_REFINE_RADIUS = 1
_REFINE_EPSILON = 1e-4

# Seconds. Of still pixels a third of the flicker stays with half a second, while who steps aside is gone at once. An
# exponential that is gone within 150 ms leaves half of it, and a trail.
_CONSTANTS = {"motion": 0.5, "exponential": 0.08}


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
    feather_out: float = Field(0.0, ge=0, le=500, description="soften it by this many frame pixels outwards only")
    smoothing: Literal["motion", "exponential"] = Field(
        "motion", description="motion: what moves does not trail behind; exponential: everything alike"
    )
    smooth: float | None = Field(
        None, ge=0, le=5, description="seconds in which a change of a still pixel gets to 63 %; 0: at once"
    )
    # Off: at 256×144 it gains 0.2 to 0.6 points of boundary F-score for 0.4 ms, a fifth of a whole blur chain.
    refine: bool = Field(False, description="let the edge follow the picture's own (guided filter)")
    largest: bool = Field(False, description="keep the largest person only")
    roi: bool = Field(False, description="let the model look at a part of the picture, around the person")
    every: int = Field(
        1, ge=1, le=300, description="frames that one look serves at most while the picture stands still"
    )
    max_age: float = Field(0.1, gt=0, le=10, description="seconds; an older mask is not used, the card is shown")

    @field_validator("range")
    @classmethod
    def _check_range(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0 <= value[0] <= value[1] <= 1:
            raise ValueError("two numbers from 0 to 1, the smaller first, such as 0.3/0.7")
        return value

    @property
    def time_constant(self) -> float:
        """Seconds of `smooth`, or what `smoothing` takes where that is not given; 0 for no smoothing."""
        return _CONSTANTS[self.smoothing] if self.smooth is None else self.smooth


class MaskPipeline:
    """Applies `MaskOptions` to masks, layer by layer. Used by one thread.

    Smoothing remembers each layer's last mask, see `framefx.smoothing`; who the largest person was is remembered too.

    Parameters
    ----------
    options : MaskOptions
    """

    def __init__(self, options: MaskOptions) -> None:
        self.options = options
        constant = options.time_constant
        self._smoothing = Smoothing(constant, follows_motion=options.smoothing == "motion") if constant else None
        self._largest = LargestPerson() if options.largest else None

    def reset(self) -> None:
        """Forget every layer's last mask."""
        for memory in (self._smoothing, self._largest):
            if memory is not None:
                memory.reset()

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
        if self._largest is not None and layer == "person":
            values = self._largest(values)
        stretch = self.options.range
        if self._smoothing is not None:
            # Stretched in the same pass, unless the edge is refined between the two.
            values = self._smoothing(layer, values, mask.size, frame.time, (0, 1) if self.options.refine else stretch)
        if self.options.refine:
            values = refined(values, frame)
        if stretch != (0, 1) and (self._smoothing is None or self.options.refine):
            values = kernels.soft_range(values, 255 * stretch[0], 255 * stretch[1])
        values = self._shaped(values, mask.size)
        return mask if values is mask.values else Mask(values, mask.size, mask.index)

    def _shaped(self, values: Values, size: Size) -> Values:
        """Grow, shrink and soften; lengths in frame pixels become lengths in the mask's own."""
        scales = values.shape[0] / size[0], values.shape[1] / size[1]
        for shape, length in (
            (grown, self.options.dilate),
            (shrunk, self.options.erode),
            (feathered_out, self.options.feather_out),
            (feathered, self.options.feather),
        ):
            if length:
                values = shape(values, length, scales)
        return values


def refined(values: Values, frame: Frame) -> Values:
    """Let a mask's edge follow the picture's own, at the mask's resolution.

    Parameters
    ----------
    values : (rows, columns) uint8
    frame : Frame
        The picture it is a mask of; its smaller picture serves where others need that too, and is larger than the mask.
    """
    guide = np.empty((*values.shape, 3), np.uint8)
    kernels.prepare(_at_least(frame, values.shape), guide, scale=1.0)
    edged: Values = kernels.guided_filter(values, guide, _REFINE_RADIUS, _REFINE_EPSILON)
    return edged


def _at_least(frame: Frame, shape: tuple[int, ...]) -> Image:
    """Return the picture, smaller where that has full blocks and no fewer pixels than `shape`: others need that too."""
    for factor in (4, 2):
        if all(side % factor == 0 and side // factor >= least for side, least in zip(frame.size, shape, strict=True)):
            return frame.downsampled(factor)
    return frame.pixels
