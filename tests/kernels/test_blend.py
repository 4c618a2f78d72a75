"""Blend modes against W3C's formulas."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framefx.kernels import blend

reproducible = settings(derandomize=True, deadline=None, max_examples=40)
sides = st.integers(1, 60)
seeds = st.integers(0, 2**32 - 1)


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def hard_light(cb, cs):
    return np.where(cs <= 0.5, 2 * cb * cs, cb + 2 * cs - 1 - cb * (2 * cs - 1))


FORMULAS = {
    "multiply": lambda cb, cs: cb * cs,
    "screen": lambda cb, cs: cb + cs - cb * cs,
    "overlay": lambda cb, cs: hard_light(cs, cb),
    "add": lambda cb, cs: np.minimum(1, cb + cs),
}


@reproducible
@given(st.sampled_from(sorted(FORMULAS)), sides, sides, st.integers(0, 255), seeds)
def test_blend(mode, h, w, opacity, seed):
    base, top = noise(seed, 2, h, w, 3)
    base_alpha, top_alpha = noise(seed + 1, 2, h, w)
    cb, cs = base / 255, top / 255
    ab, a = base_alpha[..., None] / 255, top_alpha[..., None] / 255 * opacity / 255
    total = a + ab * (1 - a)
    mixed = (1 - ab) * cs + ab * FORMULAS[mode](cb, cs)
    wanted = 255 * (a * mixed + (1 - a) * ab * cb) / np.maximum(total, 1e-9)
    alpha = np.empty((h, w), np.uint8)
    out = blend(base, base_alpha, top, top_alpha, mode=mode, opacity=opacity, out_alpha=alpha)
    assert np.abs(alpha - 255 * total[..., 0]).max() <= 0.51
    assert np.abs(out - np.where(total > 0, wanted, base)).max() <= 0.51
    assert np.array_equal(blend(base, base_alpha, top, top_alpha, mode=mode, opacity=opacity, out=top), out)


@pytest.mark.parametrize("mode", sorted(FORMULAS))
def test_opaque_by_default(mode):
    base, top = noise(0, 2, 5, 7, 3)
    full = np.full((5, 7), 255, np.uint8)
    for opacity in (255, 100):
        exact = blend(base, full, top, full, mode=mode, opacity=opacity).astype(int)
        for out in (None, base.copy(), top):
            got = blend(base, None, top.copy() if out is None else top, None, mode=mode, opacity=opacity, out=out)
            assert np.abs(got - exact).max() <= 1
            top = noise(0, 2, 5, 7, 3)[1]
    assert np.array_equal(blend(base, None, top, None, mode=mode, opacity=0), base)


def test_refuses_other_modes():
    base = noise(0, 2, 2, 3)
    with pytest.raises(ValueError, match="mode: got 'burn', want 'multiply' or"):
        blend(base, None, base, None, mode="burn")
