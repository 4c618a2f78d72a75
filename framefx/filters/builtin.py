"""The built-in filters, registered as any plugin's are."""

from __future__ import annotations

from collections.abc import Callable

from framefx.filters.alpha import alpha
from framefx.filters.anonymize import anonymize
from framefx.filters.blur import blur
from framefx.filters.box_blur import box_blur, gaussian_blur
from framefx.filters.chroma_key import chroma_key
from framefx.filters.color import color
from framefx.filters.color_map import color_map
from framefx.filters.flip import flip
from framefx.filters.hologram import hologram
from framefx.filters.moves import affine, move, roll, zoom
from framefx.filters.overlay import Overlay
from framefx.filters.pattern import noise, stripes
from framefx.filters.replace import Replace
from framefx.filters.tone import brightness, color_filter, colorize, grayscale, invert
from framefx.frame import Frame
from framefx.mask import Mask
from framefx.plugins import hookimpl
from framefx.registry import Register

_Filters = tuple[Callable[..., Frame], ...]

_ON_BACKGROUND: _Filters = (blur, box_blur, gaussian_blur)
_ON_PERSON: _Filters = (hologram,)
_ON_ALL: _Filters = (
    alpha, anonymize, brightness, chroma_key, color, color_filter, color_map, colorize, grayscale, invert, noise,
    stripes,
)  # fmt: skip


def background(person: Mask) -> Mask:
    """Everything that is not the person."""
    return ~person


@hookimpl
def framefx_register(register: Register) -> None:
    """Add the built-in filters, and the layer most of them are limited to."""
    register.layer(background)
    for target in _ON_BACKGROUND:
        register.filter(target, where="background")
    for target in _ON_PERSON:
        register.filter(target, where="person")
    for target in _ON_ALL:
        register.filter(target)
    register.filter(Replace, where="background", name="replace")
    register.filter(Overlay, name="overlay")
    for move_pixels in (affine, flip, move, roll, zoom):
        register.geometry(move_pixels)
