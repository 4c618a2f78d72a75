"""A camera's bytes to frames, and which of them are too damaged to show."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from framefx.frame import Frame, FramePool, Image, Size
from framefx.planar import PlanarFrame
from framefx.planes import Planes
from framefx.v4l2.device import Picture
from framefx.v4l2.pixels import PACKED, is_full, keep, matrix_of, unpack, warm_keep, warm_unpack
from framefx.v4l2.turbojpeg import PlanarJpeg, library

Decode = Callable[[Any, Image], None]
"""Writes a picture in a buffer to (height, width, 3) uint8 RGB; ValueError when the picture is damaged."""

_END = b"\xff\xd9"
_PATIENCE = 8

_FAST = {"fastupsample": True}
"""Chroma is repeated: averaged again, it is what was sent. The fast transform would make all half a level darker."""


def decoder(picture: Picture) -> Decode:
    """Return what decodes pictures of this format."""
    if picture.format in ("MJPG", "JPEG"):
        return JpegDecoder()
    warm_unpack(picture.format)
    return lambda data, out: unpack(data, picture, out)


def planar_decoder(picture: Picture) -> PlanarDecoder | None:
    """Return what keeps pictures of this format planar, or None: BT.601, with chroma halved."""
    size = picture.height, picture.width
    if any(side % 2 for side in size):
        return None
    if picture.format in ("MJPG", "JPEG") and library() is not None:
        return PlanarDecoder(PlanarJpeg(size), size, full_range=True)
    if picture.format in PACKED and matrix_of(picture) == "bt601":
        warm_keep(picture.format)
        return PlanarDecoder(lambda data, out: keep(data, picture, out), size, is_full(picture))
    return None


class PlanarDecoder:
    """Makes frames of pictures that may stay as the camera sent them.

    Whatever is not right with a picture is for `decoder` to judge. After eight in a row that were not right, or whose
    pixels the chain read all the same, no more are tried: a decoder to RGB takes less than planes and RGB.

    Parameters
    ----------
    decode : callable
        Writes a buffer to `Planes`; returns whether all went well.
    size : (int, int)
        Height and width in pixels.
    full_range : bool
        As in `Planes`.
    """

    def __init__(self, decode: Callable[[Any, Planes], bool], size: Size, full_range: bool) -> None:
        from framefx.kernels import warm

        self._decode, self._size, self._full_range = decode, size, full_range
        self._misses = 0
        self._before: Planes | None = None
        warm(["downsample_i420", "merge_i420", "i420_to_rgb"])

    def __call__(self, data: Any, pool: FramePool, index: int, time: float) -> Frame | None:
        """Return the picture in `data` as a frame, or None."""
        if self._misses == _PATIENCE:
            return None
        height, width = self._size
        planes = Planes(pool.array((height * width * 3 // 2,)), self._size, self._full_range)
        is_whole = self._decode(data, planes)
        in_vain = not is_whole or (self._before is not None and self._before.was_read)
        self._misses = self._misses + 1 if in_vain else 0
        self._before = planes if is_whole else None
        if not is_whole:
            return None
        return PlanarFrame(planes, index, time, pool, owned=True)


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
