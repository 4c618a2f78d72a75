"""Decoding a body network's logits, against SciPy's interpolation and plain NumPy."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from framefx.kernels import Axis, logit_masks, logit_peaks, part_masks

reproducible = settings(derandomize=True, deadline=None, max_examples=25)
sides = st.integers(1, 12)
lengths = st.integers(1, 40)
seeds = st.integers(0, 2**32 - 1)
SIXTEENTHS = (np.arange(4096) >> 4).astype(np.uint8)


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(-2048, 2048, shape, np.int16)


def axes(seed, h, w):
    start, step = np.random.default_rng(seed).uniform((-1.5, 0.05), (1.5, 1.2), (2, 2)).T
    return Axis(float(start[0]), float(step[0]), h), Axis(float(start[1]), float(step[1]), w)


def interpolated(levels, rows, columns):
    """Return (channels, rows, columns) by SciPy, edges repeated."""
    at = np.meshgrid(*(axis.start + axis.step * np.arange(axis.length) for axis in (rows, columns)), indexing="ij")
    planes = np.moveaxis(levels, 2, 0).astype(float)
    return np.stack([ndimage.map_coordinates(one, at, order=1, mode="nearest") for one in planes])


@reproducible
@given(sides, sides, st.integers(1, 20), lengths, lengths, seeds)
@example(1, 1, 1, 1, 1, 0)
def test_logits_are_interpolated_before_they_are_looked_up(h, w, channels, rows, columns, seed):
    levels, places = noise(seed, h, w, channels), axes(seed, rows, columns)
    wanted = (interpolated(levels, *places) + 2048) / 16
    out = logit_masks(levels, *places, SIXTEENTHS)
    assert out.shape == (channels, rows, columns)
    assert np.abs(out + 0.5 - wanted).max() <= 0.75


def odds(levels, rows, columns, unit):
    """Return each part's share of a place by the softmax of its three likeliest, and how close the fourth is."""
    logits = interpolated(levels, rows, columns) * unit
    order = np.sort(logits, axis=0)[::-1]
    kept = np.where(logits >= order[2], np.exp(logits - order[0]), 0)
    return kept / kept.sum(axis=0), order[2] - order[3]


@reproducible
@given(sides, sides, lengths, lengths, seeds)
@example(1, 1, 1, 1, 0)
def test_a_person_is_shared_among_the_likeliest_parts(h, w, rows, columns, seed):
    levels, places, unit = noise(seed, h, w, 24), axes(seed, rows, columns), 1 / 256
    person = np.random.default_rng(seed).integers(0, 256, (rows, columns), np.uint8)
    out = part_masks(levels, person, *places, unit, range(24))
    shares, gap = odds(levels, *places, unit)
    error = np.abs(out - shares * person)[:, gap > 4 * unit]
    assert error.max(initial=0) <= 3
    assert np.array_equal(out.sum(axis=0, dtype=int), person)


@reproducible
@given(seeds, st.lists(st.integers(-1, 5), min_size=24, max_size=24))
def test_parts_of_one_plane_add_up_and_others_are_left_out(seed, planes):
    levels, places = noise(seed, 5, 4, 24), axes(seed, 9, 7)
    person = np.random.default_rng(seed).integers(0, 256, (9, 7), np.uint8)
    each = part_masks(levels, person, *places, 1 / 128, range(24))
    out = part_masks(levels, person, *places, 1 / 128, planes)
    assert len(out) == max(planes) + 1
    for number, plane in enumerate(out):
        chosen = [part for part, at in enumerate(planes) if at == number]
        assert np.array_equal(plane, each[chosen].sum(axis=0))


def test_a_part_that_is_sure_gets_all():
    levels = np.full((3, 3, 24), -2048, np.int16)
    levels[..., 7] = 2047
    person = np.full((6, 6), 201, np.uint8)
    places = (Axis(-0.25, 0.5, 6),) * 2
    assert np.array_equal(part_masks(levels, person, *places, 1 / 128, range(24))[7], person)


@reproducible
@given(sides, sides, st.integers(1, 20), seeds, st.lists(st.integers(-3, 15), min_size=4, max_size=4))
def test_peaks_are_the_first_largest_of_the_part_that_is_looked_at(h, w, channels, seed, edges):
    levels = noise(seed, h, w, channels) // 256
    top, left = np.clip(edges[:2], 0, (h - 1, w - 1))
    bottom, right = np.clip(edges[2:], (top + 1, left + 1), (h, w))
    part = levels[top:bottom, left:right].reshape(-1, channels)
    found = np.unravel_index(part.argmax(axis=0), (bottom - top, right - left))
    wanted = np.stack([found[0] + top, found[1] + left], axis=1)
    assert np.array_equal(logit_peaks(levels, (edges[0], edges[2]), (edges[1], edges[3])), wanted)


PLACES = (Axis(0, 1, 4), Axis(0, 1, 5))
PERSON = np.zeros((4, 5), np.uint8)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: logit_masks(np.zeros((2, 2, 1), np.int32), *PLACES, SIXTEENTHS), TypeError, "levels: got int32"),
        (lambda: logit_masks(noise(0, 2, 2, 1), *PLACES, SIXTEENTHS[:9]), ValueError, r"lut: got shape \(9,\)"),
        (lambda: part_masks(noise(0, 2, 2, 9), PERSON, *PLACES, 1, range(24)), ValueError, "levels: got shape"),
        (lambda: part_masks(noise(0, 2, 2, 24), PERSON.T, *PLACES, 1, range(24)), ValueError, "person: got shape"),
        (lambda: part_masks(noise(0, 2, 2, 24), PERSON, *PLACES, 0, range(24)), ValueError, "unit: got 0"),
        (lambda: part_masks(noise(0, 2, 2, 24), PERSON, *PLACES, 1, range(9)), ValueError, "want 24 numbers"),
        (lambda: logit_peaks(noise(0, 2, 2), (0, 1), (0, 1)), ValueError, "levels: got shape"),
    ],
)
def test_what_is_wrong_is_said(call, error, message):
    with pytest.raises(error, match=message):
        call()
