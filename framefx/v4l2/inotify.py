"""Notices that a file is opened or closed, through the kernel's inotify."""

from __future__ import annotations

import ctypes
import os
import struct

_NONBLOCK, _CLOEXEC = os.O_NONBLOCK, os.O_CLOEXEC
IN_CLOSE, IN_OPEN, IN_GONE = 0x18, 0x20, 0x400 | 0x8000
_HEADER = struct.Struct("iIII")


class Watch:
    """Watches one file.

    Parameters
    ----------
    path : str
        The file.

    Raises
    ------
    OSError
        When the kernel gives no watch: none left, or no such file.
    """

    def __init__(self, path: str) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = libc.inotify_init1(_NONBLOCK | _CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        if libc.inotify_add_watch(self._fd, os.fsencode(path), IN_OPEN | IN_CLOSE | 0x400) < 0:
            error = ctypes.get_errno()
            self.close()
            raise OSError(error, "inotify_add_watch", path)

    def events(self) -> list[int]:
        """Return the masks of what happened since the last call.

        The kernel joins equal events that follow each other: they say that something happened, never how often.
        """
        masks: list[int] = []
        while True:
            try:
                data = os.read(self._fd, 4096)
            except BlockingIOError:
                return masks
            place = 0
            while place < len(data):
                _, mask, _, length = _HEADER.unpack_from(data, place)
                masks.append(mask)
                place += _HEADER.size + length

    def close(self) -> None:
        """Stop watching; more than once is fine."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
