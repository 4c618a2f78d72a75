"""Between frames and what devices speak: RGB from and to YUV by BT.601 in limited range, as webcams do it.

Chroma is halved in both directions (4:2:0: YU12, NV12) or in width (4:2:2: YUYV). All of it writes into memory
that is used again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from framefx.frame import Image
from framefx.v4l2.device import Picture

Bytes = npt.NDArray[np.uint8]

PACKED = ("YU12", "NV12", "YUYV")
"""Formats that `pack` writes, the cheapest first: 720p 0.27 ms, 0.35, 1.28, and YUYV is a third more bytes."""


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
        self.data: Bytes = np.zeros(packed_size(format, width, height), np.uint8)
        self._format = format
        self._width, self._height = width, height
        self._planar: Bytes = self.data if format != "NV12" else np.empty_like(self.data)

    def pack(self, pixels: Image) -> Bytes:
        """Return the bytes of `pixels`, (height, width, 3) uint8 RGB; valid until the next call."""
        import cv2

        if self._format == "YUYV":
            cv2.cvtColor(pixels, cv2.COLOR_RGB2YUV_YUY2, self.data.reshape(self._height, self._width, 2))
            return self.data
        planes = self._planar.reshape(self._height * 3 // 2, self._width)
        cv2.cvtColor(pixels, cv2.COLOR_RGB2YUV_I420, planes)
        if self._format == "NV12":
            luma = self._width * self._height
            self.data[:luma] = self._planar[:luma]
            np.copyto(self.data[luma:].reshape(-1, 2), self._planar[luma:].reshape(2, -1).T)
        return self.data


def unpack(data: Any, picture: Picture, out: Image) -> None:
    """Write the picture in `data`, a buffer as the driver filled it, to `out`, (height, width, 3) uint8 RGB.

    Raises
    ------
    ValueError
        When `data` is shorter than the picture.
    """
    _UNPACK[picture.format](_rows(np.frombuffer(data, np.uint8), picture), out)


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


def _from_rgb(rows: Bytes, out: Image) -> None:
    np.copyto(out, rows.reshape(out.shape))


def _converter(code: str, shape: Callable[[int, int], tuple[int, ...]]) -> Callable[[Bytes, Image], None]:
    def convert(rows: Bytes, out: Image) -> None:
        import cv2

        height, width = out.shape[:2]
        cv2.cvtColor(rows.reshape(shape(height, width)), getattr(cv2, code), out)

    return convert


_UNPACK: dict[str, Callable[[Bytes, Image], None]] = {
    "RGB3": _from_rgb,
    "YUYV": _converter("COLOR_YUV2RGB_YUY2", lambda h, w: (h, w, 2)),
    "NV12": _converter("COLOR_YUV2RGB_NV12", lambda h, w: (h * 3 // 2, w)),
    "YU12": _converter("COLOR_YUV2RGB_I420", lambda h, w: (h * 3 // 2, w)),
}


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
