"""Colour against floating point, and what each adjustment promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framefx.kernels import color_matrix_lut, color_tables

reproducible = settings(derandomize=True, deadline=None, max_examples=60)
sides = st.integers(1, 70)
seeds = st.integers(0, 2**32 - 1)
LUMA = np.array([0.2126, 0.7152, 0.0722])


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def exact(src, matrix):
    return np.clip(src @ matrix[:, :3].T + matrix[:, 3], 0, 255)


@reproducible
@given(sides, sides, st.floats(0.1, 2), seeds)
def test_matrix(h, w, spread, seed):
    src = noise(seed, h, w, 3)
    matrix = np.random.default_rng(seed).normal(0, spread, (3, 4)) * [1, 1, 1, 40]
    out = color_matrix_lut(src, matrix)
    assert np.abs(out - exact(src, matrix)).max() <= 1
    assert np.array_equal(color_matrix_lut(src, matrix, out=src), out)


@reproducible
@given(sides, sides, seeds)
def test_lookup_comes_last(h, w, seed):
    src, lut = noise(seed, h, w, 3), noise(seed + 1, 256, 3)
    mixed = color_matrix_lut(src, color_tables(saturation=1.5).matrix)
    wanted = np.stack([lut[mixed[..., c], c] for c in range(3)], axis=-1)
    assert np.array_equal(color_matrix_lut(src, color_tables(saturation=1.5).matrix, lut), wanted)


def test_neutral_is_exactly_neutral():
    src = noise(0, 40, 50, 3)
    matrix, lut = color_tables()
    assert lut is None
    assert np.array_equal(color_matrix_lut(src, matrix), src)
    assert np.array_equal(color_matrix_lut(src, np.eye(3)), src)


def test_extreme_matrices_saturate():
    src = noise(0, 9, 9, 3) | 16
    assert np.all(color_matrix_lut(src, np.full((3, 3), 20.0)) == 255)
    assert np.all(color_matrix_lut(src, np.full((3, 3), -20.0)) == 0)
    assert np.all(color_matrix_lut(src, np.concatenate([np.eye(3), np.full((3, 1), 1e6)], axis=1)) == 255)
    assert np.all(color_matrix_lut(src, np.concatenate([np.full((3, 3), 20), np.full((3, 1), -1e6)], axis=1)) == 0)


@pytest.mark.parametrize("name", ["temperature", "tint", "hue", "saturation"])
def test_grey_keeps_its_luma(name):
    grey = np.full(3, 100.0)
    matrix, _ = color_tables(**{name: 0.5})
    assert LUMA @ (matrix[:, :3] @ grey + matrix[:, 3]) == pytest.approx(100)


@pytest.mark.parametrize("name", ["hue", "saturation"])
def test_grey_stays_grey(name):
    matrix, _ = color_tables(**{name: 0.3})
    assert matrix[:, :3] @ np.ones(3) == pytest.approx(np.ones(3))


def test_without_saturation_channels_are_equal():
    out = color_matrix_lut(noise(0, 20, 20, 3), color_tables(saturation=0).matrix)
    assert np.ptp(out, axis=2).max() == 0


def test_hue_turns_around():
    matrix, _ = color_tables(hue=360)
    assert matrix[:, :3] == pytest.approx(np.eye(3), abs=1e-12)


def test_contrast_and_brightness():
    assert color_tables(contrast=0).matrix @ [9, 8, 7, 1] == pytest.approx([127.5] * 3)
    assert color_tables(brightness=0.5).matrix[:, 3] == pytest.approx([127.5] * 3)


def test_gamma_above_1_brightens_and_keeps_the_ends():
    lut = color_tables(gamma=2).lut
    assert lut[[0, 64, 255], 0].tolist() == [0, 128, 255]
