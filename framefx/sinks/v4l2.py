"""The virtual camera: a loopback device that call programs take for a webcam."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field

from framefx.errors import DeviceError
from framefx.frame import Frame, Size
from framefx.v4l2.device import LINUX, System
from framefx.v4l2.holders import Holder, holders, named
from framefx.v4l2.listing import loopbacks
from framefx.v4l2.output import Output
from framefx.v4l2.pixels import PACKED, warm_pack
from framefx.v4l2.problems import MODPROBE, explain

log = logging.getLogger(__name__)

_GONE = (errno.ENODEV, errno.ENXIO, errno.EIO, errno.EBADF)
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 2.0
_RENEGOTIATE = 2.0
_OTHERS = 2.0
"""Seconds of frames between looks for another writer."""


class VirtualCamera:
    """A v4l2loopback device.

    Each frame is converted once into memory that is used again, and written by one call, which never waits. The
    colours are stated as what they are: sRGB, encoded by BT.601 in limited range.

    While a reader holds the device, its size and format stay: frames of another size are scaled, unstretched,
    until the reader has gone. A device that vanishes is opened again when it is back.

    Parameters
    ----------
    location : str
        ``/dev/videoN``, or ``auto`` for the first loopback device.
    format : {"auto", "YU12", "NV12", "YUYV"}
        Pixel format to give readers; ``auto`` is YU12, the cheapest.

    Attributes
    ----------
    path : str
        The device in use; empty before `open`.
    """

    live = True
    takes_alpha = False

    _system: System = LINUX
    _clock: Callable[[], float] = staticmethod(time.monotonic)
    _look: Callable[..., list[Holder]] = staticmethod(holders)

    def __init__(
        self,
        location: str = "auto",
        *,
        format: Annotated[
            Literal["auto", "YU12", "NV12", "YUYV"], Field(description="pixel format to give readers")
        ] = "auto",
    ) -> None:
        self.location = location
        self.path = ""
        self._formats = PACKED if format == "auto" else (format, *(f for f in PACKED if f != format))
        self._output: Output | None = None
        self._size: Size = (0, 0)
        self._rate = 30.0
        self._retry_at = 0.0
        self._since_look = 0
        self._is_shared = False
        self._wait = _FIRST_WAIT

    def warm(self) -> None:
        """Compile the conversion, or load it from the cache; `open` does it where nobody did before."""
        warm_pack(self._formats[0])

    def open(self, size: Size, rate: float, has_alpha: bool) -> None:
        """Become the device's writer.

        Raises
        ------
        DeviceError
            When there is no loopback device, it is no such device, may not be opened, or another program writes to
            it (which is named).
        """
        self._size, self._rate = size, rate
        self.path = self._find()
        # Before the device shows itself as a camera: a reader would wait for the first picture meanwhile.
        self.warm()
        self._output = self._opened()
        picture = self._output.picture
        log.info("%s: %s %dx%d", self.path, picture.format, picture.width, picture.height)
        if self._is_kept:
            log.warning(
                "%s stays %s %dx%d while %s reads it: pictures are scaled",
                self.path,
                picture.format,
                picture.width,
                picture.height,
                named(self._look(self.path)),
            )

    def send(self, frame: Frame) -> None:
        """Show a frame.

        Raises
        ------
        DeviceError
            When another program became the device's writer.
        """
        output = self._output or self._reopened()
        if output is None:
            return
        if self._is_kept and not output.has_readers() and self._clock() >= self._retry_at:
            output = self._renegotiated(output)
        try:
            output.write(frame)
            self._notice_others(output)
        except OSError as error:
            self._lose(error)

    def wanted(self) -> bool:
        """Whether a program reads the device. One that only asks what the device is does not count."""
        if self._output is None:
            return False
        try:
            return self._output.has_readers()
        except OSError as error:
            self._lose(error)
            return False

    def finish(self) -> None:
        """Let the device go; readers keep the last picture."""
        if self._output is not None:
            self._output.close()
        self._output = None

    def abort(self) -> None:
        self.finish()

    def _find(self) -> str:
        if self.location not in ("", "auto"):
            return self.location
        found = loopbacks(system=self._system)
        if not found:
            raise DeviceError(f"there is no virtual camera: make one with `{MODPROBE}`")
        return found[0]

    def _opened(self) -> Output:
        height, width = self._size
        return Output(self.path, width, height, self._rate, self._formats, system=self._system, look=self._look)

    @property
    def _is_kept(self) -> bool:
        """Whether the device has another size than the frames, because somebody holds it."""
        if self._output is None:
            return False
        picture, (height, width) = self._output.picture, self._size
        return (picture.height, picture.width) != (height + height % 2, width + width % 2)

    def _renegotiated(self, output: Output) -> Output:
        """Ask again for the frames' own size: the readers that held the old one have gone."""
        self._retry_at = self._clock() + _RENEGOTIATE
        output.close()
        self._output = None
        output = self._output = self._opened()
        if not self._is_kept:
            log.info("%s: now %dx%d", self.path, output.picture.width, output.picture.height)
        return output

    def _notice_others(self, output: Output) -> None:
        """Say once that a second program writes to the device: readers see its pictures between these."""
        self._since_look += 1  # counted: reading the clock is a system call on some machines
        if self._since_look < _OTHERS * self._rate:
            return
        self._since_look = 0
        shared = output.is_shared()
        if shared and not self._is_shared:
            others = [holder for holder in self._look(self.path) if not holder.streams]
            log.warning("%s is written by %s as well: readers see both in turn: close it", self.path, named(others))
        self._is_shared = shared

    def _lose(self, error: OSError) -> None:
        self.finish()
        if error.errno not in _GONE:
            raise explain(error, self.path, "write to the virtual camera", self._look) from error
        log.warning("%s is gone (%s): it is opened again when it is back", self.path, error.strerror)
        self._wait = _FIRST_WAIT
        self._retry_at = self._clock() + self._wait

    def _reopened(self) -> Output | None:
        """Try to open a device that was lost, with growing pauses; frames are lost meanwhile."""
        if not self.path or self._clock() < self._retry_at:
            return None
        try:
            self._output = self._opened()
        except DeviceError:
            self._wait = min(2 * self._wait, _LONGEST_WAIT)
            self._retry_at = self._clock() + self._wait
            return None
        log.warning("%s is back", self.path)
        return self._output
