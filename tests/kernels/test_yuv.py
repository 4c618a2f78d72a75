"""Camera layouts against the formulas of BT.601 and BT.709."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from framefx import kernels

reproducible = settings(derandomize=True, deadline=None, max_examples=25)
sides = st.integers(1, 70)
seeds = st.integers(0, 2**32 - 1)
matrices = st.sampled_from(["bt601", "bt709"])
SHARES = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722)}
TOLERANCE = 0.52


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def to_yuv(rgb, matrix, full):
    red, blue = SHARES[matrix]
    y = rgb @ np.array([red, 1 - red - blue, blue])
    u, v = (rgb[..., 2] - y) / (2 * (1 - blue)), (rgb[..., 0] - y) / (2 * (1 - red))
    if full:
        return y, np.clip(u + 128, 0, 255), np.clip(v + 128, 0, 255)
    return y * 219 / 255 + 16, u * 224 / 255 + 128, v * 224 / 255 + 128


def to_rgb(y, u, v, matrix, full):
    red, blue = SHARES[matrix]
    y, u, v = y.astype(float), u - 128.0, v - 128.0
    if not full:
        y, u, v = (y - 16) * 255 / 219, u * 255 / 224, v * 255 / 224
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    g = (y - red * r - blue * b) / (1 - red - blue)
    return np.clip(np.stack([r, g, b], axis=-1), 0, 255)


def halved(src, rows):
    """Average 2 x 2 (or 1 x 2) pixels, those that exist."""
    h, w, _ = src.shape
    even = np.pad(src.astype(float), ((0, h % rows), (0, w % 2), (0, 0)), mode="edge")
    return even.reshape(-(-h // rows), rows, -(-w // 2), 2, 3).mean(axis=(1, 3))


def planes(packed, h, w):
    ch, cw = -(-h // 2), -(-w // 2)
    return packed[: h * w].reshape(h, w), *packed[h * w :].reshape(2, ch, cw)


def doubled(plane, h, w, rows=2):
    return plane.repeat(rows, axis=0).repeat(2, axis=1)[:h, :w]


@reproducible
@given(sides, sides, matrices, st.booleans(), seeds)
@example(1, 1, "bt601", False, 0)
def test_rgb_to_i420(h, w, matrix, full, seed):
    src = noise(seed, h, w, 3)
    got = planes(kernels.rgb_to_i420(src, matrix=matrix, full_range=full), h, w)
    luma, _, _ = to_yuv(src, matrix, full)
    _, u, v = to_yuv(halved(src, 2), matrix, full)
    for plane, wanted in zip(got, (luma, u, v), strict=True):
        assert np.abs(plane - wanted).max() <= TOLERANCE


@reproducible
@given(sides, sides, seeds)
def test_nv12_is_i420_with_chroma_in_turn(h, w, seed):
    src = noise(seed, h, w, 3)
    luma, u, v = planes(kernels.rgb_to_i420(src), h, w)
    packed = kernels.rgb_to_nv12(src)
    assert np.array_equal(packed, np.concatenate([luma.ravel(), np.stack([u, v], axis=-1).ravel()]))
    planar = noise(seed, packed.size)
    y, u, v = planes(planar, h, w)
    packed = np.concatenate([y.ravel(), np.stack([u, v], axis=-1).ravel()])
    assert np.array_equal(kernels.nv12_to_rgb(packed, (h, w)), kernels.i420_to_rgb(planar, (h, w)))


@reproducible
@given(sides, sides, matrices, st.booleans(), seeds)
def test_rgb_to_yuyv(h, w, matrix, full, seed):
    src = noise(seed, h, w, 3)
    got = kernels.rgb_to_yuyv(src, matrix=matrix, full_range=full).reshape(h, -1)
    luma, _, _ = to_yuv(np.pad(src, ((0, 0), (0, w % 2), (0, 0)), mode="edge"), matrix, full)
    _, u, v = to_yuv(halved(src, 1), matrix, full)
    assert np.abs(got[:, 0::2] - luma).max() <= TOLERANCE
    assert np.abs(got[:, 1::4] - u).max() <= TOLERANCE
    assert np.abs(got[:, 3::4] - v).max() <= TOLERANCE


@reproducible
@given(sides, sides, matrices, st.booleans(), seeds)
@example(1, 1, "bt709", True, 0)
def test_i420_to_rgb(h, w, matrix, full, seed):
    packed = noise(seed, h * w + 2 * -(-h // 2) * -(-w // 2))
    y, u, v = planes(packed, h, w)
    wanted = to_rgb(y, doubled(u, h, w), doubled(v, h, w), matrix, full)
    assert np.abs(kernels.i420_to_rgb(packed, (h, w), matrix=matrix, full_range=full) - wanted).max() <= TOLERANCE


@reproducible
@given(sides, sides, matrices, st.booleans(), seeds)
def test_yuyv_to_rgb(h, w, matrix, full, seed):
    lines = noise(seed, h, 4 * -(-w // 2))
    u, v = doubled(lines[:, 1::4], h, w, 1), doubled(lines[:, 3::4], h, w, 1)
    wanted = to_rgb(lines[:, 0::2][:, :w], u, v, matrix, full)
    got = kernels.yuyv_to_rgb(lines.reshape(-1), (h, w), matrix=matrix, full_range=full)
    assert np.abs(got - wanted).max() <= TOLERANCE


@pytest.mark.parametrize("layout", ["i420", "nv12", "yuyv"])
@pytest.mark.parametrize("full", [True, False])
def test_there_and_back(layout, full):
    colours = np.repeat(np.repeat(noise(0, 8, 9, 3), 2, axis=0), 2, axis=1)
    packed = getattr(kernels, f"rgb_to_{layout}")(colours, full_range=full)
    back = getattr(kernels, f"{layout}_to_rgb")(packed, (16, 18), full_range=full)
    assert np.abs(back.astype(int) - colours).max() <= 3
