"""``auto``: the first real camera to the first loopback device, and nothing is recorded unasked."""

import pytest

from framefx.auto import choose, devices
from framefx.errors import UsageError


@pytest.fixture
def sysfs(tmp_path, monkeypatch):
    """A made-up /sys/class/video4linux; returns a function that adds a node."""
    monkeypatch.setattr("platform.system", lambda: "Linux")
    (tmp_path / "class").mkdir()

    def add(number, *, loopback=False, index=0):
        kind = "virtual" if loopback else "pci0000:00/usb1"
        node = tmp_path / "devices" / kind / "video4linux" / f"video{number}"
        node.mkdir(parents=True)
        (node / "index").write_text(f"{index}\n")
        (tmp_path / "class" / f"video{number}").symlink_to(node)
        return tmp_path / "class"

    add.path = tmp_path / "class"
    return add


def test_cameras_and_loopback_devices_are_told_apart(sysfs):
    sysfs(10, loopback=True)
    sysfs(2)
    sysfs(0)
    assert devices(sysfs.path) == (["/dev/video0", "/dev/video2"], ["/dev/video10"])


def test_a_camera_s_second_node_is_no_camera(sysfs):
    sysfs(0)
    sysfs(1, index=1)
    assert devices(sysfs.path) == (["/dev/video0"], [])


def test_the_first_camera_goes_to_the_first_loopback_device(sysfs):
    sysfs(0)
    sysfs(9, loopback=True)
    sysfs(10, loopback=True)
    assert choose("auto", "auto", sysfs.path) == ("/dev/video0", "/dev/video9", [])


def test_a_camera_without_a_loopback_device_says_how_to_make_one(sysfs):
    sysfs(0)
    with pytest.raises(UsageError, match=r"no virtual camera to write to: run `sudo modprobe v4l2loopback"):
        choose("auto", "auto", sysfs.path)


def test_no_camera_at_all_is_the_demo_in_a_file(sysfs):
    source, sink, [note] = choose("auto", "auto", sysfs.path)
    assert (source, sink) == ("demo", "framefx-demo.mp4")
    assert note == "no camera found: the demo clip is used, 10 seconds, to framefx-demo.mp4"


def test_no_camera_but_a_loopback_device_is_the_demo_on_it(sysfs):
    sysfs(9, loopback=True)
    assert choose("auto", "auto", sysfs.path)[:2] == ("demo", "/dev/video9")


def test_what_was_named_is_taken(sysfs):
    assert choose("a.mp4", "b.mp4", sysfs.path) == ("a.mp4", "b.mp4", [])


def test_a_file_is_not_recorded_unasked(sysfs):
    with pytest.raises(UsageError, match=r"or name a file with --sink out.mp4"):
        choose("a.mp4", "auto", sysfs.path)


def test_other_systems_have_their_first_camera(monkeypatch, tmp_path):
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    assert devices(tmp_path) == (["camera:0"], [])
