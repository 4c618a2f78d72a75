"""One open V4L2 device: each method is one request, and says nothing about policy."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import mmap
import os
import select
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from framefx.v4l2 import structs as v4l

Structure = TypeVar("Structure", bound=ctypes.Structure)


class System(Protocol):
    """The calls that reach the kernel; tests put a driver of their own here."""

    def open(self, path: str) -> int:
        """Open for reading and writing, without waiting."""

    def close(self, fd: int) -> None:
        """Close."""

    def ioctl(self, fd: int, request: int, argument: Any) -> None:
        """Send `request`; `argument`, a ctypes object, is read and written in place."""

    def write(self, fd: int, data: Any) -> int:
        """Write one frame; return the bytes that were taken."""

    def map(self, fd: int, length: int, offset: int) -> Any:
        """Return the driver's buffer at `offset` as a writable buffer object with `close`."""

    def wait(self, fd: int, seconds: float) -> bool:
        """Wait until something can be dequeued; return whether it can, or the device is gone."""


class Linux:
    """The real one."""

    def open(self, path: str) -> int:
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def close(self, fd: int) -> None:
        os.close(fd)

    def ioctl(self, fd: int, request: int, argument: Any) -> None:
        fcntl.ioctl(fd, request, argument, True)

    def write(self, fd: int, data: Any) -> int:
        return os.write(fd, data)

    def map(self, fd: int, length: int, offset: int) -> mmap.mmap:
        return mmap.mmap(fd, length, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE, offset=offset)

    def wait(self, fd: int, seconds: float) -> bool:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        return bool(poll.poll(max(0.0, seconds) * 1e3))


LINUX: System = Linux()


@dataclass(frozen=True)
class Identity:
    """What a device says it is; `capabilities` are this node's own."""

    driver: str
    card: str
    bus: str
    capabilities: int

    @property
    def captures(self) -> bool:
        return bool(self.capabilities & v4l.CAP_CAPTURE)

    @property
    def outputs(self) -> bool:
        return bool(self.capabilities & v4l.CAP_OUTPUT)

    @property
    def is_loopback(self) -> bool:
        """Whether it is v4l2loopback's, whatever its number."""
        return self.driver == "v4l2 loopback"


@dataclass(frozen=True)
class Picture:
    """A pixel format with its size, as the driver answered; `line` and `bytes` are a row's and a buffer's bytes."""

    width: int
    height: int
    format: str
    line: int
    bytes: int
    colorspace: int = 0
    encoding: int = 0
    quantization: int = 0


class Device:
    """An open V4L2 device.

    Parameters
    ----------
    path : str
        ``/dev/videoN``.
    system : System
        What reaches the kernel.

    Raises
    ------
    OSError
        From every method, as the kernel said it.
    """

    def __init__(self, path: str, system: System = LINUX) -> None:
        self.path = path
        self.system = system
        self.fd = system.open(path)

    @classmethod
    def adopt(cls, path: str, fd: int, system: System = LINUX) -> Device:
        """Return the device that some other code opened as `fd`; closing it is this one's from now on."""
        device = cls.__new__(cls)
        device.path, device.system, device.fd = path, system, fd
        return device

    def close(self) -> None:
        """Close; more than once is fine, and so is a device that is gone."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            with contextlib.suppress(OSError):
                self.system.close(fd)

    def ask(self, request: int, structure: Structure) -> Structure:
        """Send `request` and return `structure`, which the driver filled in."""
        while True:
            try:
                self.system.ioctl(self.fd, request, structure)
            except InterruptedError:
                continue
            return structure

    def identity(self) -> Identity:
        """Return driver, name and capabilities."""
        answer = self.ask(v4l.QUERYCAP, v4l.Capability())
        whole = int(answer.capabilities)
        own = int(answer.device_caps) if whole & v4l.CAP_DEVICE_CAPS else whole
        return Identity(_text(answer.driver), _text(answer.card), _text(answer.bus_info), own)

    def format(self, kind: int = v4l.CAPTURE) -> Picture:
        """Return the format that is set for capture or output."""
        return _picture(self.ask(v4l.G_FMT, v4l.Format(type=kind)))

    def set_format(self, kind: int, width: int, height: int, name: str) -> Picture:
        """Ask for a format and return what the driver made of it, which may be another.

        Output states sRGB colours encoded by BT.601 in limited range: what every reader assumes of a camera that
        states nothing, and what framefx's conversions write.
        """
        request = v4l.Format(type=kind)
        pix = request.fmt.pix
        pix.width, pix.height, pix.pixelformat, pix.field = width, height, v4l.fourcc(name), v4l.FIELD_NONE
        if kind == v4l.OUTPUT:
            pix.colorspace, pix.priv = v4l.COLORSPACE_SRGB, v4l.PRIV_MAGIC
            pix.ycbcr_enc, pix.quantization = v4l.YCBCR_ENC_601, v4l.QUANTIZATION_LIMITED
            pix.xfer_func = v4l.XFER_SRGB
        return _picture(self.ask(v4l.S_FMT, request))

    def set_rate(self, kind: int, rate: float) -> float:
        """Ask for a frame rate, and return the one that holds; 0 where the driver does not say."""
        request = v4l.StreamParameters(type=kind)
        request.timeperframe.numerator = 1000
        request.timeperframe.denominator = round(rate * 1000)
        return _rate(self.ask(v4l.S_PARM, request).timeperframe)

    def rate(self, kind: int = v4l.CAPTURE) -> float:
        """Return the frame rate; 0 where the driver does not say."""
        return _rate(self.ask(v4l.G_PARM, v4l.StreamParameters(type=kind)).timeperframe)

    def enumerate(self, request: int, structure: Structure) -> Iterator[Structure]:
        """Yield the answers to `request` for index 0, 1, … until the driver has no more."""
        size = ctypes.sizeof(structure)
        for index in range(1024):
            item = type(structure).from_buffer_copy(bytes(structure)[:size])
            item.index = index
            try:
                yield self.ask(request, item)
            except OSError as error:
                if error.errno in (errno.EINVAL, errno.ENOTTY, errno.ENODATA):
                    return
                raise

    def stream_on(self, kind: int) -> None:
        """Start streaming."""
        self.system.ioctl(self.fd, v4l.STREAMON, ctypes.c_int32(kind))

    def stream_off(self, kind: int) -> None:
        """Stop streaming; the driver gives all buffers back."""
        self.system.ioctl(self.fd, v4l.STREAMOFF, ctypes.c_int32(kind))

    def write(self, data: Any) -> int:
        """Write one frame; return the bytes taken."""
        return self.system.write(self.fd, data)

    def subscribe(self, event: int) -> bool:
        """Ask for an event and its present state; return whether the driver knows it."""
        try:
            self.ask(v4l.SUBSCRIBE_EVENT, v4l.EventSubscription(type=event, flags=v4l.EVENT_SEND_INITIAL))
        except OSError:
            return False
        return True

    def events(self) -> Iterator[Any]:
        """Yield the events that wait."""
        while True:
            try:
                event = self.ask(v4l.DQEVENT, v4l.Event())
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.EAGAIN):
                    return
                raise
            yield event


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").strip()


def _rate(interval: Any) -> float:
    if not interval.numerator or not interval.denominator:
        return 0.0
    return float(interval.denominator) / float(interval.numerator)


def _picture(answer: Any) -> Picture:
    pix = answer.fmt.pix
    return Picture(
        int(pix.width),
        int(pix.height),
        v4l.fourcc_name(pix.pixelformat),
        int(pix.bytesperline),
        int(pix.sizeimage),
        int(pix.colorspace),
        int(pix.ycbcr_enc),
        int(pix.quantization),
    )
