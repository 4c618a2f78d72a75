"""The sinks that go through other libraries, with those libraries played."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from v4l2_fake import FakeLoopback, FakeSystem

from framefx.errors import BackendUnavailableError, DeviceError
from framefx.frame import Frame
from framefx.sinks.pyfakewebcam import FakeWebcam
from framefx.sinks.pyvirtualcam import VirtualCam
from framefx.v4l2.device import Device

SIZE = (48, 64)


def frame(level=200):
    return Frame.borrow(np.full((*SIZE, 3), level, np.uint8))


class Camera:
    """pyvirtualcam's, as far as it is used."""

    def __init__(self, width, height, fps, *, device, backend):
        if device == "nothing":
            raise RuntimeError("'obs' backend: no\n'v4l2loopback' backend: no")
        self.device, self.sent, self.closed = device or "OBS", [], False

    def send(self, pixels):
        self.sent.append(pixels)

    def close(self):
        self.closed = True


@pytest.fixture
def pyvirtualcam(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyvirtualcam", SimpleNamespace(Camera=Camera))


@pytest.mark.parametrize(
    ("sink", "name"), [(VirtualCam(), "pyvirtualcam"), (FakeWebcam("/dev/video10"), "pyfakewebcam")]
)
def test_a_missing_library_says_how_to_install_it(sink, name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BackendUnavailableError, match=f"`pip install {name}`"):
        sink.open(SIZE, 30, False)
    sink.abort()


def test_pyvirtualcam_gets_the_pixels(pyvirtualcam):
    sink = VirtualCam("somewhere")
    sink.open(SIZE, 30, False)
    camera = sink._camera
    sink.send(frame())
    assert sink.wanted()
    sink.finish()
    assert (camera.sent[0] == 200).all() and camera.closed


def test_pyvirtualcam_without_a_camera_gives_its_reasons_in_one_line(pyvirtualcam):
    with pytest.raises(DeviceError, match="'obs' backend: no; 'v4l2loopback' backend: no"):
        VirtualCam("nothing").open(SIZE, 30, False)


@pytest.mark.skipif(sys.platform != "linux", reason="loopback devices are Linux's")
def test_pyvirtualcam_must_not_write_into_another_format(pyvirtualcam, monkeypatch):
    fake = FakeLoopback(kept=("YUYV", 64, 48))
    monkeypatch.setattr(Device.__init__, "__defaults__", (FakeSystem({"/dev/video10": fake}),))
    with pytest.raises(DeviceError, match="keeps YUYV 64x48, and pyvirtualcam writes YU12"):
        VirtualCam("/dev/video10").open(SIZE, 30, False)
    assert fake.opened == 0


@pytest.fixture
def pyfakewebcam(monkeypatch, tmp_path):
    """A device in memory that the library has opened."""
    path = str(tmp_path / "video10")
    (tmp_path / "video10").touch()
    fake = FakeLoopback()
    system = FakeSystem({path: fake})
    library = SimpleNamespace(
        FakeWebcam=lambda device, width, height: SimpleNamespace(_video_device=system.open(device))
    )
    monkeypatch.setitem(sys.modules, "pyfakewebcam", library)
    monkeypatch.setattr(Device.adopt.__func__, "__defaults__", (system,))
    return path, fake


def test_pyfakewebcam_writes_limited_range_and_closes(pyfakewebcam):
    path, fake = pyfakewebcam
    sink = FakeWebcam(path)
    sink.open(SIZE, 30, False)
    sink.send(frame(255))
    sink.finish()
    assert fake.format == ("YUYV", 64, 48)
    assert fake.written == [bytes([235, 128]) * (64 * 48)]
    assert fake.opened == 0


def test_pyfakewebcam_looks_at_the_answer(pyfakewebcam):
    path, fake = pyfakewebcam
    fake.kept = ("YU12", 32, 24)
    sink = FakeWebcam(path)
    with pytest.raises(DeviceError, match="keeps YU12 32x24, wanted YUYV 64x48"):
        sink.open(SIZE, 30, False)
    sink.abort()
    assert fake.opened == 0


def test_pyfakewebcam_without_a_device(pyfakewebcam):
    with pytest.raises(DeviceError, match="is not there"):
        FakeWebcam("/nothing").open(SIZE, 30, False)
