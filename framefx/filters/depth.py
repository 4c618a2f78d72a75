"""``depth_of_field``: the further from the person, the softer."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from framefx import kernels
from framefx.filters.small import U8, factor_for, reduced, small_array
from framefx.frame import Frame
from framefx.mask import Mask

_NEAR = 3  # times less blur beside the person than far away


def depth_of_field(
    frame: Frame,
    person: Mask,
    *,
    radius: Annotated[
        float, Field(ge=0, le=200, description="pixels, standard deviation far away; 0 leaves it")
    ] = 18.0,
    reach: Annotated[
        float, Field(ge=1, le=1000, description="pixels from the person until the blur is at its most")
    ] = 160.0,
) -> Frame:
    """Blur the background more the further it is from the person, as a camera with a large lens does.

    Distance in the picture stands for depth, which one camera cannot see. Two blurs without halo (normalised
    convolution) are mixed by the person's mask, spread out; the person stays sharp through ``where=background``.
    """
    if radius == 0:
        return frame
    outside = 255 - person.values
    factor = factor_for(radius / _NEAR)
    pixels, far = small_array(frame, factor), small_array(frame, 2 * factor)
    less = frame.downsampled(factor) if factor > 1 else None
    kernels.region_blur(frame.pixels, outside, radius / _NEAR, factor, small=less, out=pixels)
    # The second goes on from the first, a small picture that is blurred so far already.
    rest = (radius**2 - (radius / _NEAR) ** 2) ** 0.5 / factor
    kernels.region_blur(pixels, outside, rest, 2, out=far)
    kernels.masked_merge(pixels, far, _distance(person, reach), factor=2, out=pixels)
    return reduced(frame, pixels, factor)


def _distance(person: Mask, reach: float) -> U8:
    """Return how far each place of the mask is from the person: 0 beside it, 255 from `reach` on."""
    import cv2

    scale = person.values.shape[1] / person.size[1]
    nobody = np.where(person.values < 128, np.uint8(255), np.uint8(0))
    if nobody.all():
        return np.asarray(nobody)
    distance = cv2.distanceTransform(nobody, cv2.DIST_L2, 3)
    return np.asarray(cv2.convertScaleAbs(distance, alpha=255 / max(1.0, reach * scale)), np.uint8)
