"""Whether anybody looks at a loopback device.

From 0.13 on v4l2loopback tells its writer when a reader starts and stops streaming. Before, the only news is
that somebody opened or closed the device, and counting those goes wrong: the kernel joins equal events, so that
two opens may be one event. Here an event only is a reason to look into ``/proc``, where the truth is: a process
that streams has the device's buffers mapped, one that only probes has not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from framefx.v4l2 import structs as v4l
from framefx.v4l2.device import Device
from framefx.v4l2.holders import Holder, holders
from framefx.v4l2.inotify import IN_CLOSE, IN_OPEN, Watch

_LOOK_AGAIN = 0.25
"""Seconds between looks at processes that have the device open: one may start to stream unannounced."""
_STREAMS_ON = 2.0
"""Seconds between such looks while one streams: it closes when it stops, and a browser's memory map is long."""
_NOT_A_PROBE = 1.0
"""Seconds after which a process that holds the device open unmapped is taken for a reader by `read`."""
_LOOK_ANYWAY = 60.0
"""Seconds after which a look is taken without an event: another mount of /dev gives none."""


class Readers(Protocol):
    """Whether somebody reads at the moment."""

    def present(self) -> bool:
        """Return it; cheap enough for every frame."""

    def close(self) -> None:
        """Stop looking."""


class EventReaders:
    """By the driver's own event (v4l2loopback ≥ 0.13).

    Parameters
    ----------
    device : Device
        The writer's descriptor, subscribed to the event.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self._count = 0

    def present(self) -> bool:
        for event in self._device.events():
            if event.type == v4l.EVENT_CLIENT_USAGE:
                self._count = int(event.u.count)
        return self._count > 0

    def close(self) -> None:
        """The subscription ends with the descriptor."""


class ProcReaders:
    """By inotify and ``/proc`` (v4l2loopback 0.12).

    Parameters
    ----------
    path : str
        The device.
    watch : object with ``events`` and ``close``, optional
        Gives inotify masks; a `Watch` by default.
    look : callable
        Returns the processes that hold the device, of the given ones or of all.
    clock : callable
        Monotonic seconds.
    """

    def __init__(
        self,
        path: str,
        *,
        watch: Watch | None = None,
        look: Callable[..., list[Holder]] = holders,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._watch = watch or Watch(path)
        self._look = look
        self._clock = clock
        self._since: dict[int, float] = {}
        self._streaming = False
        self._unseen_since: float | None = None
        self._next_all = self._next_known = float("-inf")

    def present(self) -> bool:
        now = self._clock()
        masks = self._watch.events()
        if masks or now >= self._next_all:
            self._remember(self._look(self._path), now)
            self._notice_unseen(masks, now)
            self._next_all = now + _LOOK_ANYWAY
        elif self._since and now >= self._next_known:
            self._remember(self._look(self._path, list(self._since)), now)
        patient = any(now - since >= _NOT_A_PROBE for since in self._since.values())
        unseen = self._unseen_since is not None and now - self._unseen_since >= _NOT_A_PROBE
        return self._streaming or patient or unseen

    def close(self) -> None:
        self._watch.close()

    def _remember(self, found: list[Holder], now: float) -> None:
        self._since = {holder.pid: self._since.get(holder.pid, now) for holder in found}
        self._streaming = any(holder.streams for holder in found)
        self._next_known = now + (_STREAMS_ON if self._streaming else _LOOK_AGAIN)

    def _notice_unseen(self, masks: list[int], now: float) -> None:
        """A process of another user cannot be seen: it is there from its open to the next close."""
        last = next((mask for mask in reversed(masks) if mask & (IN_OPEN | IN_CLOSE)), 0)
        if self._since or last & IN_CLOSE:
            self._unseen_since = None
        elif last & IN_OPEN and self._unseen_since is None:
            self._unseen_since = now


def watch_readers(device: Device) -> Readers | None:
    """Return what can tell whether somebody reads the loopback `device` is a writer of, or None."""
    if device.subscribe(v4l.EVENT_CLIENT_USAGE):
        return EventReaders(device)
    try:
        return ProcReaders(device.path)
    except OSError:
        return None
