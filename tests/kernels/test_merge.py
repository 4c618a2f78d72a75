"""The merge against its definition: bilinear mask, linear blend, in floating point."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from framefx.kernels import downsample, masked_merge, upsample, upsample_mask

reproducible = settings(derandomize=True, deadline=None, max_examples=40)
sides = st.integers(1, 70)
seeds = st.integers(0, 2**32 - 1)
factors = st.integers(2, 9)
# A level for rounding; the mask's own 1/256 steps add what a hard edge makes of them.
TOLERANCE = 1.05


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def blobs(seed, h, w):
    """Return a mask with wide areas of 0 and 255, so that spans are skipped."""
    rng = np.random.default_rng(seed)
    mask = noise(seed, h, w)
    for level in (0, 255, 0, 255):
        y, x = rng.integers(0, h), rng.integers(0, w)
        mask[y : y + rng.integers(1, h + 1), x : x + rng.integers(1, w + 1)] = level
    return mask


def bilinear(small, size, ratios):
    """Enlarge with half-pixel centres and replicated edges, in floating point."""
    result = small.astype(float)
    for axis, (wanted, ratio) in enumerate(zip(size, ratios, strict=True)):
        n = small.shape[axis]
        at = np.clip((np.arange(wanted) + 0.5) * ratio - 0.5, 0, n - 1)
        left = at.astype(int)
        part = (at - left).reshape([-1 if i == axis else 1 for i in range(small.ndim)])
        result = np.take(result, left, axis) * (1 - part) + np.take(result, np.minimum(left + 1, n - 1), axis) * part
    return result


def blend(base, top, mask):
    h, w, _ = base.shape
    weight = bilinear(mask, (h, w), (mask.shape[0] / h, mask.shape[1] / w))[..., None] / 255
    return base * (1 - weight) + top * weight


@reproducible
@given(sides, sides, sides, sides, seeds)
@example(1, 1, 1, 1, 0)
@example(3, 5, 60, 70, 1)
def test_merge_is_a_linear_blend(h, w, mh, mw, seed):
    base, top, mask = noise(seed, h, w, 3), noise(seed + 1, h, w, 3), blobs(seed, mh, mw)
    assert np.abs(masked_merge(base, top, mask) - blend(base, top, mask)).max() <= TOLERANCE


@pytest.mark.parametrize("size", [(641, 361), (2160, 3840)])
def test_merge_at_odd_and_large_sizes(size):
    base, top, mask = noise(0, *size, 3), noise(1, *size, 3), blobs(2, 144, 256)
    assert np.abs(masked_merge(base, top, mask) - blend(base, top, mask)).max() <= TOLERANCE


@reproducible
@given(sides, sides, sides, sides, seeds)
def test_mask_0_is_base_and_255_is_top(h, w, mh, mw, seed):
    base, top = noise(seed, h, w, 3), noise(seed + 1, h, w, 3)
    assert np.array_equal(masked_merge(base, top, np.zeros((mh, mw), np.uint8)), base)
    assert np.array_equal(masked_merge(base, top, np.full((mh, mw), 255, np.uint8)), top)


@reproducible
@given(sides, sides, sides, sides, seeds)
def test_in_place_equals_out_of_place(h, w, mh, mw, seed):
    base, top, mask = noise(seed, h, w, 3), noise(seed + 1, h, w, 3), blobs(seed, mh, mw)
    wanted = masked_merge(base, top, mask)
    on_base, on_top = base.copy(), top.copy()
    assert masked_merge(on_base, top, mask, out=on_base) is on_base
    assert masked_merge(base, on_top, mask, out=on_top) is on_top
    assert np.array_equal(on_base, wanted)
    assert np.array_equal(on_top, wanted)


@reproducible
@given(sides, sides, factors, sides, sides, seeds)
def test_reduced_top_is_upsampled_then_merged(h, w, factor, mh, mw, seed):
    base, mask = noise(seed, h, w, 3), blobs(seed, mh, mw)
    small = noise(seed + 1, -(-h // factor), -(-w // factor), 3)
    wanted = masked_merge(base, upsample(small, (h, w), factor), mask)
    assert np.array_equal(masked_merge(base, small, mask, factor=factor), wanted)
    in_place = base.copy()
    assert np.array_equal(masked_merge(in_place, small, mask, factor=factor, out=in_place), wanted)


@reproducible
@given(sides, sides, factors, seeds)
def test_upsample_is_bilinear(h, w, factor, seed):
    small = noise(seed, -(-h // factor), -(-w // factor), 3)
    wanted = bilinear(small, (h, w), (1 / factor, 1 / factor))
    # Rounding, and what equal steps of 1/64 level gather over a cell.
    assert np.abs(upsample(small, (h, w), factor) - wanted).max() <= 0.5 + (factor + 1) / 128


def test_upsample_by_1_copies():
    pixels = noise(0, 3, 5, 3)
    assert np.array_equal(upsample(pixels, np.empty_like(pixels), 1), pixels)


@reproducible
@given(sides, sides, sides, sides, seeds)
def test_upsample_mask_is_what_the_merge_uses(h, w, mh, mw, seed):
    mask = blobs(seed, mh, mw)
    white_over_black = masked_merge(np.zeros((h, w, 3), np.uint8), np.full((h, w, 3), 255, np.uint8), mask)
    assert np.array_equal(upsample_mask(mask, (h, w)), white_over_black[..., 0])


def test_upsample_mask_at_its_own_size_copies():
    mask = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(upsample_mask(mask, np.empty_like(mask)), mask)


@reproducible
@given(sides, sides, sides, sides, seeds)
def test_alpha_blends_premultiplied(h, w, mh, mw, seed):
    base, top, mask = noise(seed, h, w, 3), noise(seed + 1, h, w, 3), blobs(seed, mh, mw)
    base_alpha, top_alpha = blobs(seed + 2, h, w), blobs(seed + 3, h, w)
    alpha = np.empty((h, w), np.uint8)
    out = masked_merge(base, top, mask, base_alpha=base_alpha, top_alpha=top_alpha, out_alpha=alpha)
    weight = np.round(bilinear(mask, (h, w), (mh / h, mw / w)) / 255 * 256) / 256  # as fine as the kernel's
    lower, upper = base_alpha * (1 - weight), top_alpha * weight
    assert np.abs(alpha - (lower + upper)).max() <= 1.6
    seen = lower + upper > 25  # with less, a step of the weight moves the colour by levels
    wanted = (base * lower[..., None] + top * upper[..., None])[seen] / (lower + upper)[seen, None]
    assert np.abs(out[seen] - wanted).max(initial=0) <= 11


def test_opaque_alpha_changes_nothing():
    base, top, mask = noise(0, 30, 40, 3), noise(1, 30, 40, 3), blobs(2, 7, 9)
    opaque = np.full((30, 40), 255, np.uint8)
    with_alpha = masked_merge(base, top, mask, base_alpha=opaque).astype(int)
    assert np.abs(with_alpha - masked_merge(base, top, mask)).max() <= 1


def test_transparent_colours_do_not_bleed():
    base, top = np.full((1, 3, 3), 200, np.uint8), np.zeros((1, 3, 3), np.uint8)
    mask = np.array([[0, 128, 255]], np.uint8)
    out = masked_merge(base, top, mask, top_alpha=np.zeros((1, 3), np.uint8))
    assert out[0, :2].tolist() == [[200] * 3] * 2


def test_reduced_top_with_alpha():
    base, mask = noise(0, 30, 41, 3), blobs(1, 7, 9)
    small, opaque = downsample(noise(2, 30, 41, 3), 4), np.full((8, 11), 255, np.uint8)
    wanted = masked_merge(base, small, mask, factor=4)
    got = masked_merge(base, small, mask, factor=4, base_alpha=np.full((30, 41), 255, np.uint8), top_alpha=opaque)
    assert np.abs(got.astype(int) - wanted).max() <= 1
