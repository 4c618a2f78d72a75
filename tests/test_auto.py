"""``auto``: the first real camera to the first loopback device, and nothing is recorded unasked."""

import pytest

from framefx.auto import choose, devices
from framefx.errors import UsageError


@pytest.fixture
def there(monkeypatch):
    """Returns a function that says which cameras and loopback devices there are; none, before."""
    from framefx.v4l2.listing import Node

    made = []
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("framefx.v4l2.listing.nodes", lambda: made)

    def add(number, *, loopback=False, camera=True):
        made.append(Node(f"/dev/video{number}", "a device", "", loopback, camera and not loopback))

    return add


def test_cameras_and_loopback_devices_are_told_apart(there):
    there(0)
    there(1, camera=False)
    there(2)
    there(10, loopback=True)
    assert devices() == (["/dev/video0", "/dev/video2"], ["/dev/video10"])


def test_the_first_camera_goes_to_the_first_loopback_device(there):
    there(0)
    there(9, loopback=True)
    there(10, loopback=True)
    assert choose("auto", "auto") == ("/dev/video0", "/dev/video9", [])


def test_a_camera_without_a_loopback_device_says_how_to_make_one(there):
    there(0)
    with pytest.raises(UsageError, match=r"no virtual camera to write to: run `sudo modprobe v4l2loopback"):
        choose("auto", "auto")


def test_no_camera_at_all_is_the_demo_in_a_file(there):
    source, sink, [note] = choose("auto", "auto")
    assert (source, sink) == ("demo", "framefx-demo.mp4")
    assert note == "no camera found: the demo clip is used, 10 seconds, to framefx-demo.mp4"


def test_no_camera_but_a_loopback_device_is_the_demo_on_it(there):
    there(9, loopback=True)
    assert choose("auto", "auto")[:2] == ("demo", "/dev/video9")


def test_what_was_named_is_taken_and_no_device_is_touched(monkeypatch):
    monkeypatch.setattr("framefx.auto.devices", lambda: pytest.fail("it looked"))
    assert choose("a.mp4", "b.mp4") == ("a.mp4", "b.mp4", [])


def test_a_file_is_not_recorded_unasked(there):
    with pytest.raises(UsageError, match=r"or name a file with --sink out.mp4"):
        choose("a.mp4", "auto")


def test_other_systems_have_their_first_camera(monkeypatch):
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    assert devices() == (["camera:0"], [])
