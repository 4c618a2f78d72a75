"""The card: what a viewer sees instead of a picture that framefx cannot vouch for."""

from __future__ import annotations

import numpy as np

from framefx.frame import Frame, Image, Size

_BLOCKS = 9
"""A person's face must not be recognisable: the last output is reduced to this many blocks of height."""


def make_card(size: Size, text: str, last: Frame | None = None, *, index: int = 0, time: float = 0.0) -> Frame:
    """Return a frame with one line of text on the last good output, blurred beyond recognition, or on a slate.

    Parameters
    ----------
    size : (int, int)
        Height and width in pixels.
    text : str
        Why the picture is away; characters beyond ASCII are shown as '?'.
    last : Frame, optional
        The last frame that every step ran on. Never a frame from the source.
    index, time
        As on `Frame`.
    """
    import cv2

    height, width = size
    if last is not None:
        # What is transparent may still have the colours of what the user hid.
        small = cv2.resize(opaque(last).pixels, (16, _BLOCKS), interpolation=cv2.INTER_AREA)
        large = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
        pixels = np.ascontiguousarray(large // 2, np.uint8)
    else:
        pixels = np.full((height, width, 3), (34, 38, 46), np.uint8)
    _write(pixels, text)
    return Frame.borrow(pixels, index=index, time=time)


def opaque(frame: Frame) -> Frame:
    """Return `frame` over black where it has alpha, for who cannot show alpha."""
    if frame.alpha is None:
        return frame
    from framefx.kernels import over_black

    out = frame.new()
    over_black(frame.pixels, frame.alpha, out.pixels)
    return out._lend(shared=False)


def _write(pixels: Image, text: str) -> None:
    import cv2

    height, width = pixels.shape[:2]
    scale = max(height, 1) / 720
    text = text.encode("ascii", "replace").decode()
    font = cv2.FONT_HERSHEY_SIMPLEX
    (text_width, text_height), _ = cv2.getTextSize(text, font, scale, max(1, round(2 * scale)))
    if text_width > 0.9 * width:
        scale *= 0.9 * width / text_width
        (text_width, text_height), _ = cv2.getTextSize(text, font, scale, max(1, round(2 * scale)))
    if scale < 0.2:
        return  # too small to read: the slate alone says it
    place = ((width - text_width) // 2, (height + text_height) // 2)
    cv2.putText(pixels, text, place, font, scale, (235, 235, 235), max(1, round(2 * scale)), cv2.LINE_AA)
