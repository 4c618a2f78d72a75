"""Geometries: where pixels and masks go."""

import numpy as np
import pytest

from framefx.filters.moves import affine, move, roll, zoom
from framefx.frame import Frame, FramePool
from framefx.geometry import middle, overlap, warp_frame, warp_mask
from framefx.mask import Mask


def picture(height=36, width=64):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def moved(geometry, alpha=None, pixels=None):
    return warp_frame(Frame.borrow(picture() if pixels is None else pixels, alpha), geometry, FramePool())


def at(time=0.0):
    return Frame.borrow(picture(), time=time)


@pytest.mark.parametrize(("x", "y"), [(5, 3), (-20, 11), (0, -36), (64, 0), (200, 1)])
def test_move_wraps(x, y):
    assert np.array_equal(moved(move(at(), x=x, y=y, border="wrap")).pixels, np.roll(picture(), (y, x), (0, 1)))


@pytest.mark.parametrize(("x", "y"), [(5, 3), (-20, 11), (100, 0)])
def test_move_leaves_transparency(x, y):
    result = moved(move(at(), x=x, y=y))
    height, width = 36, 64
    rows, columns = np.mgrid[:height, :width]
    inside = (rows >= y) & (rows < height + y) & (columns >= x) & (columns < width + x)
    assert np.array_equal(result.alpha == 255, inside)
    assert np.array_equal(result.alpha == 0, ~inside)
    assert np.array_equal(result.pixels[inside], np.roll(picture(), (y, x), (0, 1))[inside])


def test_move_by_part_pixels_is_between():
    result = moved(move(at(), x=0.5, border="edge"))
    wanted = (picture()[:, :-1].astype(float) + picture()[:, 1:]) / 2
    assert np.abs(result.pixels[:, 1:] - wanted).max() <= 1


def test_move_relative():
    assert np.array_equal(move(at(), x=0.25, y=-0.5, relative=True).matrix[:, 2], [-16, 18])


def test_alpha_moves_too():
    alpha = picture()[..., 0].copy()
    assert np.array_equal(moved(move(at(), x=7, border="wrap"), alpha).alpha, np.roll(alpha, 7, 1))


def test_roll_goes_by_the_clock():
    assert np.array_equal(moved(roll(at(0.1), speed_x=50, speed_y=-20)).pixels, np.roll(picture(), (-2, 5), (0, 1)))


@pytest.mark.parametrize("rate", [15, 60])
def test_roll_is_where_it_is_at_any_rate(rate):
    assert np.array_equal(roll(at(rate / rate), speed_x=33).matrix, roll(at(1.0), speed_x=33).matrix)


def test_zoom_keeps_the_anchor():
    for anchor, place in {
        "center": (31.5, 17.5),
        "top-left": (0, 0),
        "bottom-right": (63, 35),
        "right": (63, 17.5),
    }.items():
        matrix = zoom(at(), x=2, y=3, anchor=anchor).matrix
        assert np.allclose(matrix @ [*place, 1], place)


def test_zoom_in_shows_the_middle():
    smooth = np.repeat(np.arange(64, dtype=np.uint8)[None, :, None] * 4, 36, 0).repeat(3, 2)
    row = moved(zoom(at(), x=2), pixels=smooth).pixels[18, :, 0].astype(float)
    assert np.abs(np.diff(row) - 2).max() <= 1
    assert abs(row.mean() - smooth.mean()) < 1


def test_zoom_out_leaves_transparency():
    result = moved(zoom(at(), x=0.5))
    assert result.alpha[0, 0] == 0
    assert result.alpha[18, 32] == 255


def test_masks_move_with_the_picture():
    mask = Mask(np.repeat([[0, 0, 255, 255]], 3, axis=0).astype(np.uint8), (36, 64))
    values = np.asarray(warp_mask(mask, move(at(), x=16)))
    assert values[18, 36] == 0
    assert values[18, 60] == 255


def test_affine_shows_what_the_matrix_names():
    turned = moved(affine(at(), matrix=((0, 1, 0), (1, 0, 0)), border="black"))  # x and y change places
    assert np.array_equal(turned.pixels[:36, :36], picture()[:36, :36].transpose(1, 0, 2))


def test_memory_comes_from_the_pool():
    pool = FramePool()
    frame = Frame.borrow(picture(), pool=pool)
    for _ in range(3):
        warp_frame(frame, zoom(frame, x=1.5), pool)
    before = pool.allocations
    warp_frame(frame, zoom(frame, x=1.5), pool)
    assert pool.allocations == before


@pytest.mark.parametrize(
    ("position", "covered", "seen"),
    [
        ((3, 2), np.s_[2:6, 3:8], np.s_[0:4, 0:5]),
        ((-1, -1), np.s_[5:9, 14:19], np.s_[0:4, 0:5]),
        ((18, 8), np.s_[8:10, 18:20], np.s_[0:2, 0:2]),
        ((40, 0), np.s_[0:4, 40:40], np.s_[0:4, 0:0]),
    ],
)
def test_overlap(position, covered, seen):
    assert overlap((10, 20), (4, 5), position) == (covered, seen)


def test_middle_has_the_wanted_proportions():
    assert middle((100, 100), (50, 100)) == np.s_[25:75, 0:100]
