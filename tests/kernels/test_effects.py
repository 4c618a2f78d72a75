"""The kernels behind single filters, against their formulas."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framefx import kernels

reproducible = settings(derandomize=True, deadline=None, max_examples=25)
sides = st.integers(1, 40)
seeds = st.integers(0, 2**32 - 1)
ANY = np.zeros((6, 8, 3), np.uint8)


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


# -- lut_3d --


def tetrahedral(pixel, table):
    last = table.shape[0] - 1
    at = pixel / 255 * last
    corner = np.minimum(at.astype(int), last - 1)
    part = at - corner
    order = np.argsort(-part)
    weights = [1 - part[order[0]], *(part[order[:2]] - part[order[1:]]), part[order[2]]]
    result = weights[0] * table[tuple(corner)]
    for axis, weight in zip(order, weights[1:], strict=True):
        corner[axis] += 1
        result = result + weight * table[tuple(corner)]
    return 255 * result


@reproducible
@given(st.integers(2, 40), seeds)
def test_lut_3d(side, seed):
    table = np.random.default_rng(seed).random((side, side, side, 3), np.float32)
    src = noise(seed, 3, 9, 3)
    wanted = np.array([[tetrahedral(p, table) for p in row] for row in src])
    assert np.abs(kernels.lut_3d(src, table) - wanted).max() <= 1.5
    assert np.array_equal(kernels.lut_3d(src, table, out=src), src)


@pytest.mark.parametrize("side", [2, 3, 17, 33, 64, 129])
def test_the_identity_leaves_every_level(side):
    ramp = np.linspace(0, 1, side, dtype=np.float32)
    table = np.ascontiguousarray(np.stack(np.meshgrid(ramp, ramp, ramp, indexing="ij"), axis=-1))
    grey = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(16, 16, 3)
    assert np.array_equal(kernels.lut_3d(grey, table), grey)
    src = noise(side, 30, 31, 3)
    assert np.array_equal(kernels.lut_3d(src, table), src)


# -- shade --


@reproducible
@given(sides, sides, st.integers(1, 9), seeds)
def test_shade(h, w, factor, seed):
    src = noise(seed, h, w, 3)
    gains = np.random.default_rng(seed).random((-(-h // factor), -(-w // factor)), np.float32) * 3

    def axis(small, size):
        at = np.clip((np.arange(size) + 0.5) / factor - 0.5, 0, small - 1)
        low = at.astype(int)
        return low, np.minimum(low + 1, small - 1), at - low

    top, bottom, down = axis(gains.shape[0], h)
    left, right, across = axis(gains.shape[1], w)
    rows = gains[top] * (1 - down[:, None]) + gains[bottom] * down[:, None]
    full = rows[:, left] * (1 - across) + rows[:, right] * across
    assert np.abs(kernels.shade(src, gains, factor) - np.minimum(src * full[..., None], 255)).max() <= 0.51


def test_gains_of_one_leave_the_picture():
    src = noise(1, 17, 33, 3)
    assert np.array_equal(kernels.shade(src, np.ones((5, 9), np.float32), 4), src)


# -- shaped_blur --


@reproducible
@given(sides, sides, st.integers(1, 5), seeds)
def test_shaped_blur(h, w, factor, seed):
    rng = np.random.default_rng(seed)
    src = noise(seed, h, w, 3)
    taps = rng.integers(-4, 5, (rng.integers(1, 14), 2)).astype(np.int32)
    small = kernels.downsample(src, factor)
    sh, sw = small.shape[:2]
    mirror = np.pad(small, ((4 * 60, 4 * 60), (4 * 60, 4 * 60), (0, 0)), mode="symmetric").astype(float)
    total = sum(mirror[240 + y : 240 + y + sh, 240 + x : 240 + x + sw] for y, x in taps) / len(taps)
    assert np.abs(kernels.shaped_blur(src, None, taps, factor) - total).max() <= 0.75


def test_what_the_mask_hides_does_not_bleed():
    src = np.full((40, 60, 3), (0, 0, 200), np.uint8)
    src[:, :30] = (255, 0, 0)
    mask = np.zeros((40, 60), np.uint8)
    mask[:, 30:] = 255
    taps = np.array([[y, x] for y in range(-5, 6) for x in range(-5, 6)], np.int32)
    out = kernels.shaped_blur(src, mask, taps, 1)
    assert out[:, 32:, 0].max() <= 6
    assert kernels.shaped_blur(src, None, taps, 1)[:, 32:, 0].max() > 60


def test_highlights_count_more_and_flat_pictures_stay():
    taps = np.array([[0, x] for x in range(-3, 4)], np.int32)
    src = np.zeros((1, 15, 3), np.uint8)
    src[0, 7] = 255
    plain, bright = (kernels.shaped_blur(src, None, taps, 1, highlights=h) for h in (0, 1))
    assert bright[0, 7, 0] > 2 * plain[0, 7, 0]
    for level in (0, 1, 17, 128, 255):
        flat = np.full((6, 8, 3), level, np.uint8)
        for highlights in (0, 0.5, 1):
            out = kernels.shaped_blur(flat, None, taps, 1, highlights=highlights)
            assert np.abs(out.astype(int) - level).max() <= 1


# -- stamp --


@reproducible
@given(sides, sides, st.integers(-20, 45), st.integers(-20, 45), seeds)
def test_stamp(h, w, top, left, seed):
    src, patch, cover = noise(seed, h, w, 3), noise(seed + 1, 12, 17, 3), noise(seed + 2, 12, 17)
    wanted = np.zeros((200, 200, 3))
    wanted[50 : 50 + h, 50 : 50 + w] = src
    part = wanted[50 + top : 62 + top, 50 + left : 67 + left]
    part += (patch - part) * (cover[..., None] / 255)
    out = kernels.stamp(src.copy(), patch, cover, top, left)
    assert np.abs(out - wanted[50 : 50 + h, 50 : 50 + w]).max() <= 0.51
    alpha = np.full((h, w), 255, np.uint8)
    opaque = kernels.stamp(src.copy(), patch, cover, top, left, alpha=alpha)
    assert (alpha == 255).all()
    assert np.abs(opaque.astype(int) - out).max() <= 1


def test_stamping_on_nothing_gives_the_patch():
    pixels, alpha = np.zeros((5, 5, 3), np.uint8), np.zeros((5, 5), np.uint8)
    patch, cover = noise(0, 3, 3, 3), noise(1, 3, 3)
    kernels.stamp(pixels, patch, cover, 1, 1, alpha=alpha)
    assert np.array_equal(alpha[1:4, 1:4], cover)
    assert np.array_equal(pixels[1:4, 1:4][cover > 0], patch[cover > 0])


# -- grain, edge_colors, blocks --


def test_grain_is_strongest_in_the_middle():
    tile = np.random.default_rng(0).integers(-60, 61, (64, 3 * 100)).astype(np.int16)
    swings = [
        np.std(kernels.grain(np.full((64, 80, 3), level, np.uint8), tile, 0, 5, 16).astype(float) - level)
        for level in (16, 128, 240)
    ]
    assert swings[1] > 2 * max(swings[0], swings[2])
    src = noise(0, 7, 9, 3)
    assert np.array_equal(kernels.grain(src, tile, 3, 2, 0), src)


@pytest.mark.parametrize("mode", ["foreground", "despill"])
def test_only_the_edge_changes(mode):
    src, alpha = noise(0, 20, 30, 3), np.zeros((20, 30), np.uint8)
    alpha[:, 10:20], alpha[:, 20:] = 128, 255
    fore, back = np.full((5, 8, 3), 200, np.uint8), np.full((5, 8, 3), (0, 200, 0), np.uint8)
    out = kernels.edge_colors(src, alpha, fore, back, 4, mode=mode)
    same = (out == src).all(axis=2)
    assert same[:, :10].all()
    assert same[:, 20:].all()
    assert not same[:, 10:20].all()
    assert np.array_equal(kernels.edge_colors(src, alpha, fore, back, 4, mode=mode, strength=0), src)


def test_a_mixed_edge_gives_the_foreground_back():
    red, green = np.array([200.0, 40, 30]), np.array([20.0, 180, 60])
    part = np.linspace(0.1, 0.9, 30)[None, :, None]
    src = np.tile(np.round(red * part + green * (1 - part)).astype(np.uint8), (8, 1, 1))
    alpha = np.tile(np.round(255 * part[0, :, 0]).astype(np.uint8), (8, 1))
    fore, back = (np.tile(c.astype(np.uint8), (2, 8, 1)) for c in (red, green))
    out = kernels.edge_colors(src, alpha, fore, back, 4, mode="foreground")
    assert np.abs(out - red).max() <= 2
    less = kernels.edge_colors(src, alpha, fore, back, 4, mode="despill")
    greenness = [(p[..., 1].astype(int) - p[..., 0])[:, :10].mean() for p in (src, less)]
    assert greenness[0] > 80
    assert greenness[1] < 10


@reproducible
@given(sides, sides, st.integers(1, 12), seeds)
def test_blocks(h, w, size, seed):
    src = noise(seed, h, w, 3)
    small = kernels.downsample(src, size)
    wanted = small.repeat(size, 0).repeat(size, 1)[:h, :w]
    assert np.array_equal(kernels.blocks(src, size), wanted)
    assert np.array_equal(kernels.blocks(src, size, out=src), wanted)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: kernels.lut_3d(ANY, np.zeros((3, 3, 4, 3), np.float32)), "all sides alike"),
        (lambda: kernels.lut_3d(ANY, np.zeros((1, 1, 1, 3), np.float32)), "side: got 1, want 2 to 129"),
        (lambda: kernels.shade(ANY, np.ones((6, 8), np.float32), 2), r"gains: got shape \(6, 8\)"),
        (lambda: kernels.shaped_blur(ANY, None, np.full((1, 2), 300, np.int32), 1), "taps: got 300"),
        (lambda: kernels.grain(ANY, np.zeros((4, 24), np.int16), 0, 1, 4), "left: got 1, want 0 to 0"),
        (lambda: kernels.blocks(ANY, 0), "size: got 0"),
        (lambda: kernels.edge_colors(ANY, ANY[..., 0].copy(), ANY, ANY, 1, mode="x"), "mode: got 'x'"),
    ],
)
def test_bad_arguments_are_named(call, text):
    with pytest.raises(ValueError, match=text):
        call()
