"""The installed plugin in a chain, found by its entry point."""

import framefx
import numpy as np
import pytest
from framefx.testing import ListSink, ListSource

pytest.importorskip("framefx_greenscreen", reason="run `pip install ./plugins/framefx-greenscreen` to test it")


@pytest.fixture
def scene():
    pixels = np.full((40, 64, 3), (20, 200, 60), np.uint8)
    pixels[:, 24:40] = (180, 190, 130)
    return pixels


def test_a_background_without_a_model(scene, list_sink):
    framefx.run(ListSource([scene] * 2), list_sink, "replace=color=blue:where=screen,ungreen", model="none.tflite")
    [_, last] = list_sink.pixels
    assert (last[:, :20] == (0, 0, 255)).all()
    assert (last[:, 28:36] == (180, 180, 130)).all()


def test_an_option_out_of_its_bounds_is_refused_before_anything_opens(scene):
    source = ListSource([scene])
    with pytest.raises(framefx.FramefxError, match="strength"):
        framefx.run(source, ListSink(), "ungreen=strength=2")
    assert source.opened == 0
