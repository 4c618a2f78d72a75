"""Geometry: pixels, alpha and masks move together, and two moves are one only where that shows the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framefx.errors import PluginError
from framefx.frame import Frame, FramePool
from framefx.geometry import Geometry, warp_frame, warp_mask
from framefx.mask import Mask
from framefx.plan import Plan
from framefx.registry import Register, Registry

SIZE = (9, 14)


def picture(seed=0, size=SIZE):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


def warped(pixels, geometry, alpha=None):
    return warp_frame(Frame.borrow(pixels, alpha, index=3, time=0.1), geometry, FramePool())


def reference(pixels, geometry):
    """Bilinear sampling, pixel by pixel, as the docstring of `Geometry` says it."""
    height, width = geometry.size
    y, x = np.mgrid[:height, :width]
    at = geometry.matrix @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    left, top = np.floor(at).astype(int)
    total = np.zeros((x.size, 3))
    for down in (0, 1):
        for across in (0, 1):
            weight = (1 - abs(at[0] - left - across)) * (1 - abs(at[1] - top - down))
            total += weight[:, None] * fetch(pixels, top + down, left + across, geometry.border)
    return total.reshape(height, width, 3)


def fetch(pixels, y, x, border):
    height, width = pixels.shape[:2]
    if border == "wrap":
        return pixels[y % height, x % width]
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    if border == "mirror":
        y, x = (np.where(v % (2 * n) < n, v % (2 * n), 2 * n - 1 - v % (2 * n)) for v, n in ((y, height), (x, width)))
        return pixels[y, x]
    found = pixels[y.clip(0, height - 1), x.clip(0, width - 1)]
    return found if border == "edge" else found * inside[:, None]


NUMBERS = st.floats(-2, 2, width=32)
SHIFTS = st.floats(-20, 20, width=32)
BORDERS = st.sampled_from(["black", "edge", "mirror", "wrap"])


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.tuples(NUMBERS, NUMBERS, SHIFTS, NUMBERS, NUMBERS, SHIFTS), st.sampled_from([(9, 14), (5, 30)]), BORDERS)
def test_every_pixel_comes_from_where_the_matrix_says(numbers, size, border):
    geometry = Geometry(np.reshape(numbers, (2, 3)), size, border)
    smooth = np.kron(picture(size=(3, 7)), np.ones((3, 2, 1), np.uint8))
    got = warped(smooth, geometry).pixels.astype(float)
    # OpenCV counts positions in 1/32 of a pixel.
    assert np.abs(got - reference(smooth, geometry)).max() <= 2 * 255 / 32 + 2


@pytest.mark.parametrize("border", ["black", "transparent", "wrap"])
@pytest.mark.parametrize("shift", [(1, 0), (-3, 2), (0, -8), (13, 8), (14, 9), (-100, 100), (5, -20)])
def test_whole_pixels_move_exactly(shift, border):
    geometry = Geometry([[1, 0, -shift[0]], [0, 1, -shift[1]]], SIZE, border)
    expected = reference(picture(), Geometry(geometry.matrix, SIZE, "wrap" if border == "wrap" else "black"))
    assert np.array_equal(warped(picture(), geometry).pixels, expected)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (2, 2)])
@pytest.mark.parametrize(("x", "y"), [(-1, 1), (1, -1), (-1, -1)])
def test_a_mirror_image_is_exact(size, x, y):
    matrix = [[x, 0, (size[1] - 1) * (x < 0)], [0, y, (size[0] - 1) * (y < 0)]]
    assert np.array_equal(warped(picture(size=size), Geometry(matrix, size)).pixels, picture(size=size)[::y, ::x])


def test_the_identity_is_the_same_frame():
    frame = Frame.borrow(picture())
    assert warp_frame(frame, Geometry(np.eye(2, 3), SIZE), FramePool()) is frame


def test_index_and_time_stay():
    result = warped(picture(), Geometry([[1, 0, 2.5], [0, 1, 0]], SIZE))
    assert (result.index, result.time) == (3, 0.1)


def test_alpha_moves_with_the_pixels():
    alpha = picture()[..., 0].copy()
    result = warped(np.repeat(alpha[..., None], 3, axis=2), Geometry([[1, 0, 2.5], [0, 1, 1.25]], SIZE), alpha)
    assert np.abs(result.alpha.astype(int) - result.pixels[..., 0]).max() <= 1


@pytest.mark.parametrize("x", [4, 4.5])
def test_a_transparent_border_is_transparent(x):
    result = warped(picture(), Geometry([[1, 0, x], [0, 1, 0]], SIZE, "transparent"))
    assert (result.alpha[:, :9] == 255).all()
    assert (result.alpha[:, 11:] == 0).all()


@pytest.mark.parametrize("border", ["black", "edge"])
def test_an_opaque_picture_stays_opaque_at_any_other_border(border):
    assert warped(picture(), Geometry([[1, 0, 4.5], [0, 1, 0]], SIZE, border)).alpha is None


@pytest.mark.parametrize(("rows", "columns"), [(9, 14), (5, 7), (18, 28), (3, 3)])
@pytest.mark.parametrize("numbers", [(-1, 0, 13, 0, 1, 0), (0.5, 0, 3, 0, 0.5, 2), (1, 0.2, 1, -0.1, 1, 2)])
def test_a_mask_moves_as_its_frame_does(rows, columns, numbers):
    y, x = np.mgrid[:rows, :columns]
    mask = Mask((255 * (x / columns + y / rows) / 2).astype(np.uint8), SIZE)
    geometry = Geometry(np.reshape(numbers, (2, 3)), SIZE, "edge")
    moved_late = warped(np.repeat(np.asarray(mask)[..., None], 3, axis=2), geometry).pixels[..., 0]
    assert np.abs(np.asarray(warp_mask(mask, geometry)).astype(int) - moved_late).mean() < 8


def test_a_mask_is_empty_outside():
    moved = warp_mask(Mask(np.full(SIZE, 255, np.uint8), SIZE), Geometry([[1, 0, 4], [0, 1, 0]], SIZE))
    assert (np.asarray(moved)[:, 11:] == 0).all()


@pytest.mark.parametrize(
    ("matrix", "size", "message"),
    [
        (np.eye(3), SIZE, "wanted 2×3 finite numbers"),
        (np.full((2, 3), np.nan), SIZE, "wanted 2×3 finite numbers"),
        (np.full((2, 3), np.inf), SIZE, "wanted 2×3 finite numbers"),
        (np.eye(2, 3), (0, 3), "wanted .height, width. of at least 1"),
        (np.eye(2, 3), (3,), "wanted .height, width. of at least 1"),
    ],
)
def test_nonsense_is_refused(matrix, size, message):
    with pytest.raises(PluginError, match=message):
        Geometry(matrix, size)


# Several moves.


def moving_plan(*geometries):
    register = Register(registry := Registry(), "test")

    def move(geometry):
        return lambda frame: geometry, lambda size: geometry.size

    for number, geometry in enumerate(geometries):
        target, size = move(geometry)
        register.geometry(target, name=f"move{number}", size=size)
    return Plan(",".join(f"move{n}" for n in range(len(geometries))), registry)


def zoom(factor, border="black"):
    offset = (np.array([SIZE[1], SIZE[0]]) - 1) * (1 - 1 / factor) / 2
    return Geometry([[1 / factor, 0, offset[0]], [0, 1 / factor, offset[1]]], SIZE, border)


FLIP = Geometry([[-1, 0, SIZE[1] - 1], [0, 1, 0]], SIZE)


def one_by_one(pixels, *geometries):
    for geometry in geometries:
        pixels = warped(pixels, geometry).pixels
    return pixels


@pytest.mark.parametrize(
    "geometries",
    [
        (zoom(2), zoom(0.5)),  # what is cropped away does not come back
        (zoom(2, "edge"), zoom(0.5, "edge")),
        (zoom(0.5, "edge"), FLIP),
        (FLIP, zoom(0.5, "wrap")),
        (zoom(0.5, "black"), zoom(0.5, "black")),
        (FLIP, zoom(2), FLIP),
    ],
)
def test_moves_in_a_row_show_what_one_after_the_other_shows(geometries):
    smooth = np.kron(picture(size=(3, 7)), np.ones((3, 2, 1), np.uint8))
    frame = Frame.borrow(smooth)
    plan = moving_plan(*geometries)
    moved = plan.run(frame).pixels.astype(int)
    expected = one_by_one(smooth, *geometries)
    assert ((moved == 0).all(axis=2) == (expected == 0).all(axis=2)).mean() > 0.8
    assert np.median(np.abs(moved - expected)) <= 12


def test_moves_that_fit_are_one_resampling():
    joined = zoom(2).then(zoom(1.5), SIZE)
    assert np.allclose(joined.matrix, zoom(3).matrix)
    assert zoom(2).then(zoom(0.5), SIZE) is None
