"""Planar pictures against the same operations in RGB, and the promises of a merge to the last value."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framefx import kernels

reproducible = settings(derandomize=True, deadline=None, max_examples=25)
factors = st.sampled_from([4, 8])
cells = st.integers(1, 9)
seeds = st.integers(0, 2**32 - 1)
ranges = st.booleans()


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def smooth(seed, height, width):
    """Large blocks of colours that stay inside RGB when they are averaged as YUV."""
    blocks = 64 + noise(seed, 3, 4, 3) // 2
    return np.ascontiguousarray(blocks[np.arange(height) * 3 // height][:, np.arange(width) * 4 // width])


def sides(rows, columns, factor):
    return rows * factor, 2 * columns * factor


@reproducible
@given(cells, cells, st.sampled_from([2, 4, 8]), ranges, seeds)
def test_the_smaller_picture_is_that_of_the_pixels(rows, columns, factor, full, seed):
    size = sides(rows, columns, factor)
    planes = kernels.rgb_to_i420(smooth(seed, *size), full_range=full)
    wanted = kernels.downsample(kernels.i420_to_rgb(planes, size, full_range=full), factor)
    got = kernels.downsample_i420(planes, size, factor, full_range=full)
    assert got.shape == wanted.shape
    assert np.abs(got.astype(int) - wanted).max() <= 2


@reproducible
@given(cells, cells, factors, st.integers(1, 30), st.integers(1, 30), ranges, seeds)
def test_a_merge_is_that_of_the_pixels(rows, columns, factor, mask_rows, mask_columns, full, seed):
    size = sides(rows, columns, factor)
    planes = kernels.rgb_to_i420(smooth(seed, *size), full_range=full)
    top = smooth(seed + 1, rows, 2 * columns)
    # One value across: along an edge chroma is blended at half the resolution, which is another picture.
    mask = noise(seed, mask_rows, 1).repeat(mask_columns, 1)
    mask[:, :] = mask[0, 0] if seed % 2 else mask
    pixels = kernels.i420_to_rgb(planes, size, full_range=full)
    wanted = kernels.rgb_to_i420(kernels.masked_merge(pixels, top, mask, factor=factor), full_range=full)
    got = kernels.merge_i420(planes, size, top, mask, factor, full_range=full)
    luma = size[0] * size[1]
    assert np.abs(got[:luma].astype(int) - wanted[:luma]).max() <= 3
    if len(np.unique(mask)) == 1:
        assert np.abs(got[luma:].astype(int) - wanted[luma:]).max() <= 3


@reproducible
@given(cells, cells, factors, ranges, seeds)
def test_outside_the_mask_nothing_changes_and_inside_nothing_is_left(rows, columns, factor, full, seed):
    size = sides(rows, columns, factor)
    bases = [noise(seed + n, size[0] * size[1] * 3 // 2) for n in range(2)]
    top = noise(seed, rows, 2 * columns, 3)
    outside, inside = (np.full((5, 7), level, np.uint8) for level in (0, 255))
    assert np.array_equal(kernels.merge_i420(bases[0], size, top, outside, factor, full_range=full), bases[0])
    hidden = [kernels.merge_i420(base, size, top, inside, factor, full_range=full) for base in bases]
    assert np.array_equal(*hidden)


@reproducible
@given(cells, cells, factors, seeds)
def test_a_merge_in_place_is_the_same(rows, columns, factor, seed):
    size = sides(rows, columns, factor)
    base, top, mask = noise(seed, size[0] * size[1] * 3 // 2), noise(seed, rows, 2 * columns, 3), noise(seed, 9, 11)
    wanted = kernels.merge_i420(base, size, top, mask, factor)
    assert kernels.merge_i420(base, size, top, mask, factor, out=base) is base
    assert np.array_equal(base, wanted)


@reproducible
@given(cells, cells, factors, seeds)
def test_limiting_on_the_way_is_limiting_before(rows, columns, factor, seed):
    size = sides(rows, columns, factor)
    base, top, mask = noise(seed, size[0] * size[1] * 3 // 2), noise(seed, rows, 2 * columns, 3), noise(seed, 9, 11)
    wanted = kernels.merge_i420(kernels.limit_i420(base, size), size, top, mask, factor)
    got = kernels.merge_i420(base, size, top, mask, factor, full_range=True, limited=True)
    assert np.array_equal(got, wanted)
    limited = kernels.merge_i420(base, size, top, mask, factor, limited=True)
    assert np.array_equal(limited, kernels.merge_i420(base, size, top, mask, factor))
    with pytest.raises(ValueError, match="memory"):
        kernels.merge_i420(base, size, top, mask, factor, full_range=True, limited=True, out=base)


@reproducible
@given(cells, cells, seeds)
def test_packed_pictures_are_taken_apart(rows, columns, seed):
    h, w = size = 2 * rows, 2 * columns
    planes = noise(seed, h * w * 3 // 2)
    u, v = planes[h * w :].reshape(2, -1)
    nv12 = np.concatenate([planes[: h * w], np.stack([u, v], axis=-1).ravel()])
    assert np.array_equal(kernels.nv12_to_i420(nv12, size), planes)
    yuyv = noise(seed, h, w // 2, 4)
    means = (yuyv[::2, :, 1::2].astype(int) + yuyv[1::2, :, 1::2] + 1) // 2
    wanted = [yuyv[..., 0::2].ravel(), means[..., 0].ravel(), means[..., 1].ravel()]
    assert np.array_equal(kernels.yuyv_to_i420(yuyv.reshape(-1), size), np.concatenate(wanted))


@pytest.mark.parametrize("convert", [kernels.nv12_to_i420, kernels.yuyv_to_i420])
@pytest.mark.parametrize("size", [(3, 4), (4, 3)])
def test_odd_sides_are_not_taken_apart(convert, size):
    with pytest.raises(ValueError, match="even sides"):
        convert(np.zeros(24, np.uint8), size)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (5, 7), (48, 64)])
def test_limited_range_is_that_of_the_standard(size):
    h, w = size
    src = np.resize(np.arange(256, dtype=np.uint8), h * w + 2 * -(-h // 2) * -(-w // 2))
    got = kernels.limit_i420(src, size).astype(float)
    assert np.abs(got[: h * w] - (16 + src[: h * w].astype(float) * 219 / 255)).max() <= 0.52
    chroma = 128 + (src[h * w :].astype(float) - 128) * 224 / 255
    assert np.abs(got[h * w :] - chroma).max() <= 0.52


def test_only_whole_blocks_fit():
    assert kernels.fits_i420((720, 1280), 8) and kernels.fits_i420((1080, 1920), 8)
    assert kernels.fits_i420((360, 640), 2) and not kernels.fits_i420((360, 640), 2, merging=True)
    assert not any(kernels.fits_i420(*odd) for odd in [((720, 1280), 3), ((724, 1280), 8), ((720, 1288), 8)])
    planes = np.zeros(36 * 64 * 3 // 2, np.uint8)
    with pytest.raises(ValueError, match="got 64x36 and 8"):
        kernels.downsample_i420(planes, (36, 64), 8)
    with pytest.raises(ValueError, match="got 64x36 and 8"):
        kernels.merge_i420(planes, (36, 64), np.zeros((5, 8, 3), np.uint8), np.zeros((2, 2), np.uint8), 8)
    with pytest.raises(ValueError, match="got 64x36 and 2, want factor 4 or 8"):
        kernels.merge_i420(planes, (36, 64), np.zeros((18, 32, 3), np.uint8), np.zeros((2, 2), np.uint8), 2)


def test_what_cannot_be_is_refused():
    planes, top, mask = np.zeros(16 * 16 * 3 // 2, np.uint8), np.zeros((4, 4, 3), np.uint8), np.zeros((2, 2), np.uint8)
    with pytest.raises(ValueError, match="base"):
        kernels.merge_i420(planes[:-1].copy(), (16, 16), top, mask, 4)
    with pytest.raises(ValueError, match="top"):
        kernels.merge_i420(planes, (16, 16), top[:2], mask, 4)
    with pytest.raises(ValueError, match="memory"):
        kernels.merge_i420(planes, (16, 16), top, mask, 4, out=planes[:])
    planes.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        kernels.merge_i420(planes, (16, 16), top, mask, 4, out=planes)
