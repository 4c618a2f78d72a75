"""A loopback device through pyfakewebcam, with its faults mended."""

from __future__ import annotations

import contextlib
import errno
import importlib
from pathlib import Path
from typing import Any

from framefx.errors import BackendUnavailableError, DeviceError
from framefx.frame import Frame, Size
from framefx.v4l2.device import Device
from framefx.v4l2.holders import holders, named
from framefx.v4l2.pixels import Packer
from framefx.v4l2.problems import explain
from framefx.v4l2.structs import OUTPUT


class FakeWebcam:
    """A loopback device, opened by pyfakewebcam; the sink ``v4l2`` does more for less.

    pyfakewebcam (0.1.0 is its last) opens the device here, and no more: its own conversion calls a method that
    NumPy 2.3 removed, and writes full-range values that readers take for limited range (colours off by up to 20
    levels); it ignores what the driver answers, and has no ``close``.

    Parameters
    ----------
    location : str
        ``/dev/videoN``.
    """

    live = True
    takes_alpha = False

    def __init__(self, location: str) -> None:
        self.location = location
        self._device: Device | None = None
        self._packer: Packer | None = None

    def open(self, size: Size, rate: float, has_alpha: bool) -> None:
        """Open the device for YUYV.

        Raises
        ------
        BackendUnavailableError
            When pyfakewebcam is not installed.
        DeviceError
            When the device is not there, or keeps another size or format.
        """
        height, width = size
        library = _library()
        if not Path(self.location).exists():
            # pyfakewebcam would print its own advice beside the error.
            raise explain(FileNotFoundError(errno.ENOENT, "not there"), self.location, "open the virtual camera")
        try:
            camera = library.FakeWebcam(self.location, width, height)
        except OSError as error:
            raise explain(error, self.location, "open the virtual camera") from error
        self._device = Device.adopt(self.location, camera._video_device)
        try:
            # Again, with the colours as they are: pyfakewebcam states a full range.
            picture = self._device.set_format(OUTPUT, width, height, "YUYV")
        except OSError as error:
            raise explain(error, self.location, "set the format of the virtual camera") from error
        if (picture.height, picture.width, picture.format) != (height, width, "YUYV"):
            raise DeviceError(
                f"{self.location} keeps {picture.format} {picture.width}x{picture.height}, wanted YUYV "
                f"{width}x{height}: close {named(holders(self.location))}, or use --sink {self.location}"
            )
        with contextlib.suppress(OSError):
            # Its error does not matter: see framefx.v4l2.output.
            self._device.stream_on(OUTPUT)
        self._packer = Packer("YUYV", width, height)

    def send(self, frame: Frame) -> None:
        """Write a frame.

        Raises
        ------
        DeviceError
            When the device is gone.
        """
        if self._device is None or self._packer is None:
            return
        try:
            self._device.write(self._packer.pack(frame.pixels))
        except OSError as error:
            raise explain(error, self.location, "write to the virtual camera") from error

    def wanted(self) -> bool:
        return True

    def finish(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            device.close()

    def abort(self) -> None:
        self.finish()


def _library() -> Any:
    try:
        return importlib.import_module("pyfakewebcam")
    except ImportError as error:
        raise BackendUnavailableError("pyfakewebcam is not installed: run `pip install pyfakewebcam`") from error
