"""``warp``: lenses and tilted planes."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from framefx.frame import Frame, Size


class Warp:
    """Bend the picture like a lens, or tilt it in space.

    A lens of one term (Brown, 1966) behind a projective map, as one resampling by a table made once. Masks do not
    move with it, as they do with `zoom`, `move` and `affine`: make it the last step, or one of a stack's entry. What
    it looks for beyond the picture's edge is black.
    """

    def __init__(
        self,
        *,
        lens: Annotated[float, Field(ge=-1, le=1, description="-1 pincushion to 1 bulge, 0 leaves it")] = 0.3,
        tilt: Annotated[float, Field(ge=-1, le=1, description="-1 to 1: the top moves away; 0 leaves it")] = 0.0,
        turn: Annotated[float, Field(ge=-1, le=1, description="-1 to 1: the right moves away; 0 leaves it")] = 0.0,
    ) -> None:
        self._lens, self._tilt, self._turn = lens, tilt, turn
        self._maps: tuple[Size, Any, Any] | None = None

    def __call__(self, frame: Frame) -> Frame:
        import cv2

        if self._lens == self._tilt == self._turn == 0:
            return frame
        if self._maps is None or self._maps[0] != frame.size:
            self._maps = (frame.size, *self._draw(frame.size))
        _, places, parts = self._maps
        out = frame.new(alpha=frame.alpha is not None)
        for src, dst in ((frame.pixels, out.pixels), (frame.alpha, out.alpha)):
            if src is not None and dst is not None:
                cv2.remap(src, places, parts, cv2.INTER_LINEAR, dst=dst, borderMode=cv2.BORDER_CONSTANT)
        return out

    def close(self) -> None:
        """Forget the table; the next call makes it again."""
        self._maps = None

    def _draw(self, size: Size) -> tuple[Any, Any]:
        """Return where each pixel comes from, in OpenCV's packed form."""
        import cv2

        height, width = size
        # Coordinates from -1 to 1 along the longer side, 0 in the middle.
        half = max(height, width) / 2
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        x, y = (x + 0.5 - width / 2) / half, (y + 0.5 - height / 2) / half
        away = np.maximum(1 + 0.5 * (self._turn * x - self._tilt * y), 0.1)
        x, y = x * away, y * away
        bend = 1 + 0.5 * self._lens * ((x * x + y * y) - 1)
        if self._lens < 0:
            # Nothing beyond the picture is looked at where the nearest edges bulge inwards.
            bend /= 1 + 0.5 * self._lens * ((min(height, width) / 2 / half) ** 2 - 1)
        x, y = _inside(x * bend * half + width / 2 - 0.5, width), _inside(y * bend * half + height / 2 - 0.5, height)
        return cv2.convertMaps(x, y, cv2.CV_16SC2)


def _inside(at: Any, side: int) -> Any:
    """Take what is within half a pixel of the picture for its edge: no black line comes in."""
    nearest = np.clip(at, 0, side - 1)
    return np.where(np.abs(at - nearest) <= 0.51, nearest, at).astype(np.float32)
