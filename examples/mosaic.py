"""Replace the background by coloured blocks."""

from typing import Annotated

from framefx import Field, Frame, Register, hookimpl


def mosaic(frame: Frame, *, size: Annotated[int, Field(ge=2, le=200, description="pixels")] = 16) -> Frame:
    """Replace the picture by blocks of `size` pixels."""
    height, width, _ = frame.pixels.shape
    blocks = frame.pixels[::size, ::size].repeat(size, 0).repeat(size, 1)
    return frame.with_pixels(blocks[:height, :width])


@hookimpl
def framefx_register(register: Register) -> None:
    """Add the `mosaic` filter; the core limits it to the background."""
    register.filter(mosaic, where="background")
