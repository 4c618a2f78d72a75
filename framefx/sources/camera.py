"""A camera through OpenCV, on any system it knows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from framefx.errors import DeviceError
from framefx.frame import Frame, FramePool, Size

if TYPE_CHECKING:
    import cv2


class OpenCVCamera:
    """A camera by its number, as OpenCV counts them.

    Times are those at which frames arrived.

    Parameters
    ----------
    location : str
        Number, from 0.
    size : str, optional
        ``WIDTHxHEIGHT`` to ask for; the camera gives the nearest it has.
    rate : float, optional
        Frames per second to ask for.

    Attributes
    ----------
    size : (int, int)
        What the camera gives: height and width.
    rate : float
        What the camera says; 30 when it says nothing.
    """

    live = True
    has_alpha = False

    def __init__(
        self,
        location: str = "0",
        *,
        size: Annotated[str | None, Field(pattern=r"^\d+x\d+$", description="WIDTHxHEIGHT to ask for")] = None,
        rate: Annotated[float | None, Field(gt=0, le=1000, description="frames per second to ask for")] = None,
    ) -> None:
        self.location = location.removeprefix("opencv:")
        self.rate = rate or 30.0
        self.size: Size = (0, 0)
        self._wanted_size = size
        self._wanted_rate = rate
        self._pool = FramePool()
        self._camera: cv2.VideoCapture | None = None
        self._image: npt.NDArray[np.uint8] | None = None
        self._start = 0.0
        self._index = 0

    def open(self) -> None:
        """Start the camera and wait for its first picture, which may be dark and is thrown away.

        Raises
        ------
        DeviceError
            When there is no such camera, or another program has it.
        """
        import cv2

        if not self.location.isdigit():
            raise DeviceError(f"opencv:{self.location}: wanted a camera's number: write `--source opencv:0`")
        camera = self._camera = cv2.VideoCapture(int(self.location))
        if camera.isOpened():
            # Most webcams send full rate only as JPEG; one that has none ignores this.
            camera.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            if self._wanted_size is not None:
                width, height = self._wanted_size.split("x")
                camera.set(cv2.CAP_PROP_FRAME_WIDTH, int(width))
                camera.set(cv2.CAP_PROP_FRAME_HEIGHT, int(height))
            if self._wanted_rate is not None:
                camera.set(cv2.CAP_PROP_FPS, self._wanted_rate)
            camera.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        image = self._grabbed()
        if image is None:
            raise DeviceError(
                f"camera {self.location} gives no picture: `ls /dev/video*` shows what is there; "
                "close the program that uses it"
            )
        self.size = (image.shape[0], image.shape[1])
        self.rate = float(camera.get(cv2.CAP_PROP_FPS)) or self.rate
        self._index = 0

    def read(self) -> Frame | None:
        """Wait for the next frame.

        Raises
        ------
        DeviceError
            When the camera stopped.
        """
        if self._camera is None:
            return None
        import cv2

        image = self._grabbed()
        now = time.monotonic()
        if image is None or image.shape[:2] != self.size:
            raise DeviceError(f"camera {self.location} stopped: plug it in again: `ls /dev/video*` shows what is there")
        if self._index == 0:
            self._start = now
        frame = self._pool.frame(self.size, index=self._index, time=now - self._start)
        cv2.cvtColor(image, cv2.COLOR_BGR2RGB, frame.pixels)
        self._index += 1
        return frame

    def close(self) -> None:
        if self._camera is not None:
            self._camera.release()
        self._camera = self._image = None

    def _grabbed(self) -> npt.NDArray[np.uint8] | None:
        """Return the next picture, BGR, in memory that is used again for the one after."""
        if self._camera is None or not self._camera.isOpened():
            return None
        okay, image = self._camera.read(self._image)
        self._image = np.asarray(image, np.uint8) if okay else None
        return self._image
