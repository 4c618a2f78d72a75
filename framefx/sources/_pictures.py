"""Reading one picture file: upright, RGB, with its alpha."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from framefx.errors import MediaError
from framefx.sources._media import checked_file, missing_bytes

Picture = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8] | None]
"""Pixels (height, width, 3) RGB and straight alpha (height, width), None for opaque; both uint8."""


def read_picture(location: str) -> Picture:
    """Read a picture, with its EXIF orientation applied; 16-bit pictures become 8-bit.

    Raises
    ------
    MediaError
        For a file that is missing, empty, truncated or no picture.
    """
    path = checked_file(location)
    if missing_bytes(path):
        raise MediaError(f"{location} is truncated: copy or save it again")
    data = np.fromfile(path, np.uint8)
    # A JPEG has no alpha, and only OpenCV's colour mode applies its orientation.
    is_jpeg = data[:2].tobytes() == b"\xff\xd8"
    picture = None if is_jpeg else _with_alpha(data)
    if picture is None:
        import cv2

        pixels = _decoded(data, cv2.IMREAD_COLOR)
        if pixels is None:
            raise MediaError(f"{location} is no picture that can be read: convert it with `ffmpeg -i {path} out.png`")
        picture = (cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), None)
    return picture


def _with_alpha(data: npt.NDArray[np.uint8]) -> Picture | None:
    import cv2

    raw = _decoded(data, cv2.IMREAD_UNCHANGED)
    if raw is None or raw.ndim != 3 or raw.shape[2] != 4:
        return None
    if raw.dtype == np.uint16:
        raw = cv2.convertScaleAbs(raw, alpha=1 / 257)
    if raw.dtype != np.uint8:
        return None
    alpha = np.ascontiguousarray(raw[..., 3])
    return cv2.cvtColor(raw, cv2.COLOR_BGRA2RGB), (None if int(alpha.min()) == 255 else alpha)


def _decoded(data: npt.NDArray[np.uint8], mode: int) -> Any:
    import cv2

    try:
        return cv2.imdecode(data, mode)
    except cv2.error:
        return None


def natural(name: str | os.PathLike[str]) -> list[tuple[int, int, str]]:
    """Sort key by which ``shot 9`` comes before ``shot 10``."""
    import re

    parts = re.split(r"(\d+)", os.fspath(name).lower())
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts if part]
