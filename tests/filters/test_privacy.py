"""What hides: anonymize, and blurs without the person's colours around the person."""

import numpy as np
import pytest

from framefx.boxes import Boxes
from framefx.errors import MissingLayerError
from framefx.filters.anonymize import anonymize
from framefx.frame import Frame
from framefx.mask import Mask
from framefx.plan import Plan
from framefx.plugins import PluginManager

SIZE = (240, 320)


def picture():
    return np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)


def face(*parts, shape=(60, 80)):
    values = np.zeros(shape, np.uint8)
    for rows, columns in parts:
        values[rows, columns] = 255
    return Mask(values, SIZE)


ONE = face((slice(20, 30), slice(30, 40)))


@pytest.mark.parametrize("style", ["blur", "pixelate", "black"])
def test_the_face_is_gone_and_nothing_else(style):
    pixels = picture()
    result = anonymize(Frame.borrow(pixels), ONE, style=style, padding=8).pixels
    inside = result[80:120, 120:160].astype(float)
    assert np.abs(inside[1:] - inside[:-1]).mean() < 0.1 * np.abs(np.diff(pixels.astype(float), axis=0)).mean()
    assert np.array_equal(result[:60], pixels[:60])
    assert np.array_equal(result[:, 180:], pixels[:, 180:])


def test_padding_hides_the_outline():
    result = anonymize(Frame.borrow(picture()), ONE, style="black", padding=10).pixels
    assert not result[70:130, 110:170].any()


def test_every_face_is_hidden():
    two = face((slice(5, 10), slice(5, 10)), (slice(40, 50), slice(60, 70)))
    result = anonymize(Frame.borrow(picture()), two, style="black").pixels
    assert not result[20:40, 20:40].any()
    assert not result[160:200, 240:280].any()


def test_without_a_face_all_is_hidden_or_nothing():
    pixels = picture()
    assert not anonymize(Frame.borrow(pixels), face(), style="black", secure=True).pixels.any()
    assert np.array_equal(anonymize(Frame.borrow(pixels), face(), secure=False).pixels, pixels)


def test_only_the_eyes_are_hidden_where_they_are_known():
    pixels = picture()
    corners, eyes = [[100, 60, 200, 180]], [[[130, 100], [170, 100]]]
    hide = {"style": "black", "padding": 0, "eyes_only": True}
    out = anonymize(Frame.borrow(pixels), ONE, Boxes(corners, [0.9], eyes, size=SIZE), **hide).pixels
    assert not out[80:121, 110:191].any()
    assert np.array_equal(out[132:], pixels[132:])
    assert np.array_equal(out[:68], pixels[:68])
    # Where they are not known, the face is hidden.
    plain = Boxes(corners, [0.9], size=SIZE)
    assert not anonymize(Frame.borrow(pixels), ONE, plain, **hide).pixels[70:170, 110:190].any()
    nobody = Boxes(np.empty((0, 4)), [], size=SIZE)
    assert not anonymize(Frame.borrow(pixels), face(), nobody, **hide).pixels.any()


@pytest.fixture(scope="module")
def registry():
    return PluginManager().registry


def test_without_a_model_for_faces_there_is_no_plan(registry):
    with pytest.raises(MissingLayerError, match="filter 'anonymize' needs the layer 'face', and nothing gives it"):
        Plan("anonymize", registry)


# -- no halo --------------------------------------------------------------------------------------------------


def red_person():
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    distance = np.hypot(rows - 130, columns - 160) - 70
    pixels = np.zeros((*SIZE, 3), np.uint8)
    pixels[..., 2] = 255
    pixels[distance < 0] = (255, 0, 0)
    return pixels, distance


@pytest.mark.parametrize("chain", ["blur=6", "blur=12", "blur=30", "replace=color=blue"])
def test_no_halo_of_the_persons_colours(registry, chain):
    pixels, distance = red_person()
    soft = np.clip(0.5 - distance / 4, 0, 1)  # from 2 pixels inside to 2 outside
    given = {"person": Mask(np.round(255 * soft).astype(np.uint8), SIZE)}
    shown = Plan(chain, registry, given=given).run(Frame.borrow(pixels)).pixels
    assert shown[distance > 4, 0].max() / 255 <= 0.02
    assert (shown[distance < -4] == (255, 0, 0)).all()


def test_no_halo_at_the_models_resolution(registry):
    pixels, distance = red_person()
    soft = np.clip(0.5 - distance / 8, 0, 1)
    small = soft.reshape(60, 4, 80, 4).mean(axis=(1, 3))
    given = {"person": Mask(np.round(255 * small).astype(np.uint8), SIZE)}
    shown = Plan("blur=12", registry, given=given).run(Frame.borrow(pixels)).pixels
    assert shown[distance > 8, 0].max() / 255 <= 0.02


def test_a_plain_blur_shows_what_a_halo_is(registry):
    pixels, distance = red_person()
    given = {"person": Mask(np.where(distance < 0, 255, 0).astype(np.uint8), SIZE)}
    shown = Plan("gaussian_blur=x=12:y=12", registry, given=given).run(Frame.borrow(pixels)).pixels
    assert shown[distance > 4, 0].max() / 255 > 0.2
