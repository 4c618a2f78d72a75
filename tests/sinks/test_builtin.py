"""Which location is whose, and the sink that keeps nothing."""

from __future__ import annotations

import pytest

from framefx import Sink
from framefx.sinks.builtin import SINKS
from framefx.sinks.null import Null

from .helpers import pattern_frames, write


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("out.mp4", "video"),
        ("a.b/out.gif", "video"),
        ("out.xyz", "video"),
        ("out.png", "image"),
        ("shots/%04d.png", "images"),
        ("shots/", "images"),
        ("-", "y4m"),
        ("out.y4m", "y4m"),
        ("null", "null"),
        ("/dev/video10", "v4l2"),
        ("/dev/null", None),
        ("100%.png", "image"),
    ],
)
def test_one_sink_takes_each_location(location, name):
    assert [entry[0] for entry in SINKS if entry[2](location)] == ([name] if name else [])


def test_folder_that_is_there(tmp_path):
    assert [entry[0] for entry in SINKS if entry[2](str(tmp_path))] == ["images"]


def test_sorted_by_name():
    assert [entry[0] for entry in SINKS] == sorted(entry[0] for entry in SINKS)


def test_null_counts():
    sink = Null()
    assert isinstance(sink, Sink)
    write(sink, pattern_frames(3))
    assert sink.count == 3 and sink.wanted()
    sink.abort()
