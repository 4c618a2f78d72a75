"""Auto-framing: the person stays in the picture, and the camera moves like one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framefx.filters.follow import Follow
from framefx.frame import Frame
from framefx.mask import Mask
from framefx.plan import Plan
from framefx.plugins import PluginManager

SIZE = (360, 640)
BLACK = np.zeros((*SIZE, 3), np.uint8)


def person(x, top=230, bottom=360, width=80):
    """A mask of somebody whose middle is at x; frame pixels."""
    values = np.zeros((72, 128), np.uint8)
    values[round(top / 5) : round(bottom / 5), max(0, round((x - width / 2) / 5)) : round((x + width / 2) / 5)] = 255
    return Mask(values, SIZE)


NOBODY = Mask(np.zeros((72, 128), np.uint8), SIZE)


def film(masks, rate=30.0, **options):
    """Return the crop (left, top, width, height) of each frame."""
    follow = Follow(**options)
    for index, mask in enumerate(masks):
        geometry = follow(Frame.borrow(BLACK, index=index, time=index / rate), mask)
        assert geometry.size == SIZE
        yield view(geometry)


def view(geometry):
    """Return the crop that a geometry shows, pixels."""
    (a, b, left), (c, d, top) = geometry.matrix
    assert (b, c) == (0, 0)
    width, height = a * (SIZE[1] - 1) + 1, d * (SIZE[0] - 1) + 1
    assert width / height == pytest.approx(16 / 9)
    assert left > -1e-6
    assert top > -1e-6
    assert left + width < SIZE[1] + 1e-6
    assert top + height < SIZE[0] + 1e-6
    return np.array([left, top, width, height])


def test_begins_with_the_whole_frame_and_arrives_at_the_person():
    views = list(film([person(200)] * 60))
    np.testing.assert_allclose(views[0], (0, 0, 640, 360), atol=1e-9)
    left, top, width, height = views[-1]
    assert abs(left + width / 2 - 200) < 12
    assert height == pytest.approx(1.4 * 130, abs=0.06 * 360)
    assert top + height == pytest.approx(360, abs=1)
    assert top < 230


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(20, 620), st.integers(0, 340), st.integers(20, 400)), min_size=1, max_size=12))
def test_never_looks_past_the_frame(people):
    masks = [person(x, top, 360, width) for x, top, width in people for _ in range(8)]
    assert len(list(film(masks, smooth=0.2, speed=10))) == len(masks)


@pytest.mark.parametrize("rate", [15, 30, 60])
def test_moves_smoothly_and_no_faster_than_told(rate):
    seconds = 6
    path = [200 if i < 3 * rate else 450 for i in range(seconds * rate)]
    views = np.array(list(film([person(x) for x in path], rate, speed=0.3)))
    centres = views[:, 0] + views[:, 2] / 2
    speeds = np.diff(centres[rate * 2 :]) * rate / SIZE[1]
    assert np.abs(speeds).max() <= 0.3 + 1e-6
    assert np.abs(np.diff(speeds)).max() * rate < 6
    assert (speeds > -1e-3).all()
    assert abs(centres[-1] - 450) < 10


def test_rests_while_the_person_sways():
    path = [320] * 60 + [320 + 12 * np.sin(i / 5) for i in range(120)]
    views = np.array(list(film([person(x) for x in path])))
    assert np.ptp(views[60:], axis=0).max() < 1


def test_the_whole_frame_when_nobody_is_there_for_a_second():
    views = list(film([person(200)] * 60 + [NOBODY] * 120))
    np.testing.assert_allclose(views[60 + 28], views[59], atol=3)
    np.testing.assert_allclose(views[-1], (0, 0, 640, 360), atol=5)


def test_a_short_loss_is_waited_out():
    views = list(film([person(200)] * 60 + [NOBODY] * 15 + [person(200)] * 15))
    np.testing.assert_allclose(views[-1], views[59], atol=3)


def test_enlarges_no_more_than_told():
    *_, (_, _, width, _) = film([person(320, 280, 330, 60)] * 90, zoom=1.5)
    assert width == pytest.approx(640 / 1.5, rel=0.02)


def test_the_head_of_a_tall_person_stays_in_view():
    *_, (_, top, _, height) = film([person(320, 20, 360, 200)] * 90, margin=0.1)
    assert top <= 20
    assert height == pytest.approx(360, abs=2)


@pytest.mark.parametrize("option", [{"zoom": 1}, {"zoom": 1.0, "smooth": 0}])
def test_neutral(option):
    for shown in film([person(100), person(500)] * 20, **option):
        np.testing.assert_allclose(shown, (0, 0, 640, 360), atol=1e-6)


def test_at_once():
    shown = list(film([person(200), person(480)], smooth=0))
    assert shown[1][0] > shown[0][0] + 100


def test_forgets():
    follow = Follow(smooth=0)
    follow(Frame.borrow(BLACK), person(200))
    follow.close()
    np.testing.assert_allclose(view(follow(Frame.borrow(BLACK), NOBODY)), (0, 0, 640, 360), atol=1e-6)


def test_in_a_chain_the_mask_moves_along():
    pixels = BLACK.copy()
    pixels[230:, 160:240] = (200, 0, 0)
    plan = Plan("follow=smooth=0,color_filter=color=white:where=person", PluginManager(discover=False).registry,
                given={"person": person(200)})  # fmt: skip
    shown = plan.run(Frame.borrow(pixels)).pixels
    assert shown.shape == (*SIZE, 3)
    assert (shown[..., 0] > 100).sum() > 2.5 * 130 * 80
