"""Stripes, noise, hologram, key: what they draw, by the clock and the same each time."""

import numpy as np
import pytest

from framefx.filters.box_blur import box_blur, gaussian_blur
from framefx.filters.chroma_key import chroma_key
from framefx.filters.hologram import hologram
from framefx.filters.pattern import noise, stripes
from framefx.frame import Frame, FramePool
from framefx.steps import expand


def plain(level=100, *, time=0.0, index=0, size=(60, 80), alpha=None):
    return Frame.borrow(np.full((*size, 3), level, np.uint8), alpha, time=time, index=index)


@pytest.mark.parametrize(("time", "first"), [(0.0, 0), (0.1, 3), (0.2, 6), (1 / 3, 0)])
def test_stripes_move_down(time, first):
    rows = stripes(plain(time=time), width=5, intensity=20, speed=30).pixels[:, 0, 0]
    assert (np.roll(rows, -first)[:5] == 80).all()
    assert (np.roll(rows, -first)[5:10] == 120).all()


def test_stripes_without_wrap_begin_at_the_first_band():
    rows = stripes(plain(time=0.1), width=5, intensity=20, speed=30, wrap=False).pixels[:, 0, 0]
    assert list(rows[:4]) == [100, 100, 100, 80]


def test_stripes_saturate():
    rows = stripes(plain(250), width=1, intensity=255).pixels[:, 0, 0]
    assert list(rows[:2]) == [0, 255]


def test_negative_stripes_begin_light():
    assert stripes(plain(), width=5, intensity=-20).pixels[0, 0, 0] == 120


def test_noise_hits_its_part_of_the_pixels():
    white = (noise(plain(size=(400, 400)), amount=0.05).pixels == 255).all(axis=2).mean()
    assert 0.045 < white < 0.055


def test_noise_is_another_on_each_frame_and_the_same_in_each_run():
    first, again, other = (noise(plain(index=i)).pixels for i in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_noise_leaves_transparent_places_alone():
    alpha = np.zeros((60, 80), np.uint8)
    assert not noise(plain(alpha=alpha)).alpha.any()
    assert noise(plain(alpha=alpha), opaque=True).alpha.any()


def test_hologram_has_bands_and_cold_colours():
    pixels = hologram(plain(200)).pixels.astype(int)
    assert (pixels[20:40, 20:60, 2] >= pixels[20:40, 20:60, 0]).all()
    light = pixels[20:40, 40].sum(axis=1).reshape(-1, 5)
    assert (light[:, :2].max(axis=1) < light[:, 2:].min(axis=1)).all()


def test_hologram_goes_by_the_clock():
    assert np.array_equal(hologram(plain(time=0.5)).pixels, hologram(plain(time=0.501, index=9)).pixels)
    assert not np.array_equal(hologram(plain(time=0.5)).pixels, hologram(plain(time=0.6)).pixels)


def test_hard_key_is_a_box():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (50, 50, 3), np.uint8)
    pixels[:25] = rng.integers([0, 200, 0], [80, 256, 80], (25, 50, 3)).astype(np.uint8)
    inside = (np.abs(pixels.astype(int) - [0, 255, 0]) <= 40).all(axis=2)
    result = chroma_key(Frame.borrow(pixels), color="#00ff00", fuzz=40, soft=0, despill=0)
    assert np.array_equal(result.alpha, np.where(inside, 0, 255))
    assert np.array_equal(result.pixels, pixels)


def test_soft_key_ramps():
    pixels = np.zeros((1, 256, 3), np.uint8)
    pixels[0, :, 1] = np.arange(256)
    alpha = chroma_key(Frame.borrow(pixels), color="#00ff00", fuzz=20, soft=100).alpha[0]
    assert alpha[255] == alpha[235] == 0
    assert alpha[100] == 255
    assert abs(int(alpha[185]) - 128) <= 2


def test_despill_takes_the_screens_light_off():
    result = chroma_key(plain(), despill=1)
    assert (result.pixels == 100).all()
    tinted = np.full((4, 4, 3), (90, 180, 70), np.uint8)
    assert chroma_key(Frame.borrow(tinted), despill=1).pixels[0, 0].tolist() == [90, 90, 70]


def test_key_keeps_what_was_transparent():
    alpha = np.full((60, 80), 99, np.uint8)
    assert (chroma_key(plain(alpha=alpha)).alpha == 99).all()


def test_box_blur_averages():
    pixels = np.zeros((9, 9, 3), np.uint8)
    pixels[4, 4] = 225
    result = box_blur(Frame.borrow(pixels), width=5, height=3).pixels[..., 0]
    assert (result[3:6, 2:7] == 15).all()
    assert result.sum() == 225


@pytest.mark.parametrize(("x", "y"), [(1.0, 3.0), (4.0, 4.0), (10.0, 5.0), (0.0, 2.0)])
def test_gaussian_blur_has_the_sigmas_asked_for(x, y):
    pixels = np.zeros((161, 161, 3), np.uint8)
    pixels[78:83, 78:83] = 255
    frame = gaussian_blur(Frame.borrow(pixels), x=x, y=y)
    weights = (expand(frame, FramePool()) if frame.factor > 1 else frame).pixels[..., 0].astype(float)
    places = np.arange(161) - 80
    for axis, sigma in ((0, x), (1, y)):
        profile = weights.sum(axis=axis)
        variance = (profile * places**2).sum() / profile.sum() - (25 - 1) / 12
        assert np.sqrt(max(0, variance)) == pytest.approx(sigma, rel=0.12, abs=0.15)


@pytest.mark.parametrize("change", [stripes, noise, hologram, chroma_key, box_blur, gaussian_blur])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (3, 5), (61, 83)])
def test_any_size_and_no_writing_to_the_source(change, size):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    before = pixels.copy()
    assert change(Frame.borrow(pixels, time=0.7)).size == size
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize("change", [stripes, noise, hologram, chroma_key, box_blur])
def test_memory_comes_from_the_pool(change):
    pool = FramePool()

    def run():
        frame = pool.frame((60, 80))
        frame.pixels.fill(50)
        change(frame._lend(shared=False))

    run()
    before = pool.allocations
    run()
    assert pool.allocations == before
