"""The *faces* family: MediaPipe's face detectors (BlazeFace).

One square picture goes in, RGB from -1 to 1, letterboxed; out come an offset and a score for each anchor. The published
options are kept: scores from a half, boxes merged where they overlap by 0.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from framefx.boxes import FACE_MARGIN, Boxes
from framefx.errors import ModelError
from framefx.frame import Size
from framefx.kernels import Rectangle
from framefx.mask import Mask
from framefx.models.detection import Detections, Scheme, anchors, decode, merge
from framefx.models.inputs import Preparation
from framefx.models.probes import answers
from framefx.protocols import Model, Session, Tensor

if TYPE_CHECKING:
    from framefx.frame import Frame

LANDMARKS = ("right_eye", "left_eye", "nose", "mouth", "right_ear", "left_ear")
"""What the landmarks of `faces` are, in order; right and left are the person's own."""

_SCHEMES = (Scheme((8, 16, 16, 16), 2), Scheme((16, 32, 32, 32), 2), Scheme((4,), 1))
"""Anchors of the short-range detector, its older sister of 256 pixels, and the full-range one."""

_VALUES = 4 + 2 * len(LANDMARKS)
_LEAST_SCORE = 0.5
_SAME_FACE = 0.3
_MASK_SIDE = 160
"""Longest side of the mask `face`."""


def recognise(session: Session) -> Model | None:
    """Return a model if the session's tensors look like this family's, else None.

    Raises
    ------
    ModelError
        When they do and the network answers a plain picture with something that is not a number.
    """
    if len(session.inputs) != 1 or len(session.outputs) != 2:
        return None
    source = session.inputs[0]
    if source.dtype != np.float32 or len(source.shape) != 4 or source.shape[0] != 1 or source.shape[3] != 3:
        return None
    for scheme in _SCHEMES:
        centres = anchors((source.shape[1], source.shape[2]), scheme)
        offsets, scores = (_output(session, (1, len(centres), width)) for width in (_VALUES, 1))
        if offsets and scores:
            return FaceModel(session, centres, offsets.name, scores.name)
    return None


def _output(session: Session, shape: tuple[int, ...]) -> Tensor | None:
    return next((one for one in session.outputs if one.shape == shape and one.dtype == np.float32), None)


class FaceModel:
    """Gives the layers ``faces`` and ``face``; see `framefx.protocols.Model`.

    Parameters
    ----------
    session : Session
        A network of the family.
    centres : (n, 2) float32
        Its anchors.
    offsets, scores : str
        Names of its outputs.

    Raises
    ------
    ModelError
        When the network answers a plain picture with something that is not a number.
    """

    layers: Mapping[str, type] = {"faces": Boxes, "face": Mask}

    def __init__(self, session: Session, centres: npt.NDArray[np.float32], offsets: str, scores: str) -> None:
        self.session = session
        self._centres = centres
        self._outputs = offsets, scores
        self._preparation = Preparation(mean=127.5, std=127.5, fit="letterbox")
        self._place = Rectangle(0, 0, 1, 1)
        answers(session, self._preparation, self._outputs)

    def prepare(self, frame: Frame, out: npt.NDArray[Any]) -> None:
        """Write `frame`, letterboxed, into `out`, (1, H, W, 3) float32 from -1 to 1; what is around it is black."""
        self._place = self._preparation.fill(frame, out, self.session.inputs[0])

    def outputs_for(self, wanted: Sequence[str]) -> Sequence[str]:
        """Return the names of the outputs that the layers `wanted` are made of."""
        return self._outputs if {"faces", "face"} & {*wanted} else ()

    def decode(self, outputs: Mapping[str, npt.NDArray[Any]], wanted: Sequence[str], frame: Frame) -> dict[str, Any]:
        """Return what is wanted of the frame that was prepared last.

        ``faces`` are `Boxes` with `LANDMARKS`; ``face`` is a `Mask` of an ellipse around each, at most 160 pixels wide
        and high, all 0 where there is none.

        Raises
        ------
        ModelError
            When a score is not a number: a face that is not found would be shown.
        """
        if not {"faces", "face"} & {*wanted}:
            return {}
        offsets, scores = (outputs[name][0] for name in self._outputs)
        if np.isnan(scores).any():
            raise ModelError("the face detector gave scores that are not numbers: damaged weights, fetch it again")
        size = self._preparation.size(self.session.inputs[0])
        found = merge(decode(offsets, scores[:, 0], self._centres, size, _LEAST_SCORE), _SAME_FACE)
        faces = self._in_frame(found, frame)
        values: dict[str, Any] = {"faces": faces} if "faces" in wanted else {}
        return values | ({"face": faces.ellipses(_mask_shape(frame.size), FACE_MARGIN)} if "face" in wanted else {})

    def _in_frame(self, found: Detections, frame: Frame) -> Boxes:
        """Return the boxes in pixels of the frame: out of the letterbox, whole numbers for pixel centres."""
        height, width = self._preparation.size(self.session.inputs[0])
        place, (down, across) = self._place, frame.size
        scale = np.array([width * across / place.width, height * down / place.height], np.float32)
        first = np.array([place.x * across / place.width, place.y * down / place.height], np.float32) + np.float32(0.5)
        corners = found.corners.reshape(-1, 2, 2) * scale - first
        landmarks = found.landmarks * scale - first
        return Boxes(corners.reshape(-1, 4), found.scores, landmarks, size=frame.size, index=frame.index)


def _mask_shape(size: Size) -> Size:
    scale = min(1.0, _MASK_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
