"""The loopback sink against a driver in memory, in its old and its new manner."""

import errno
import logging

import numpy as np
import pytest
from v4l2_fake import Clock, FakeCamera, FakeLoopback, FakeSystem

from framefx.errors import DeviceError
from framefx.frame import Frame
from framefx.sinks.v4l2 import VirtualCamera
from framefx.v4l2 import structs as v4l
from framefx.v4l2.holders import Holder

SIZE = (48, 64)


def frame(level=200, size=SIZE):
    return Frame.borrow(np.full((*size, 3), level, np.uint8))


@pytest.fixture(autouse=True)
def no_inotify(monkeypatch):
    """The device is no file: nothing to watch."""

    class Nothing:
        def __init__(self, path):
            pass

        def events(self):
            return []

        def close(self):
            pass

    monkeypatch.setattr("framefx.v4l2.readers.Watch", Nothing)
    monkeypatch.setattr("framefx.v4l2.readers.holders", lambda path, pids=None: [])


def made(fake, location="/dev/video10", holders=(), **options):
    sink = VirtualCamera(location, **options)
    sink._clock = Clock()
    sink._system = FakeSystem({"/dev/video10": fake}, sink._clock)
    sink._look = lambda path, pids=None: list(holders)
    return sink


def opened(fake, size=SIZE, holders=(), **options):
    sink = made(fake, holders=holders, **options)
    sink.open(size, 25.0, False)
    return sink


@pytest.mark.parametrize("newer", [False, True])
def test_frames_are_written_as_planar_yuv(newer):
    fake = FakeLoopback(newer=newer)
    sink = opened(fake)
    sink.send(frame())
    sink.finish()
    assert fake.format == ("YU12", 64, 48)
    assert [len(data) for data in fake.written] == [64 * 48 * 3 // 2]
    assert abs(fake.written[0][0] - (16 + 200 * 219 / 255)) <= 1
    assert fake.opened == 0


def test_colours_are_stated_as_they_are():
    fake = FakeLoopback()
    opened(fake)
    assert fake.colours == (v4l.COLORSPACE_SRGB, v4l.YCBCR_ENC_601, v4l.QUANTIZATION_LIMITED, v4l.PRIV_MAGIC)


def test_readers_are_told_the_rate():
    fake = FakeLoopback()
    opened(fake)
    assert fake.rate == 25.0


@pytest.mark.parametrize(("format", "count"), [("YUYV", 64 * 48 * 2), ("NV12", 64 * 48 * 3 // 2)])
def test_the_format_can_be_named(format, count):
    fake = FakeLoopback()
    sink = opened(fake, format=format)
    sink.send(frame())
    assert (fake.format[0], len(fake.written[0])) == (format, count)


def test_the_old_driver_needs_a_mark_and_is_whole_after_the_close():
    fake = FakeLoopback()
    for _ in range(2):
        sink = opened(fake)
        sink.send(frame())
        sink.finish()
    assert fake.capabilities == v4l.CAP_OUTPUT


def test_the_new_driver_needs_no_mark():
    fake = FakeLoopback(newer=True)
    opened(fake)
    assert v4l.STREAMON not in fake.requests


@pytest.mark.fault(
    "a program before left the device dead (0.12.7)",
    "the picture",
    "mends it when it opens",
)
def test_a_device_that_another_writer_left_dead_is_mended():
    fake = FakeLoopback(capabilities=0)
    sink = opened(fake)
    sink.send(frame())
    assert len(fake.written) == 1


@pytest.mark.fault(
    "a reader holds another size",
    "the picture, scaled",
    "one line; takes its own size when the reader has gone",
)
@pytest.mark.parametrize("newer", [False, True])
def test_a_size_that_a_reader_holds_is_kept_and_pictures_are_scaled(newer, caplog):
    fake = FakeLoopback(newer=newer, kept=("YU12", 32, 48), readers=1)
    sink = opened(fake, holders=[Holder(7, "firefox", True)])
    sink.send(frame())
    assert len(fake.written[0]) == 32 * 48 * 3 // 2
    assert "stays YU12 32x48 while firefox (process 7) reads it" in caplog.text
    assert fake.written[0][0] == 16 and fake.written[0][24 * 32 + 16] > 180  # unstretched, on black


def test_the_frames_own_size_is_taken_when_the_reader_has_gone(caplog):
    caplog.set_level(logging.INFO)
    fake = FakeLoopback(newer=True, kept=("YU12", 32, 48), readers=1)
    sink = opened(fake, holders=[Holder(7, "firefox", True)])
    sink.send(frame())
    fake.kept, fake.readers = None, 0
    fake.events.append(0)
    sink.send(frame())
    assert [len(data) for data in fake.written] == [32 * 48 * 3 // 2, 64 * 48 * 3 // 2]
    assert fake.opened == 1


@pytest.mark.fault(
    "somebody holds a format that framefx does not write",
    "nothing",
    "one line with who holds it; exit code 1",
)
def test_a_kept_format_that_is_not_written_says_who_keeps_it():
    with pytest.raises(DeviceError, match=r"keeps MJPG 64x48.*close firefox \(process 7\)"):
        opened(FakeLoopback(kept=("MJPG", 64, 48)), holders=[Holder(7, "firefox", True)])


def test_odd_sizes_become_even():
    fake = FakeLoopback()
    sink = opened(fake, size=(47, 63))
    sink.send(frame(size=(47, 63)))
    assert fake.format == ("YU12", 64, 48)
    assert fake.written[0][0] > 150


def test_a_camera_is_no_virtual_camera():
    with pytest.raises(DeviceError, match=r"is a camera .Camera One, driver uvcvideo"):
        opened(FakeCamera())


def test_a_device_that_is_not_there_says_how_to_make_one():
    sink = made(FakeLoopback(), "/dev/video99")
    with pytest.raises(DeviceError, match=r"/dev/video99 is not there: .*sudo modprobe v4l2loopback"):
        sink.open(SIZE, 30, False)
    sink.abort()


def test_a_device_without_permission_says_which_group():
    sink = made(FakeLoopback())
    sink._system.denied["/dev/video10"] = errno.EACCES
    with pytest.raises(DeviceError, match=r"no permission"):
        sink.open(SIZE, 30, False)


def test_auto_without_a_loopback(monkeypatch):
    monkeypatch.setattr("framefx.sinks.v4l2.loopbacks", lambda system: [])
    with pytest.raises(DeviceError, match="there is no virtual camera: make one with `sudo modprobe"):
        made(FakeLoopback(), "auto").open(SIZE, 30, False)


def test_the_new_driver_refuses_a_second_writer_who_is_told_of_the_first():
    fake = FakeLoopback(newer=True, foreign_writer=True)
    sink = opened(fake, holders=[Holder(9, "obs", False)])
    with pytest.raises(DeviceError, match=r"used by obs \(process 9\)"):
        sink.send(frame())


def test_the_old_driver_does_not_and_its_pictures_give_the_writer_away(monkeypatch):
    monkeypatch.setattr("framefx.v4l2.output.is_fed", lambda path, system: True)
    fake = FakeLoopback(capabilities=v4l.CAP_CAPTURE | v4l.CAP_OUTPUT)
    with pytest.raises(DeviceError, match=r"is written by obs \(process 9\): close it"):
        opened(fake, holders=[Holder(9, "obs", False)])
    assert fake.opened == 0


@pytest.mark.fault(
    "the virtual camera vanishes",
    "nothing, as there is no device; then the picture",
    "one line; opens it again when it is back",
)
def test_a_device_that_vanishes_is_opened_again_when_it_is_back(caplog):
    fake = FakeLoopback()
    sink = opened(fake)
    sink.send(frame())
    fake.gone = True
    for _ in range(20):
        sink.send(frame())
        sink._clock.now += 0.1
    assert not sink.wanted()
    fake.gone = False
    for _ in range(30):
        sink.send(frame())
        sink._clock.now += 0.1
    assert len(fake.written) > 5
    assert [r.getMessage().split()[1:3] for r in caplog.records] == [["is", "gone"], ["is", "back"]]


def test_wanted_follows_the_drivers_event():
    fake = FakeLoopback(newer=True)
    sink = opened(fake)
    seen = [sink.wanted()]
    for count in (1, 1, 0):
        fake.events.append(count)
        seen.append(sink.wanted())
    assert seen == [False, True, True, False]


def test_a_reader_that_was_there_before_is_seen():
    assert opened(FakeLoopback(newer=True, readers=1)).wanted()


def test_nobody_wants_a_closed_camera():
    sink = made(FakeLoopback())
    assert not sink.wanted()
    sink.finish()
    sink.abort()


def test_a_writer_who_comes_later_is_named_once(caplog):
    fake = FakeLoopback()
    sink = opened(fake, holders=[Holder(9, "obs", False), Holder(7, "firefox", True)])
    for _ in range(300):
        sink.send(frame())
    assert not caplog.records
    for _ in range(300):
        fake.written.append(b"another's")
        sink.send(frame())
    assert [r.getMessage() for r in caplog.records] == [
        "/dev/video10 is written by obs (process 9) as well: readers see both in turn: close it"
    ]
