"""What stands between two threads of a pipeline: a bounded queue for files, a mailbox for live pictures."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from framefx.bell import Bell

Item = TypeVar("Item")


class ChannelClosed(Exception):  # noqa: N818 - as queue.Empty, it is news and no error
    """Nothing more will come."""


class Channel(Generic[Item]):
    """Hands items from one thread to another; any thread may close it.

    There is no lock around it: the deque's own operations are atomic, and whoever wakes up looks again.

    Parameters
    ----------
    limit : int
        How many items may wait.
    newest_wins : bool
        A full channel forgets its oldest item (a mailbox) instead of making the sender wait (a queue).

    Attributes
    ----------
    dropped : int
        Items forgotten so far.
    """

    def __init__(self, limit: int, *, newest_wins: bool) -> None:
        self.dropped = 0
        self._limit = limit
        self._newest_wins = newest_wins
        self._items: deque[Item] = deque()
        self._closed = False
        self._filled, self._emptied = Bell(), Bell()

    def put(self, item: Item) -> bool:
        """Add an item, waiting for room in a queue; return False when the channel is closed."""
        while len(self._items) >= self._limit and not self._closed:
            if self._newest_wins:
                self._forget_oldest()
            else:
                self._emptied.wait()
        if self._closed:
            self._emptied.ring()  # for the next who waits
            return False
        self._items.append(item)
        self._filled.ring()
        return True

    def get(self, timeout: float | None = None) -> Item:
        """Return the next item.

        Raises
        ------
        ChannelClosed
            When the channel is closed and empty.
        TimeoutError
            When nothing came within `timeout` seconds.
        """
        while True:
            was_closed = self._closed  # before the look: what is put before the close is found
            try:
                item = self._items.popleft()
            except IndexError:
                if was_closed:
                    self._filled.ring()  # for the next who waits
                    raise ChannelClosed from None
                if not self._filled.wait(timeout):
                    raise TimeoutError from None
                continue
            if not self._newest_wins:
                self._emptied.ring()
            return item

    def close(self) -> None:
        """Let nothing more in; what waits can still be taken."""
        self._closed = True
        self._filled.ring()
        self._emptied.ring()

    def _forget_oldest(self) -> None:
        try:
            self._items.popleft()
        except IndexError:  # it was taken at this moment
            return
        self.dropped += 1
