"""The camera source against a driver in memory."""

import errno
import logging
from collections import deque

import numpy as np
import pytest
from v4l2_fake import Clock, FakeCamera, FakeLoopback, FakeSystem

from framefx.errors import DeviceError, OptionError
from framefx.sources.v4l2 import Camera
from framefx.v4l2 import structs as v4l
from framefx.v4l2.holders import Holder

SIZE = (48, 64)


def yuyv(luma):
    return bytes([luma, 128]) * (SIZE[0] * SIZE[1])


def pictures(*times, start=100.0):
    return deque((start + t, yuyv((40 + 10 * i) % 256)) for i, t in enumerate(times))


def made(fake, location="/dev/video0", others=None, **options):
    clock = Clock()
    camera = Camera(location, **options)
    camera._system = FakeSystem({"/dev/video0": fake, **(others or {})}, clock)
    camera._clock = clock
    camera._look = lambda path: [Holder(42, "zoom", True)]
    return camera


def opened(fake, **options):
    camera = made(fake, **options)
    camera.open()
    return camera


def test_frames_have_the_drivers_times_and_the_pictures_pixels():
    camera = opened(FakeCamera(pictures=pictures(0.5, 0.533, 0.567)))
    frames = [camera.read() for _ in range(3)]
    assert [f.index for f in frames] == [0, 1, 2]
    assert [f.time for f in frames] == pytest.approx([0, 0.033, 0.067], abs=1e-3)
    assert frames[0].size == SIZE
    assert [int(f.pixels.mean()) for f in frames] == [28, 40, 51]  # (40 - 16) * 255 / 219 and so on


def test_the_newest_picture_wins():
    camera = opened(FakeCamera(pictures=pictures(0.0, 0.033, 0.067)))
    camera._clock.now += 1
    frame = camera.read()
    assert int(frame.pixels.mean()) == 51
    camera.close()
    assert camera.skipped == 2


def test_a_frame_keeps_its_memory():
    camera = opened(FakeCamera(pictures=pictures(0.1, 0.2)))
    first = camera.read()
    before = first.pixels.copy()
    camera.read()
    assert np.array_equal(first.pixels, before)


def test_planes_stay_planes():
    modes = {"YU12": {(64, 48): [30.0]}}
    data = [bytes([level]) * (64 * 48) + bytes([128]) * (64 * 24) for level in (90, 120)]
    short = (100.2, data[0][:-1])
    fake = FakeCamera(modes=modes, format=("YU12", 64, 48), pictures=deque([(100.1, data[0]), short, (100.3, data[1])]))
    camera = opened(fake)
    frames = [camera.read() for _ in range(2)]
    assert [frame.planes.data.tobytes() for frame in frames] == data
    assert [frame.index for frame in frames] == [0, 1] and camera.corrupt == 1
    assert frames[1].time == pytest.approx(0.2)
    assert int(frames[0].pixels.mean()) == 86


def test_it_says_what_it_chose(caplog):
    caplog.set_level(logging.INFO)
    modes = {"YUYV": {(64, 48): [30.0, 15.0]}}
    camera = opened(FakeCamera(modes=modes), rate=15.0)
    assert camera.mode == "YUYV 64x48 at 15 frames a second"
    assert "/dev/video0: YUYV 64x48 at 15 frames a second" in caplog.text


def test_the_rate_is_a_cap():
    camera = opened(FakeCamera(pictures=pictures(*(i / 30 for i in range(1, 31)))), rate=10.0)
    times = [camera.read().time for _ in range(9)]
    assert np.diff(times) == pytest.approx(np.full(8, 0.1), abs=0.001)
    assert camera.rate == 10.0


@pytest.mark.fault(
    "a camera sends damaged pictures",
    "the last good picture",
    "skips them: one line for the first, then they are counted",
)
def test_damaged_pictures_are_skipped_and_said_once(caplog):
    damaged = [(100.1, b"short"), (100.2, b"short"), (100.3, yuyv(90), v4l.BUFFER_ERROR), (100.4, yuyv(90))]
    camera = opened(FakeCamera(pictures=deque(damaged)))
    assert camera.read().index == 0
    assert camera.corrupt == 3
    assert len([r for r in caplog.records if r.levelno == logging.WARNING]) == 1


def test_a_camera_that_freezes_is_an_error():
    camera = opened(FakeCamera(pictures=pictures(0.1)))
    camera.read()
    before = camera._clock.now
    with pytest.raises(DeviceError, match="no picture for 2 seconds"):
        camera.read()
    assert camera._clock.now == pytest.approx(before + 2)


@pytest.mark.fault(
    "… and nothing else for two seconds",
    "the card, “the camera is away”",
    "opens it again",
)
def test_a_stream_of_damaged_pictures_is_frozen_too():
    camera = opened(FakeCamera(pictures=deque((100 + 0.1 * i, b"short") for i in range(200))))
    with pytest.raises(DeviceError, match="no picture"):
        camera.read()


def test_a_camera_that_is_unplugged_is_an_error():
    fake = FakeCamera(pictures=pictures(0.1))
    camera = opened(fake)
    camera.read()
    fake.gone = True
    with pytest.raises(DeviceError, match=r"Camera One .* is gone"):
        camera.read()
    camera.close()


def test_it_opens_again_after_it_was_away():
    fake = FakeCamera(pictures=pictures(0.1))
    camera = opened(fake)
    camera.read()
    camera.close()
    fake.pictures = pictures(5.0, 5.1)
    camera.open()
    assert [camera.read().index for _ in range(2)] == [0, 1]
    camera.close()
    assert fake.opened == 0


@pytest.mark.fault(
    "the camera comes back under another number",
    "the card, then the picture",
    "finds it by its driver and name",
)
def test_it_is_found_again_under_another_number():
    fake, back = FakeCamera(pictures=pictures(0.1)), FakeCamera(pictures=pictures(3.0))
    camera = opened(fake)
    camera.close()
    fake.gone = True
    camera._system.devices["/dev/video1"] = back
    back.system = camera._system
    import framefx.sources.v4l2 as module

    before, module.cameras = module.cameras, lambda system: ["/dev/video1"]
    try:
        camera.open()
    finally:
        module.cameras = before
    assert camera.read().size == SIZE


@pytest.mark.fault(
    "the camera comes back with another size",
    "the card, “the camera is away”",
    "one line with both sizes; tries again until it has the old one",
)
def test_another_size_after_coming_back_is_an_error():
    fake = FakeCamera()
    camera = opened(fake)
    camera.close()
    fake.modes = {"YUYV": {(32, 24): [30.0]}}
    with pytest.raises(DeviceError, match="gives 32x24 now and gave 64x48"):
        camera.open()


@pytest.mark.fault(
    "the camera is used by another program",
    "nothing at the start; later the card until it is free",
    "one line with its name and process number; at the start exit code 1",
)
def test_a_busy_camera_names_who_has_it():
    with pytest.raises(DeviceError, match=r"used by zoom \(process 42\)"):
        made(FakeCamera(busy=True)).open()


def test_a_camera_that_is_not_there():
    with pytest.raises(DeviceError, match="/dev/video9 is not there: `framefx devices`"):
        made(FakeCamera(), "/dev/video9").open()


@pytest.mark.fault(
    "the camera may not be opened",
    "nothing",
    "one line with the group to join; exit code 1",
)
def test_a_camera_without_permission_says_which_group():
    camera = made(FakeCamera())
    camera._system.denied["/dev/video0"] = errno.EACCES
    with pytest.raises(DeviceError, match=r"no permission .* `sudo usermod -aG \w+ \$USER`"):
        camera.open()


def test_a_virtual_camera_is_no_camera():
    with pytest.raises(DeviceError, match="is no camera"):
        made(FakeCamera(), "/dev/video10", {"/dev/video10": FakeLoopback()}).open()


def test_a_camera_without_a_format_that_is_read():
    with pytest.raises(DeviceError, match="offers H264"):
        made(FakeCamera(modes={"H264": {(64, 48): [30.0]}})).open()


def test_a_failed_open_leaves_nothing_open_after_close():
    fake = FakeCamera(busy=True)
    camera = made(fake)
    with pytest.raises(DeviceError):
        camera.open()
    camera.close()
    assert fake.opened == 0


def test_controls_are_set_by_name_and_by_menu():
    fake = FakeCamera()
    opened(fake, controls="brightness=10,exposure=Manual Mode")
    assert [value[0] for value in fake.controls.values()] == [10, 1]


@pytest.mark.parametrize(
    ("controls", "message"),
    [
        ("brightness=65", "wanted brightness = 0 .-64 to 64"),
        ("brightness=much", "got 'much'"),
        ("brihtness=1", "Did you mean 'brightness'"),
        ("brightness", "wanted NAME=VALUE"),
    ],
)
def test_wrong_controls_say_what_is_right(controls, message):
    with pytest.raises(OptionError, match=message):
        opened(FakeCamera(), controls=controls)


def test_closing_twice_and_without_opening():
    camera = made(FakeCamera())
    camera.close()
    camera.close()
    assert camera.read() is None


def test_padding_of_the_driver_is_left_out():
    rows = [bytes([120, 128]) * 64 + bytes(8) for _ in range(48)]
    camera = opened(FakeCamera(padding=8, pictures=deque([(100.1, b"".join(rows))])))
    assert int(camera.read().pixels.min()) == round((120 - 16) * 255 / 219)


@pytest.mark.parametrize("size", ["640x480", (480, 640)])
def test_a_size_in_words_or_numbers(size):
    modes = {"YUYV": {(640, 480): [30.0], (64, 48): [30.0]}}
    assert opened(FakeCamera(modes=modes), size=size).size == (480, 640)


def test_a_size_that_is_none():
    with pytest.raises(OptionError, match="wanted WIDTHxHEIGHT"):
        Camera("/dev/video0", size="big")


def test_opening_again_asks_for_nothing_new():
    fake = FakeCamera()
    camera = opened(fake)
    camera.close()
    fake.requests.clear()
    camera.open()
    assert v4l.ENUM_FMT not in fake.requests
    assert camera.mode == "YUYV 64x48 at 30 frames a second"
