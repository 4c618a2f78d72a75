"""Virtual cameras through pyvirtualcam: OBS's on macOS and Windows, Unity Capture's, and loopback devices."""

from __future__ import annotations

import importlib
import sys
from typing import Annotated, Any

from pydantic import Field

from framefx.errors import BackendUnavailableError, DeviceError
from framefx.frame import Frame, Size


class VirtualCam:
    """A virtual camera of any system that pyvirtualcam knows. On Linux the sink ``v4l2`` does more for less.

    pyvirtualcam (GPL-2) is no part of framefx: ``pip install pyvirtualcam``. It cannot say whether anybody looks.

    Parameters
    ----------
    location : str
        The device as pyvirtualcam names it (``OBS Virtual Camera``, ``/dev/video10``); empty for the first.
    backend : str, optional
        pyvirtualcam's: ``obs``, ``unitycapture`` or ``v4l2loopback``; the first that works without it.
    """

    live = True
    takes_alpha = False

    def __init__(
        self,
        location: str = "",
        *,
        backend: Annotated[str | None, Field(description="obs, unitycapture or v4l2loopback")] = None,
    ) -> None:
        self.location = location
        self._backend = backend
        self._camera: Any = None

    def open(self, size: Size, rate: float, has_alpha: bool) -> None:
        """Open the camera.

        Raises
        ------
        BackendUnavailableError
            When pyvirtualcam is not installed.
        DeviceError
            When it finds no camera, or the device keeps another size or format.
        """
        library = _library()
        height, width = size
        try:
            self._camera = library.Camera(width, height, rate, device=self.location or None, backend=self._backend)
        except Exception as error:
            reason = "; ".join(line.strip() for line in str(error).splitlines() if line.strip())
            raise DeviceError(f"pyvirtualcam opens no camera: {reason}") from error
        if sys.platform == "linux":
            _compare(str(self._camera.device), size)

    def send(self, frame: Frame) -> None:
        self._camera.send(frame.pixels)

    def wanted(self) -> bool:
        return True

    def finish(self) -> None:
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()

    def abort(self) -> None:
        self.finish()


def _library() -> Any:
    try:
        return importlib.import_module("pyvirtualcam")
    except ImportError as error:
        raise BackendUnavailableError("pyvirtualcam is not installed: run `pip install pyvirtualcam`") from error


def _compare(path: str, size: Size) -> None:
    """Raise when the device has another format: pyvirtualcam does not look, and readers would get garbage."""
    # Imported here: other systems, for which this sink is, have no ioctl.
    from framefx.v4l2.device import Device
    from framefx.v4l2.structs import OUTPUT

    try:
        device = Device(path)
    except OSError:
        return
    try:
        picture = device.format(OUTPUT)
    except OSError:
        return
    finally:
        device.close()
    if (picture.height, picture.width, picture.format) != (*size, "YU12"):
        raise DeviceError(
            f"{path} keeps {picture.format} {picture.width}x{picture.height}, and pyvirtualcam writes YU12 "
            f"{size[1]}x{size[0]}: close the programs that `framefx devices` names, or use --sink {path}"
        )
