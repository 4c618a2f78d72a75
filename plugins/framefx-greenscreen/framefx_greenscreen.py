"""A green cloth instead of a network: the layer `screen`, and the filter `ungreen`."""

from typing import Annotated

import numpy as np
from framefx import Field, Frame, Mask, Register, hookimpl

_STEP = 4
_SOFT_FROM, _SOFT_TO = 24, 72


def screen(frame: Frame) -> Mask:
    """Where a green cloth hangs: every fourth pixel is looked at, the core interpolates."""
    red, green, blue = _channels(frame.pixels[::_STEP, ::_STEP])
    surplus = green - np.maximum(red, blue)
    soft = (surplus - _SOFT_FROM) * (255 // (_SOFT_TO - _SOFT_FROM))
    return Mask(np.clip(soft, 0, 255).astype(np.uint8), frame.size, frame.index)


def ungreen(
    frame: Frame,
    *,
    strength: Annotated[float, Field(ge=0, le=1, description="part of the surplus green to take; 0 leaves it")] = 1.0,
) -> Frame:
    """Take the green light away that the cloth throws on the person: no green above the other two colours."""
    frame = frame.make_writable()
    pixels = frame.pixels
    limit = np.maximum(pixels[..., 0], pixels[..., 2])
    surplus = pixels[..., 1] - np.minimum(pixels[..., 1], limit)
    pixels[..., 1] -= (surplus * np.float32(strength)).astype(np.uint8)
    return frame


@hookimpl
def framefx_register(register: Register) -> None:
    """Add both; unless told otherwise, `ungreen` leaves the cloth itself alone."""
    register.layer(screen)
    register.filter(ungreen, where="not-screen")


def _channels(pixels: np.ndarray) -> list[np.ndarray]:
    # Differences of uint8 wrap around; of int16 they do not.
    return [pixels[..., channel].astype(np.int16) for channel in range(3)]
