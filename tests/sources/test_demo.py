"""The demo clip."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from framefx import Source
from framefx.errors import MediaError
from framefx.sources.demo import Demo, _hand


@pytest.fixture
def demo():
    pytest.importorskip("skimage")
    source = Demo()
    source.open()
    yield source
    source.close()


def test_is_ten_seconds_of_720p(demo):
    assert isinstance(demo, Source) and demo.live is False
    assert (demo.size, demo.rate, demo.frames) == ((720, 1280), 30, 300)
    assert Demo(seconds=0.1).frames == 3


def test_moves_and_has_noise(demo):
    first, second = demo.read(), demo.read()
    assert second.time == pytest.approx(1 / 30)
    change = np.abs(first.pixels.astype(int) - second.pixels).mean()
    assert 1 < change < 12


def test_is_the_same_every_time(demo):
    again = Demo()
    again.open()
    assert np.array_equal(demo.read().pixels, again.read().pixels)


def test_skin_is_not_blue(demo):
    red, _, blue = demo.read().pixels[240:330, 520:620].mean((0, 1))
    assert red > blue + 30


def test_ends(demo):
    demo._index = 299
    assert demo.read().index == 299 and demo.read() is None


def test_the_hand_is_where_it_began_after_ten_seconds():
    assert _hand(0) == pytest.approx(_hand(10))


def test_takes_no_new_memory_after_the_first_frames(demo):
    for _ in range(6):
        demo.read()
    assert demo._pool.allocations <= 2


def test_without_scikit_image(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(MediaError, match=r"pip install 'framefx\[demo\]'"):
        Demo().open()
