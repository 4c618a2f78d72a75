"""Bilinear samples, their gradient beside PyTorch's, and how steady a shaken picture becomes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.table import Table

from framefx import kernels
from framefx.bench.measure import Side, Timing, interleave
from framefx.frame import Size

_SIDE = 512
_SECONDS = 2.0

Floats = npt.NDArray[np.float32]


def tables() -> Iterator[Table]:
    """Measure, and yield what to print."""
    yield _gradients()
    yield _steadiness()


def _gradients() -> Table:
    """The gradient of 512 × 512 samples with respect to their places, in a small picture and in one of 4K."""
    from framefx.bench.masks import add_timings, table_of

    sides = [side for size in ((_SIDE, _SIDE), (2160, 3840)) for side in _sides(size)]
    timings = interleave(sides, _SECONDS)
    table = table_of(f"{_SIDE}×{_SIDE} samples of 3 channels, ms of CPU time", "what", "least", "median")
    add_timings(table, timings)
    ours = [t for t in timings if t.name.startswith("framefx gradient")]
    table.add_row("ratio 4K to 512×512, framefx gradient", _ratio(ours[1], ours[0]), "")
    theirs = [t for t in timings if "and picture" in t.name]
    if theirs:
        table.add_row("ratio PyTorch with the picture's to framefx, 4K", _ratio(theirs[1], ours[1]), "")
    return table


def _ratio(first: Timing, second: Timing) -> str:
    return f"{first.cpu_min / second.cpu_min:.2f}"


def _grid(size: Size) -> Floats:
    """Return places in the middle of a picture that lie about a pixel apart, as a gentle wave bends them."""
    y, x = np.mgrid[:_SIDE, :_SIDE].astype(np.float32)
    down, across = ((side - _SIDE) / 2 for side in size)
    bent = [0.98 * x + 3 * np.sin(y / 40) + across + 4, 0.98 * y + 3 * np.cos(x / 50) + down + 4]
    return np.ascontiguousarray(np.stack(bent, axis=-1), np.float32)


def _sides(size: Size) -> list[Side]:
    label = f"{size[1]}x{size[0]}"
    image = np.random.default_rng(0).random((*size, 3), np.float32)
    grad = np.random.default_rng(1).random((_SIDE, _SIDE, 3), np.float32)
    grid, out, slopes = _grid(size), np.empty_like(grad), np.empty((_SIDE, _SIDE, 2), np.float32)
    sides = [
        Side(f"framefx samples, {label}", lambda _: kernels.sample_bilinear(image, grid, out=out)),
        Side(f"framefx gradient, {label}", lambda _: kernels.sample_bilinear_grad(image, grid, grad, out=slopes)),
    ]
    return sides + [Side(f"PyTorch {name}, {label}", run) for name, run in _torch(image, grid, grad).items()]


def _torch(image: Floats, grid: Floats, grad: Floats) -> dict[str, Callable[[Any], Any]]:
    """Return PyTorch's gradient of the places alone, and with the picture's; nothing where it is not installed."""
    try:
        import torch
    except ImportError:
        return {}
    height, width = image.shape[:2]
    at = torch.from_numpy(grid)[None] * torch.tensor([2 / (width - 1), 2 / (height - 1)]) - 1
    whole = torch.from_numpy(image).permute(2, 0, 1)[None].contiguous()
    given = torch.from_numpy(grad).permute(2, 0, 1)[None].contiguous()
    found: dict[str, Callable[[Any], Any]] = {}
    for name, needed in (("gradient of places", False), ("gradient of places and picture", True)):
        leaves = [at.clone().requires_grad_(), *([whole.clone().requires_grad_()] if needed else [])]
        picture = leaves[1] if needed else whole
        result = torch.nn.functional.grid_sample(picture, leaves[0], align_corners=True)

        def run(_: Any, result: Any = result, leaves: Any = leaves) -> Any:
            return torch.autograd.grad(result, leaves, given, retain_graph=True)

        found[name] = run
    return found


def _steadiness() -> Table:
    """The demo clip, whose movement is known, through `stabilize`: what was found out, and what is left of it."""
    from framefx.bench.masks import table_of
    from framefx.filters.camera_motion import CameraMotion
    from framefx.filters.stabilize import Stabilize
    from framefx.sources.demo import Demo, _hand

    source, layer, filter_ = Demo(seconds=5), CameraMotion(), Stabilize()
    source.open()
    errors, seen, shown, spent = [], [], [], []
    corners = np.array([[0, 0, 1], [1279, 0, 1], [0, 719, 1], [1279, 719, 1]], np.float64).T
    before = _square(_hand(0))
    while (frame := source.read()) is not None:
        start = time.process_time()
        motion = layer(frame)
        spent.append(time.process_time() - start)
        now = _square(_hand(frame.index / 30))
        if motion.sure:
            errors.append(np.abs(motion.matrix @ corners - (np.linalg.inv(before) @ now @ corners)[:2]).max())
        before, place = now, np.linalg.inv(now) @ np.array([[500, 200, 1], [900, 500, 1]], np.float64).T
        seen.append(place[:2])
        shown.append((np.linalg.inv(_square(filter_(frame, motion).matrix)) @ place)[:2])
    table = table_of("stabilize on the demo clip, 1280x720", "what", "value")
    table.add_row("motion's error at the worst corner, px: mean, largest", f"{np.mean(errors):.2f}, {max(errors):.2f}")
    table.add_row("motion, ms of CPU time, least and median", f"{1e3 * min(spent):.2f}, {1e3 * np.median(spent):.2f}")
    for name, places in (("as it was", seen), ("steadied", shown)):
        shake = np.sqrt(np.mean(np.diff(places, n=2, axis=0) ** 2))
        table.add_row(f"change of speed of a place, px per frame, RMS: {name}", f"{shake:.3f}")
    return table


def _square(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.vstack([matrix, (0, 0, 1)])


if __name__ == "__main__":
    from rich.console import Console

    for found in tables():
        Console().print(found)
    sys.exit(0)
