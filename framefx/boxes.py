"""Boxes: where things are in one frame, each with a score and its landmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from framefx.errors import PluginError
from framefx.frame import Size
from framefx.mask import Mask

if TYPE_CHECKING:
    from framefx.geometry import Geometry

Corners = npt.NDArray[np.float32]
"""(n, 4) float32: left, top, right, bottom."""

FACE_MARGIN = 1.3
"""Times that a face with hairline, ears and chin is larger than a detector's box of it."""

_SOFT = 1.5
"""Width of an ellipse's edge, in the mask's own pixels."""


class Boxes:
    """Upright rectangles in a frame, the likeliest first, as a layer's value.

    Parameters
    ----------
    corners : (n, 4) float
        Left, top, right and bottom of each in pixels of the frame; whole numbers are pixel centres, so that the
        frame spans -0.5 to width - 0.5. A box may reach outside.
    scores : (n,) float
        How likely each is, 0 to 1.
    landmarks : (n, k, 2) float, optional
        x and y of k places in each, in the same coordinates; none where left out.
    size : (int, int)
        Height and width in pixels of the frame.
    index : int
        Index of the frame they were computed from.

    Attributes
    ----------
    corners, scores, landmarks : float32
        Read-only copies.

    Raises
    ------
    PluginError
        For other shapes, and for what is not a number.

    Examples
    --------
    ``len(faces)`` counts them; ``faces.ellipses((72, 128))`` is a mask that covers them.
    """

    kind: ClassVar[str] = "boxes"
    __slots__ = ("corners", "index", "landmarks", "scores", "size")

    def __init__(self, corners: Any, scores: Any, landmarks: Any = None, *, size: Size, index: int = 0) -> None:
        self.corners = _read_only(corners)
        self.scores = _read_only(scores)
        count = len(self.corners)
        self.landmarks = _read_only(np.empty((count, 0, 2)) if landmarks is None else landmarks)
        self.size = size
        self.index = index
        shapes = self.corners.shape, self.scores.shape, self.landmarks.shape
        if shapes != ((count, 4), (count,), (count, *self.landmarks.shape[1:2], 2)):
            raise PluginError(
                f"boxes: got corners {shapes[0]}, scores {shapes[1]} and landmarks {shapes[2]}, "
                "wanted (n, 4), (n,) and (n, k, 2)"
            )
        if not all(np.isfinite(part).all() for part in (self.corners, self.scores, self.landmarks)):
            raise PluginError("boxes: got a coordinate or score that is not a number")

    def __len__(self) -> int:
        return len(self.corners)

    def __repr__(self) -> str:
        return f"<Boxes {len(self)} of frame {self.index} at {self.size[1]}x{self.size[0]}>"

    def moved(self, geometry: Geometry) -> Boxes:
        """Return the boxes as they lie after `geometry`; of a turned one, the upright box around it.

        A border that wraps shows a box at the place nearest to the picture's middle.
        """
        square = np.vstack([geometry.matrix, (0, 0, 1)])
        forward = np.linalg.pinv(square)[:2]
        shift = self._shift(geometry) if geometry.border == "wrap" else np.zeros((len(self), 2))
        left, top, right, bottom = (self.corners + np.tile(shift, 2)).T
        corners = _mapped(np.stack([left, right, left, right]), np.stack([top, top, bottom, bottom]), forward)
        around = np.concatenate([corners.min(axis=1), corners.max(axis=1)]).T
        points = self.landmarks + shift[:, None]
        landmarks = np.moveaxis(_mapped(points[..., 0], points[..., 1], forward), 0, -1)
        return Boxes(around, self.scores, landmarks, size=geometry.size, index=self.index)

    def _shift(self, geometry: Geometry) -> npt.NDArray[np.float64]:
        """Return by how many whole frames each box moves to where it is nearest to what the output's middle shows."""
        height, width = geometry.size
        middle = geometry.matrix @ np.array([(width - 1) / 2, (height - 1) / 2, 1])
        period = np.array([self.size[1], self.size[0]], np.float64)
        centres = (self.corners[:, :2] + self.corners[:, 2:]) / 2
        result: npt.NDArray[np.float64] = -period * np.round((centres - middle) / period)
        return result

    def ellipses(self, shape: Size, grow: float = 1.0) -> Mask:
        """Return a mask of the ellipses inside the boxes.

        Parameters
        ----------
        shape : (int, int)
            Rows and columns of the mask.
        grow : float
            Times larger than the boxes, about their centres. With the square root of two they hold the corners.

        Returns
        -------
        Mask
            255 inside, 0 outside, with an edge that is soft over one and a half of the mask's own pixels; no box is
            too small to leave a mark.
        """
        values = np.zeros(shape, np.float32)
        down, across = shape[0] / self.size[0], shape[1] / self.size[1]
        # Half-pixel centres: position (x + 0.5) * scale - 0.5 in the mask stands for x in the frame.
        rows, columns = np.ogrid[: shape[0], : shape[1]]
        for left, top, right, bottom in self.corners.astype(np.float64):
            x, y = ((left + right + 1) * across - 1) / 2, ((top + bottom + 1) * down - 1) / 2
            a = max((right - left) * across * grow / 2, _SOFT)
            b = max((bottom - top) * down * grow / 2, _SOFT)
            distance = (np.hypot((columns - x) / a, (rows - y) / b) - 1) * min(a, b)
            np.maximum(values, np.clip(0.5 - distance / _SOFT, 0, 1), out=values)
        return Mask(np.round(values * 255).astype(np.uint8), self.size, self.index)


def _read_only(values: Any) -> npt.NDArray[np.float32]:
    array = np.array(values, np.float32)
    array.flags.writeable = False
    return array


def _mapped(x: npt.NDArray[Any], y: npt.NDArray[Any], matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return `matrix` times each position, as an array of shape (2, *x.shape)."""
    positions = np.stack([x, y, np.ones_like(x)])
    return np.tensordot(matrix, positions, 1)
