"""JPEG to planes by libturbojpeg, where the system has it: no colours are computed that the chain may not need.

simplejpeg, which framefx otherwise uses, is the same decoder, built in, and gives RGB only. The library's interface is
that of TurboJPEG 2 (https://libjpeg-turbo.org/Documentation), which 3 keeps.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np

from framefx.planes import Planes

_LIBRARY = "libturbojpeg.so.0"
_422, _420 = 1, 2
_YCBCR = 1
_EXACT = 0
"""The exact transform: the fast one makes everything half a level darker and less red and blue, for 3 % less time."""


@functools.cache
def library() -> Any:
    """Return the library, or None where there is none."""
    try:
        found = ctypes.CDLL(_LIBRARY)
        found.tjInitDecompress.restype = ctypes.c_void_p
        found.tjDestroy.argtypes = [ctypes.c_void_p]
        number = ctypes.POINTER(ctypes.c_int)
        found.tjDecompressHeader3.argtypes = [
            ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ulong, number, number, number, number,
        ]  # fmt: skip
        found.tjDecompressToYUVPlanes.argtypes = [
            ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p * 3, ctypes.c_int, ctypes.c_void_p,
            ctypes.c_int, ctypes.c_int,
        ]  # fmt: skip
    except (OSError, AttributeError):
        return None
    return found


class PlanarJpeg:
    """Decodes JPEG pictures of one size to planes. Used by one thread.

    Parameters
    ----------
    size : (int, int)
        Height and width in pixels, even.

    Raises
    ------
    OSError
        Where there is no libturbojpeg.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._library = library()
        self._handle = self._library and self._library.tjInitDecompress()
        if not self._handle:
            raise OSError(f"there is no {_LIBRARY}")
        self._size = size
        self._chroma = np.empty((2, size[0], size[1] // 2), np.uint8)  # of 4:2:2
        self._facts = [ctypes.c_int() for _ in range(4)]
        self._asked = [ctypes.byref(fact) for fact in self._facts]

    def __call__(self, data: Any, out: Planes) -> bool:
        """Decode `data` into `out`; return whether that went without any fault.

        Chroma of 4:2:2 is halved in height. A picture that is damaged, of another size, or of neither 4:2:0 nor 4:2:2
        leaves `out` as it may be.
        """
        if not len(data):
            return False
        raw = np.frombuffer(data, np.uint8)
        source = raw.__array_interface__["data"][0]
        if self._library.tjDecompressHeader3(self._handle, source, raw.size, *self._asked):
            return False
        width, height, sampling, colours = (fact.value for fact in self._facts)
        if (height, width) != self._size or sampling not in (_420, _422) or colours != _YCBCR:
            return False
        luma, u, v = out.parts()
        halves = (u, v) if sampling == _420 else tuple(self._chroma)
        places = (ctypes.c_void_p * 3)(*(plane.__array_interface__["data"][0] for plane in (luma, *halves)))
        if self._library.tjDecompressToYUVPlanes(self._handle, source, raw.size, places, width, None, height, _EXACT):
            return False
        if sampling == _422:
            import cv2

            for tall, half in zip(halves, (u, v), strict=True):
                cv2.addWeighted(tall[::2], 0.5, tall[1::2], 0.5, 0.0, dst=half)
        return True

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._library.tjDestroy(self._handle)
