"""What is checked inside the machine: real drivers, real readers. `test_machine.py` runs it there."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from browser import chromium, read_with_browser
from latency import PERIOD, camera, number_of, stamped
from tools import (
    CAMERA,
    LOOPBACK,
    NEWER,
    PATIENCE,
    PLAIN,
    SLOW,
    SOON,
    Reader,
    bar_error,
    bars,
    cpu_seconds,
    descriptors,
    device_is_ready,
    framefx,
    picture_of,
    read_with_ffmpeg,
    read_with_opencv,
    read_with_v4l2_ctl,
    reading,
    running,
    time_with_ffmpeg,
    until,
    writing,
)

from framefx.errors import DeviceError
from framefx.frame import Frame
from framefx.sinks.v4l2 import VirtualCamera
from framefx.sources.v4l2 import Camera
from framefx.v4l2.holders import holders
from framefx.v4l2.listing import cameras, loopbacks
from framefx.v4l2.pixels import Packer

if "VM_KIND" not in os.environ:
    pytest.skip("these run inside the machine: see test_machine.py", allow_module_level=True)

SIZE = "320x180"
PYTHON = Path(sys.executable).name
"""What the kernel calls this interpreter: python or python3, as its environment was made."""

FLIP = ("--chain", "flip", "--source", CAMERA, "--size", SIZE, "--sink", LOOPBACK)


def test_devices_are_known_by_what_they_are():
    assert cameras() == [CAMERA]
    assert loopbacks() == [LOOPBACK, PLAIN]


def test_the_camera_gives_its_pictures_in_order():
    camera = Camera(CAMERA, size=SIZE, rate=15)
    camera.open()
    try:
        frames = [camera.read() for _ in range(10)]
    finally:
        camera.close()
    times = [frame.time for frame in frames]
    assert camera.size == (180, 320)
    assert np.all(np.diff(times) > 0)
    assert np.median(np.diff(times)) == pytest.approx(1 / 15, rel=0.3)
    assert frames[-1].pixels.std() > 50


@pytest.mark.parametrize("format", ["YUYV"] if SLOW else ["YUYV", "NV12", "YU12"])
def test_formats_of_a_camera_decode_to_the_same_picture(format):
    def picture(format):
        camera = Camera(CAMERA, size=SIZE, format=format)
        camera.open()
        try:
            return camera.read().pixels.astype(int)
        finally:
            camera.close()

    # The upper part has the camera's clock; the lower bars stand still.
    difference = np.abs(picture(format) - picture("RGB3"))[120:170]
    assert np.median(difference) <= 3


def test_controls_reach_the_camera():
    camera = Camera(CAMERA, size=SIZE, controls="brightness=100")
    camera.open()
    said = subprocess.run(["v4l2-ctl", "-d", CAMERA, "-C", "brightness"], capture_output=True, text=True).stdout
    camera.close()
    subprocess.run(["v4l2-ctl", "-d", CAMERA, "-c", "brightness=128"], check=True)
    assert said.split() == ["brightness:", "100"]


@pytest.mark.parametrize("format", ["YU12"] if SLOW else ["YU12", "YUYV", "NV12"])
def test_a_colour_bar_is_read_back_within_three_levels(format):
    pixels = bars()
    with writing(VirtualCamera(LOOPBACK, format=format), pixels):
        raw = read_with_v4l2_ctl(frames=3)
        wanted = Packer(format, 320, 180).pack(pixels).tobytes()
        assert raw == wanted * 3
        assert bar_error(read_with_ffmpeg()[-1]) <= 3
        assert bar_error(read_with_opencv()[-1]) <= 3


@pytest.mark.skipif(chromium() is None, reason="chromium is not installed: apt install chromium")
@pytest.mark.parametrize("format", ["YU12"] if SLOW else ["YU12", "YUYV"])
def test_a_colour_bar_is_seen_by_a_web_page_within_three_levels(format):
    with writing(VirtualCamera(LOOPBACK, format=format), bars()):
        seen = read_with_browser("FrameFX Camera")
    print(f"\nworst error {bar_error(seen)}")
    assert seen.shape == (180, 320, 3)
    assert bar_error(seen) <= 3


@pytest.mark.skipif(SLOW, reason="an emulated processor cannot keep up with a camera")
@pytest.mark.parametrize(("source", "size"), [(PLAIN, "1280x720"), (CAMERA, "640x360")], ids=["loopback", "vivid"])
def test_ffmpeg_reads_a_minute_at_the_cameras_rate(source, size):
    """At least 29.5 new frames a second, in order."""
    is_stamped = source == PLAIN
    feed = camera((1280, 720), 30.0, "YUYV", 60.0) if is_stamped else contextlib.nullcontext()
    with feed, running("--chain", "blur", "--source", source, "--size", size, "--rate", "30", "--sink", LOOPBACK):
        time_with_ffmpeg(5)
        arrived = time_with_ffmpeg(60)
    assert len(arrived) > 1
    took, steps = arrived[-1][0] - arrived[0][0], np.ones(len(arrived) - 1, int)
    if is_stamped:
        steps = np.diff([number_of(row[None]) for _, row in arrived]) % PERIOD
    new = np.count_nonzero(steps)
    print(f"\n{size}: {new / took:.2f} new frames a second, {np.count_nonzero(steps > 1)} times one was left out")
    assert np.all(steps < PERIOD // 2)
    assert new / took >= 29.5


@pytest.mark.parametrize("format", ["YU12"] if SLOW else ["MJPG", "YU12", "YUYV"])
def test_a_cameras_colours_come_through_a_blurred_background(format):
    """The person as it was, and what is blurred as bright and as coloured on the whole."""
    size = (640, 360)
    with camera(size, 15.0, format, 120.0), running("--chain", "blur", "--source", PLAIN, "--sink", LOOPBACK):
        seen = read_with_ffmpeg(frames=45)[-1].astype(int)
    number = number_of(seen.mean(axis=2))
    wanted = next(itertools.islice(stamped(size), number, None)).astype(int)
    far = np.abs(seen - wanted).max(axis=2)
    print(f"\n{format}: as they were {np.mean(far <= 8):.0%}, means {seen.mean((0, 1))}, {wanted.mean((0, 1))}")
    assert np.abs(seen.mean((0, 1)) - wanted.mean((0, 1))).max() <= 2
    assert np.mean(far <= 8) >= 0.3


@pytest.mark.parametrize("name", ["pyvirtualcam", "pyfakewebcam"])
def test_other_libraries_write_the_same_colours(name):
    pytest.importorskip(name)
    from framefx.sinks.pyfakewebcam import FakeWebcam
    from framefx.sinks.pyvirtualcam import VirtualCam

    sink = VirtualCam(LOOPBACK) if name == "pyvirtualcam" else FakeWebcam(LOOPBACK)
    before = descriptors(os.getpid())
    with writing(sink, bars()):
        assert bar_error(read_with_ffmpeg()[-1]) <= 3
    assert descriptors(os.getpid()) == before


def test_the_device_is_whole_after_each_writer():
    for _ in range(3):
        with writing(VirtualCamera(LOOPBACK), bars()):
            assert device_is_ready()
        assert not device_is_ready()


def test_a_device_that_a_plain_writer_left_dead_is_mended():
    from framefx.v4l2 import structs
    from framefx.v4l2.device import Device

    plain = Device(LOOPBACK)
    plain.set_format(structs.OUTPUT, 320, 180, "YUYV")
    plain.write(bytes(320 * 180 * 2))
    plain.close()
    with writing(VirtualCamera(LOOPBACK), bars()):
        assert bar_error(read_with_ffmpeg()[-1]) <= 3


@pytest.mark.skipif(NEWER, reason="v4l2loopback from 0.15 on lets one program read a device at a time")
def test_two_readers_see_the_same():
    pixels = bars()
    wanted = Packer("YU12", 320, 180).pack(pixels).tobytes()
    with writing(VirtualCamera(LOOPBACK), pixels), Reader() as one, Reader() as two:
        assert [reader.read() for _ in range(3) for reader in (one, two)] == [wanted] * 6


def test_a_size_is_kept_for_its_reader_and_changed_when_it_has_gone():
    sink = VirtualCamera(LOOPBACK)
    with reading_after(VirtualCamera(LOOPBACK)), writing(sink, bars(640, 360)):
        assert (picture_of().width, picture_of().height) == (320, 180)
    with writing(sink, bars(640, 360)):
        assert read_with_ffmpeg().shape[1:] == (360, 640, 3)
    with reading_after(VirtualCamera(LOOPBACK)) as process, writing(sink, bars(640, 360)):
        process.kill()
        process.wait()
        until(lambda: device_is_ready() and picture_of().width == 640)
        assert bar_error(read_with_ffmpeg()[-1]) <= 3


@contextlib.contextmanager
def reading_after(sink):
    """A reader that stays when the writer of its small pictures has gone."""
    with contextlib.ExitStack() as stack:
        with writing(sink, bars()):
            process = stack.enter_context(reading())
            until(lambda: any(holder.streams for holder in holders(LOOPBACK, [process.pid])))
            time.sleep(0.5)
        yield process


WRITER = """
import sys, time
from framefx.v4l2 import structs
from framefx.v4l2.device import Device
device = Device(sys.argv[1])
device.set_format(structs.OUTPUT, 320, 180, "YUYV")
while True:
    device.write(bytes(320 * 180 * 2))
    print("wrote", flush=True)
    time.sleep(0.05)
"""


@pytest.mark.fault(
    "another program writes to the virtual camera",
    "its pictures",
    "one line with its name and process number; exit code 1",
)
def test_a_second_writer_is_told_who_the_first_is():
    other = subprocess.Popen([sys.executable, "-c", WRITER, LOOPBACK], stdout=subprocess.PIPE)
    try:
        other.stdout.readline()
        sink = VirtualCamera(LOOPBACK)
        with pytest.raises(DeviceError, match=rf"process {other.pid}\)"):
            sink.open((180, 320), 30, False)
            sink.send(Frame.borrow(bars()))
        sink.abort()
    finally:
        other.kill()
        other.wait()
        other.stdout.close()


@pytest.mark.fault(
    "… and begins only later (0.12.7)",
    "both pictures in turn",
    "one line with its name and process number",
)
@pytest.mark.skipif(NEWER, reason="from 0.13 on the driver refuses a second writer")
def test_a_writer_who_comes_later_is_named(caplog):
    with writing(VirtualCamera(LOOPBACK, format="YUYV"), bars()):
        time.sleep(5)
        assert not caplog.records
        other = subprocess.Popen([sys.executable, "-c", WRITER, LOOPBACK], stdout=subprocess.PIPE)
        try:
            until(lambda: caplog.records)
            assert f"is written by {PYTHON} (process {other.pid}) as well" in caplog.text
        finally:
            other.kill()
            other.wait()
            other.stdout.close()


def test_readers_are_noticed_and_probes_are_not():
    with writing(VirtualCamera(LOOPBACK), bars()) as sink:
        assert not sink.wanted()
        subprocess.run(["v4l2-ctl", "-d", LOOPBACK, "--all"], capture_output=True)
        assert not sink.wanted()
        with reading():
            assert until(sink.wanted) < SOON
        until(lambda: not sink.wanted())


@pytest.mark.fault(
    "a thousand readers come and go",
    "the picture",
    "loses no descriptor, and never stops",
)
def test_a_storm_of_readers_leaves_nothing_behind():
    sink = VirtualCamera(LOOPBACK)
    with writing(sink, bars()):
        before = descriptors(os.getpid())
        for _ in range(20 if SLOW else 1000):
            with Reader() as reader:
                reader.read()
        assert descriptors(os.getpid()) == before


@pytest.mark.skipif(SLOW, reason="too many programs to start in an emulated machine")
def test_a_busy_virtual_camera_is_one_line_and_exit_1():
    other = subprocess.Popen([sys.executable, "-c", WRITER, LOOPBACK], stdout=subprocess.PIPE)
    try:
        other.stdout.readline()
        process = framefx(*FLIP)
        _, said = process.communicate(timeout=PATIENCE)
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    assert process.returncode == 1
    assert f"process {other.pid}" in said and "Traceback" not in said


@pytest.fixture(scope="module")
def picture():
    """What the camera shows, before anything is done to it."""
    camera = Camera(CAMERA, size=SIZE)
    camera.open()
    try:
        return camera.read().pixels
    finally:
        camera.close()


@pytest.fixture(scope="module")
def program(picture):
    """One framefx for all that follows."""
    with running(*FLIP) as process:
        yield process


def test_a_chain_runs_from_camera_to_virtual_camera(program, picture):
    with Reader() as reader:
        until(lambda: is_mirrored(reader, picture))
    # The first pictures are the card when the reader starts slowly: the camera was closed meanwhile.
    assert difference(read_with_ffmpeg(frames=45)[-1][:, ::-1], picture) <= 3
    assert difference(read_with_opencv(frames=45)[-1][:, ::-1], picture) <= 3


@pytest.mark.skipif(SLOW, reason="too many programs to start in an emulated machine")
def test_doctor_and_devices_name_who_uses_what(program):
    commands = ([sys.executable, "-m", "framefx", "doctor"], [sys.executable, "-m", "framefx", "devices"])
    doctor, devices = (subprocess.run(command, capture_output=True, text=True).stdout for command in commands)
    assert f"ok    {LOOPBACK}: framefx writes to it ({PYTHON} (process {program.pid}))" in doctor
    assert f"note  {PLAIN}: Chromium and others do not list it" in doctor
    assert f"{CAMERA}  vivid (driver vivid)" in devices and f"used by {PYTHON} (process {program.pid})" in devices


def is_mirrored(reader, picture):
    import cv2

    data = reader.read()
    if data is None:
        return False
    shown = cv2.cvtColor(np.frombuffer(data, np.uint8).reshape(270, 320), cv2.COLOR_YUV2RGB_I420)
    return difference(shown[:, ::-1], picture) <= 3


def difference(one, other):
    """Return the usual distance of two pictures of the camera, where its clock is not written."""
    return float(np.median(np.abs(one.astype(int) - other)[120:170]))


@pytest.mark.fault(
    "the camera is unplugged and plugged in again, twenty times",
    "the card, then the picture",
    "opens it again",
)
def test_an_unplugged_camera_comes_back(program):
    driver = Path("/sys/bus/platform/drivers/vivid")
    with Reader() as reader:
        read_some(reader)
        until(lambda: holds_camera(program.pid))
        count = descriptors(program.pid)
        for _ in range(1 if SLOW else 20):
            (driver / "unbind").write_text("vivid.0")
            until(lambda: not holds_camera(program.pid))
            assert reader.read(PATIENCE) is not None  # the card
            (driver / "bind").write_text("vivid.0")
            until(cameras)  # perhaps under another number
            took = until(lambda: holds_camera(program.pid))
            print(f"\nback after {took:.2f} s")
            assert took <= SOON
            assert program.poll() is None
            read_some(reader)
        assert descriptors(program.pid) <= count


def read_some(reader):
    for _ in range(10):
        assert reader.read(PATIENCE) is not None


def holds_camera(pid):
    return any(holder.streams for path in cameras() for holder in holders(path, [pid]))


def test_nobody_looks_and_the_camera_is_closed(program):
    until(lambda: not holds_camera(program.pid))
    if not SLOW:
        time.sleep(2)
        before, start = cpu_seconds(program.pid), time.monotonic()
        time.sleep(5)
        share = (cpu_seconds(program.pid) - before) / (time.monotonic() - start)
        print(f"\nidle: {share:.1%} of a core")
        assert share < 0.05
    with Reader() as reader:
        assert reader.read(PATIENCE) is not None
        took = until(lambda: holds_camera(program.pid))
        print(f"awake after {took:.2f} s")
        assert took <= SOON
    until(lambda: not holds_camera(program.pid))


@pytest.mark.fault(
    "the wall clock is set an hour ahead, and back",
    "the picture",
    "takes no notice: its clock is the one that only runs forward",
)
def test_a_wall_clock_that_jumps_changes_nothing(program):
    now = time.clock_gettime(time.CLOCK_REALTIME)
    with Reader() as reader:
        read_some(reader)
        for jump in (3600, 0):
            time.clock_settime(time.CLOCK_REALTIME, now + jump)
            read_some(reader)
    assert program.poll() is None


@pytest.mark.fault(
    "the computer sleeps and wakes up",
    "the picture",
    "goes on where it was",
)
@pytest.mark.skipif(os.environ["VM_KIND"] != "uml", reason="nobody wakes the other machines up; this one does itself")
def test_suspend_and_resume(program):
    with Reader() as reader:
        read_some(reader)
        for _ in range(3):
            Path("/sys/power/state").write_text("mem")
            read_some(reader)
            until(lambda: holds_camera(program.pid))
    assert program.poll() is None


@pytest.mark.fault(
    "framefx stands still for seconds",
    "the last picture, frozen; then the picture",
    "goes on where it was",
)
def test_a_process_that_stood_still_goes_on(program):
    with Reader() as reader:
        read_some(reader)
        until(lambda: holds_camera(program.pid))
        program.send_signal(signal.SIGSTOP)
        while reader.read(1.0) is not None:
            pass
        time.sleep(3)  # longer than a camera, or a step, may take
        program.send_signal(signal.SIGCONT)
        read_some(reader)
        until(lambda: holds_camera(program.pid))
    assert program.poll() is None


@pytest.mark.fault(
    "somebody removes v4l2loopback meanwhile",
    "the picture",
    "nothing happens: the kernel refuses while the device is open",
)
def test_the_module_stays_while_it_is_used(program):
    with Reader() as reader:
        read_some(reader)
        assert subprocess.run(["rmmod", "v4l2loopback"], capture_output=True).returncode != 0
        read_some(reader)


@pytest.mark.fault(
    "framefx is killed",
    "the last picture, frozen",
    "the next framefx goes on with the same readers",
)
@pytest.mark.skipif(SLOW, reason="too many programs to start in an emulated machine")
def test_killed_and_started_again_the_same_reader_goes_on(program):
    with Reader() as reader:
        assert reader.read(PATIENCE) is not None
        program.send_signal(signal.SIGKILL)
        program.wait()
        while reader.read(1.0) is not None:
            pass
        with running("--chain", "flip", "--source", cameras()[0], "--size", SIZE, "--sink", LOOPBACK):
            assert reader.read(PATIENCE) is not None
