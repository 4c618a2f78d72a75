"""Cameras through OpenCV, with a stand-in for the device."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from framefx import Source
from framefx.errors import DeviceError
from framefx.sources.camera import OpenCVCamera


class Device:
    """Plays cv2.VideoCapture: camera 0 gives `left` pictures, others are not there."""

    left = 4

    def __init__(self, index):
        self.index = index
        self.settings = {}
        self.released = False

    def isOpened(self):
        return self.index == 0

    def set(self, name, value):
        self.settings[name] = value

    def get(self, name):
        return 25.0 if name == cv2.CAP_PROP_FPS else 0.0

    def read(self, image=None):
        if not self.left:
            return False, None
        self.left -= 1
        return True, np.full((6, 8, 3), (10, 20, 30), np.uint8)

    def release(self):
        self.released = True


@pytest.fixture(autouse=True)
def device(monkeypatch):
    monkeypatch.setattr(cv2, "VideoCapture", Device)


def test_gives_rgb_frames_until_it_is_gone():
    camera = OpenCVCamera("0", size="640x480", rate=15)
    camera.open()
    assert isinstance(camera, Source) and camera.live
    assert (camera.size, camera.rate) == ((6, 8), 25)
    assert camera._camera.settings[cv2.CAP_PROP_FRAME_WIDTH] == 640
    frames = [camera.read() for _ in range(3)]
    assert frames[0].pixels[0, 0].tolist() == [30, 20, 10]
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert frames[0].time == 0 and frames[1].time <= frames[2].time
    with pytest.raises(DeviceError, match="stopped"):
        camera.read()
    camera.close()
    assert camera.read() is None


@pytest.mark.parametrize("location", ["7", "opencv:7"])
def test_missing_camera(location):
    camera = OpenCVCamera(location)
    with pytest.raises(DeviceError, match="camera 7 gives no picture"):
        camera.open()
    camera.close()


def test_no_number():
    with pytest.raises(DeviceError, match="number"):
        OpenCVCamera("front").open()
