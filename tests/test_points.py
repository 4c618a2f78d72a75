"""Points and heatmaps: what they hold, and how geometries move them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framefx import Frame, Geometry, Heatmaps, Mask, Points
from framefx.errors import PluginError
from framefx.filters.flip import flip
from framefx.filters.moves import roll, zoom
from framefx.geometry import warp_mask

reproducible = settings(derandomize=True, deadline=None, max_examples=50)
NAMES = ("nose", "left_eye")


def points(*xy, size=(20, 30), index=3):
    return Points(xy, np.full(len(xy), 0.5), [f"p{i}" for i in range(len(xy))], size, index)


def frame(size=(20, 30), time=0.0):
    return Frame.borrow(np.zeros((*size, 3), np.uint8), time=time)


def test_points_are_found_by_name():
    found = Points([[1, 2], [3.5, 4]], [0.25, 1], NAMES, (20, 30))
    assert found["left_eye"] == (3.5, 4.0)
    assert found.score("nose") == 0.25
    assert len(found) == 2
    with pytest.raises(KeyError, match="there is no 'tail', only nose, left_eye"):
        found["tail"]


def test_nobody_writes_to_them():
    given_xy, given_values = np.zeros((2, 2), np.float32), np.zeros((2, 4, 4), np.uint8)
    held, maps = Points(given_xy, [1, 1], NAMES, (4, 4)), Heatmaps(given_values, NAMES, (4, 4))
    for array in (held.xy, held.scores, maps.values, maps["nose"].values):
        assert not array.flags.writeable
    given_xy[:] = 1
    given_values[:] = 1


@pytest.mark.parametrize(
    ("xy", "scores", "message"),
    [
        ([[1, 2]], [1, 1], r"2 names, xy of shape \(1, 2\)"),
        ([[1, 2, 3]] * 2, [1, 1], r"xy of shape \(2, 3\)"),
        ([[1, 2]] * 2, [1], r"scores of \(1,\)"),
        ([[1, np.nan]] * 2, [1, 1], "not a number"),
        ([[1, 2]] * 2, [1, np.inf], "not a number"),
    ],
)
def test_points_of_other_shapes_are_refused(xy, scores, message):
    with pytest.raises(PluginError, match=message):
        Points(xy, scores, NAMES, (20, 30))


@pytest.mark.parametrize("values", [np.zeros((3, 4, 4), np.uint8), np.zeros((2, 4), np.uint8), np.zeros((2, 4, 4))])
def test_heatmaps_of_other_shapes_are_refused(values):
    with pytest.raises(PluginError, match=r"heatmaps: got 2 names and .* wanted uint8 \(names, rows, columns\)"):
        Heatmaps(values, NAMES, (20, 30))


def test_a_mirror_moves_points_and_keeps_names_and_index():
    moved = points((0, 0), (29, 19)).moved(flip(frame()))
    assert np.allclose(moved.xy, [[29, 0], [0, 19]], atol=1e-6)
    assert (moved.names, moved.index, moved.size) == (("p0", "p1"), 3, (20, 30))


def test_a_zoom_moves_points_with_the_picture():
    geometry = zoom(frame(), x=2.0, y=2.0, anchor="top-left")
    x, y = points((4.5, 4.5)).moved(geometry)["p0"]
    where = geometry.matrix @ (x, y, 1)
    assert np.allclose(where, 4.5)
    assert x > 8


def test_points_that_roll_out_come_back_on_the_other_side():
    moved = points((25, 10), (2, 10)).moved(roll(frame(time=1.0), speed_x=10.0, speed_y=0.0))
    assert np.allclose(moved.xy, [[5, 10], [12, 10]])


numbers = st.floats(-3, 3, allow_nan=False)


@reproducible
@given(st.tuples(*[numbers] * 4), st.tuples(st.floats(-50, 50), st.floats(-50, 50)))
def test_a_moved_point_shows_what_it_showed(linear, shift):
    a, b, c, d = linear
    if abs(a * d - b * c) < 0.05:
        return
    geometry = Geometry(np.array([[a, b, shift[0]], [c, d, shift[1]]]), (40, 50))
    moved = points((7, 9), (-20, 35)).moved(geometry)
    back = moved.xy.astype(np.float64) @ geometry.matrix[:, :2].T + geometry.matrix[:, 2]
    assert np.allclose(back, [[7, 9], [-20, 35]], atol=0.01)
    assert moved.size == (40, 50)


@pytest.mark.parametrize("size", [(20, 30), (21, 31)])
def test_heatmaps_move_as_masks_do(size):
    values = np.random.default_rng(0).integers(0, 256, (2, 5, 7), np.uint8)
    maps, geometry = Heatmaps(values, NAMES, size, 9), zoom(frame(size), x=1.3, y=1.1)
    moved = maps.moved(geometry)
    for name, plane in zip(NAMES, values, strict=True):
        assert np.array_equal(moved[name].values, warp_mask(Mask(plane, size), geometry).values)
    assert (moved.index, moved["nose"].index, moved.size) == (9, 9, geometry.size)


def test_reprs_say_what_there_is():
    assert repr(points((0, 0))) == "<Points 1 of frame 3 at 30x20>"
    assert (
        repr(Heatmaps(np.zeros((2, 3, 4), np.uint8), NAMES, (20, 30), 5)) == "<Heatmaps 2 of 4x3 of frame 5 at 30x20>"
    )
