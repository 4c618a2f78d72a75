"""A source and a sink in memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from framefx.errors import DeviceError
from framefx.frame import Frame, Image, Size


class ListSource:
    """Gives the frames of a list.

    Parameters
    ----------
    frames : iterable of Frame or (height, width, 3) uint8 RGB
        Arrays become frames at index / rate seconds; frames keep the index and time they have.
    rate : float
        Frames per second.
    live : bool
        Whether it plays a device.
    size : (int, int), optional
        Height and width; the first frame's by default.

    Attributes
    ----------
    opened, closed : int
        How often `open` and `close` were called.
    """

    def __init__(
        self, frames: Iterable[Frame | Image], rate: float = 30.0, live: bool = False, size: Size | None = None
    ) -> None:
        self.rate = rate
        self.live = live
        self.opened = self.closed = 0
        self._given = [
            f if isinstance(f, Frame) else Frame.borrow(f, index=i, time=i / rate) for i, f in enumerate(frames)
        ]
        if size is None and not self._given:
            raise ValueError("an empty list has no size: write ListSource([], size=(height, width))")
        self.size: Size = size or self._given[0].size
        self.frames = len(self._given)
        self.has_alpha = any(frame.alpha is not None for frame in self._given)
        self._position = 0

    def open(self) -> None:
        self.opened += 1
        self._position = 0

    def read(self) -> Frame | None:
        """Return the next frame; each is a handle of its own, so that the list can be read again."""
        if self._position == len(self._given):
            return None
        frame = self._given[self._position]
        self._position += 1
        return Frame.borrow(frame.pixels, frame.alpha, index=frame.index, time=frame.time)

    def close(self) -> None:
        self.closed += 1


class ListSink:
    """Keeps what it is sent.

    Parameters
    ----------
    copy : bool
        Keep copies (the default), or the frame objects themselves, to test how long their memory stays as it was.
    live : bool
        Whether it plays a device.
    wanted : bool
        What `wanted` says.
    fail_at : int, optional
        Raise `DeviceError` instead of taking the frame with this number, counted from 0.

    Attributes
    ----------
    frames : list of Frame
        What was sent, in order.
    size, rate, has_alpha
        What `open` was told; None before.
    finished, aborted : bool
        How it ended.
    """

    takes_alpha = True

    def __init__(
        self, *, copy: bool = True, live: bool = False, wanted: bool = True, fail_at: int | None = None
    ) -> None:
        self.live = live
        self.frames: list[Frame] = []
        self.size: Size | None = None
        self.rate: float | None = None
        self.has_alpha: bool | None = None
        self.finished = self.aborted = False
        self.is_wanted = wanted
        self._copy = copy
        self._fail_at = fail_at

    def open(self, size: Size, rate: float, has_alpha: bool) -> None:
        self.size, self.rate, self.has_alpha = size, rate, has_alpha

    def send(self, frame: Frame) -> None:
        if self._fail_at == len(self.frames):
            raise DeviceError(f"the test asked this sink to fail at frame {self._fail_at}")
        if self._copy:
            alpha = None if frame.alpha is None else frame.alpha.copy()
            frame = Frame.borrow(frame.pixels.copy(), alpha, index=frame.index, time=frame.time)
        self.frames.append(frame)

    def wanted(self) -> bool:
        return self.is_wanted

    def finish(self) -> None:
        self.finished = True

    def abort(self) -> None:
        self.aborted = True

    @property
    def pixels(self) -> list[Image]:
        """The pixels of each frame."""
        return [frame.pixels for frame in self.frames]

    @property
    def times(self) -> list[float]:
        """The time of each frame, in seconds."""
        return [frame.time for frame in self.frames]

    @property
    def indices(self) -> list[Any]:
        """The index of each frame."""
        return [frame.index for frame in self.frames]
