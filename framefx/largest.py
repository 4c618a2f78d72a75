"""Only the largest person: of the separate parts of a mask one is kept, and it stays the same one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.uint8]
"""(rows, columns) uint8, 0 outside, 255 inside."""

# Below the soft range's beginning (76), so that a part is cut off with its soft edge; above a model's faint ghosts,
# which would join two people who sit side by side.
_PART = 64
_SKIRT = 5
"""Mask pixels, the side of the square by which the kept part is grown: what is fainter than a part belongs to it."""

_LARGER = 1.5
"""How many times larger another part must be to take over: two equal people do not take turns."""


class LargestPerson:
    """Keeps the largest connected part of a mask (Rosenfeld and Pfaltz's labelling, eight neighbours, OpenCV's).

    Who was kept is kept on, also when another is a little larger, until somebody is half as large again. A person whom
    something cuts in two, a microphone's arm for example, is two parts. Used by one thread.
    """

    def __init__(self) -> None:
        self._kept: npt.NDArray[np.bool_] | None = None

    def reset(self) -> None:
        """Forget who was kept."""
        self._kept = None

    def __call__(self, values: Values) -> Values:
        """Return `values` without all parts but one; `values` itself where there is but one.

        Parameters
        ----------
        values : (rows, columns) uint8
        """
        import cv2

        parts = np.asarray(values >= _PART).view(np.uint8)
        count, labels, facts, _ = cv2.connectedComponentsWithStats(parts, connectivity=8)
        if count <= 2:
            self._kept = labels > 0 if count == 2 else None
            return values
        kept = labels == self._choose(np.asarray(labels), np.asarray(facts)[:, cv2.CC_STAT_AREA])
        near = cv2.dilate(kept.view(np.uint8), np.ones((_SKIRT, _SKIRT), np.uint8))
        self._kept = kept
        return np.where(kept | ((labels == 0) & (near > 0)), values, np.uint8(0))

    def _choose(self, labels: npt.NDArray[Any], areas: npt.NDArray[Any]) -> int:
        largest = 1 + int(areas[1:].argmax())
        before = self._kept
        if before is None or before.shape != labels.shape:
            return largest
        common = np.bincount(labels[before], minlength=len(areas))[1:]
        held = 1 + int(common.argmax())
        return held if common[held - 1] and areas[largest] <= _LARGER * areas[held] else largest
