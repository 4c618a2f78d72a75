"""Lenses, films and screens: what each does to a picture, at any size, with any mask."""

import numpy as np
import pytest

from framefx import Frame, Mask
from framefx.filters.bilateral import bilateral
from framefx.filters.bokeh import bokeh, motion_blur
from framefx.filters.border import border
from framefx.filters.depth import depth_of_field
from framefx.filters.film import grain, vignette
from framefx.filters.pixelate import pixelate
from framefx.filters.sharpen import sharpen
from framefx.filters.warp import Warp


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def full(frame):
    """Return a frame's pixels at its own size."""
    from framefx import kernels

    return frame.pixels if frame.factor == 1 else kernels.upsample(frame.pixels, frame.size, frame.factor)


def room(height=90, width=160):
    """Return a red person before a blue wall, and the mask."""
    pixels, mask = np.full((height, width, 3), (0, 0, 200), np.uint8), np.zeros((height // 5, width // 5), np.uint8)
    pixels[30:, 50:105] = (255, 0, 0)
    mask[6:, 10:21] = 255
    return Frame.borrow(pixels), Mask(mask, (height, width))


NEUTRAL = [
    (bokeh, {"radius": 0}),
    (motion_blur, {"length": 1}),
    (bilateral, {"strength": 0}),
    (border, {"width": 0}),
    (vignette, {"strength": 0}),
    (grain, {"strength": 0}),
    (sharpen, {"amount": 0}),
    (pixelate, {"size": 1}),
]
BUSY = [
    (bokeh, {}),
    (motion_blur, {}),
    (motion_blur, {"length": 9, "angle": 45}),
    (bilateral, {}),
    (vignette, {}),
    (grain, {}),
    (grain, {"colored": True, "size": 4}),
    (sharpen, {}),
    (sharpen, {"radius": 9}),
    (pixelate, {}),
    (border, {}),
]


@pytest.mark.parametrize(("call", "options"), NEUTRAL, ids=lambda v: getattr(v, "__name__", ""))
def test_neutral_options_leave_the_frame(call, options):
    frame = Frame.borrow(noise(9, 14, 3))
    assert np.array_equal(call(frame, **options).pixels, noise(9, 14, 3))


def test_depth_and_warp_have_neutral_options_too():
    frame = Frame.borrow(noise(9, 14, 3))
    assert depth_of_field(frame, Mask(noise(3, 4), (9, 14)), radius=0) is frame
    assert Warp(lens=0)(frame) is frame


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (37, 53)])
@pytest.mark.parametrize(("call", "options"), BUSY, ids=lambda v: getattr(v, "__name__", ""))
def test_any_size_and_alpha_is_kept(call, options, size):
    pixels, alpha = noise(*size, 3), noise(*size, seed=1)
    result = call(Frame.borrow(pixels, alpha), **options)
    assert result.size == size
    assert np.array_equal(result.alpha, alpha)
    assert call(Frame.borrow(pixels), **options).size == size


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (40, 61)])
def test_depth_of_field_takes_empty_and_full_masks(level, size):
    result = depth_of_field(Frame.borrow(noise(*size, 3)), Mask(np.full((4, 6), level, np.uint8), size))
    assert result.size == size


@pytest.mark.parametrize("call", [bokeh, motion_blur])
def test_the_person_does_not_bleed_into_the_background(call):
    frame, person = room()
    out = full(call(frame, ~person))
    # Four pixels and one reduced pixel beyond the mask's edge.
    assert out[:, :44, 0].max() <= 255 * 0.02
    assert out[:21, :, 0].max() <= 255 * 0.02


def test_bokeh_makes_discs_of_lights():
    pixels = np.zeros((120, 160, 3), np.uint8)
    pixels[58:62, 78:82] = 255
    soft, bright = (full(bokeh(Frame.borrow(pixels), radius=20, highlights=h))[..., 0].astype(int) for h in (0.0, 1.0))
    assert bright.max() > 2 * soft.max()
    middle, edge, outside = bright[60, 80], bright[60, 92], bright[60, 108]
    assert edge > 0.6 * middle
    assert outside == 0


def test_motion_blur_runs_along_its_angle():
    pixels = np.zeros((80, 80, 3), np.uint8)
    pixels[36:44, 36:44] = 255
    for angle, longer in ((0, 1), (90, 0), (-90, 0)):
        out = full(motion_blur(Frame.borrow(pixels), length=32, angle=angle))[..., 0] > 20
        reach = [np.ptp(np.nonzero(out.any(axis=1 - axis))[0]) for axis in (0, 1)]
        assert reach[longer] > reach[1 - longer] + 12


def test_depth_of_field_blurs_more_far_away():
    columns = np.where(np.arange(400) // 4 % 2, 255, 0).astype(np.uint8)
    pixels = np.repeat(np.broadcast_to(columns, (60, 400))[..., None], 3, axis=2)
    mask = np.zeros((60, 400), np.uint8)
    mask[:, :40] = 255
    out = full(depth_of_field(Frame.borrow(np.ascontiguousarray(pixels)), Mask(mask, (60, 400)), radius=6, reach=200))
    near, far = np.std(out[30, 60:100].astype(float)), np.std(out[30, 340:380].astype(float))
    assert near > 2 * far


def test_vignette_darkens_corners_and_leaves_the_middle():
    out = vignette(Frame.borrow(np.full((360, 640, 3), 200, np.uint8))).pixels[..., 0]
    assert out[180, 320] == 200
    assert 98 <= out[0, 0] <= 106
    assert np.abs(out.astype(int) - out[::-1, ::-1]).max() <= 2
    assert (np.diff(out[180, 320:].astype(int)) <= 0).all()


def test_grain_moves_at_its_rate_and_repeats_for_a_time():
    def at(time, **options):
        return grain(Frame.borrow(np.full((20, 30, 3), 128, np.uint8), time=time), **options).pixels

    assert np.array_equal(at(1.0), at(1.0))
    assert np.array_equal(at(0.0), at(0.03))
    assert not np.array_equal(at(0.0), at(0.05))
    assert np.array_equal(at(0.0, rate=0), at(7.0, rate=0))
    grey, colored = at(0.0), at(0.0, colored=True)
    assert np.ptp(grey, axis=2).max() == 0
    assert np.ptp(colored, axis=2).max() > 0
    assert abs(float(grey.mean()) - 128) < 4


def test_sharpen_steepens_edges_only():
    pixels = np.full((30, 40, 3), 80, np.uint8)
    pixels[:, 20:] = 160
    out = sharpen(Frame.borrow(pixels), amount=1).pixels[15, :, 0].astype(int)
    assert out[19] < 80
    assert out[20] > 160
    assert out[0] == 80
    assert out[-1] == 160


def test_pixelate_shows_the_mean_of_blocks():
    pixels = noise(20, 30, 3)
    out = pixelate(Frame.borrow(pixels), size=10).pixels
    assert np.abs(out[0, 0] - pixels[:10, :10].mean(axis=(0, 1))).max() <= 0.5
    assert (out[10:20, 20:30] == out[10, 20]).all()


def test_bilateral_smooths_noise_and_keeps_edges():
    rng = np.random.default_rng(0)
    pixels = np.full((60, 80, 3), 60.0)
    pixels[:, 40:] = 200
    noisy = np.clip(pixels + rng.normal(0, 8, pixels.shape), 0, 255).astype(np.uint8)
    out = full(bilateral(Frame.borrow(noisy))).astype(float)
    assert out[20:40, 10:30].std() < 0.45 * noisy[20:40, 10:30].std()
    assert out[:, 44:].mean() - out[:, :36].mean() > 135


def test_border_is_a_frame_of_its_width():
    frame = border(Frame.borrow(np.zeros((30, 50, 3), np.uint8)), width=4, color="#0a141e")
    inside = np.zeros((30, 50), bool)
    inside[4:-4, 4:-4] = True
    assert frame.alpha is None
    assert (frame.pixels[~inside] == (10, 20, 30)).all()
    assert (frame.pixels[inside] == 0).all()


def test_round_corners_are_transparent_and_symmetric():
    frame = border(Frame.borrow(np.zeros((40, 60, 3), np.uint8)), width=3, color="white", radius=12)
    assert frame.alpha[0, 0] == 0
    assert frame.alpha[20, 30] == 255
    assert (frame.alpha[0, 15:45] == 255).all()
    assert np.array_equal(frame.alpha, frame.alpha[::-1])
    assert np.array_equal(frame.pixels, frame.pixels[:, ::-1])
    # The frame follows the corner: half way along it, 12 pixels from its centre.
    assert frame.pixels[4, 4].min() == 255
    assert frame.pixels[8, 8].max() == 0
    both = border(Frame.borrow(np.zeros((40, 60, 3), np.uint8), np.full((40, 60), 100, np.uint8)), radius=12)
    assert both.alpha[20, 30] == 100
    assert both.alpha[0, 0] == 0


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (7, 7)])
def test_a_border_wider_than_the_picture_covers_it(size):
    for radius in (0, 3, 100):
        frame = border(Frame.borrow(noise(*size, 3)), width=50, color="red", radius=radius)
        assert (frame.pixels == (255, 0, 0)).all()


def test_warp_bulges_and_tilts_about_the_middle():
    pixels = np.zeros((90, 160, 3), np.uint8)
    pixels[25:65, 50:110] = 255
    bulge, pinch, tilt = (
        Warp(**options)(Frame.borrow(pixels)).pixels[..., 0] > 127
        for options in ({"lens": 0.6}, {"lens": -0.3}, {"lens": 0.0, "tilt": 0.5})
    )
    assert bulge.sum() > 1.5 * 2400
    assert pinch[45, 80]
    assert tilt[30:40].sum() < tilt[50:60].sum()
    assert np.array_equal(bulge, bulge[:, ::-1])
    assert (Warp(lens=-1)(Frame.borrow(np.full((90, 160, 3), 9, np.uint8))).pixels == 9).all()


@pytest.mark.parametrize("size", [(1, 1), (3, 5)])
def test_warp_takes_any_size_and_moves_alpha(size):
    warp = Warp(lens=0.5, tilt=0.3, turn=-0.4)
    assert warp(Frame.borrow(noise(*size, 3), noise(*size))).alpha.shape == size
    assert warp(Frame.borrow(noise(6, 8, 3))).size == (6, 8)
    warp.close()
    assert warp(Frame.borrow(noise(6, 8, 3))).size == (6, 8)
