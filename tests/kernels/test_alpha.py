"""Alpha compositing against Porter and Duff's formulas."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from framefx.kernels import over, over_black, premultiply, unpremultiply

reproducible = settings(derandomize=True, deadline=None, max_examples=40)
sides = st.integers(1, 60)
seeds = st.integers(0, 2**32 - 1)


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@reproducible
@given(sides, sides, st.integers(0, 255), seeds)
def test_over(h, w, opacity, seed):
    base, top = noise(seed, 2, h, w, 3)
    base_alpha, top_alpha = noise(seed + 1, 2, h, w)
    upper = top_alpha / 255 * opacity / 255
    lower = base_alpha / 255 * (1 - upper)
    total = upper + lower
    mixed = (top * upper[..., None] + base * lower[..., None]) / np.maximum(total, 1e-9)[..., None]
    alpha = np.empty((h, w), np.uint8)
    out = over(base, base_alpha, top, top_alpha, opacity=opacity, out_alpha=alpha)
    assert np.abs(alpha - total * 255).max() <= 0.51
    assert np.abs(out - np.where(total[..., None] > 0, mixed, base)).max() <= 0.51
    assert np.array_equal(over(base, base_alpha, top, top_alpha, opacity=opacity, out=base), out)


def test_over_extremes():
    base, top = noise(0, 2, 5, 7, 3)
    assert np.array_equal(over(base, None, top, None), top)
    assert np.array_equal(over(base, None, top, None, opacity=0), base)


@reproducible
@given(sides, sides, seeds)
def test_premultiply_rounds_exactly(h, w, seed):
    pixels, alpha = noise(seed, h, w, 3), noise(seed + 1, h, w)
    wanted = np.floor(pixels * (alpha[..., None] / 255.0) + 0.5)
    assert np.array_equal(premultiply(pixels, alpha), wanted)
    assert np.array_equal(over_black(pixels, alpha, np.empty_like(pixels)), wanted)


def test_unpremultiply_inverts():
    alpha = np.arange(256, dtype=np.uint8)[None]
    pixels = noise(0, 1, 256, 3)
    back = unpremultiply(premultiply(pixels, alpha), alpha)
    error = np.abs(back.astype(int) - pixels)[0, 1:]
    assert np.all(error <= np.ceil(255 / alpha[0, 1:, None] / 2))
