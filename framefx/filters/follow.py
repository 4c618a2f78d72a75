"""``follow``: a camera that keeps the person in the picture."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field

from framefx.frame import Frame, Size
from framefx.geometry import Geometry
from framefx.mask import Mask

Values = npt.NDArray[np.uint8]

_INSIDE = 128
_LEAST = 0.004
"""Part of the frame; what is smaller is nobody."""

_STRAY = 0.01
"""Part of the mask at either end of a direction that may be somebody's shadow: the person is what lies between."""

_ENOUGH = 0.1
"""Part of the dead zone within which a movement that has begun ends."""

_ALONE = 1.0
"""Seconds after which the whole frame is shown to those who wait for somebody to come back."""

_LONGEST_STEP = 0.1
"""Seconds; a camera that stood still does not leap on."""


class View(NamedTuple):
    """What is shown: centre x and y and size, in parts of the frame's width, height and both."""

    x: float
    y: float
    size: float


_WHOLE = View(0.5, 0.5, 1.0)


class Follow:
    """Keep the person in the picture: a crop in the frame's proportions that goes along, slowly.

    It rests while the person moves within the dead zone, sets off and arrives gently, and is never faster than `speed`.
    When nobody is there for a second the whole frame is shown.
    """

    def __init__(
        self,
        *,
        zoom: Annotated[float, Field(ge=1, le=4, description="factor by which it enlarges at most; 1 leaves it")] = 2.0,
        margin: Annotated[
            float, Field(ge=0, le=2, description="room around the person, parts of the person's height")
        ] = 0.2,
        dead_zone: Annotated[
            float, Field(ge=0, le=0.5, description="parts of the crop within which it does not move")
        ] = 0.08,
        smooth: Annotated[float, Field(ge=0, le=10, description="seconds it takes to arrive")] = 0.6,
        speed: Annotated[float, Field(gt=0, le=10, description="parts of the frame per second at most")] = 0.5,
    ) -> None:
        self._zoom, self._margin, self._dead_zone = zoom, margin, dead_zone
        self._smooth, self._speed = smooth, speed
        self._shown, self._goal = np.array(_WHOLE), np.array(_WHOLE)
        self._pace = np.zeros(3)
        self._moving = False
        self._time: float | None = None
        self._missed = 0.0

    def __call__(self, frame: Frame, person: Mask) -> Geometry:
        step = 0.0 if self._time is None else min(max(0.0, frame.time - self._time), _LONGEST_STEP)
        self._time = frame.time
        self._aim(_view_of(person.values, self._margin, self._zoom), step)
        self._go(step)
        return _geometry(_within(View(*self._shown)), frame.size)

    def close(self) -> None:
        """Forget the person; the next call begins with the whole frame."""
        self._shown, self._goal, self._pace = np.array(_WHOLE), np.array(_WHOLE), np.zeros(3)
        self._moving, self._time, self._missed = False, None, 0.0

    def _aim(self, wanted: View | None, step: float) -> None:
        """Choose where to go: nowhere while the person stays in the dead zone."""
        self._missed = self._missed + step if wanted is None else 0.0
        if wanted is None:
            if self._missed < _ALONE:
                return
            wanted = _WHOLE
        off = np.abs(np.array(wanted) - self._shown).max() / self._shown[2]
        self._moving = off > (self._dead_zone * _ENOUGH if self._moving else self._dead_zone)
        if self._moving:
            self._goal = np.array(wanted)

    def _go(self, step: float) -> None:
        """Move like a critically damped spring with a highest speed (Lowe, "Critically Damped Ease-In/Ease-Out
        Smoothing", Game Programming Gems 4): without a jerk, and without swinging past the goal."""
        goal = self._goal
        if not self._smooth:
            self._shown, self._pace = goal.copy(), np.zeros(3)
            return
        omega = 4.0 / self._smooth
        # The spring pulls no harder than it would from where the highest speed is reached.
        reach = self._speed * 2 / omega
        away = np.clip(self._shown - goal, -reach, reach)
        decay = np.exp(-omega * step)
        drift = (self._pace + omega * away) * step
        self._pace = (self._pace - omega * drift) * decay
        moved = self._shown - away + (away + drift) * decay
        passed = (goal > self._shown) == (moved > goal)
        self._shown, self._pace = np.where(passed, goal, moved), np.where(passed, 0.0, self._pace)


def _view_of(values: Values, margin: float, zoom: float) -> View | None:
    """Return what should be shown of a mask's person, or None where nobody is."""
    inside = values >= _INSIDE
    count = int(np.count_nonzero(inside))
    if count < max(1, _LEAST * inside.size):
        return None
    (top, bottom), (left, right) = (_extent(inside.sum(axis=axis), count) for axis in (1, 0))
    room = margin * (bottom - top)
    size = min(1.0, max(1 / zoom, bottom - top + 2 * room, right - left + 2 * room))
    # The head, not the middle, is in view where the person is larger than the crop.
    y = top - room + size / 2 if bottom - top + 2 * room > size else (top + bottom) / 2
    return _within(View((left + right) / 2, y, size))


def _within(view: View) -> View:
    """Return the nearest view that does not look past the frame; on the way to a goal a view may."""
    size = min(view.size, 1.0)
    x, y = (min(max(centre, size / 2), 1 - size / 2) for centre in (view.x, view.y))
    return View(x, y, size)


def _extent(profile: npt.NDArray[np.intp], count: int) -> tuple[float, float]:
    """Return where a person begins and ends along one direction, in parts of it."""
    total = np.cumsum(profile)
    first, last = np.searchsorted(total, [_STRAY * count, (1 - _STRAY) * count])
    return float(first) / len(profile), float(last + 1) / len(profile)


def _geometry(view: View, size: Size) -> Geometry:
    """Return the geometry that enlarges a view to the frame; whole numbers are pixel centres."""
    height, width = size
    matrix = np.zeros((2, 3))
    for axis, (centre, side) in enumerate(((view.x, width), (view.y, height))):
        length = view.size * side
        # From the outermost pixels' centres to those of the crop: nothing is sampled past its edge.
        matrix[axis, axis] = (length - 1) / (side - 1) if side > 1 else 1.0
        matrix[axis, 2] = centre * side - length / 2
    return Geometry(matrix, size, "edge")
