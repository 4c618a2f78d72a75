"""Region of interest: the model sees a crop around the person, so that a distant one gets more of its pixels.

The crop has the frame's proportions and stays where it is while the person is well inside. The whole picture is looked
at again when the person reaches the crop's border or is lost, in the same frame, and every half second in any case: a
second person who enters outside the crop is found then. Until that they count as background, as everything outside the
crop does: what hides the background hides them, what is limited to the person does not reach them yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from framefx.frame import Frame, Size
from framefx.geometry import Geometry
from framefx.mask import Mask

Values = npt.NDArray[np.uint8]
Look = Callable[[Frame], Mapping[str, Any]]
"""Runs a model on a frame."""

_FINER = 3
"""How many times finer than the model's own a pasted mask is; a crop is no smaller than this part of the frame."""

_WIDEST = 0.75
"""Part of the frame from which on a crop is not worth it."""

_MARGIN, _WIDEST_MARGIN = 0.3, 1.2
"""Room on either side of the person, in parts of the person's width and height: at first, and where that was little."""

_LOOSE = 1.6
"""How many times wider than it would be made now a crop may be before it is made anew."""

_LOOK_AROUND = 0.5
"""Seconds after which the whole picture is looked at again."""

_LEAST = 0.004
"""Part of the crop; a smaller person is lost."""

# Levels: inside, and what counts at a crop's border: below the soft range's beginning (76) nothing is seen of it.
_INSIDE, _TOUCHES = 128, 64


class Box(NamedTuple):
    """Part of a frame, whole pixels."""

    top: int
    left: int
    height: int
    width: int


class RegionOfInterest:
    """Follows the person of one model. Used by one thread.

    Its masks are three times as fine as the model's, whether they were pasted or the whole picture was looked at: the
    stages after it remember masks of one resolution.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget where the person was."""
        self.box: Box | None = None
        self._looked: float | None = None
        self._size: Size = (0, 0)
        self._margin = _MARGIN
        self._wait = False

    def __call__(self, look: Look, frame: Frame) -> dict[str, Any]:
        """Return the layers of `frame`, by one look or two.

        Parameters
        ----------
        look : callable
            Runs the model on a frame, the whole one or a part of it; what it gives has the layer ``person``.
        frame : Frame
            The source's.
        """
        if frame.size != self._size:
            self.reset()
            self._size = frame.size
        whole: Mapping[str, Any] | None = None
        if self.box is None or self._is_due(frame.time):
            whole = self._whole(look, frame)
        box = self.box
        if box is not None:
            part = look(_cropped(frame, box))
            person = part["person"].values
            if _is_well_inside(person, box, frame.size):
                self.box = _fitted(person, box, frame.size, box, self._margin)
                return {name: _pasted(name, value, box, frame) for name, value in part.items()}
            # Not again before the next look around, and then with more room: what was cut off once would be again.
            self.box, self._wait = None, True
            self._margin = min(2 * self._margin, _WIDEST_MARGIN)
            whole = self._whole(look, frame) if whole is None else whole
        return {name: _enlarged(value) for name, value in (whole or {}).items()}

    def _is_due(self, time: float) -> bool:
        return self._looked is None or not 0 <= time - self._looked < _LOOK_AROUND

    def _whole(self, look: Look, frame: Frame) -> Mapping[str, Any]:
        """Look at the whole picture, and find where to look from now on."""
        layers = look(frame)
        if self._is_due(frame.time):
            self._looked, self._wait = frame.time, False
        if not self._wait:
            everything = Box(0, 0, *frame.size)
            self.box = _fitted(layers["person"].values, everything, frame.size, self.box, self._margin)
        return layers


def _fitted(person: Values, seen: Box, size: Size, box: Box | None, margin: float) -> Box | None:
    """Return where to look from now on: `box` if it still serves, another, or None for the whole frame.

    Parameters
    ----------
    person : (rows, columns) uint8
        Where the person is in the part `seen` of a frame of `size`.
    """
    inside = person >= _INSIDE
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        return None
    (height, width), down, across = size, seen.height / person.shape[0], seen.width / person.shape[1]
    top, bottom = seen.top + rows[0] * down, seen.top + (rows[-1] + 1) * down
    left, right = seen.left + columns[0] * across, seen.left + (columns[-1] + 1) * across
    part = (1 + 2 * margin) * max((bottom - top) / height, (right - left) / width)
    part = max(part, 1 / _FINER)
    if part > _WIDEST:
        return None
    if box is not None and box.height <= _LOOSE * part * height and _holds(box, (top, left, bottom, right), size):
        return box
    tall, wide = round(part * height), round(part * width)
    y = min(max(0, round((top + bottom - tall) / 2)), height - tall)
    x = min(max(0, round((left + right - wide) / 2)), width - wide)
    return Box(y, x, tall, wide)


def _holds(box: Box, person: tuple[float, float, float, float], size: Size) -> bool:
    """Whether the person is inside with half the room to spare, but where the frame itself ends."""
    top, left, bottom, right = person
    down, across = _MARGIN / 2 * (bottom - top), _MARGIN / 2 * (right - left)
    return (
        (box.top == 0 or top - down >= box.top)
        and (box.left == 0 or left - across >= box.left)
        and (box.top + box.height == size[0] or bottom + down <= box.top + box.height)
        and (box.left + box.width == size[1] or right + across <= box.left + box.width)
    )


def _is_well_inside(person: Values, box: Box, size: Size) -> bool:
    """Whether somebody is in the crop and does not touch a border of it that is not the frame's own."""
    if np.count_nonzero(person >= _INSIDE) < _LEAST * person.size:
        return False
    borders = (
        (box.top > 0, person[0]),
        (box.left > 0, person[:, 0]),
        (box.top + box.height < size[0], person[-1]),
        (box.left + box.width < size[1], person[:, -1]),
    )
    return not any(counts and border.max() >= _TOUCHES for counts, border in borders)


def _cropped(frame: Frame, box: Box) -> Frame:
    pixels = frame.array((box.height, box.width, 3))
    np.copyto(pixels, frame.pixels[box.top : box.top + box.height, box.left : box.left + box.width])
    return Frame.borrow(pixels, index=frame.index, time=frame.time)


def _pasted(name: str, value: Any, box: Box, frame: Frame) -> Any:
    """Return a layer of the crop as one of the whole frame."""
    if not isinstance(value, Mask):
        return value.moved(Geometry(np.array([[1, 0, -box.left], [0, 1, -box.top]], np.float64), frame.size))
    import cv2

    rows, columns = (_FINER * side for side in value.values.shape)
    down, across = frame.size[0] / rows, frame.size[1] / columns
    # The pixels of the fine mask whose centres lie in the crop, and where in the crop's own mask those are.
    top, bottom = (round(edge / down) for edge in (box.top, box.top + box.height))
    left, right = (round(edge / across) for edge in (box.left, box.left + box.width))
    y, x = value.values.shape[0] / box.height, value.values.shape[1] / box.width
    matrix = np.array(
        [
            [across * x, 0, ((left + 0.5) * across - box.left) * x - 0.5],
            [0, down * y, ((top + 0.5) * down - box.top) * y - 0.5],
        ]
    )
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (right - left, bottom - top)
    values = np.full((rows, columns), 255 if name == "background" else 0, np.uint8)
    values[top:bottom, left:right] = cv2.warpAffine(
        value.values, matrix, size, flags=how, borderMode=cv2.BORDER_REPLICATE
    )
    return Mask(values, frame.size, frame.index)


def _enlarged(value: Any) -> Any:
    """Return a mask of the whole picture at the resolution that pasted ones have."""
    if not isinstance(value, Mask):
        return value
    import cv2

    rows, columns = (_FINER * side for side in value.values.shape)
    values = cv2.resize(value.values, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return Mask(np.asarray(values, np.uint8), value.size, value.index)
