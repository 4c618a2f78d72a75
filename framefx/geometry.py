"""Moving pixels: a matrix from output to input, and how the core applies it to frames and masks.

Only a geometry moves pixels, so that the layers of later steps can move with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from framefx.errors import PluginError
from framefx.frame import Frame, FramePool, Image, Size
from framefx.mask import Mask

Border = Literal["black", "transparent", "edge", "mirror", "wrap"]
Matrix = npt.NDArray[np.float64]

Part = tuple[slice, slice]
"""Rows and columns of a picture."""


@dataclass(frozen=True)
class Geometry:
    """Where every output pixel comes from.

    Parameters
    ----------
    matrix : (2, 3) float
        Input position ``(x, y) = matrix @ (x_out, y_out, 1)`` in pixels; whole numbers are pixel centres.
    size : (int, int)
        Height and width in pixels of the output.
    border : str
        What stands where the input ends: ``black``, ``transparent``, ``edge`` (its last pixels), ``mirror``, ``wrap``.
        Masks are 0 where the border is black or transparent.
    """

    matrix: Matrix
    size: Size
    border: Border = "black"

    def __post_init__(self) -> None:
        matrix = np.asarray(self.matrix, np.float64)
        if matrix.shape != (2, 3) or not np.isfinite(matrix).all():
            raise PluginError(f"geometry: got a matrix {matrix.tolist()}, wanted 2×3 finite numbers")
        if len(self.size) != 2 or min(self.size) < 1:
            raise PluginError(f"geometry: got size {self.size}, wanted (height, width) of at least 1")
        object.__setattr__(self, "matrix", matrix)

    def then(self, later: Geometry, size: Size) -> Geometry | None:
        """Return this geometry of a frame of `size` followed by `later` as one resampling, or None where two differ.

        One resampling is the same where `later` does not look past the picture between the two, or where both show
        one plain border and this one crops nothing away that `later` could bring back.
        """
        matrix = (_square(self.matrix) @ _square(later.matrix))[:2]
        if _inside(later.matrix, later.size, self.size):
            return Geometry(matrix, later.size, self.border)
        plain = self.border == later.border and self.border in ("black", "transparent")
        backwards: Matrix = np.asarray(np.linalg.pinv(_square(self.matrix))[:2], np.float64)
        if plain and _inside(backwards, size, self.size):
            return Geometry(matrix, later.size, self.border)
        return None

    def is_identity(self, size: Size) -> bool:
        """Whether it changes nothing on a frame of `size`."""
        return self.size == tuple(size) and bool(np.array_equal(self.matrix, np.eye(2, 3)))


def overlap(outer: Size, inner: Size, position: tuple[int, int]) -> tuple[Part, Part]:
    """Return the part of a picture of size `outer` that one of size `inner` covers, and which part of that is seen.

    `position` is the x and y of the inner one's top left corner; negative ones count from the right and bottom edges.
    """
    covered, seen = [], []
    for side, length, start in zip(outer, inner, reversed(position), strict=True):
        start = start if start >= 0 else side - length + start
        first, last = max(0, start), max(0, start, min(side, start + length))
        covered.append(slice(first, last))
        seen.append(slice(first - start, last - start))
    return (covered[0], covered[1]), (seen[0], seen[1])


def middle(size: Size, wanted: Size) -> Part:
    """Return the largest middle part of a picture of `size` that has the proportions of `wanted`."""
    scale = max(wanted[0] / size[0], wanted[1] / size[1])
    part = [min(side, max(1, round(want / scale))) for side, want in zip(size, wanted, strict=True)]
    starts = [(side - length) // 2 for side, length in zip(size, part, strict=True)]
    rows, columns = (slice(start, start + length) for start, length in zip(starts, part, strict=True))
    return rows, columns


def _square(matrix: Matrix) -> Matrix:
    return np.vstack([matrix, (0, 0, 1)])


def _inside(matrix: Matrix, size: Size, outer: Size) -> bool:
    """Whether every pixel of a picture of `size` is at most half a pixel outside `outer`, moved by `matrix`."""
    (height, width), (rows, columns) = size, outer
    corners = np.array([[x, y, 1] for x in (0, width - 1) for y in (0, height - 1)], np.float64)
    x, y = matrix @ corners.T
    return bool(
        x.min() >= -0.5 and y.min() >= -0.5 and x.max() <= columns - 0.5 + 1e-9 and y.max() <= rows - 0.5 + 1e-9
    )


def warp_frame(frame: Frame, geometry: Geometry, pool: FramePool) -> Frame:
    """Return `frame` moved by `geometry`: bilinear, or exact where it is a flip or moves by whole pixels."""
    if geometry.is_identity(frame.size):
        return frame
    transparent = geometry.border == "transparent"
    has_alpha = frame.alpha is not None or transparent
    result = pool.frame(geometry.size, index=frame.index, time=frame.time, alpha=has_alpha)
    if _as_flip(geometry, frame.size) is None and _as_shift(geometry, frame.size) is None:
        _warp_colors(frame.pixels, frame.alpha, geometry, result, pool)
    else:
        _warp(frame.pixels, geometry, result.pixels)
        if result.alpha is not None:
            _warp(frame.alpha if frame.alpha is not None else _opaque(frame.size, pool), geometry, result.alpha)
    return result._lend(shared=False)


def _opaque(size: Size, pool: FramePool) -> npt.NDArray[np.uint8]:
    alpha = pool.array(size)
    alpha.fill(255)
    return alpha


def _warp_colors(
    pixels: Image, alpha: npt.NDArray[np.uint8] | None, geometry: Geometry, result: Frame, pool: FramePool
) -> None:
    """Move colours and alpha at once: OpenCV moves four channels in a third of the time it takes for three."""
    import cv2

    rgba, moved = pool.array((*pixels.shape[:2], 4)), pool.array((*geometry.size, 4))
    cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA, dst=rgba)
    if alpha is not None:
        cv2.insertChannel(alpha, rgba, 3)
    _warp(rgba, geometry, moved)
    cv2.cvtColor(moved, cv2.COLOR_RGBA2RGB, dst=result.pixels)
    if result.alpha is not None:
        cv2.extractChannel(moved, 3, dst=result.alpha)


def warp_mask(mask: Mask, geometry: Geometry) -> Mask:
    """Return `mask` moved by `geometry`, at its own resolution."""
    (rows, columns), (height, width) = mask.values.shape, mask.size
    out_height, out_width = geometry.size
    out_shape = (max(1, round(rows * out_height / height)), max(1, round(columns * out_width / width)))
    # Half-pixel centres: position (s + 0.5) / scale - 0.5 in the frame stands for s in the mask.
    to_frame = _scaling(out_width / out_shape[1], out_height / out_shape[0])
    to_mask = _scaling(columns / width, rows / height)
    full = to_mask @ _square(geometry.matrix) @ to_frame
    small = Geometry(np.round(full[:2], 9), out_shape, geometry.border)
    if small.is_identity(mask.values.shape):
        return Mask(mask.values, geometry.size, mask.index)
    out = np.empty(out_shape, np.uint8)
    _warp(mask.values, small, out)
    return Mask(out, geometry.size, mask.index)


def _scaling(x: float, y: float) -> Matrix:
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def _warp(src: Image, geometry: Geometry, dst: Image) -> None:
    import cv2

    flip, shift = _as_flip(geometry, src.shape), _as_shift(geometry, src.shape)
    if flip is not None:
        cv2.flip(src, flip, dst=dst)
        return
    if shift is not None:
        _shift(src, shift, geometry.border, dst)
        return
    border = {
        "black": cv2.BORDER_CONSTANT,
        "transparent": cv2.BORDER_CONSTANT,
        "edge": cv2.BORDER_REPLICATE,
        "mirror": cv2.BORDER_REFLECT,
        "wrap": cv2.BORDER_WRAP,
    }[geometry.border]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    height, width = geometry.size
    moved = cv2.warpAffine(src, geometry.matrix, (width, height), dst=dst, flags=flags, borderMode=border)
    if moved is not dst:
        np.copyto(dst, moved)


def _as_shift(geometry: Geometry, shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Return how many pixels to the right and down a geometry moves a picture, if that is all it does."""
    x, y = -geometry.matrix[:, 2]
    plain = geometry.size == tuple(shape[:2]) and np.array_equal(geometry.matrix[:, :2], np.eye(2))
    whole = x == round(x) and y == round(y)
    return (round(x), round(y)) if plain and whole and geometry.border not in ("edge", "mirror") else None


def _shift(src: Image, shift: tuple[int, int], border: Border, dst: Image) -> None:
    """Copy `src` to its new place, in up to four pieces where it wraps around."""
    height, width = src.shape[:2]
    x, y = shift
    if border == "wrap":
        x, y = x % width, y % height
    else:
        dst.fill(0)
    repeats = ((0, 0), (width, 0), (0, height), (width, height)) if border == "wrap" else ((0, 0),)
    for across, down in repeats:
        left, top = x - across, y - down
        to = slice(max(top, 0), max(top + height, 0)), slice(max(left, 0), max(left + width, 0))
        part = slice(max(-top, 0), max(height - top, 0)), slice(max(-left, 0), max(width - left, 0))
        dst[to] = src[part]


def _as_flip(geometry: Geometry, shape: tuple[int, ...]) -> int | None:
    """Return OpenCV's flip code where the geometry is a mirror image of the whole picture."""
    height, width = shape[:2]
    if geometry.size != (height, width):
        return None
    for code, sx, sy in ((1, -1, 1), (0, 1, -1), (-1, -1, -1)):
        wanted = [[sx, 0, (width - 1) * (sx < 0)], [0, sy, (height - 1) * (sy < 0)]]
        if np.abs(geometry.matrix - wanted).max() <= 1e-7:
            return code
    return None
