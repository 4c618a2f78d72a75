"""Between frames and what devices speak: RGB from and to YUV, by one kernel into memory that is used again.

Chroma is halved in both directions (4:2:0: YU12, NV12) or in width (4:2:2: YUYV). What is written is BT.601 in
limited range, as webcams do it; what is read is taken for what the driver says it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from framefx import kernels
from framefx.frame import Frame, Image
from framefx.planes import Planes
from framefx.v4l2 import structs as v4l
from framefx.v4l2.device import Picture

Bytes = npt.NDArray[np.uint8]

PACKED = ("YU12", "NV12", "YUYV")
"""Formats that `pack` writes, the cheapest first: 720p 0.23 ms, 0.23 and 0.36, and YUYV is a third more bytes."""


_NAMES = {"YU12": "i420", "NV12": "nv12", "YUYV": "yuyv"}
"""V4L2's names for formats, and the kernels'."""


def packed_size(format: str, width: int, height: int) -> int:
    """Return the bytes of a picture of even `width` and `height`."""
    return width * height * 2 if format == "YUYV" else width * height * 3 // 2


class Packer:
    """Turns frames into the bytes of one picture format; the memory is the packer's and used for each frame.

    Parameters
    ----------
    format : str
        One of `PACKED`.
    width, height : int
        Even numbers of pixels.
    """

    def __init__(self, format: str, width: int, height: int) -> None:
        self._data: Bytes = np.zeros(packed_size(format, width, height), np.uint8)
        self._convert = getattr(kernels, f"rgb_to_{_NAMES[format]}")
        self._limit = kernels.limit_i420
        self._planar_size = (height, width) if format == "YU12" else None

    def pack(self, pixels: Image) -> Bytes:
        """Return the bytes of `pixels`, (height, width, 3) uint8 RGB; valid until the next call."""
        self._convert(pixels, out=self._data)
        return self._data

    def pack_frame(self, frame: Frame) -> Bytes:
        """Return the bytes of a frame of the packer's size: of its planes where they have the format already."""
        planes = frame.planes
        if planes is None or planes.size != self._planar_size:
            return self.pack(frame.pixels)
        return self._limit(planes.data, planes.size, out=self._data) if planes.full_range else planes.data


def warm_pack(format: str) -> None:
    """Compile what `Packer` needs for a format, or load it from the cache."""
    from framefx.kernels import warm

    warm([f"rgb_to_{_NAMES[format]}", *(["limit_i420"] if format == "YU12" else [])])


def warm_unpack(format: str) -> None:
    """Compile what `unpack` needs for a format, or load it from the cache."""
    if format in _NAMES:
        from framefx.kernels import warm

        warm([f"{_NAMES[format]}_to_rgb"])


def unpack(data: Any, picture: Picture, out: Image) -> None:
    """Write the picture in `data`, a buffer as the driver filled it, to `out`, (height, width, 3) uint8 RGB.

    Raises
    ------
    ValueError
        When `data` is shorter than the picture.
    """
    rows = _rows(np.frombuffer(data, np.uint8), picture)
    if picture.format == "RGB3":
        np.copyto(out, rows.reshape(out.shape))
        return
    convert = getattr(kernels, f"{_NAMES[picture.format]}_to_rgb")
    convert(rows, (picture.height, picture.width), matrix=matrix_of(picture), full_range=is_full(picture), out=out)


def warm_keep(format: str) -> None:
    """Compile what `keep` needs for a format, or load it from the cache."""
    if format in ("NV12", "YUYV"):
        from framefx.kernels import warm

        warm([f"{_NAMES[format]}_to_i420"])


def keep(data: Any, picture: Picture, out: Planes) -> bool:
    """Write a ``YU12``, ``NV12`` or ``YUYV`` picture to planes; return whether `data` held all of it."""
    try:
        rows = _rows(np.frombuffer(data, np.uint8), picture)
    except ValueError:
        return False
    if picture.format == "YU12":
        np.copyto(out.data, rows)
    else:
        getattr(kernels, f"{_NAMES[picture.format]}_to_i420")(rows, out.size, out=out.data)
    return True


def matrix_of(picture: Picture) -> str:
    """Return which matrix the picture's colours were encoded by, as kernels name it."""
    encoding = picture.encoding or (v4l.YCBCR_ENC_709 if picture.colorspace == v4l.COLORSPACE_REC709 else 0)
    return "bt709" if encoding == v4l.YCBCR_ENC_709 else "bt601"


def is_full(picture: Picture) -> bool:
    """Whether luma is 0 to 255; V4L2 says that of JPEG's colours where the driver says nothing more."""
    if picture.quantization:
        return picture.quantization == v4l.QUANTIZATION_FULL
    return picture.colorspace == v4l.COLORSPACE_JPEG


def _rows(data: Bytes, picture: Picture) -> Bytes:
    """Return the bytes of the rows without the padding that some drivers put at their ends."""
    width, height = picture.width, picture.height
    tight = {"RGB3": 3 * width, "YUYV": 2 * width}.get(picture.format, width)
    count = height * 3 // 2 if picture.format in ("YU12", "NV12") else height
    line = max(picture.line, tight)
    if data.size < line * (count - 1) + tight:
        raise ValueError(f"got {data.size} bytes, wanted {line * count}")
    if line == tight:
        return data[: tight * count]
    if picture.format == "YU12":
        # Chroma rows are half as long, and so is their padding: two of them are one row of `line`.
        return np.concatenate(
            [_cut(data, line, tight, 0, height), _cut(data[line * height :], line // 2, width // 2, 0, height)]
        )
    return _cut(data, line, tight, 0, count)


def _cut(data: Bytes, line: int, tight: int, first: int, count: int) -> Bytes:
    padded = np.lib.stride_tricks.as_strided(data[first * line :], (count, tight), (line, 1), writeable=False)
    return np.ascontiguousarray(padded).reshape(-1)


def fit(pixels: Image, out: Image) -> None:
    """Scale `pixels` into `out`, whole and unstretched, on black."""
    import cv2

    height, width = pixels.shape[:2]
    to_height, to_width = out.shape[:2]
    scale = min(to_width / width, to_height / height)
    inner_width, inner_height = min(to_width, round(width * scale)), min(to_height, round(height * scale))
    left, top = (to_width - inner_width) // 2, (to_height - inner_height) // 2
    inside = out[top : top + inner_height, left : left + inner_width]
    if inside.shape != out.shape:
        out[...] = 0
    inside[...] = cv2.resize(pixels, (inner_width, inner_height), interpolation=cv2.INTER_AREA)
