"""What a body network's outputs are, and where their cells lie in the input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from framefx.frame import Size
from framefx.kernels import Axis, Rectangle
from framefx.protocols import Tensor

SEGMENTS, PART_HEATMAPS, HEATMAPS, OFFSETS = "segments", "part_heatmaps", "heatmaps", "short_offsets"

_CHANNELS = {SEGMENTS: 1, PART_HEATMAPS: 24, HEATMAPS: 17, OFFSETS: 34}

# As TFLite and tfjs exports call them, longer words first; an empty role is none that is decoded here.
_WORDS = {
    "part_heatmap": PART_HEATMAPS, "part_offset": "", "long_offset": "", "mid_offset": "", "embedding": "",
    "displacement": "", "offset": OFFSETS, "heatmap": HEATMAPS, "segment": SEGMENTS,
}  # fmt: skip

_STRIDES = (8, 16, 32)


class Role(NamedTuple):
    """An output with a meaning; `planar` where the channels come first."""

    tensor: Tensor
    planar: bool

    def view(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return (h, w, channels) of the output's array."""
        return np.moveaxis(values[0], 0, 2) if self.planar else values[0]

    @property
    def channels(self) -> int:
        return self.tensor.shape[1 if self.planar else 3]

    @property
    def cells(self) -> Size:
        """Rows and columns."""
        sides = self.tensor.shape[2:] if self.planar else self.tensor.shape[1:3]
        return sides[0], sides[1]


def find_roles(outputs: Sequence[Tensor]) -> dict[str, Role]:
    """Return what the outputs mean, by their names and else by their numbers of channels; nothing if it is unclear.

    Without a telling name one output of one channel may be anybody's: it counts beside other body outputs only, or
    alone where the input is no whole multiple of it (see `find_grid`).
    """
    named = {tensor.name: _by_name(tensor.name) for tensor in outputs}
    counts = Counter(channels for tensor in outputs if named[tensor.name] is None for channels in _sides(tensor))
    found: dict[str, Role] = {}
    for tensor in outputs:
        role = named[tensor.name]
        if role is None:
            role = next((r for r, n in _CHANNELS.items() if n in _sides(tensor) and counts[n] == 1), "")
        if role and _CHANNELS[role] in _sides(tensor) and role not in found:
            found[role] = Role(tensor, planar=tensor.shape[3] != _CHANNELS[role])
    if SEGMENTS not in found:
        found.pop(PART_HEATMAPS, None)
    if not {HEATMAPS, OFFSETS} <= found.keys():
        found.pop(OFFSETS, None)
    useful = SEGMENTS in found or OFFSETS in found
    told = any(named.values()) or len(found) > 1 or len(outputs) == 1
    return found if useful and told else {}


def _by_name(name: str) -> str | None:
    return next((role for word, role in _WORDS.items() if word in name.lower()), None)


def _sides(tensor: Tensor) -> tuple[int, ...]:
    """Return what may be the number of channels: the last side or the one after the batch."""
    shape = tensor.shape
    usable = len(shape) == 4 and shape[0] == 1 and tensor.dtype in (np.float32, np.uint8, np.int8)
    return (shape[3], shape[1]) if usable else ()


@dataclass(frozen=True)
class Grid:
    """Where a network's cells lie in its input: cell i at pixel ``origin + i * stride``, down and across.

    Parameters
    ----------
    stride : int
        Pixels of the input from cell to cell.
    origin : (float, float)
        Row and column of the first cell.
    cells : (int, int)
        Rows and columns.
    """

    stride: int
    origin: tuple[float, float]
    cells: Size

    def axes(self, box: Rectangle, place: int) -> tuple[Axis, Axis]:
        """Return where the places of a mask of `box` lie, rows and columns; each is about `place` pixels large."""
        rows = self._axis(box.y, box.height, self.origin[0], place)
        return rows, self._axis(box.x, box.width, self.origin[1], place)

    def _axis(self, start: int, side: int, origin: float, place: int) -> Axis:
        length = max(1, round(side / place))
        step = side / length
        return Axis((start + step / 2 - 0.5 - origin) / self.stride, step / self.stride, length)

    def inside(self, box: Rectangle) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the first row and column of cells within `box`, and those after the last."""
        edges = ((box.y, box.height, self.origin[0]), (box.x, box.width, self.origin[1]))
        (top, bottom), (left, right) = [
            (int(np.ceil((at - o) / self.stride)), int((at + side - 1 - o) // self.stride) + 1) for at, side, o in edges
        ]
        return (top, bottom), (left, right)


def find_grid(size: Size, roles: Mapping[str, Role]) -> Grid | None:
    """Return the grid that the outputs share over an input of `size`; None where they are no body network's.

    The usual input is a multiple of the stride plus one, with a cell on the first and the last pixel. An input that
    is a whole multiple has either one cell more, for which the network adds a pixel, or cells of their own size.
    """
    shapes = {role.cells for role in roles.values()}
    if len(shapes) != 1:
        return None
    [cells] = shapes
    stride = next(
        (s for s in _STRIDES if all(n in (-(-side // s), side // s + 1) for side, n in zip(size, cells, strict=True))),
        0,
    )
    tensors = [role.tensor.name for role in roles.values()]
    whole = all(side % n == 0 for side, n in zip(size, cells, strict=True))
    if not stride or (whole and len(roles) == 1 and _by_name(tensors[0]) is None):
        return None
    origin = [max(0.0, (side - 1 - stride * (n - 1)) / 2) for side, n in zip(size, cells, strict=True)]
    return Grid(stride, (origin[0], origin[1]), cells)
