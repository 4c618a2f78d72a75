"""Filters of colour alone, against their formulas."""

import numpy as np
import pytest

from framefx.errors import OptionError
from framefx.filters.alpha import alpha
from framefx.filters.color_map import color_map, table
from framefx.filters.colors import parse_color
from framefx.filters.tone import brightness, color_filter, colorize, grayscale, invert
from framefx.frame import Frame
from framefx.registry import Registry


def picture(seed=0, height=37, width=53):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def near(frame, wanted):
    assert np.abs(frame.pixels - np.clip(wanted, 0, 255)).max() <= 1


def test_grayscale_is_luma():
    near(grayscale(Frame.borrow(picture())), (picture() @ [0.2126, 0.7152, 0.0722])[..., None])


def test_grayscale_with_other_weights():
    near(grayscale(Frame.borrow(picture()), weights=(1, 0, 0)), picture()[..., :1])


def test_colorize_is_grey_times_colour():
    luma = picture() @ [0.2126, 0.7152, 0.0722]
    near(colorize(Frame.borrow(picture()), color="#ff8000"), luma[..., None] * [1, 128 / 255, 0])


def test_color_filter_multiplies_channels():
    near(color_filter(Frame.borrow(picture()), color="#80ff00", gain=2), picture() * [2 * 128 / 255, 2, 0])


def test_white_glass_changes_nothing():
    assert np.array_equal(color_filter(Frame.borrow(picture()), color="white").pixels, picture())


def test_brightness_saturates():
    near(brightness(Frame.borrow(picture()), gain=3), 3.0 * picture())


def test_invert_twice_is_nothing():
    once = invert(Frame.borrow(picture()))
    assert np.array_equal(once.pixels, 255 - picture())
    assert np.array_equal(invert(once).pixels, picture())


@pytest.mark.parametrize("change", [grayscale, colorize, color_filter, brightness, invert, color_map])
def test_colours_keep_alpha_and_the_source(change):
    pixels, cover = picture(), picture()[..., 0].copy()
    result = change(Frame.borrow(pixels, cover))
    assert np.array_equal(result.alpha, cover)
    assert np.array_equal(pixels, picture())


def test_color_map_is_its_table():
    grey = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    assert np.array_equal(color_map(Frame.borrow(grey), map="jet").pixels[0], table("jet")[:, 0])
    assert tuple(table("jet")[0, 0]) == (0, 0, 128)  # RGB: blue is cold


@pytest.mark.parametrize("options", [{"add": -0.5}, {"low": 0.4}, {"high": 0.25}, {"add": 0.5, "high": 0.9}])
def test_alpha(options):
    cover = np.arange(256, dtype=np.uint8)[None]
    add, low, high = (255 * options.get(name, default) for name, default in (("add", 0), ("low", 0), ("high", 1)))
    result = alpha(Frame.borrow(picture(0, 1, 256), cover), **options)
    assert np.abs(result.alpha - np.clip(cover + add, low, high)).max() <= 0.5


def test_alpha_of_an_opaque_frame():
    assert (alpha(Frame.borrow(picture()), add=-0.5).alpha == 128).all()
    assert alpha(Frame.borrow(picture())).alpha is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("#102030", (16, 32, 48)), ("#fff", (255, 255, 255)), ("1,2,3", (1, 2, 3)), ("Red", (255, 0, 0))],
)
def test_colours_as_written(text, wanted):
    assert parse_color(text) == wanted


@pytest.mark.parametrize("text", ["", "reddish", "#12345", "1,2", "1,2,300", "#gggggg"])
def test_what_is_no_colour(text):
    with pytest.raises(OptionError, match="is no colour: write #rrggbb or one of black"):
        parse_color(text)


def test_colours_are_checked_before_anything_opens():
    from framefx.filters import builtin
    from framefx.registry import Register

    registry = Registry()
    builtin.framefx_register(Register(registry, "framefx"))
    with pytest.raises(OptionError, match="colorize: color: 'reddish' is no colour"):
        registry.filters.find("colorize").options.check({"color": "reddish"})
