"""Points and heatmaps: where single places of a person are, as one layer's value for one frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from framefx.errors import PluginError
from framefx.frame import Size
from framefx.geometry import Geometry, Matrix, warp_mask
from framefx.mask import Mask


class Points:
    """Named points in a frame, each with a score: `keypoints` has 17.

    Parameters
    ----------
    xy : (n, 2) float
        x and y of each in pixels of the frame; whole numbers are pixel centres. A point may lie outside: a knee
        below the picture's edge does.
    scores : (n,) float
        How sure the network is, 0 to 1.
    names : sequence of str
        One for each point.
    size : (int, int)
        Height and width in pixels of the frame they stand for.
    index : int
        Index of the frame they were computed from.

    Attributes
    ----------
    xy, scores : (n, 2) and (n,) float32
        Read-only.
    names : tuple of str

    Raises
    ------
    PluginError
        For other shapes, where the counts differ, and for what is not a number.

    Examples
    --------
    ``points["nose"]`` is ``(x, y)``, ``points.score("nose")`` how sure that is.
    """

    kind: ClassVar[str] = "points"
    __slots__ = ("index", "names", "scores", "size", "xy")

    def __init__(
        self, xy: npt.ArrayLike, scores: npt.ArrayLike, names: Sequence[str], size: Size, index: int = 0
    ) -> None:
        self.xy, self.scores = _frozen(xy, np.float32), _frozen(scores, np.float32)
        self.names = tuple(names)
        if self.xy.shape != (len(self.names), 2) or self.scores.shape != (len(self.names),):
            raise PluginError(
                f"points: got {len(self.names)} names, xy of shape {self.xy.shape} and scores of "
                f"{self.scores.shape}, wanted (n, 2) and (n,)"
            )
        if not (np.isfinite(self.xy).all() and np.isfinite(self.scores).all()):
            raise PluginError("points: got a coordinate or score that is not a number")
        self.size = size
        self.index = index

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, name: str) -> tuple[float, float]:
        x, y = self.xy[_place(name, self.names, "points")]
        return float(x), float(y)

    def score(self, name: str) -> float:
        """Return how sure the network is of the point called `name`, 0 to 1."""
        return float(self.scores[_place(name, self.names, "points")])

    def moved(self, geometry: Geometry) -> Points:
        """Return the points where `geometry` shows them.

        Names stay: the left eye of a person is the left eye in a mirror too. A border that wraps shows a point at
        the place nearest to the picture's middle.
        """
        xy = self.xy.astype(np.float64)
        if geometry.border == "wrap":
            xy = _unwrapped(xy, geometry, self.size)
        square = np.vstack([geometry.matrix, (0, 0, 1)])
        back: Matrix = np.asarray(np.linalg.pinv(square)[:2], np.float64)
        return Points(xy @ back[:, :2].T + back[:, 2], self.scores, self.names, geometry.size, self.index)

    def __repr__(self) -> str:
        return f"<Points {len(self)} of frame {self.index} at {self.size[1]}x{self.size[0]}>"


class Heatmaps:
    """How likely each place is each of some named points; `keypoint_heatmaps` has 17, one for each keypoint.

    Parameters
    ----------
    values : (n, rows, columns) uint8
        0 surely not, 255 surely, at the resolution it was computed at; framefx never writes to it.
    names : sequence of str
        One for each map.
    size : (int, int)
        Height and width in pixels of the frame they stand for.
    index : int
        Index of the frame they were computed from.

    Attributes
    ----------
    values : (n, rows, columns) uint8
        Read-only.
    names : tuple of str

    Raises
    ------
    PluginError
        For another dtype or shape.

    Examples
    --------
    ``heatmaps["nose"]`` is a `Mask`, for all that takes one.
    """

    kind: ClassVar[str] = "heatmaps"
    __slots__ = ("index", "names", "size", "values")

    def __init__(self, values: npt.NDArray[np.uint8], names: Sequence[str], size: Size, index: int = 0) -> None:
        self.names = tuple(names)
        if values.dtype != np.uint8 or values.ndim != 3 or 0 in values.shape or len(values) != len(self.names):
            raise PluginError(
                f"heatmaps: got {len(self.names)} names and {values.dtype} of shape {values.shape}, "
                "wanted uint8 (names, rows, columns)"
            )
        self.values = _frozen(values, np.uint8)
        self.size = size
        self.index = index

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, name: str) -> Mask:
        return Mask(self.values[_place(name, self.names, "heatmaps")], self.size, self.index)

    def moved(self, geometry: Geometry) -> Heatmaps:
        """Return the maps as `geometry` shows them, at their own resolution; names stay."""
        moved = [warp_mask(Mask(one, self.size), geometry).values for one in self.values]
        return Heatmaps(np.stack(moved), self.names, geometry.size, self.index)

    def __repr__(self) -> str:
        count, rows, columns = self.values.shape
        return f"<Heatmaps {count} of {columns}x{rows} of frame {self.index} at {self.size[1]}x{self.size[0]}>"


def _frozen(values: npt.ArrayLike, dtype: npt.DTypeLike) -> npt.NDArray[np.uint8] | npt.NDArray[np.float32]:
    array = np.ascontiguousarray(values, dtype).view()
    array.flags.writeable = False
    return array


def _place(name: str, names: tuple[str, ...], what: str) -> int:
    if name not in names:
        raise KeyError(f"{what}: there is no '{name}', only {', '.join(names)}")
    return names.index(name)


def _unwrapped(xy: npt.NDArray[np.float64], geometry: Geometry, size: Size) -> npt.NDArray[np.float64]:
    """Return the repetition of each point that lies nearest to what the middle of the output shows."""
    height, width = geometry.size
    middle = geometry.matrix @ np.array([(width - 1) / 2, (height - 1) / 2, 1])
    period = np.array([size[1], size[0]], np.float64)
    result: npt.NDArray[np.float64] = xy - period * np.round((xy - middle) / period)
    return result
