"""Pictures read between their pixels: bilinear samples, and how they change as the places move.

The gradient is the places' alone. Who aligns pictures moves places over a picture that stays as it is; a gradient of
the picture, which PyTorch's `grid_sample` computes along where it is required, is a zero-filled array of its size.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from framefx.kernels._door import F32, check, output
from framefx.kernels._jit import Helper, kernel, uses

Samples = npt.NDArray[np.uint8] | F32
"""(H, W) or (H, W, channels), uint8 or float32."""


@Helper
def _value(image: Any, height: int, width: int, channels: int, y: int, x: int, c: int) -> Any:
    """Return one value; outside the picture, where some neighbours of a place at its rim lie, it is 0."""
    if 0 <= y < height and 0 <= x < width:
        return np.float32(image[np.uint64((y * width + x) * channels + c)])
    return np.float32(0)


@Helper
def _at_rim(image: Any, height: int, width: int, channels: int, y: int, x: int, c: int) -> Any:
    """Return the four neighbours of a place: upper left and right, lower left and right."""
    a = _value(image, height, width, channels, y, x, c)
    b = _value(image, height, width, channels, y, x + 1, c)
    d = _value(image, height, width, channels, y + 1, x, c)
    e = _value(image, height, width, channels, y + 1, x + 1, c)
    return a, b, d, e


@Helper
def _inside(image: Any, at: int, right: int, below: int) -> Any:
    """Return the four neighbours of a place whose first is element `at`."""
    a, b = np.float32(image[at]), np.float32(image[at + right])
    d, e = np.float32(image[at + below]), np.float32(image[at + below + right])
    return a, b, d, e


@Helper
def _mixed(a: float, b: float, d: float, e: float, fx: float, fy: float) -> Any:
    upper, lower = a + (b - a) * fx, d + (e - d) * fx
    return upper + (lower - upper) * fy


@kernel("f32[:], const u8[:], i64, i64, i64, const f32[:]", "f32[:], const f32[:], i64, i64, i64, const f32[:]")
def _sample(out: F32, image: Samples, height: int, width: int, channels: int, grid: F32) -> None:
    right, below = np.uint64(channels), np.uint64(width * channels)
    for i in range(grid.size // 2):
        j, first = np.uint64(2 * i), np.uint64(i * channels)
        x, y = grid[j], grid[j + np.uint64(1)]
        # A place that is not a number fails every comparison.
        if not (-1 < x < width and -1 < y < height):
            for c in range(channels):
                out[first + np.uint64(c)] = 0
            continue
        left, top = np.int64(np.floor(x)), np.int64(np.floor(y))
        fx, fy = x - np.float32(left), y - np.float32(top)
        if 0 <= left < width - 1 and 0 <= top < height - 1:
            at = np.uint64((top * width + left) * channels)
            for c in range(channels):
                a, b, d, e = _inside(image, at + np.uint64(c), right, below)
                out[first + np.uint64(c)] = _mixed(a, b, d, e, fx, fy)
        else:
            for c in range(channels):
                a, b, d, e = _at_rim(image, height, width, channels, top, left, c)
                out[first + np.uint64(c)] = _mixed(a, b, d, e, fx, fy)


@Helper
def _slope(a: float, b: float, d: float, e: float, fx: float, fy: float) -> Any:
    twist = (e - d) - (b - a)
    return (b - a) + twist * fy, (d - a) + twist * fx


@kernel(
    "f32[:], const u8[:], i64, i64, i64, const f32[:], const f32[:]",
    "f32[:], const f32[:], i64, i64, i64, const f32[:], const f32[:]",
)
def _slopes(out: F32, image: Samples, height: int, width: int, channels: int, grid: F32, grad: F32) -> None:
    right, below = np.uint64(channels), np.uint64(width * channels)
    for i in range(grid.size // 2):
        j, first = np.uint64(2 * i), np.uint64(i * channels)
        x, y = grid[j], grid[j + np.uint64(1)]
        across, down = np.float32(0), np.float32(0)
        if -1 < x < width and -1 < y < height:
            left, top = np.int64(np.floor(x)), np.int64(np.floor(y))
            fx, fy = x - np.float32(left), y - np.float32(top)
            inside = 0 <= left < width - 1 and 0 <= top < height - 1
            at = np.uint64((top * width + left) * channels)
            for c in range(channels):
                if inside:
                    a, b, d, e = _inside(image, at + np.uint64(c), right, below)
                else:
                    a, b, d, e = _at_rim(image, height, width, channels, top, left, c)
                g = grad[first + np.uint64(c)]
                dx, dy = _slope(a, b, d, e, fx, fy)
                across, down = across + g * dx, down + g * dy
        out[j], out[j + np.uint64(1)] = across, down


@uses(_sample)
def sample_bilinear(image: Samples, grid: F32, *, out: F32 | None = None) -> F32:
    """Read a picture at places between its pixels; beyond its edge is nothing, 0.

    Parameters
    ----------
    image : (H, W) or (H, W, channels), uint8 or float32
    grid : (h, w, 2) float32
        Places (x, y) in pixels of `image`; whole numbers are pixel centres. PyTorch's ``grid_sample`` counts from -1
        to 1 instead: ``x = (g + 1) / 2 * (W - 1)`` with ``align_corners``, else ``x = ((g + 1) * W - 1) / 2``.
        A place that is not a number is outside.
    out : (h, w) or (h, w, channels) float32

    Returns
    -------
    (h, w) or (h, w, channels) float32
        `out`.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape or layout, or an `out` that cannot be written.
    """
    picture, places, shape = _checked(image, grid)
    out = _floats("out", out, (*places, *shape), grid, image)
    _sample(out.reshape(-1), image.reshape(-1), *picture, grid.reshape(-1))
    return out


@uses(_slopes)
def sample_bilinear_grad(image: Samples, grid: F32, grad: F32, *, out: F32 | None = None) -> F32:
    """Say how samples change as their places move: the gradient of `sample_bilinear` with respect to `grid` alone.

    What it costs depends on the number of places, not on the size of `image`.

    Parameters
    ----------
    image, grid
        As for `sample_bilinear`. At whole numbers the slope to the right and down counts, as in PyTorch.
    grad : (h, w) or (h, w, channels) float32
        Gradient with respect to the samples; with ones, for one channel, the result is the picture's own slope.
    out : (h, w, 2) float32

    Returns
    -------
    (h, w, 2) float32
        `out`: per pixel to the right, and down.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape or layout, or an `out` that cannot be written.
    """
    picture, places, shape = _checked(image, grid)
    check("grad", grad, (*places, *shape), np.float32)
    out = _floats("out", out, (*places, 2), grid, image, grad)
    _slopes(out.reshape(-1), image.reshape(-1), *picture, grid.reshape(-1), grad.reshape(-1))
    return out


def _checked(image: Samples, grid: F32) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Return the picture's height, width and channels, those of the grid, and the channels of each sample, if any."""
    kind = np.float32 if getattr(image, "dtype", None) == np.float32 else np.uint8
    shape = check("image", image, (None,) * (3 if getattr(image, "ndim", 2) == 3 else 2), kind)
    places = check("grid", grid, (None, None, 2), np.float32)[:2]
    return (*shape, 1)[:3], places, shape[2:]


def _floats(name: str, out: F32 | None, shape: tuple[int, ...], *apart: Any) -> F32:
    if out is None:
        return np.empty(shape, np.float32)
    output(name, out, shape, *apart, dtype=np.float32)
    return out
