"""`skeleton` and `heatmap`: what a body network finds, over the picture."""

import typing

import numpy as np
import pytest

from framefx import Frame, Heatmaps, Points
from framefx.errors import MissingLayerError
from framefx.filters.pose import Keypoint, heatmap, skeleton
from framefx.models.vocabulary import KEYPOINTS
from framefx.plan import Plan
from framefx.plugins import PluginManager
from framefx.registry import Register

SIZE = (90, 160)


def points(scores=None, **places):
    xy = [places.get(name, (-1000, -1000)) for name in KEYPOINTS]
    found = [float(name in places) for name in KEYPOINTS] if scores is None else np.full(len(KEYPOINTS), scores)
    return Points(xy, found, KEYPOINTS, SIZE)


def maps(**places):
    values = np.zeros((len(KEYPOINTS), 9, 16), np.uint8)
    for name, (y, x) in places.items():
        values[KEYPOINTS.index(name), y, x] = 255
    return Heatmaps(values, KEYPOINTS, SIZE)


def grey(alpha=None):
    return Frame.borrow(np.full((*SIZE, 3), 60, np.uint8), None if alpha is None else np.full(SIZE, alpha, np.uint8))


def changed(frame):
    return (frame.pixels != 60).any(axis=2)


def test_points_are_round_and_where_they_are():
    spots = changed(skeleton(grey(), points(nose=(30, 40), left_eye=(100, 20)), radius=6, width=0))
    y, x = np.nonzero(spots[:, :60])
    assert (x.mean(), y.mean()) == pytest.approx((30, 40), abs=0.2)
    assert np.hypot(x - 30, y - 40).max() < 8
    assert np.pi * 36 < spots[:, :60].sum() < np.pi * 64
    assert spots[20, 100]


def test_lines_join_arms_and_not_the_face():
    arm = points(left_shoulder=(20, 20), left_elbow=(80, 20), nose=(20, 80), left_eye=(80, 80))
    lines = changed(skeleton(grey(), arm, radius=0, width=3))
    assert lines[20, 25:75].all()
    assert not lines[60:].any()


def test_doubtful_points_are_left_out():
    assert not changed(skeleton(grey(), points(0.29, nose=(30, 40)))).any()
    assert changed(skeleton(grey(), points(0.29, nose=(30, 40)), least=0.2)).any()


def test_points_far_away_do_no_harm():
    far = points(1.0, left_shoulder=(1e9, -1e9), left_elbow=(80, 20))
    assert changed(skeleton(grey(), far))[20, 80]


def test_nothing_to_draw_leaves_the_frame_as_it_is():
    frame = grey()
    assert skeleton(frame, points(nose=(30, 40)), radius=0, width=0) is frame
    assert heatmap(frame, maps()) is frame
    assert heatmap(frame, maps(nose=(4, 8)), opacity=0) is frame


def test_a_transparent_picture_shows_what_is_drawn_on_it():
    drawn = skeleton(grey(alpha=0), points(nose=(30, 40)))
    assert drawn.alpha[40, 30] == 255
    assert drawn.alpha[0, 0] == 0
    glowing = heatmap(grey(alpha=0), maps(nose=(4, 8)), opacity=1)
    assert glowing.alpha[45, 85] > 200
    assert glowing.alpha[0, 0] == 0


def test_a_heatmap_shows_one_keypoint_or_all():
    found = maps(nose=(4, 4), left_eye=(4, 12))
    both, one = changed(heatmap(grey(), found)), changed(heatmap(grey(), found, keypoint="left_eye"))
    assert both[45, 45]
    assert both[45, 125]
    assert one[45, 125]
    assert not one[:, :80].any()
    assert not both[:, 70:90].any()


def test_a_heatmap_is_as_opaque_as_it_is_told():
    strong, faint = (heatmap(grey(), maps(nose=(4, 8)), opacity=o).pixels.astype(int) for o in (1.0, 0.25))
    assert abs(faint[45, 85] - 60).sum() < abs(strong[45, 85] - 60).sum() / 3


def test_its_choices_are_the_keypoints():
    assert typing.get_args(Keypoint) == ("all", *KEYPOINTS)


def test_in_a_chain_they_follow_the_picture():
    registry = PluginManager(discover=False).registry

    def keypoints(frame: Frame) -> Points:
        return points(nose=(30, 40))

    Register(registry, "test").layer(keypoints)
    out = changed(Plan("flip,skeleton", registry).run(grey()))
    assert out[40, 129]
    assert not out[40, 30]


def test_without_a_body_network_the_plan_says_what_is_missing():
    registry = PluginManager(discover=False).registry
    with pytest.raises(MissingLayerError, match=r"--model FILE \(family bodypix\)$"):
        Plan("skeleton", registry)
