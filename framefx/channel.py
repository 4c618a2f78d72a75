"""What stands between two threads of a pipeline: a bounded queue for files, a mailbox for live pictures."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class ChannelClosed(Exception):  # noqa: N818 - as queue.Empty, it is news and no error
    """Nothing more will come."""


class Channel(Generic[Item]):
    """Hands items from one thread to another.

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
        self._changed = threading.Condition()

    def put(self, item: Item) -> bool:
        """Add an item, waiting for room in a queue; return False when the channel is closed."""
        with self._changed:
            while len(self._items) >= self._limit and not self._closed:
                if self._newest_wins:
                    self._items.popleft()
                    self.dropped += 1
                else:
                    self._changed.wait()
            if self._closed:
                return False
            self._items.append(item)
            self._changed.notify_all()
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
        with self._changed:
            # `wait_for` would read the clock three times; whoever wakes a single receiver has something for it.
            while not (self._items or self._closed):
                if not self._changed.wait(timeout):
                    raise TimeoutError
            if not self._items:
                raise ChannelClosed
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """Let nothing more in; what waits can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
