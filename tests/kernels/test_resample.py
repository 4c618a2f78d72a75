"""Area means and model inputs against matrices written out in full."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from framefx.kernels import Rectangle, downsample, prepare

reproducible = settings(derandomize=True, deadline=None, max_examples=40)
sides = st.integers(1, 90)
seeds = st.integers(0, 2**32 - 1)


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def weights(n, wanted):
    """Return ``(wanted, n)``: exact areas when shrinking, bilinear when enlarging."""
    result = np.zeros((wanted, n))
    for i in range(wanted):
        if wanted < n:
            for j in range(n):
                overlap = min((i + 1) * n / wanted, j + 1) - max(i * n / wanted, j)
                result[i, j] = max(0, overlap) * wanted / n
        else:
            at = min(max((i + 0.5) * n / wanted - 0.5, 0), n - 1)
            result[i, int(at)] += 1 - at % 1
            result[i, min(int(at) + 1, n - 1)] += at % 1
    return result


def resized(src, height, width):
    h, w, _ = src.shape
    return np.einsum("ij,jkc,lk->ilc", weights(h, height), src.astype(float), weights(w, width))


@reproducible
@given(sides, sides, st.integers(1, 64), seeds)
@example(1, 1, 64, 0)
@example(90, 90, 17, 0)
def test_downsample_averages_what_exists(h, w, factor, seed):
    src = noise(seed, h, w, 3)
    height, width = -(-h // factor), -(-w // factor)
    wanted = np.empty((height, width, 3))
    for y in range(height):
        for x in range(width):
            block = src[y * factor : (y + 1) * factor, x * factor : (x + 1) * factor]
            wanted[y, x] = block.reshape(-1, 3).mean(axis=0)
    assert np.abs(downsample(src, factor) - wanted).max() <= 0.54


def test_downsample_keeps_a_flat_picture():
    assert np.all(downsample(np.full((2160, 3840, 3), 255, np.uint8), 64) == 255)


@reproducible
@given(sides, sides, sides, sides, seeds)
@example(1, 1, 9, 9, 0)
@example(90, 50, 1, 1, 0)
def test_prepare_stretches_and_scales(h, w, height, width, seed):
    src, out = noise(seed, h, w, 3), np.empty((height, width, 3), np.float32)
    scale, offset = np.array([0.5, 1, 2]), np.array([-1, 0, 3])
    assert prepare(src, out, scale=scale, offset=offset) == Rectangle(0, 0, width, height)
    assert np.abs(out - (resized(src, height, width) * scale + offset)).max() < 1e-3


@reproducible
@given(sides, sides, sides, sides, seeds)
def test_prepare_bytes_rounds(h, w, height, width, seed):
    src, out = noise(seed, h, w, 3), np.empty((height, width, 3), np.uint8)
    prepare(src, out, scale=1)
    assert np.abs(out - resized(src, height, width)).max() <= 0.51


def test_prepare_bytes_saturates():
    out = np.empty((1, 2, 3), np.uint8)
    prepare(np.full((1, 2, 3), 200, np.uint8), out, scale=[2, -1, 1])
    assert out[0, 0].tolist() == [255, 0, 200]


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_layouts_and_orders_agree(dtype):
    src = noise(0, 40, 30, 3)
    plain = np.empty((20, 25, 3), dtype)
    prepare(src, plain, scale=[0.5, 1, 1.5])
    for shape, turn in (((1, 20, 25, 3), (0, 1, 2)), ((3, 20, 25), (1, 2, 0)), ((1, 3, 20, 25), (1, 2, 0))):
        out = np.empty(shape, dtype)
        prepare(src, out, scale=[0.5, 1, 1.5], layout="nhwc" if shape[-1] == 3 else "nchw")
        assert np.array_equal(out.reshape(shape[-3:]).transpose(turn), plain)
    swapped = np.empty_like(plain)
    prepare(src, swapped, scale=[1.5, 1, 0.5], order="bgr")
    assert np.array_equal(swapped[..., ::-1], plain)


def test_letterbox_centres_and_pads():
    src, out = noise(0, 10, 40, 3), np.empty((1, 20, 20, 3), np.float32)
    box = prepare(src, out, scale=1, offset=1, fit="letterbox", pad=100)
    assert box == Rectangle(x=0, y=7, width=20, height=5)
    assert np.all(out[0, :7] == 101)
    assert np.all(out[0, 12:] == 101)
    assert np.abs(out[0, 7:12] - 1 - resized(src, 5, 20)).max() < 1e-3


def test_letterbox_pads_planar_bgr_with_its_own_scale():
    out = np.empty((3, 8, 4), np.uint8)
    prepare(noise(0, 9, 9, 3), out, scale=[1, 2, 3], order="bgr", layout="nchw", fit="letterbox", pad=50)
    assert out[:, 0, 0].tolist() == [50, 100, 150]
