"""``anonymize``: no face is recognised."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from framefx import kernels
from framefx.boxes import FACE_MARGIN, Boxes
from framefx.frame import Frame, Image
from framefx.mask import Mask

_LEAST = 64
"""Mask level from which a place may belong to a face: a quarter is enough, as one face too many does no harm."""


def anonymize(
    frame: Frame,
    face: Mask,
    faces: Boxes | None = None,
    *,
    style: Annotated[Literal["blur", "pixelate", "black"], Field(description="what is shown instead")] = "blur",
    padding: Annotated[float, Field(ge=0, le=1000, description="pixels around the face that are hidden too")] = 10.0,
    strength: Annotated[int, Field(ge=4, le=64, description="pixels, size of the blur or of the blocks")] = 24,
    secure: Annotated[bool, Field(description="hide the whole picture when no face is found")] = True,
    eyes_only: Annotated[
        bool, Field(description="hide a band over the eyes, where `faces` says where they are")
    ] = False,
) -> Frame:
    """Hide faces behind a blur, blocks or black, or the whole picture when none is found.

    Each face's bounding box is hidden, so that its outline does not show either.
    """
    if eyes_only and faces is not None and len(faces) and faces.landmarks.shape[1] >= 2:
        boxes: npt.NDArray[np.uint8] | None = _eyes(faces, padding)
    else:
        boxes = _boxes(face if faces is None else _with(face, faces), padding)
    if boxes is None:
        if not secure:
            return frame
        boxes = np.full((1, 1), 255, np.uint8)
    frame = frame.make_writable()
    hidden, factor = _hidden(frame, style, strength)
    kernels.masked_merge(frame.pixels, hidden, boxes, factor=factor, out=frame.pixels)
    return frame


def _with(face: Mask, faces: Boxes) -> Mask:
    """Return both: the mask may be smoothed and comes late to a face that just came in or moves quickly."""
    found = faces.ellipses((face.values.shape[0], face.values.shape[1]), FACE_MARGIN)
    return Mask(np.maximum(face.values, found.values), face.size, face.index)


def _eyes(faces: Boxes, padding: float) -> npt.NDArray[np.uint8]:
    """Return a mask of a band over each face's eyes, half their distance larger to all sides, and `padding`."""
    scale = 4
    result = np.zeros([-(-side // scale) for side in faces.size], np.uint8)
    for eyes in faces.landmarks[:, :2].astype(np.float64):
        reach = np.hypot(*(eyes[1] - eyes[0])) / 2 + padding
        # One more of the mask's own pixels: the merge's edge between two of them is soft.
        first = np.floor((eyes.min(axis=0) - reach) / scale).astype(int) - 1
        last = np.ceil((eyes.max(axis=0) + reach) / scale).astype(int) + 2
        (left, top), (right, bottom) = np.maximum(first, 0), np.maximum(last, 0)
        result[top:bottom, left:right] = 255
    return result


def _boxes(face: Mask, padding: float) -> npt.NDArray[np.uint8] | None:
    """Return a mask of each face's bounding box, `padding` frame pixels larger; None where there is no face."""
    import cv2

    values = face.values
    count, _, stats, _ = cv2.connectedComponentsWithStats((values >= _LEAST).astype(np.uint8))
    if count < 2:
        return None
    result = np.zeros(values.shape, np.uint8)
    # One more of the mask's own pixels: the merge's edge between two of them is soft.
    across, down = (
        1 + int(np.ceil(padding * n / side)) for n, side in zip(values.shape[::-1], face.size[::-1], strict=True)
    )
    for left, top, width, height in stats[1:, :4]:
        result[max(0, top - down) : top + height + down, max(0, left - across) : left + width + across] = 255
    return result


def _hidden(frame: Frame, style: str, strength: int) -> tuple[Image, int]:
    """Return the picture as it is shown where a face is, and how many times smaller it is."""
    height, width = frame.size
    if style == "black":
        black = frame.array(frame.pixels.shape)
        black.fill(0)
        return black, 1
    if style == "pixelate":
        return kernels.blocks(frame.pixels, strength, out=frame.array(frame.pixels.shape)), 1
    small = frame.array((-(-height // strength), -(-width // strength), 3))
    return kernels.downsample(frame.pixels, strength, out=small), strength
