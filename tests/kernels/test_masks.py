"""Mask operations against SciPy and the papers' formulas."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from framefx.kernels import dilate, ema, erode, guided_filter, soft_range, threshold

reproducible = settings(derandomize=True, deadline=None, max_examples=40)
sides = st.integers(1, 80)
seeds = st.integers(0, 2**32 - 1)


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@reproducible
@given(sides, sides, st.integers(0, 100), seeds)
@example(1, 1, 100, 0)
@example(80, 1, 3, 0)
def test_dilate_and_erode(h, w, radius, seed):
    mask, side = noise(seed, h, w), 2 * radius + 1
    assert np.array_equal(dilate(mask, radius), ndimage.grey_dilation(mask, (side, side), mode="constant", cval=0))
    assert np.array_equal(erode(mask, radius), ndimage.grey_erosion(mask, (side, side), mode="constant", cval=255))


@reproducible
@given(sides, sides, st.integers(0, 30), seeds)
def test_dilate_in_place_and_its_dual(h, w, radius, seed):
    mask = noise(seed, h, w)
    wanted = dilate(mask, radius)
    assert np.array_equal(255 - erode(255 - mask, radius), wanted)
    assert np.array_equal(dilate(mask, radius, out=mask), wanted)


def test_three_small_dilations_are_one_large():
    mask = noise(0, 720, 1280)
    assert np.array_equal(dilate(dilate(dilate(mask, 1), 1), 1), dilate(mask, 3))


def test_threshold():
    levels = np.arange(256, dtype=np.uint8)[None]
    assert np.array_equal(threshold(levels, 100), (levels >= 100) * np.uint8(255))
    assert np.all(threshold(levels, 0) == 255)


@reproducible
@given(st.integers(0, 255), st.integers(0, 255))
def test_soft_range(a, b):
    low, high = min(a, b), max(a, b)
    levels = np.arange(256, dtype=np.uint8)[None]
    out = soft_range(levels, low, high)
    assert np.all(np.diff(out.astype(int)) >= 0)
    if low < high:
        assert np.array_equal(out, np.round(np.clip((levels.astype(float) - low) / (high - low), 0, 1) * 255))


@reproducible
@given(sides, sides, st.floats(0, 1), seeds)
def test_ema(h, w, weight, seed):
    state, mask = noise(seed, h, w).astype(np.uint16) * 257, noise(seed + 1, h, w)
    wanted = state + weight * (mask * 257.0 - state)
    out = ema(state, mask, weight)
    assert np.abs(state - wanted).max() <= 2
    assert np.abs(out - state / 257).max() <= 0.5


def test_ema_arrives():
    state, mask = np.zeros((1, 1), np.uint16), np.full((1, 1), 255, np.uint8)
    for _ in range(200):
        out = ema(state, mask, 0.1)
    assert out[0, 0] == 255


def mean(picture, radius):
    side = 2 * radius + 1
    share = ndimage.uniform_filter(np.ones_like(picture), side, mode="constant")
    return ndimage.uniform_filter(picture, side, mode="constant") / share


@reproducible
@given(sides, sides, st.integers(0, 20), st.floats(1e-3, 1), seeds)
def test_guided_filter(h, w, radius, eps, seed):
    mask, guide = noise(seed, h, w), noise(seed + 1, h, w)
    p, i = mask / 255, guide / 255
    mean_i, mean_p = mean(i, radius), mean(p, radius)
    a = (mean(i * p, radius) - mean_i * mean_p) / (mean(i * i, radius) - mean_i**2 + eps)
    b = mean_p - a * mean_i
    wanted = np.clip((mean(a, radius) * i + mean(b, radius)) * 255, 0, 255)
    out = guided_filter(mask, guide, radius, eps)
    assert np.abs(out - wanted).max() <= 0.7
    assert np.array_equal(guided_filter(mask, guide, radius, eps, out=mask), out)


def test_guided_filter_takes_rgb():
    mask, guide = noise(0, 30, 40), noise(1, 30, 40, 3)
    grey = np.round(guide @ np.array([77, 150, 29]) / 256).astype(np.uint8)
    assert np.abs(guided_filter(mask, guide, 4, 0.01).astype(int) - guided_filter(mask, grey, 4, 0.01)).max() <= 1


def test_guided_filter_follows_the_guides_edge():
    guide = np.zeros((40, 40), np.uint8)
    guide[:, 20:] = 255
    soft = np.tile(np.clip((np.arange(40) - 14) * 25, 0, 255).astype(np.uint8), (40, 1))
    out = guided_filter(soft, guide, 8, 1e-4)
    assert out[20, 20].astype(int) - out[20, 19] > 100
