"""Replace and overlay: pictures from files, fitted and blended."""

import cv2
import numpy as np
import pytest

from framefx.errors import OptionError
from framefx.filters.fitting import fit_picture
from framefx.filters.overlay import Overlay
from framefx.filters.replace import Replace
from framefx.frame import Frame


def canvas(time=0.0, size=(40, 60)):
    return Frame.borrow(np.zeros((*size, 3), np.uint8), time=time)


def save(path, pixels):
    channels = pixels[..., [2, 1, 0, 3]] if pixels.shape[2] == 4 else pixels[..., ::-1]
    cv2.imwrite(str(path), channels)
    return path


@pytest.fixture
def photo(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 60, 3), np.uint8)
    return save(tmp_path / "photo.png", pixels), pixels


def test_cover_crops_the_middle(photo):
    path, pixels = photo
    shown = Replace(image=path, sampling="nearest")(canvas()).pixels
    assert np.array_equal(shown, pixels[:, 15:45].repeat(2, 0).repeat(2, 1))


def test_contain_leaves_borders(photo):
    path, pixels = photo
    shown = Replace(image=path, fit="contain")(canvas()).pixels
    assert np.array_equal(shown[10:30], pixels)
    assert not shown[:10].any()
    assert not shown[30:].any()


def test_stretch_is_opencvs_linear(photo):
    path, pixels = photo
    shown = Replace(image=path, fit="stretch", sampling="linear")(canvas()).pixels
    assert np.array_equal(shown, cv2.resize(pixels, (60, 40), interpolation=cv2.INTER_LINEAR))


def test_tile_repeats(photo):
    path, pixels = photo
    assert np.array_equal(Replace(image=path, fit="tile")(canvas(size=(50, 70))).pixels[20:40, :60], pixels)


def test_nearest_keeps_hard_pixels(photo):
    path, pixels = photo
    shown = Replace(image=path, fit="stretch", sampling="nearest")(canvas()).pixels
    assert np.array_equal(shown, pixels.repeat(2, 0))


def test_alpha_of_a_picture_is_kept(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 4), np.uint8)
    shown = Replace(image=save(tmp_path / "fog.png", pixels))(canvas())
    assert np.array_equal(shown.alpha, pixels[..., 3])
    assert np.array_equal(shown.pixels, pixels[..., :3])


def test_a_folder_plays_in_the_order_of_names(tmp_path):
    for number in (1, 2, 10):
        save(tmp_path / f"shot {number}.png", np.full((40, 60, 3), number, np.uint8))
    show = Replace(folder=tmp_path, rate=10)
    levels = [show(canvas(time)).pixels[0, 0, 0] for time in (0, 0.1, 0.2, 0.3, 0.95)]
    assert levels == [1, 2, 10, 1, 1]


def test_colour():
    assert (Replace(color="#102030")(canvas()).pixels == (16, 32, 48)).all()


def test_default_picture_has_any_size():
    assert Replace()(canvas(size=(3, 5))).size == (3, 5)


def test_size_changes_are_followed(photo):
    show = Replace(image=photo[0])
    assert show(canvas()).size == (40, 60)
    assert show(canvas(size=(20, 20))).size == (20, 20)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image": "a.png", "color": "red"}, "image and color are both given"),
        ({"image": "nothing.png"}, "there is no file nothing.png"),
        ({"folder": "nowhere"}, "nowhere: there is no picture"),
    ],
)
def test_what_cannot_be_shown(options, message):
    from pathlib import Path

    paths = {name: value if name == "color" else Path(value) for name, value in options.items()}
    with pytest.raises(OptionError, match=message):
        Replace(**paths)


@pytest.mark.parametrize("fit", ["cover", "contain", "stretch", "tile"])
@pytest.mark.parametrize("size", [(1, 1), (2, 9), (50, 3)])
def test_fitting_fills_any_size(fit, size):
    white = np.full((7, 5, 3), 255, np.uint8)
    result = fit_picture(white, size, fit)
    assert result.shape == (*size, 3)
    assert result.any()


# -- overlay --------------------------------------------------------------------------------------------------


@pytest.fixture
def logo(tmp_path):
    return save(tmp_path / "logo.png", np.full((4, 6, 3), 200, np.uint8))


@pytest.mark.parametrize(("position", "corner"), [((3, 2), (2, 3)), ((-5, -1), (35, 49))])
def test_overlay_at_a_place(logo, position, corner):
    shown = Overlay(image=logo, position=position)(canvas()).pixels[..., 0]
    rows, columns = np.nonzero(shown)
    assert (rows.min(), columns.min()) == corner
    assert (shown[shown > 0] == 200).all()
    assert (shown > 0).sum() == 24


def test_overlay_with_opacity(logo):
    assert (Overlay(image=logo, fit="stretch", opacity=0.5)(canvas()).pixels == 100).all()


def test_overlay_with_a_mask(logo, tmp_path):
    half = np.zeros((4, 6, 3), np.uint8)
    half[:, 3:] = 255
    shown = Overlay(image=logo, mask=save(tmp_path / "half.png", half))(canvas()).pixels[..., 0]
    assert not shown[:, :3].any()
    assert (shown[:4, 3:6] == 200).all()


def test_overlay_at_a_size(logo):
    assert (Overlay(image=logo, size=(12, 8))(canvas()).pixels[..., 0] == 200).sum() == 96


def test_overlay_outside_is_not_seen(logo):
    assert not Overlay(image=logo, position=(100, 100))(canvas()).pixels.any()


def test_overlay_makes_opaque_where_it_is(logo):
    empty = Frame.borrow(np.zeros((40, 60, 3), np.uint8), np.zeros((40, 60), np.uint8))
    shown = Overlay(image=logo)(empty)
    assert (shown.alpha[:4, :6] == 255).all()
    assert shown.alpha.sum() == 24 * 255
