"""Which of a camera's modes is taken."""

import pytest
from v4l2_fake import FakeCamera, FakeSystem

from framefx.v4l2.device import Device
from framefx.v4l2.modes import Mode, choose_mode, list_modes

# What a common USB 2 camera offers: uncompressed pictures are slow when they are large.
WEBCAM = [
    *(Mode("YUYV", 640, 480, rate) for rate in (30.0, 15.0)),
    Mode("YUYV", 1280, 720, 10.0),
    Mode("YUYV", 1920, 1080, 5.0),
    *(Mode("MJPG", w, h, rate) for w, h in ((640, 480), (1280, 720), (1920, 1080)) for rate in (30.0, 15.0)),
    Mode("H264", 1920, 1080, 30.0),
]


def test_asked_for_nothing_it_takes_720p_at_30():
    assert choose_mode(WEBCAM) == Mode("MJPG", 1280, 720, 30.0)


def test_the_cheap_format_wins_where_it_reaches_size_and_rate():
    assert choose_mode(WEBCAM, size=(640, 480)) == Mode("YUYV", 640, 480, 30.0)


def test_a_rate_that_the_cheap_format_reaches_lets_it_win():
    assert choose_mode(WEBCAM, size=(1280, 720), rate=10) == Mode("YUYV", 1280, 720, 10.0)


def test_the_slowest_sufficient_rate_of_equals():
    assert choose_mode(WEBCAM, size=(1920, 1080), rate=12) == Mode("MJPG", 1920, 1080, 15.0)


def test_the_size_counts_for_more_than_the_rate():
    assert choose_mode(WEBCAM, size=(1280, 720), rate=60) == Mode("MJPG", 1280, 720, 30.0)


def test_a_size_that_is_not_there_is_the_nearest():
    assert choose_mode(WEBCAM, size=(1200, 700)).width == 1280


def test_a_named_format_is_the_only_one():
    assert choose_mode(WEBCAM, size=(1280, 720), format="YUYV") == Mode("YUYV", 1280, 720, 10.0)
    assert choose_mode(WEBCAM, format="NV12") is None


def test_formats_that_cannot_be_read_are_no_choice():
    assert choose_mode([Mode("H264", 1280, 720, 30.0)]) is None


def test_2997_frames_are_30():
    modes = [Mode("YUYV", 1280, 720, 29.97), Mode("MJPG", 1280, 720, 30.0)]
    assert choose_mode(modes).format == "YUYV"


@pytest.mark.parametrize(("mode", "words"), [(Mode("YUYV", 640, 480, 30.0), "YUYV 640x480 at 30 frames a second")])
def test_a_mode_in_words(mode, words):
    assert str(mode) == words


def test_listing_asks_the_driver():
    modes = {"YUYV": {(640, 480): [30.0, 15.0]}, "MJPG": {(1280, 720): [30.0]}}
    device = Device("/dev/video0", FakeSystem({"/dev/video0": FakeCamera(modes=modes)}))
    assert list_modes(device) == [
        Mode("YUYV", 640, 480, 30.0),
        Mode("YUYV", 640, 480, 15.0),
        Mode("MJPG", 1280, 720, 30.0),
    ]
