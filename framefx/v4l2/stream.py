"""Pictures out of a camera: memory-mapped buffers, the newest wins."""

from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from framefx.v4l2 import structs as v4l
from framefx.v4l2.device import Device

_BUFFERS = 4

_NEW = 0.005
"""Seconds: behind a picture that is younger than this there is no newer one."""


class Grab:
    """One picture in the driver's own memory, valid until `release`; usable in a ``with`` statement.

    Attributes
    ----------
    data : memoryview
        The bytes that the driver filled.
    time : float
        When it was taken, in seconds of ``time.monotonic``.
    broken : bool
        The driver says that the picture is damaged.
    """

    def __init__(self, stream: Stream, buffer: v4l.Buffer, data: memoryview, time: float) -> None:
        self.data = data
        self.time = time
        self.sequence = int(buffer.sequence)
        self.broken = bool(buffer.flags & v4l.BUFFER_ERROR)
        self._stream = stream
        self._index = int(buffer.index)

    def release(self) -> None:
        """Give the memory back to the driver."""
        self.data.release()
        self._stream._queue(self._index)

    def __enter__(self) -> Grab:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.release()


class Stream:
    """A running capture.

    Parameters
    ----------
    device : Device
        With its format set; stays the caller's.
    buffers : int
        How many to ask for; four carry a camera over 100 ms of a busy machine.
    clock : callable
        Seconds of the clock that drivers stamp with.

    Attributes
    ----------
    skipped : int
        Pictures given back unread because a newer one had come.
    """

    def __init__(self, device: Device, buffers: int = _BUFFERS, clock: Callable[[], float] = time.monotonic) -> None:
        self.skipped = 0
        self._device = device
        self._clock = clock
        self._maps: list[Any] = []
        request = v4l.RequestBuffers(count=buffers, type=v4l.CAPTURE, memory=v4l.MEMORY_MMAP)
        count = int(device.ask(v4l.REQBUFS, request).count)
        try:
            for index in range(count):
                buffer = device.ask(v4l.QUERYBUF, self._buffer(index))
                self._maps.append(device.system.map(device.fd, int(buffer.length), int(buffer.m.offset)))
                self._queue(index)
            device.stream_on(v4l.CAPTURE)
        except OSError:
            self._unmap()
            raise

    def grab(self, seconds: float) -> Grab | None:
        """Return the newest picture, waiting up to `seconds` for one; None when none came.

        Raises
        ------
        OSError
            When the device is gone.
        """
        newest = self._next(seconds)
        if newest is None:
            return None
        now = self._clock()
        while not _is_new(newest, now):
            newer = self._dequeue()
            if newer is None:
                break
            self._queue(int(newest.index))
            self.skipped += 1
            newest = newer
        used = int(newest.bytesused) or int(newest.length)
        data = memoryview(self._maps[int(newest.index)])[:used]
        return Grab(self, newest, data, _stamp(newest, now) or now)

    def _next(self, seconds: float) -> v4l.Buffer | None:
        """Wait for a picture; the clock is read only when the driver woke this thread up for nothing."""
        deadline = None
        left = seconds
        while True:
            is_ready = self._device.system.wait(self._device.fd, left)
            buffer = self._dequeue()
            if buffer is not None or not is_ready:
                return buffer
            now = self._clock()
            deadline = now + seconds if deadline is None else deadline
            left = deadline - now
            if left <= 0:
                return None

    def close(self) -> None:
        """Stop and unmap; never raises."""
        with contextlib.suppress(OSError):
            # A device that is gone has stopped.
            self._device.stream_off(v4l.CAPTURE)
        self._unmap()
        with contextlib.suppress(OSError):
            # Closing the descriptor frees the buffers too.
            self._device.ask(v4l.REQBUFS, v4l.RequestBuffers(type=v4l.CAPTURE, memory=v4l.MEMORY_MMAP))

    def _unmap(self) -> None:
        for memory in self._maps:
            memory.close()
        self._maps = []

    def _buffer(self, index: int = 0) -> v4l.Buffer:
        return v4l.Buffer(index=index, type=v4l.CAPTURE, memory=v4l.MEMORY_MMAP)

    def _queue(self, index: int) -> None:
        self._device.ask(v4l.QBUF, self._buffer(index))

    def _dequeue(self) -> v4l.Buffer | None:
        try:
            return self._device.ask(v4l.DQBUF, self._buffer())
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return None
            raise


def _is_new(buffer: v4l.Buffer, now: float) -> bool:
    stamp = _stamp(buffer, now)
    return stamp is not None and now - stamp < _NEW


def _stamp(buffer: v4l.Buffer, now: float) -> float | None:
    """Return the driver's timestamp where it is by the monotonic clock."""
    stamp = float(buffer.timestamp.seconds) + float(buffer.timestamp.microseconds) * 1e-6
    # Some drivers count another clock and do not say so: only a recent time is believed.
    believed = buffer.flags & v4l.TIMESTAMP_MASK in (v4l.TIMESTAMP_MONOTONIC, 0) and now - 2.0 < stamp <= now
    return stamp if believed else None
