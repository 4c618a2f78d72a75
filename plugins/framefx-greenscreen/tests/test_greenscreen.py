"""Functions are called as they are: no camera, no model, no plugin manager."""

import numpy as np
import pytest
from framefx import Frame

greenscreen = pytest.importorskip(
    "framefx_greenscreen", reason="run `pip install ./plugins/framefx-greenscreen` to test it"
)

CLOTH, SKIN = (20, 200, 60), (200, 150, 130)


@pytest.fixture
def scene():
    pixels = np.full((40, 64, 3), CLOTH, np.uint8)
    pixels[:, 24:40] = SKIN
    return pixels


def test_the_screen_is_where_the_cloth_hangs(scene):
    mask = np.asarray(greenscreen.screen(Frame.borrow(scene)))
    assert (mask[:, :20] == 255).all()
    assert (mask[:, 28:36] == 0).all()


def test_the_mask_stands_for_its_frame(scene):
    mask = greenscreen.screen(Frame.borrow(scene, index=7))
    assert (mask.size, mask.index) == ((40, 64), 7)


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 5, 3), (37, 41, 3)])
def test_any_size_will_do(shape):
    assert greenscreen.screen(Frame.borrow(np.zeros(shape, np.uint8))).size == shape[:2]


def test_despill_leaves_no_green_above_the_others(frame):
    red, green, blue = np.moveaxis(greenscreen.ungreen(frame).pixels, 2, 0)
    assert (green <= np.maximum(red, blue)).all()


def test_despill_touches_nothing_else(frame):
    before = frame.pixels.copy()
    after = greenscreen.ungreen(frame).pixels
    assert (after[..., [0, 2]] == before[..., [0, 2]]).all()
    assert (after[..., 1] <= before[..., 1]).all()


def test_strength_0_changes_nothing(frame):
    before = frame.pixels.copy()
    assert (greenscreen.ungreen(frame, strength=0).pixels == before).all()


def test_the_frame_that_came_in_is_not_written(scene):
    kept = scene.copy()
    greenscreen.ungreen(Frame.borrow(scene))
    assert (scene == kept).all()
