"""Which location is whose."""

from __future__ import annotations

import pytest

from framefx.sources.builtin import SOURCES


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("0", "camera"),
        ("opencv:1", "camera"),
        ("demo", "demo"),
        ("-", "y4m"),
        ("a/b.y4m", "y4m"),
        ("a/b.PNG", "image"),
        ("a/b.jpeg", "image"),
        ("shots/%04d.png", "folder"),
        ("shots/*.jpg", "folder"),
        ("a.mp4", "video"),
        ("a.gif", "video"),
        ("a.b/c.mkv", "video"),
        ("https://example.org/a", "video"),
        ("/dev/video0", "v4l2"),
        ("/dev/v4l/by-id/usb-camera-video-index0", "v4l2"),
        ("/dev/null", None),
        ("blur", None),
    ],
)
def test_one_source_takes_each_location(location, name):
    assert [entry[0] for entry in SOURCES if entry[2](location)] == ([name] if name else [])


def test_folder_that_is_there(tmp_path):
    assert [entry[0] for entry in SOURCES if entry[2](str(tmp_path))] == ["folder"]


def test_file_without_ending_is_a_video(tmp_path):
    (tmp_path / "clip").write_bytes(b"x")
    assert [entry[0] for entry in SOURCES if entry[2](str(tmp_path / "clip"))] == ["video"]


def test_sorted_by_name():
    assert [entry[0] for entry in SOURCES] == sorted(entry[0] for entry in SOURCES)
