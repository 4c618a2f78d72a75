"""The built-in filters, registered as any plugin's are."""

from __future__ import annotations

from framefx.filters.blur import blur
from framefx.filters.color import color
from framefx.filters.flip import flip
from framefx.filters.replace import Replace
from framefx.mask import Mask
from framefx.plugins import hookimpl
from framefx.registry import Register


def background(person: Mask) -> Mask:
    """Everything that is not the person."""
    return ~person


@hookimpl
def framefx_register(register: Register) -> None:
    """Add the built-in filters, and the layer most of them are limited to."""
    register.layer(background)
    register.filter(blur, where="background")
    register.filter(color)
    register.filter(Replace, where="background", name="replace")
    register.geometry(flip)
