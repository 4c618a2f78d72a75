"""Reading pictures and clips as RGB bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]


def read_rgb(path: Path) -> Bytes:
    """Read a picture as RGB, (h, w, 3), uint8."""
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ValueError(f"{path}: not a picture that OpenCV reads")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def clip_frames(path: Path) -> Iterator[Bytes]:
    """Yield the frames of a clip as RGB, (h, w, 3), uint8."""
    capture = cv2.VideoCapture(str(path))
    try:
        while True:
            good, bgr = capture.read()
            if not good:
                return
            yield np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
    finally:
        capture.release()


def decode(jpeg: Bytes, *, gray: bool = False) -> Bytes:
    """Decode an encoded picture: RGB (h, w, 3), or (h, w) if `gray`."""
    picture = cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE if gray else cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError("the pack holds bytes that are no picture: write it again")
    return np.asarray(picture if gray else cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
