"""Memory that frames are made of: lent by a pool, or only to be read.

NumPy keeps what an array was made from as its base. The bases here are exporters, not arrays, which NumPy would see
through.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT = 32 << 20
"""The largest that the C library takes for its threshold of memory maps."""


def keep_freed_memory() -> None:
    """Let the C library keep what is freed, up to 32 MB a heap, for what comes next; other systems go on as they do.

    A decoder that takes and frees megabytes for every picture would otherwise have the kernel map and clear them each
    time.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if mallopt is not None:
            mallopt(_MMAP_THRESHOLD, _KEPT)
            mallopt(_TRIM_THRESHOLD, _KEPT)


class Buffer:
    """Memory of a pool; where it is, is asked once: NumPy takes microseconds to say."""

    __slots__ = ("address", "memory")

    def __init__(self, size: int) -> None:
        self.memory = np.empty(size, np.uint8)
        self.address: int = self.memory.ctypes.data


class Loan:
    """One lent buffer: arrays made from it hold it as their base; its end gives the buffer back."""

    __slots__ = ("__array_interface__", "_buffer", "_give_back")

    def __init__(self, buffer: Buffer, shape: tuple[int, ...], give_back: Callable[[Buffer], None]) -> None:
        self._buffer = buffer
        self._give_back = give_back
        self.__array_interface__: dict[str, Any] = {
            "version": 3,
            "typestr": "|u1",
            "shape": shape,
            "data": (buffer.address, False),
        }

    def __del__(self) -> None:
        self._give_back(self._buffer)


class _ReadOnly:
    """Exports an array's memory without the right to write, which NumPy then cannot be talked into giving."""

    __slots__ = ("__array_interface__", "_array")

    def __init__(self, array: npt.NDArray[np.uint8]) -> None:
        self._array = array
        interface = array.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], True)}


def read_only(array: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the same memory as an array that can never be written.

    A read-only view of a writable array could be made writable again; an exporter's memory cannot.
    """
    return array if isinstance(array.base, _ReadOnly) else np.asarray(_ReadOnly(array))
