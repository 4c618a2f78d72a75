"""The *pose* family: the mask that MediaPipe's pose landmark networks (BlazePose) give beside their landmarks.

They expect a crop around one person, found by a detector before them and turned upright. framefx gives them the whole
frame, letterboxed, which is right for one person who fills a good part of it; a selfie network is better at the edges.
As in MediaPipe the mask is dropped where the network says that nobody is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from framefx.kernels import Rectangle
from framefx.mask import Mask
from framefx.models.decoding import Decoder, person_decoder
from framefx.models.inputs import Preparation
from framefx.models.probes import answers
from framefx.protocols import Model, Session, Tensor

if TYPE_CHECKING:
    from framefx.frame import Frame

_LANDMARKS = (1, 195)
"""39 landmarks with x, y, z, visibility and presence each."""

_LEAST_PRESENCE = 0.5


def recognise(session: Session) -> Model | None:
    """Return a model if the session's tensors look like this family's, else None.

    Raises
    ------
    ModelError
        When they do and the network answers a plain picture with something that is not a number.
    """
    source = session.inputs[0]
    if len(session.inputs) != 1 or source.dtype != np.float32 or source.shape != (1, 256, 256, 3):
        return None
    masks = [one for one in session.outputs if len(one.shape) == 4 and one.shape[0] == 1 and one.shape[3] == 1]
    presence = [one for one in session.outputs if one.shape == (1, 1)]
    if len(masks) != 1 or len(presence) != 1 or not any(one.shape == _LANDMARKS for one in session.outputs):
        return None
    return PoseModel(session, masks[0], presence[0].name)


class PoseModel:
    """Gives the layer ``person``; see `framefx.protocols.Model`.

    Parameters
    ----------
    session : Session
        A network of the family.
    mask : Tensor
        Its output that holds the mask, (1, rows, columns, 1).
    presence : str
        Name of the output that says how likely anybody is there, 0 to 1.

    Raises
    ------
    ModelError
        When the network answers a plain picture with something that is not a number.
    """

    layers: Mapping[str, type] = {"person": Mask}

    def __init__(self, session: Session, mask: Tensor, presence: str) -> None:
        self.session = session
        self._mask = mask
        self._presence = presence
        self._preparation = Preparation(fit="letterbox")
        self._place = Rectangle(0, 0, 1, 1)
        shown = answers(session, self._preparation, (mask.name, presence))
        self._decode: Decoder = person_decoder(mask, [answer[mask.name] for answer in shown])

    def prepare(self, frame: Frame, out: npt.NDArray[Any]) -> None:
        """Write `frame`, letterboxed, into `out`, (1, 256, 256, 3) float32 from 0 to 1; what is around it is black."""
        self._place = self._preparation.fill(frame, out, self.session.inputs[0])

    def outputs_for(self, wanted: Sequence[str]) -> Sequence[str]:
        """Return the names of the outputs that the layers `wanted` are made of."""
        return (self._mask.name, self._presence) if "person" in wanted else ()

    def decode(self, outputs: Mapping[str, npt.NDArray[Any]], wanted: Sequence[str], frame: Frame) -> dict[str, Any]:
        """Return ``{"person": Mask}`` of the frame that was prepared last, if asked for.

        All 0 where nobody is there. The mask owns its memory.
        """
        if "person" not in wanted:
            return {}
        values = self._decode(outputs[self._mask.name][0])
        # Also where it is not a number.
        if not outputs[self._presence].item() >= _LEAST_PRESENCE:
            values[:] = 0
        return {"person": Mask(self._out_of_the_letterbox(values), frame.size, frame.index)}

    def _out_of_the_letterbox(self, values: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Cut out where the frame lies, to whole pixels of the mask, and at least one."""
        _, height, width, _ = self.session.inputs[0].shape
        place, (rows, columns) = self._place, values.shape
        top, bottom = (round(edge * rows / height) for edge in (place.y, place.y + place.height))
        left, right = (round(edge * columns / width) for edge in (place.x, place.x + place.width))
        return values[min(top, rows - 1) : max(bottom, top + 1), min(left, columns - 1) : max(right, left + 1)]
