"""A kernel with cameras and loopback devices in memory, behind the same calls as the real one."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
from collections import deque
from dataclasses import dataclass, field

from framefx.v4l2 import structs as v4l


def refused(code):
    return OSError(code, os.strerror(code))


class Clock:
    """Seconds that pass when somebody waits for a device."""

    def __init__(self, now=100.0):
        self.now = now

    def __call__(self):
        return self.now


@dataclass
class FakeDevice:
    driver: str
    card: str = "a device"
    capabilities: int = 0
    opened: int = 0
    requests: list = field(default_factory=list)

    def ioctl(self, fd, request, argument):
        self.requests.append(request)
        name = next((n for n, value in vars(v4l).items() if n.isupper() and value == request and n in _NAMES), None)
        handler = getattr(self, name.lower(), None) if name else None
        if handler is None:
            raise refused(errno.ENOTTY)
        handler(fd, argument)

    def querycap(self, fd, answer):
        answer.driver, answer.card = self.driver.encode(), self.card.encode()
        answer.bus_info = b"fake:1"
        answer.capabilities = 0x85200003 | v4l.CAP_DEVICE_CAPS
        answer.device_caps = self.capabilities | v4l.CAP_STREAMING

    def on_close(self, fd):
        pass


_NAMES = {
    *("QUERYCAP", "ENUM_FMT", "G_FMT", "S_FMT", "REQBUFS", "QUERYBUF", "QBUF", "DQBUF", "STREAMON", "STREAMOFF"),
    *("G_PARM", "S_PARM", "G_CTRL", "S_CTRL", "QUERYCTRL", "QUERYMENU", "ENUM_FRAMESIZES", "ENUM_FRAMEINTERVALS"),
    *("DQEVENT", "SUBSCRIBE_EVENT"),
}


@dataclass
class FakeCamera(FakeDevice):
    """Gives the pictures of `pictures`: (seconds, bytes) or (seconds, bytes, flags)."""

    driver: str = "uvcvideo"
    card: str = "Camera One"
    capabilities: int = v4l.CAP_CAPTURE
    modes: dict = field(default_factory=lambda: {"YUYV": {(64, 48): [30.0]}})
    pictures: deque = field(default_factory=deque)
    padding: int = 0
    gone: bool = False
    busy: bool = False
    controls: dict = field(
        default_factory=lambda: {"Brightness": [0, -64, 64, 1, 0], "Exposure, Auto": [3, 0, 3, 1, 3]}
    )
    format: tuple = ("YUYV", 64, 48)
    rate: float = 30.0
    memory: list = field(default_factory=list)
    queued: list = field(default_factory=list)
    streaming: bool = False

    def ioctl(self, fd, request, argument):
        if self.gone:
            raise refused(errno.ENODEV)
        super().ioctl(fd, request, argument)

    def enum_fmt(self, fd, answer):
        answer.pixelformat = v4l.fourcc(_at(list(self.modes), answer.index))

    def enum_framesizes(self, fd, answer):
        sizes = list(self.modes[v4l.fourcc_name(answer.pixel_format)])
        answer.type = v4l.SIZES_DISCRETE
        answer.discrete.width, answer.discrete.height = _at(sizes, answer.index)

    def enum_frameintervals(self, fd, answer):
        rates = self.modes[v4l.fourcc_name(answer.pixel_format)][(answer.width, answer.height)]
        answer.type = v4l.SIZES_DISCRETE
        answer.discrete.numerator, answer.discrete.denominator = 1000, round(_at(rates, answer.index) * 1000)

    def s_fmt(self, fd, answer):
        if self.busy:
            raise refused(errno.EBUSY)
        pix = answer.fmt.pix
        name = v4l.fourcc_name(pix.pixelformat)
        sizes = self.modes.get(name) or next(iter(self.modes.values()))
        size = min(sizes, key=lambda size: abs(size[0] - pix.width) + abs(size[1] - pix.height))
        self.format = (name if name in self.modes else next(iter(self.modes)), *size)
        self.g_fmt(fd, answer)

    def g_fmt(self, fd, answer):
        pix = answer.fmt.pix
        name, pix.width, pix.height = self.format
        pix.pixelformat = v4l.fourcc(name)
        pix.bytesperline = {"YUYV": 2, "RGB3": 3}.get(name, 1) * pix.width + self.padding
        pix.sizeimage = 3 * pix.width * pix.height + self.padding * pix.height

    def s_parm(self, fd, answer):
        rates = self.modes[self.format[0]][self.format[1:]]
        wanted = answer.timeperframe.denominator / answer.timeperframe.numerator
        self.rate = min(rates, key=lambda rate: abs(rate - wanted))
        answer.timeperframe.numerator, answer.timeperframe.denominator = 1000, round(self.rate * 1000)

    def reqbufs(self, fd, answer):
        self.memory = [mmap.mmap(-1, 1 << 18) for _ in range(answer.count)]

    def querybuf(self, fd, answer):
        answer.length, answer.m.offset = len(self.memory[answer.index]), answer.index

    def qbuf(self, fd, answer):
        self.queued.append(answer.index)

    def streamon(self, fd, kind):
        self.streaming = True

    def streamoff(self, fd, kind):
        self.streaming, self.queued = False, []

    def dqbuf(self, fd, answer):
        now = self.system.clock()
        if not self.pictures or self.pictures[0][0] > now or not self.queued:
            raise refused(errno.EAGAIN)
        seconds, data, *flags = self.pictures.popleft()
        answer.index = self.queued.pop(0)
        self.memory[answer.index][: len(data)] = data
        answer.bytesused = len(data)
        answer.flags = v4l.TIMESTAMP_MONOTONIC | (flags[0] if flags else 0)
        answer.timestamp.seconds, answer.timestamp.microseconds = int(seconds), round(seconds % 1 * 1e6)

    def next_at(self):
        return self.pictures[0][0] if self.pictures else float("inf")

    def queryctrl(self, fd, answer):
        number = (answer.id & ~v4l.CTRL_NEXT) + 1
        name = _at(list(self.controls), number - 1)
        _, low, high, step, default = self.controls[name]
        answer.id, answer.name, answer.type = number, name.encode(), v4l.CTRL_INTEGER
        if "Auto" in name:
            answer.type = v4l.CTRL_MENU
        answer.minimum, answer.maximum, answer.step, answer.default_value = low, high, step, default

    def querymenu(self, fd, answer):
        if answer.index not in (1, 3):
            raise refused(errno.EINVAL)
        answer.u.name = {1: b"Manual Mode", 3: b"Aperture Priority Mode"}[answer.index]

    def g_ctrl(self, fd, answer):
        answer.value = list(self.controls.values())[answer.id - 1][0]

    def s_ctrl(self, fd, answer):
        list(self.controls.values())[answer.id - 1][0] = answer.value


@dataclass
class FakeLoopback(FakeDevice):
    """v4l2loopback with ``exclusive_caps=1``; `newer` is 0.13 and later.

    What is modelled was measured on real ones: see ``tests/vm``, which runs the same sink against them.
    """

    driver: str = "v4l2 loopback"
    card: str = "FrameFX Camera"
    capabilities: int = v4l.CAP_OUTPUT
    newer: bool = False
    kept: tuple | None = None
    foreign_writer: bool = False
    readers: int = 0
    gone: bool = False
    format: tuple = ("", 0, 0)
    rate: float = 30.0
    written: list = field(default_factory=list)
    events: deque = field(default_factory=deque)
    marked: set = field(default_factory=set)
    wrote: set = field(default_factory=set)
    colours: tuple = ()

    def ioctl(self, fd, request, argument):
        if self.gone:
            raise refused(errno.ENODEV)
        super().ioctl(fd, request, argument)

    def s_fmt(self, fd, answer):
        self._refuse_when_dead()
        pix = answer.fmt.pix
        wanted = (v4l.fourcc_name(pix.pixelformat), pix.width, pix.height)
        if self.kept and self.newer and wanted != self.kept:
            raise refused(errno.EBUSY)
        self.format = self.kept or wanted
        self.colours = (pix.colorspace, pix.ycbcr_enc, pix.quantization, pix.priv)
        self.g_fmt(fd, answer)

    def g_fmt(self, fd, answer):
        self._refuse_when_dead()
        pix = answer.fmt.pix
        name, pix.width, pix.height = self.kept or self.format
        pix.pixelformat, pix.bytesperline = v4l.fourcc(name), pix.width
        pix.sizeimage = -(-pix.width * pix.height * 2 // 4096) * 4096

    def _refuse_when_dead(self):
        if not self.capabilities & (v4l.CAP_OUTPUT | v4l.CAP_CAPTURE):
            raise refused(errno.EINVAL)

    def s_parm(self, fd, answer):
        self.rate = answer.timeperframe.denominator / answer.timeperframe.numerator

    def querybuf(self, fd, answer):
        if self.newer:
            raise refused(errno.EINVAL)
        answer.sequence = max(0, len(self.written) - 1 - answer.index)

    def streamon(self, fd, kind):
        self.marked.add(fd)
        raise refused(errno.EINVAL)

    def subscribe_event(self, fd, subscription):
        if not self.newer:
            raise refused(errno.EINVAL)
        assert subscription.type == v4l.EVENT_CLIENT_USAGE
        self.events.append(self.readers)

    def dqevent(self, fd, answer):
        if not self.events:
            raise refused(errno.ENOENT)
        answer.type, answer.u.count = v4l.EVENT_CLIENT_USAGE, self.events.popleft()

    def write(self, fd, data):
        if self.gone:
            raise refused(errno.ENODEV)
        if self.foreign_writer and self.newer:
            raise refused(errno.EBUSY)
        self.wrote.add(fd)
        self.capabilities = v4l.CAP_CAPTURE
        self.written.append(bytes(data))
        return len(data)

    def on_close(self, fd):
        if fd in self.marked or self.newer:
            self.capabilities = v4l.CAP_OUTPUT
        elif fd in self.wrote:
            self.capabilities = 0


class FakeSystem:
    """The calls of `framefx.v4l2.device.System` on the devices of `devices`, by path."""

    def __init__(self, devices, clock=None):
        self.devices = devices
        self.clock = clock or Clock()
        self.denied = {}
        self._open = {}
        self._next = 3
        for device in devices.values():
            device.system = self

    def open(self, path):
        if path in self.denied:
            raise refused(self.denied[path])
        if path not in self.devices or getattr(self.devices[path], "gone", False):
            raise refused(errno.ENOENT)
        self._next += 1
        self._open[self._next] = self.devices[path]
        self.devices[path].opened += 1
        return self._next

    def close(self, fd):
        device = self._open.pop(fd)
        device.opened -= 1
        device.on_close(fd)

    def ioctl(self, fd, request, argument):
        assert isinstance(argument, (ctypes.Structure, ctypes.c_int32))
        self._open[fd].ioctl(fd, request, argument)

    def write(self, fd, data):
        return self._open[fd].write(fd, data)

    def map(self, fd, length, offset):
        return self._open[fd].memory[offset]

    def wait(self, fd, seconds):
        due = self._open[fd].next_at()
        self.clock.now = max(self.clock.now, min(self.clock.now + seconds, due))
        return due <= self.clock.now


def _at(items, index):
    if index >= len(items):
        raise refused(errno.EINVAL)
    return items[index]
