"""The built-in filters, registered as any plugin's are."""

from __future__ import annotations

from collections.abc import Callable

from framefx.filters.alpha import alpha
from framefx.filters.anonymize import anonymize
from framefx.filters.bilateral import bilateral
from framefx.filters.blur import blur
from framefx.filters.bokeh import bokeh, motion_blur
from framefx.filters.border import border
from framefx.filters.box_blur import box_blur, gaussian_blur
from framefx.filters.camera_motion import CameraMotion
from framefx.filters.chroma_key import chroma_key
from framefx.filters.color import color
from framefx.filters.color_map import color_map
from framefx.filters.depth import depth_of_field
from framefx.filters.edges import despill, foreground, light_wrap
from framefx.filters.film import grain, vignette
from framefx.filters.flip import flip
from framefx.filters.follow import Follow
from framefx.filters.hold import Card, Freeze
from framefx.filters.hologram import hologram
from framefx.filters.low_light import LowLight
from framefx.filters.lut import lut
from framefx.filters.match_light import MatchLight
from framefx.filters.moves import affine, move, roll, zoom
from framefx.filters.overlay import Overlay
from framefx.filters.pattern import noise, stripes
from framefx.filters.pixelate import pixelate
from framefx.filters.pose import heatmap, skeleton
from framefx.filters.replace import Replace
from framefx.filters.sharpen import sharpen
from framefx.filters.stabilize import Stabilize
from framefx.filters.text import clock, text
from framefx.filters.tone import brightness, color_filter, colorize, grayscale, invert
from framefx.filters.warp import Warp
from framefx.frame import Frame
from framefx.mask import Mask
from framefx.plugins import hookimpl
from framefx.registry import Register

_Filters = tuple[Callable[..., Frame], ...]

_ON_BACKGROUND: _Filters = (blur, bokeh, box_blur, depth_of_field, gaussian_blur, motion_blur, pixelate)
_ON_PERSON: _Filters = (hologram,)
_ON_ALL: _Filters = (
    alpha, anonymize, bilateral, border, brightness, chroma_key, clock, color, color_filter, color_map, colorize,
    despill, foreground, grain, grayscale, heatmap, invert, light_wrap, lut, noise, sharpen, skeleton, stripes, text,
    vignette,
)  # fmt: skip


def background(person: Mask) -> Mask:
    """Everything that is not the person."""
    return ~person


@hookimpl
def framefx_register(register: Register) -> None:
    """Add the built-in filters, the layer most of them are limited to, and the camera's motion."""
    register.layer(background)
    register.layer(CameraMotion, name="motion")
    for target in _ON_BACKGROUND:
        register.filter(target, where="background")
    for target in _ON_PERSON:
        register.filter(target, where="person")
    for target in _ON_ALL:
        register.filter(target)
    for stateful in (Card, Freeze, LowLight, MatchLight, Warp):
        register.filter(stateful)
    register.filter(Replace, where="background", name="replace")
    register.filter(Overlay, name="overlay")
    for move_pixels in (affine, flip, Follow, move, roll, Stabilize, zoom):
        register.geometry(move_pixels)
