"""Smoothing that follows motion, against its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framefx.kernels import motion_ema, soft_range

reproducible = settings(derandomize=True, deadline=None, max_examples=40)
sides = st.integers(1, 80)
seeds = st.integers(0, 2**32 - 1)


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@reproducible
@given(sides, sides, st.floats(0, 1), st.floats(0, 100), st.floats(1, 155), seeds)
def test_the_weight_rises_with_change(h, w, weight, still, range_, seed):
    state, mask = noise(seed, h, w).astype(np.uint16) * 257, noise(seed + 1, h, w)
    change = mask * 257.0 - state
    rise = np.clip((np.abs(change) / 257 - still) / range_, 0, 1)
    wanted = state + (weight + (1 - weight) * rise) * change
    out = motion_ema(state, mask, weight, still, still + range_)
    assert np.abs(state - wanted).max() <= 2
    assert np.abs(out - state / 257).max() <= 0.5


def test_little_settles_and_much_is_taken_at_once():
    state = np.full((1, 2), 100 * 257, np.uint16)
    out = motion_ema(state, np.array([[110, 240]], np.uint8), 0.1)
    np.testing.assert_array_equal(out, [[101, 240]])


@reproducible
@given(st.integers(0, 255), st.integers(0, 255), st.floats(0.01, 1))
def test_arrives_from_anywhere(begin, end, weight):
    state, mask = np.full((1, 1), begin * 257, np.uint16), np.full((1, 1), end, np.uint8)
    for _ in range(2000):
        out = motion_ema(state, mask, weight)
    assert out[0, 0] == end


def test_in_place():
    state, mask = noise(0, 9, 7).astype(np.uint16) * 257, noise(1, 9, 7)
    wanted = motion_ema(state.copy(), mask, 0.3)
    np.testing.assert_array_equal(motion_ema(state, mask, 0.3, out=mask), wanted)


@pytest.mark.parametrize(
    ("change", "text"),
    [({"weight": 1.5}, "weight: got 1.5"), ({"still": 90, "moving": 90}, "still: got 90"), ({"moving": 300}, "moving")],
)
def test_refuses(change, text):
    state, mask = np.zeros((2, 2), np.uint16), np.zeros((2, 2), np.uint8)
    with pytest.raises(ValueError, match=text):
        motion_ema(state, mask, **{"weight": 0.5, **change})


@reproducible
@given(st.integers(0, 255), st.integers(0, 255), seeds)
def test_what_comes_out_is_stretched_and_what_is_kept_is_not(a, b, seed):
    low, high = min(a, b), max(a, b)
    mask = np.random.default_rng(seed).integers(0, 256, (9, 14), np.uint8)
    plain, stretched = (mask[::-1].astype(np.uint16) * 257 for _ in range(2))
    kept = motion_ema(plain, mask, 0.3)
    out = motion_ema(stretched, mask, 0.3, low=low, high=high)
    assert np.array_equal(plain, stretched)
    # What is kept is finer than the levels that come out of it, by half a level.
    reach = 1 + 127.5 / max(high - low, 0.5)
    assert np.abs(out.astype(float) - soft_range(kept, low, high)).max() <= reach
    assert np.all(out[plain <= 257 * low] == 0)
    assert np.all(out[plain >= 257 * high + 1] == 255)
