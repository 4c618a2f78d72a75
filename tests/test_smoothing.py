"""Smoothing that follows motion, and who the largest person is: the options of the mask pipeline that remember."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from framefx.frame import Frame
from framefx.largest import LargestPerson
from framefx.mask import Mask
from framefx.maskpipeline import MaskOptions, MaskPipeline

SIZE = (180, 320)
PLAIN = {"range": (0, 1)}


def through(levels, rate=30.0, **options):
    """Return the level after each of some masks of one level."""
    pipeline = MaskPipeline(MaskOptions(**{**PLAIN, **options}))
    for index, level in enumerate(levels):
        mask = Mask(np.full((4, 6), level, np.uint8), SIZE)
        frame = Frame.borrow(np.zeros((*SIZE, 3), np.uint8), index=index, time=index / rate)
        yield int(pipeline("person", mask, frame).values[0, 0])


@pytest.mark.parametrize("rate", [15, 25, 30, 60])
@pytest.mark.parametrize(("before", "after"), [(0, 255), (255, 0), (20, 240)])
def test_nine_tenths_of_a_step_within_150_ms(rate, before, after):
    steps = int(0.15 * rate)
    *_, level = through([before] * 5 + [after] * steps, rate)
    assert abs(level - after) <= 0.1 * abs(after - before)


def test_flicker_is_less_than_a_third():
    raw = np.clip(200 + np.random.default_rng(0).normal(0, 10, 200), 0, 255).astype(np.uint8)
    shown = np.array(list(through(raw)))
    assert np.abs(np.diff(shown)).mean() < np.abs(np.diff(raw.astype(int))).mean() / 3


def moving_edge(**options):
    """Return the mean and the largest error, in levels, while a soft edge moves by two mask pixels a frame."""
    pipeline = MaskPipeline(MaskOptions(**options))
    plain = MaskPipeline(MaskOptions(**options, smooth=0))
    errors, behind = [], []
    for index in range(30):
        edge = np.clip(128 + 60 * (np.arange(64) - 2 * index), 0, 255).astype(np.uint8)[None].repeat(36, axis=0)
        frame = Frame.borrow(np.zeros((*SIZE, 3), np.uint8), index=index, time=index / 30)
        got, wanted = (p("person", Mask(edge, SIZE), frame).values.astype(float) for p in (pipeline, plain))
        errors.append(np.abs(got - wanted).mean())
        behind.append(np.abs(got - wanted).max())
    return max(errors), max(behind)


def test_a_moving_edge_does_not_trail():
    assert moving_edge()[0] < 0.5
    assert moving_edge(smoothing="exponential")[0] > 5


def test_what_is_left_behind_is_below_the_soft_range():
    assert moving_edge(range=(0, 1))[1] < 0.3 * 255 / 2


def test_the_constant_is_half_a_second_or_what_is_asked_for():
    assert MaskOptions().time_constant == 0.5
    assert MaskOptions(smoothing="exponential").time_constant == 0.08
    assert MaskOptions(smooth=0.2).time_constant == 0.2
    assert list(through([0, 20], smooth=0)) == [0, 20]


def test_still_pixels_follow_the_time_constant():
    times = np.arange(0, 2, 1 / 30)
    got = list(through([100] + [120] * (len(times) - 1), smooth=0.5))
    np.testing.assert_allclose(got, 120 - 20 * np.exp(-times / 0.5), atol=1.5)


# -- the largest person -----------------------------------------------------------------------------


def people(*boxes, shape=(36, 64), level=255):
    """A mask of rectangles (top, left, height, width)."""
    values = np.zeros(shape, np.uint8)
    for top, left, height, width in boxes:
        values[top : top + height, left : left + width] = level
    return values


SMALL, LARGE, EQUAL = (10, 4, 8, 8), (5, 40, 20, 15), (10, 40, 8, 9)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_keeps_the_largest_part(height, width, seed):
    values = np.random.default_rng(seed).choice(np.array([0, 0, 0, 64, 255], np.uint8), (height, width))
    labels, count = ndimage.label(values, np.ones((3, 3)))
    got = LargestPerson()(values)
    if count < 2:
        assert got is values
        return
    areas = ndimage.sum_labels(values > 0, labels, np.arange(1, count + 1))
    kept = set(labels[got > 0])
    assert len(kept) == 1
    assert areas[kept.pop() - 1] == areas.max()
    np.testing.assert_array_equal(got[got > 0], values[got > 0])


def test_the_soft_edge_belongs_to_its_part():
    values = people(SMALL, LARGE)
    values[9, 4:12] = values[4, 40:55] = 30
    got = LargestPerson()(values)
    assert (got[4, 40:55] == 30).all()
    assert not got[:, :20].any()


def test_two_equal_people_do_not_take_turns():
    keep = LargestPerson()
    keep(people(SMALL))
    for _ in range(3):
        np.testing.assert_array_equal(keep(people(SMALL, EQUAL)), people(SMALL))
    np.testing.assert_array_equal(keep(people(SMALL, LARGE)), people(LARGE))
    np.testing.assert_array_equal(keep(people(EQUAL, SMALL)), people(EQUAL))


def test_who_left_is_not_waited_for():
    keep = LargestPerson()
    keep(people(SMALL))
    keep(people())
    np.testing.assert_array_equal(keep(people(SMALL, EQUAL)), people(EQUAL))
    keep.reset()
    keep(people(SMALL, EQUAL, shape=(40, 64)))


def test_only_the_layer_person_is_cut():
    pipeline = MaskPipeline(MaskOptions(**PLAIN, smooth=0, largest=True))
    frame, mask = Frame.borrow(np.zeros((*SIZE, 3), np.uint8)), Mask(people(SMALL, LARGE), SIZE)
    assert pipeline("hair", mask, frame) is mask
    np.testing.assert_array_equal(pipeline("person", mask, frame).values, people(LARGE))
    pipeline.reset()


# -- feather outwards -------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [4, 10, 25, 40])
def test_feather_out_takes_nothing_and_ends_where_it_says(length):
    mask = Mask(people((12, 20, 12, 24)), SIZE)
    frame = Frame.borrow(np.zeros((*SIZE, 3), np.uint8))
    values = MaskPipeline(MaskOptions(**PLAIN, smooth=0, feather_out=length))("person", mask, frame).values
    assert (values >= mask.values).all()
    reach = int(np.ceil(length / 5)) + 1
    assert not values[:, : 20 - reach].any()
    assert not values[: 12 - reach].any()
    line = values[18, : 20 + 1].astype(int)
    assert (np.diff(line) >= 0).all()
    assert 0 < line[19] < 255
