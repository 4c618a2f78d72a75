import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framefx.boxes import Boxes
from framefx.errors import PluginError
from framefx.geometry import Geometry, warp_mask
from framefx.mask import Mask

SIZE = (60, 90)
ONE = Boxes([[10, 20, 30, 50]], [0.9], [[[15, 25], [25, 25]]], size=SIZE, index=4)


def test_says_what_it_is():
    assert (len(ONE), ONE.size, ONE.index, ONE.kind) == (1, SIZE, 4, "boxes")
    assert repr(ONE) == "<Boxes 1 of frame 4 at 90x60>"
    assert len(Boxes(np.empty((0, 4)), [], size=SIZE)) == 0


def test_keeps_copies_that_cannot_be_written():
    corners = np.array([[1.0, 2, 3, 4]])
    boxes = Boxes(corners, [1], size=SIZE)
    corners[:] = 0
    assert boxes.corners.tolist() == [[1, 2, 3, 4]]
    assert boxes.landmarks.shape == (1, 0, 2)
    for part in (boxes.corners, boxes.scores, boxes.landmarks):
        with pytest.raises(ValueError, match="read-only"):
            part[...] = 0


@pytest.mark.parametrize(
    ("corners", "scores", "landmarks"),
    [
        (np.zeros((2, 4)), [1], None),
        (np.zeros((1, 3)), [1], None),
        (np.zeros((1, 4)), [[1]], None),
        (np.zeros((1, 4)), [1], np.zeros((2, 5, 2))),
        (np.zeros((1, 4)), [1], np.zeros((1, 5, 3))),
        (np.zeros(4), [1], None),
    ],
)
def test_other_shapes_are_refused(corners, scores, landmarks):
    with pytest.raises(PluginError, match=r"boxes: got corners .* wanted \(n, 4\)"):
        Boxes(corners, scores, landmarks, size=SIZE)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_a_number_is_refused(bad):
    with pytest.raises(PluginError, match="not a number"):
        Boxes([[0, 0, 1, bad]], [1], size=SIZE)


def test_moves_with_a_mirror_image():
    flipped = ONE.moved(Geometry(np.array([[-1, 0, 89], [0, 1, 0]]), SIZE))
    np.testing.assert_allclose(flipped.corners, [[59, 20, 79, 50]], atol=1e-4)
    np.testing.assert_allclose(flipped.landmarks, [[[74, 25], [64, 25]]], atol=1e-4)
    assert (flipped.scores.tolist(), flipped.index) == (ONE.scores.tolist(), 4)


def test_moves_with_a_crop_to_another_size():
    zoomed = ONE.moved(Geometry(np.array([[0.5, 0, 5], [0, 0.5, 10]]), (120, 180)))
    np.testing.assert_allclose(zoomed.corners, [[10, 20, 50, 80]], atol=1e-4)
    assert zoomed.size == (120, 180)


def test_a_border_that_wraps_shows_it_nearest_to_the_middle():
    rolled = ONE.moved(Geometry(np.array([[1, 0, 60], [0, 1, 0]]), SIZE, "wrap"))
    np.testing.assert_allclose(rolled.corners, [[40, 20, 60, 50]], atol=1e-4)
    np.testing.assert_allclose(rolled.landmarks, [[[45, 25], [55, 25]]], atol=1e-4)


def test_a_turned_box_is_the_upright_one_around_it():
    turned = ONE.moved(Geometry(np.array([[0, 1, 0], [1, 0, 0]]), (90, 60)))
    np.testing.assert_allclose(turned.corners, [[20, 10, 50, 30]], atol=1e-4)


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.floats(0.5, 2), st.floats(-1, 1), st.floats(-15, 15), st.floats(-15, 15))
def test_ellipses_stay_inside_boxes_that_move_with_them(scale, angle, x, y):
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    geometry = Geometry(np.array([[cos, -sin, x], [sin, cos, y]]), (120, 150))
    seen = np.asarray(warp_mask(Mask(np.asarray(ONE.ellipses(SIZE)), SIZE), geometry)) > 200
    left, top, right, bottom = ONE.moved(geometry).corners[0]
    rows, columns = np.nonzero(seen)
    assert (rows >= top - 2).all() and (rows <= bottom + 2).all()
    assert (columns >= left - 2).all() and (columns <= right + 2).all()


def test_ellipses_have_the_area_of_ellipses():
    values = ONE.ellipses(SIZE).values
    assert values.sum() / 255 == pytest.approx(np.pi / 4 * 20 * 30, rel=0.02)
    assert values[35, 20] == 255
    assert values[21, 11] == 0


def test_ellipses_mean_the_same_at_any_resolution():
    full, small = ONE.ellipses(SIZE), ONE.ellipses((30, 45))
    assert small.size == SIZE
    assert np.abs(np.asarray(small).astype(int) - np.asarray(full)).mean() < 3


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.floats(0, 89), st.floats(0, 59), st.integers(1, 40), st.integers(1, 40))
def test_no_box_is_too_small_to_leave_a_mark(x, y, rows, columns):
    values = Boxes([[x, y, x + 0.1, y + 0.1]], [1], size=SIZE).ellipses((rows, columns)).values
    assert values.max() >= 128


def test_without_boxes_nothing_is_covered():
    assert not Boxes(np.empty((0, 4)), [], size=SIZE).ellipses((6, 9)).values.any()
