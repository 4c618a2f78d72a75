"""A camera's bytes to frames, and which of them are too damaged to show."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from framefx.frame import Image
from framefx.v4l2.device import Picture
from framefx.v4l2.pixels import unpack, warm_unpack

Decode = Callable[[Any, Image], None]
"""Writes a picture in a buffer to (height, width, 3) uint8 RGB; ValueError when the picture is damaged."""

_END = b"\xff\xd9"
_PATIENCE = 8

_FAST = {"fastdct": True, "fastupsample": True}
"""An eighth less time, and 45 dB against the exact decoder. Chroma is repeated: averaged again, it is what was sent."""


def decoder(picture: Picture) -> Decode:
    """Return what decodes pictures of this format."""
    if picture.format in ("MJPG", "JPEG"):
        return JpegDecoder()
    warm_unpack(picture.format)
    return lambda data, out: unpack(data, picture, out)


class JpegDecoder:
    """Decodes JPEG pictures with libjpeg-turbo through simplejpeg (720p: 1.8 ms), or OpenCV (4.5) without it.

    A JPEG with any fault is taken for damaged. Some cameras never send one without: after eight in a row that are
    whole but for warnings, warnings are the camera's manner, and only a picture without its end is damaged.
    """

    def __init__(self) -> None:
        self._strict = True
        self._warnings = 0
        self._decode = _simplejpeg() or _opencv

    def __call__(self, data: Any, out: Image) -> None:
        """Decode `data` into `out`.

        Raises
        ------
        ValueError
            When the picture is damaged or of another size.
        """
        if self._strict:
            try:
                self._decode(data, out, True)
            except ValueError:
                self._warnings = self._warnings + 1 if self._is_whole(data, out) else 0
                self._strict = self._warnings < _PATIENCE
                raise
            self._warnings = 0
            return
        if not _has_end(data):
            raise ValueError("the JPEG has no end")
        self._decode(data, out, False)

    def _is_whole(self, data: Any, out: Image) -> bool:
        if not _has_end(data):
            return False
        try:
            self._decode(data, out, False)
        except ValueError:
            return False
        return True


def _has_end(data: Any) -> bool:
    # Drivers may give whole buffers: the picture ends somewhere before padding with zeros.
    return bytes(data[-4096:]).rstrip(b"\0").endswith(_END)


def _simplejpeg() -> Callable[[Any, Image, bool], None] | None:
    try:
        # Untyped: loaded by name, it needs no stubs.
        simplejpeg = importlib.import_module("simplejpeg")
    except ImportError:
        return None

    def decode(data: Any, out: Image, strict: bool) -> None:
        try:
            shape = simplejpeg.decode_jpeg(data, "RGB", buffer=out, strict=strict, **_FAST).shape
        except ValueError:
            if strict:
                raise
            # simplejpeg never forgives a fault before the picture's data; OpenCV does.
            return _opencv(data, out, strict)
        if shape != out.shape:
            raise ValueError(f"the JPEG is {shape[1]}x{shape[0]}, wanted {out.shape[1]}x{out.shape[0]}")

    return decode


def _opencv(data: Any, out: Image, strict: bool) -> None:
    import cv2

    if strict and not _has_end(data):
        raise ValueError("the JPEG has no end")
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    if image is None or image.shape != out.shape:
        raise ValueError("the JPEG cannot be decoded, or is of another size")
    np.copyto(out, image)
