"""Blurs against their definition in floating point, and the background blur against what it must show."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from framefx.kernels import box_blur, gaussian_blur, masked_blur, masked_merge, region_blur, upsample

reproducible = settings(derandomize=True, deadline=None, max_examples=25)
sides = st.integers(1, 60)
seeds = st.integers(0, 2**32 - 1)
radii = st.floats(0, 40)


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def boxes(picture, radius, passes):
    whole = int(radius)
    kernel = np.array([radius - whole, *[1] * (2 * whole + 1), radius - whole]) / (2 * radius + 1)
    for _ in range(passes):
        for axis in (0, 1):
            picture = ndimage.correlate1d(picture.astype(float), kernel, axis, mode="nearest")
    return picture


def psnr(a, b):
    return 10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2))


def landscape(h, w):
    """Return smooth colours with edges and a little noise."""
    y, x = np.mgrid[:h, :w] / 40
    waves = np.stack([np.sin(x), np.sin(y + x / 2), np.sin(x * y / 7)], axis=-1) * 90 + 128
    waves[h // 3 : h // 2, w // 4 : w // 2] = (250, 240, 20)
    return np.clip(waves + np.random.default_rng(0).normal(0, 4, waves.shape), 0, 255).astype(np.uint8)


@reproducible
@given(sides, sides, radii, st.integers(1, 4), st.booleans(), seeds)
@example(1, 1, 40.0, 3, True, 0)
def test_box_blur(h, w, radius, passes, colour, seed):
    src = noise(seed, h, w, 3) if colour else noise(seed, h, w)
    out = box_blur(src, radius, passes=passes)
    assert np.abs(out - boxes(src, radius, passes)).max() <= 0.56
    assert np.array_equal(box_blur(src, radius, passes=passes, out=src), out)


def test_box_blur_of_radius_0_leaves_the_picture_alone():
    src = noise(0, 9, 7, 3)
    assert np.array_equal(box_blur(src, 0), src)


@pytest.mark.parametrize("sigma", [0.6, 1, 2.5, 7, 20])
def test_gaussian_has_the_asked_variance(sigma):
    side = 2 * int(4 * sigma) + 41
    src = np.zeros((1, side), np.uint8)
    src[0, : side // 2] = 255  # its blur is the kernel's sum: the second moment is in the ramp
    ramp = np.abs(np.diff(gaussian_blur(src, sigma)[0].astype(float))) / 255
    place = np.arange(ramp.size)
    mean = (ramp * place).sum()
    assert np.sqrt((ramp * (place - mean) ** 2).sum()) == pytest.approx(sigma, rel=0.05)


def test_gaussian_is_close_to_scipys():
    src = landscape(180, 320)
    assert psnr(gaussian_blur(src, 5), ndimage.gaussian_filter(src.astype(float), (5, 5, 0), mode="nearest")) > 45


def test_cost_does_not_depend_on_overflow_at_4k():
    assert np.all(gaussian_blur(np.full((270, 3840, 3), 255, np.uint8), 300) == 255)


@reproducible
@given(sides, sides, st.floats(0.5, 12), seeds)
def test_masked_blur_is_normalised(h, w, sigma, seed):
    src, mask = noise(seed, h, w, 3), noise(seed + 1, h, w)
    mask[np.random.default_rng(seed).random((h, w)) < 0.4] = 0
    weight = gaussian_radius_boxes(mask, sigma)
    total = gaussian_radius_boxes(src * (mask[..., None] / 255), sigma) * 255
    out = masked_blur(src, mask, sigma)
    enough = weight > 255 * 0.05
    assert np.abs(out - total / np.maximum(weight, 1e-9)[..., None])[enough].max(initial=0) <= 1
    assert np.array_equal(masked_blur(src, mask, sigma, out=src), out)


def gaussian_radius_boxes(picture, sigma):
    from framefx.kernels._blur import _radius

    return boxes(picture, _radius(sigma), 3)


def test_masked_blur_without_weight_leaves_the_picture_alone():
    src = noise(0, 20, 30, 3)
    assert np.array_equal(masked_blur(src, np.zeros((20, 30), np.uint8), 3), src)


def test_masked_blur_ignores_excluded_colours():
    src = np.zeros((40, 40, 3), np.uint8)
    src[:, :20], src[:, 20:] = (255, 0, 0), (0, 0, 255)
    mask = np.zeros((40, 40), np.uint8)
    mask[:, 20:] = 255
    assert np.all(masked_blur(src, mask, 4)[:, 20:] == (0, 0, 255))


@pytest.mark.parametrize(("sigma", "factor"), [(3, 1), (7, 2), (7, 4), (20, 8)])
def test_region_blur_looks_like_a_gaussian(sigma, factor):
    src = landscape(361, 641)
    got = upsample(region_blur(src, None, sigma, factor), (361, 641), factor)
    wanted = ndimage.gaussian_filter(src.astype(float), (sigma, sigma, 0), mode="reflect")
    assert psnr(got, wanted) > 45


def test_region_blur_keeps_a_flat_colour_under_any_mask():
    src = np.full((90, 120, 3), (10, 200, 255), np.uint8)
    mask = noise(0, 9, 12) | 64
    assert np.abs(region_blur(src, mask, 7, 4).astype(int) - (10, 200, 255)).max() <= 6


def test_no_halo():
    """A red person before a blue wall: beyond 4 px from the mask's edge the wall stays blue."""
    src = np.zeros((360, 640, 3), np.uint8)
    src[...] = (0, 0, 255)
    y, x = np.mgrid[:360, :640]
    distance = np.hypot(x - 320, y - 200) - 100  # from the person's edge, outside positive
    src[distance < 0] = (255, 0, 0)
    y, x = (np.mgrid[:144, :256] + 0.5) * 2.5
    background = np.clip(((np.hypot(x - 320.5, y - 200.5) - 100) / 2.5 + 0.5) * 255, 0, 255).astype(np.uint8)
    shown = masked_merge(src, region_blur(src, background, 7, 4), background, factor=4)
    assert shown[..., 0][distance > 4].max() <= 0.02 * 255
    assert np.all(shown[distance < -4] == (255, 0, 0))


@reproducible
@given(sides, sides, sides, sides, st.integers(1, 8), seeds)
@example(1, 1, 1, 1, 8, 0)
def test_region_blur_stays_within_the_colours(h, w, mh, mw, factor, seed):
    src = noise(seed, h, w, 3) // 4 + 96
    out = region_blur(src, noise(seed, mh, mw), 5, factor)
    assert out.shape == (-(-h // factor), -(-w // factor), 3)
    assert 84 <= out.min() <= out.max() <= 172
