"""The camera's motion against known motion, and a picture that stands still."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framefx.filters.camera_motion import CameraMotion
from framefx.filters.stabilize import Stabilize
from framefx.frame import Frame
from framefx.geometry import Geometry
from framefx.mask import Mask
from framefx.motion import Motion, parts, similarity
from framefx.plan import Plan
from framefx.plugins import PluginManager
from framefx.sources.demo import Demo, _hand

SIZE = (360, 640)
CORNERS = np.array([[0, 0, 1], [639, 0, 1], [0, 359, 1], [639, 359, 1]], np.float64).T


def square(matrix):
    return np.vstack([matrix, (0, 0, 1)])


@pytest.fixture(scope="module")
def wall():
    """A wall with texture of all sizes, larger than the frame by 100 pixels on every side."""
    rng = np.random.default_rng(0)
    wall = np.zeros((560, 840, 3), np.float32)
    for blur in (2, 6, 20):
        noise = cv2.GaussianBlur(rng.standard_normal(wall.shape, np.float32), (0, 0), blur)
        wall += 30 * noise / noise.std()
    return np.clip(128 + wall, 0, 255).astype(np.uint8)


def seen(wall, matrix, seed=0, *, noise=3.0, gain=1.0):
    """What a camera sees of the wall whose picture's position is `matrix` @ (x, y, 1)."""
    at = square(matrix)[:2] + np.array([[0, 0, 100], [0, 0, 100]])
    picture = cv2.warpAffine(wall, at, SIZE[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.clip(gain * picture + np.random.default_rng(seed).normal(0, noise, picture.shape), 0, 255).astype(
        np.uint8
    )


def frames(pictures, rate=30.0):
    return [Frame.borrow(p, index=i, time=i / rate) for i, p in enumerate(pictures)]


def error(motion, true):
    """Largest distance of a corner from where it should be, pixels."""
    return float(np.abs(motion.matrix @ CORNERS - true @ CORNERS).max())


# -- similarities -----------------------------------------------------------------------------------


@given(st.floats(0.5, 2), st.floats(-1, 1), st.floats(-50, 50), st.floats(-50, 50))
def test_parts_is_the_inverse_of_similarity(scale, turn, x, y):
    got = parts(similarity(scale, turn, (x, y), SIZE), SIZE)
    np.testing.assert_allclose([got[0], got[1], *got[2]], [scale, turn, x, y], atol=1e-9)


def test_motion_moves_with_a_geometry():
    flip = Geometry(np.array([[-1, 0, 639], [0, 1, 0]]), SIZE)
    motion = Motion(similarity(1, 0.1, (5, 2), SIZE), SIZE, True, 7, 6).moved(flip)
    np.testing.assert_allclose(motion.matrix, similarity(1, -0.1, (-5, 2), SIZE), atol=1e-9)
    assert (motion.index, motion.since, motion.sure) == (7, 6, True)


# -- the layer --------------------------------------------------------------------------------------


@settings(derandomize=True, deadline=None, max_examples=12)
@given(st.floats(0.985, 1.015), st.floats(-0.015, 0.015), st.floats(-14, 14), st.floats(-14, 14))
def test_a_known_motion_is_found_to_a_third_of_a_pixel(wall, scale, turn, x, y):
    true = similarity(scale, turn, (x, y), SIZE)
    layer = CameraMotion()
    first, second = frames([seen(wall, np.eye(2, 3), 1), seen(wall, true, 2, gain=0.93)])
    assert not layer(first).sure
    motion = layer(second)
    assert (motion.sure, motion.index, motion.since) == (True, 1, 0)
    assert error(motion, true) < 0.35


def test_errors_do_not_add_up(wall):
    layer, rng = CameraMotion(), np.random.default_rng(5)
    total, true = np.eye(3), np.eye(3)
    for index in range(40):
        pose = similarity(1 + rng.normal(0, 0.003), rng.normal(0, 0.004), tuple(rng.normal(0, 5, 2)), SIZE)
        frame = Frame.borrow(seen(wall, pose, index), index=index, time=index / 30)
        total = total @ square(layer(frame).matrix)
        true = true if index else square(pose)
    assert np.abs(true @ total @ CORNERS - square(pose) @ CORNERS).max() < 1.5


def test_a_person_who_walks_through_is_not_the_camera(wall):
    rng = np.random.default_rng(3)
    person = cv2.GaussianBlur(rng.integers(0, 256, (300, 300, 3), np.uint8), (0, 0), 3)
    person = cv2.normalize(person, None, 0, 255, cv2.NORM_MINMAX)
    layer, errors = CameraMotion(), []
    for index in range(6):
        picture = seen(wall, np.eye(2, 3), index)
        mask = np.zeros(SIZE, np.uint8)
        left = 60 + 12 * index
        picture[60:, left : left + 300] = person
        mask[60:, left : left + 300] = 255
        small = cv2.resize(mask, (128, 72), interpolation=cv2.INTER_AREA)
        motion = layer(Frame.borrow(picture, index=index, time=index / 30), Mask(small, SIZE, index))
        errors.append(error(motion, np.eye(2, 3)))
        assert motion.sure == (index > 0)
    assert max(errors) < 0.4


@pytest.mark.parametrize("what", ["a plain wall", "a cut", "a gap", "another size", "forgotten"])
def test_is_not_sure_after(wall, what):
    layer = CameraMotion()
    first, second = seen(wall, np.eye(2, 3), 1), seen(wall, similarity(1, 0, (3, 1), SIZE), 2)
    if what == "a plain wall":
        first = np.full((*SIZE, 3), 120, np.uint8)
    layer(Frame.borrow(first, time=0.0))
    if what == "forgotten":
        layer.close()
    if what == "a cut":
        second = np.random.default_rng(9).integers(0, 256, (90, 160, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    if what == "another size":
        second = second[:320]
    motion = layer(Frame.borrow(np.ascontiguousarray(second), index=1, time=0.6 if what == "a gap" else 0.03))
    assert not motion.sure
    np.testing.assert_array_equal(motion.matrix, np.eye(2, 3))


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 5), (31, 17)])
def test_tiny_frames(size):
    layer = CameraMotion()
    for index in range(3):
        pixels = np.random.default_rng(index).integers(0, 256, (*size, 3), np.uint8)
        motion = layer(Frame.borrow(pixels, index=index, time=index / 30))
        geometry = Stabilize()(Frame.borrow(pixels, index=index, time=index / 30), motion)
        assert np.isfinite(geometry.matrix).all()


# -- the filter -------------------------------------------------------------------------------------


def shaken(count, seed=0, *, strength=1.0):
    """Where a hand that shakes points a camera: matrices from picture to wall."""
    rng, time = np.random.default_rng(seed), np.arange(count) / 30
    phases = rng.uniform(0, 6, (4, 3))
    waves = [
        sum(np.sin(2 * np.pi * f * time + p) / 3 for f, p in zip((1.3, 2.9, 5.1), row, strict=True)) for row in phases
    ]
    return [
        similarity(1 + 0.004 * strength * s, 0.006 * strength * t, (8 * strength * x, 6 * strength * y), SIZE)
        for s, t, x, y in zip(*waves, strict=True)
    ]


def shaking(poses, geometries):
    """RMS change of speed of two places of the wall as shown, pixels per frame."""
    wall = np.array([[150, 100, 1], [500, 250, 1]], np.float64).T
    shown = [
        (np.linalg.inv(square(g.matrix)) @ np.linalg.inv(square(p)) @ wall)[:2]
        for p, g in zip(poses, geometries, strict=True)
    ]
    return float(np.sqrt(np.mean(np.diff(shown, n=2, axis=0) ** 2)))


def run(pictures, **options):
    """Return what `stabilize` did to each picture."""
    layer, filter_ = CameraMotion(), Stabilize(**options)
    return [filter_(frame, layer(frame)) for frame in frames(pictures)]


def is_inside(geometry, size):
    height, width = size
    x, y = geometry.matrix @ np.array([[0, 0, 1], [width - 1, 0, 1], [0, height - 1, 1], [width - 1, height - 1, 1]]).T
    return min(x.min(), y.min()) > -1e-3 and x.max() < width - 1 + 1e-3 and y.max() < height - 1 + 1e-3


def test_a_shaking_hand_is_steadied(wall):
    poses = shaken(40)
    geometries = run([seen(wall, pose, i) for i, pose in enumerate(poses)])
    still = [Geometry(np.eye(2, 3), SIZE)] * len(poses)
    assert shaking(poses, geometries) < shaking(poses, still) / 4


@pytest.mark.parametrize(("strength", "zoom"), [(1, 1.1), (2, 1.03), (2, 1.0)])
def test_no_border_shows(wall, strength, zoom):
    geometries = run([seen(wall, p, i) for i, p in enumerate(shaken(25, strength=strength))], zoom=zoom)
    assert all(is_inside(g, SIZE) and g.size == SIZE for g in geometries)
    if zoom == 1:
        assert all(np.allclose(g.matrix, np.eye(2, 3), atol=0.01) for g in geometries)


def test_a_camera_that_is_turned_on_purpose_is_followed(wall):
    poses = [similarity(1, 0, (min(4.0 * i, 80) - 40, 0), SIZE) for i in range(60)]
    geometries = run([seen(wall, pose, i) for i, pose in enumerate(poses)], smooth=0.3)
    assert abs(parts(geometries[-1].matrix, SIZE)[2][0]) < 1


def test_without_knowing_it_lets_go():
    filter_ = Stabilize(smooth=0.5)
    frame = Frame.borrow(np.zeros((*SIZE, 3), np.uint8))
    filter_(frame, Motion(np.eye(2, 3), SIZE, True, 0, -1))
    filter_(frame._stamped(1, 1 / 30), Motion(similarity(1, 0, (10, 0), SIZE), SIZE, True, 1, 0))
    held = [parts(filter_(frame._stamped(i, i / 30), Motion.unknown(SIZE, i)).matrix, SIZE)[2][0] for i in range(2, 60)]
    assert held[0] < -5
    assert np.all(np.diff(held) > 0)
    assert abs(held[-1]) < 0.5


def test_one_motion_counts_once():
    filter_, frame = Stabilize(smooth=10), Frame.borrow(np.zeros((*SIZE, 3), np.uint8))
    motion = Motion(similarity(1, 0, (10, 0), SIZE), SIZE, True, 1, 0)
    filter_(frame, Motion.unknown(SIZE, 0))
    first = filter_(frame._stamped(1, 1 / 30), motion)
    np.testing.assert_array_equal(filter_(frame._stamped(2, 2 / 30), motion).matrix, first.matrix)
    filter_.close()
    assert parts(filter_(frame, Motion.unknown(SIZE, 0)).matrix, SIZE)[2] == pytest.approx((0, 0))


def test_the_demo_clip_stands_still():
    pytest.importorskip("skimage", reason="the demo needs scikit-image")
    source, geometries = Demo(seconds=1), []
    plan = Plan("stabilize", PluginManager(discover=False).registry)
    stabilize = plan.steps[0].instance

    def noting(frame, motion):
        geometries.append(stabilize(frame, motion))
        return geometries[-1]

    plan.steps[0].instance = noting
    source.open()
    while (frame := source.read()) is not None:
        assert plan.run(frame).size == (720, 1280)
    poses = [_hand(i / 30) for i in range(len(geometries))]
    still = [Geometry(np.eye(2, 3), (720, 1280))] * len(poses)
    assert all(is_inside(g, (720, 1280)) for g in geometries)
    assert shaking(poses, geometries) < shaking(poses, still) / 2
