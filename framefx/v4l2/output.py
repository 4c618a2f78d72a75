"""The writer's end of a loopback device: what v4l2loopback's versions want from a program that writes.

0.12.7 (Debian 12) counts only a writer that has called STREAMON: without it an ``exclusive_caps`` device is dead
after the writer's close; the call's own error does not matter. It also answers S_FMT with the old format
while anybody has the device open, so the answer is what is written, always. From 0.13 on the driver refuses instead,
tells when readers come and go, and needs no STREAMON. Its `timeout` control is never used: in 0.12.7 it crashes the
kernel.
"""

from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Callable

import numpy as np

from framefx.errors import DeviceError
from framefx.frame import Frame, Image
from framefx.v4l2 import structs as v4l
from framefx.v4l2.device import LINUX, Device, Identity, Picture, System
from framefx.v4l2.holders import Holder, holders, named
from framefx.v4l2.pixels import PACKED, Packer, fit, packed_size, warm_pack
from framefx.v4l2.problems import MODPROBE, explain
from framefx.v4l2.readers import EventReaders, Readers, watch_readers
from framefx.v4l2.stream import Stream

_FED_WITHIN = 0.5
"""Seconds in which a second writer must show itself by a new picture."""


class Output:
    """A loopback device, open for writing.

    Parameters
    ----------
    path : str
        ``/dev/videoN``.
    width, height : int
        Size of the pictures that will come, in pixels.
    rate : float
        Frames per second to tell readers.
    formats : sequence of str
        Pixel formats to try, the best first.
    system : System
        What reaches the kernel.
    look : callable
        Returns the processes that hold a device.

    Attributes
    ----------
    picture : Picture
        What the device takes: perhaps another size and format than asked, while a reader holds on to it.

    Raises
    ------
    DeviceError
        When the device is not there, no loopback, not permitted, written by another program, or keeps a format
        that framefx does not write.
    """

    def __init__(
        self,
        path: str,
        width: int,
        height: int,
        rate: float,
        formats: tuple[str, ...] = PACKED,
        *,
        system: System = LINUX,
        look: Callable[[str], list[Holder]] = holders,
    ) -> None:
        self.path = path
        self._system, self._look = system, look
        self._device = self._opened()
        try:
            self.picture = self._agreed(width, height, formats)
            warm_pack(self.picture.format)
            self._packer = Packer(self.picture.format, self.picture.width, self.picture.height)
            self._readers: Readers | None = watch_readers(self._device)
            self._start(rate)
        except OSError as error:
            self._device.close()
            raise error if isinstance(error, DeviceError) else self._explained(error) from error
        self._canvas: Image | None = None
        self._writes = 0
        self._seen: tuple[int, int] | None = None

    def write(self, frame: Frame) -> None:
        """Write a frame's pixels; another size than the device's is scaled, unstretched, on black.

        Raises
        ------
        OSError
            As the kernel says it: EBUSY when another writer has the device, ENODEV when it is gone.
        """
        size = (self.picture.height, self.picture.width)
        if frame.size == size:
            data = self._packer.pack_frame(frame)
        else:
            if self._canvas is None:
                self._canvas = np.zeros((*size, 3), np.uint8)
            fit(frame.pixels, self._canvas)
            data = self._packer.pack(self._canvas)
        self._device.write(data)
        self._writes += 1

    def has_readers(self) -> bool:
        """Whether anybody reads; True when nothing can tell."""
        return self._readers is None or self._readers.present()

    def is_shared(self) -> bool:
        """Whether somebody else wrote to the device since the last call; 0.12.7 lets them, and says nothing.

        The driver numbers what is written: numbers that are not this writer's are another's.
        """
        number = self._last_number()
        before, self._seen = self._seen, None if number is None else (number, self._writes)
        if number is None or before is None:
            return False
        return number - before[0] > self._writes - before[1] + 1

    def _last_number(self) -> int | None:
        try:
            buffers = [self._device.ask(v4l.QUERYBUF, v4l.Buffer(index=i, type=v4l.OUTPUT)) for i in range(2)]
        except OSError:
            return None
        return max(int(buffer.sequence) for buffer in buffers)

    def close(self) -> None:
        """Close; never raises."""
        if self._readers is not None:
            self._readers.close()
        self._device.close()

    def _opened(self) -> Device:
        device = self._open_once()
        try:
            _check(device.identity(), self.path)
        except OSError as error:
            device.close()
            raise error if isinstance(error, DeviceError) else self._explained(error) from error
        return device

    def _agreed(self, width: int, height: int, formats: tuple[str, ...]) -> Picture:
        try:
            return self._negotiate(width, height, formats)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
        # 0.12.7, after a writer that never called STREAMON: the close of one that did makes the device whole.
        self._mark_writer(self._device)
        self._device.close()
        self._device = self._opened()
        return self._negotiate(width, height, formats)

    def _open_once(self) -> Device:
        try:
            return Device(self.path, self._system)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
                raise DeviceError(f"{self.path} is not there: make a virtual camera with `{MODPROBE}`") from error
            raise self._explained(error) from error

    def _negotiate(self, width: int, height: int, formats: tuple[str, ...]) -> Picture:
        """Set the format; what the device answers holds, whatever was asked."""
        others = [holder for holder in self._look(self.path) if not holder.streams]
        if others and self._device.identity().captures and is_fed(self.path, self._system):
            raise DeviceError(f"{self.path} is written by {named(others)}: close it, or name another with --sink")
        answers = [self._ask(width, height, format) for format in formats[:1]]
        for format in formats[1:]:
            if answers[-1].format in formats:
                break
            answers.append(self._ask(width, height, format))
        picture = answers[-1]
        even = picture.width % 2 == 0 and picture.height % 2 == 0
        if picture.format not in PACKED or not even or packed_size(picture.format, 2, 2) == 0:
            raise DeviceError(
                f"{self.path} keeps {picture.format} {picture.width}x{picture.height}, which framefx does not write: "
                f"close {named(self._look(self.path))}, or run `v4l2-ctl -d {self.path} -c keep_format=0`"
            )
        return picture

    def _ask(self, width: int, height: int, format: str) -> Picture:
        try:
            return self._device.set_format(v4l.OUTPUT, width + width % 2, height + height % 2, format)
        except OSError as error:
            if error.errno not in (errno.EBUSY, errno.EINVAL):
                raise
            # From 0.13 on: somebody uses the device, whose format then holds.
            return self._device.format(v4l.OUTPUT)

    def _start(self, rate: float) -> None:
        with contextlib.suppress(OSError):
            # Without it readers are told 30 frames a second; pictures come when they come all the same.
            self._device.set_rate(v4l.OUTPUT, rate)
        if not isinstance(self._readers, EventReaders):
            self._mark_writer(self._device)

    def _mark_writer(self, device: Device) -> None:
        with contextlib.suppress(OSError):
            # It counts, whatever the driver answers.
            device.stream_on(v4l.OUTPUT)

    def _explained(self, error: OSError) -> DeviceError:
        return explain(error, self.path, "open the virtual camera", self._look)


def _check(identity: Identity, path: str) -> None:
    if identity.is_loopback:
        return
    what = "is a camera" if identity.captures else "is no virtual camera"
    raise DeviceError(
        f"{path} {what} ({identity.card}, driver {identity.driver}): `framefx devices` lists virtual cameras, "
        f"`{MODPROBE}` makes one"
    )


def is_fed(path: str, system: System = LINUX, clock: Callable[[], float] = time.monotonic) -> bool:
    """Whether some program writes to the loopback at `path` at the moment: two different pictures come out."""
    device = None
    try:
        device = Device(path, system)
        stream = Stream(device, 2)
    except OSError:
        if device is not None:
            device.close()
        return False
    try:
        # The first picture may be an old one, which every new reader gets.
        return _gives(stream, _FED_WITHIN) and _gives(stream, _FED_WITHIN)
    except OSError:
        return False
    finally:
        stream.close()
        device.close()


def _gives(stream: Stream, seconds: float) -> bool:
    grab = stream.grab(seconds)
    if grab is None:
        return False
    grab.release()
    return True
