"""The *selfie* family: networks that say for each pixel whether it belongs to a person.

MediaPipe's selfie segmentation (square and landscape, one probability), Google Meet's networks (two logits) and
framefx's own BlazeSeg. One picture goes in, RGB from 0 to 1; one channel comes out, or two with the person last,
at the input's size or a whole fraction of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from framefx.mask import Mask
from framefx.models.decoding import person_decoder
from framefx.models.inputs import DTYPES, Preparation
from framefx.models.probes import answers
from framefx.protocols import Model, Session

if TYPE_CHECKING:
    from framefx.frame import Frame


def recognise(session: Session) -> Model | None:
    """Return a model if the session's tensors look like this family's, else None.

    Raises
    ------
    ModelError
        When they do and the network answers a plain picture with something that is not a number.
    """
    if len(session.inputs) != 1 or len(session.outputs) != 1:
        return None
    source, result = session.inputs[0], session.outputs[0]
    if len(source.shape) != 4 or len(result.shape) != 4 or source.dtype not in DTYPES or result.dtype not in DTYPES:
        return None
    if source.shape[0] != 1 or source.shape[3] != 3 or result.shape[0] != 1 or result.shape[3] not in (1, 2):
        return None
    if any(big % small for big, small in zip(source.shape[1:3], result.shape[1:3], strict=True)):
        return None
    return SelfieModel(session)


class SelfieModel:
    """Gives the layer ``person``; see `framefx.protocols.Model`.

    Parameters
    ----------
    session : Session
        A network of the family; it is run on a few pictures to see whether it gives probabilities or logits.

    Raises
    ------
    ModelError
        When the network answers them with something that is not a number.
    """

    layers: Mapping[str, type] = {"person": Mask}

    def __init__(self, session: Session) -> None:
        self.session = session
        self._output = session.outputs[0].name
        self._preparation = Preparation()
        shown = answers(session, self._preparation, (self._output,))
        self._decode = person_decoder(session.outputs[0], [answer[self._output] for answer in shown])

    def prepare(self, frame: Frame, out: npt.NDArray[Any]) -> None:
        """Write `frame`, stretched to the network's size, into `out`.

        Parameters
        ----------
        frame : Frame
            Any size.
        out : (1, H, W, 3) float32, uint8 or int8
            The session's buffer: 0 to 1 for float32, the pixels themselves for uint8, less 128 for int8.
        """
        self._preparation.fill(frame, out, self.session.inputs[0])

    def outputs_for(self, wanted: Sequence[str]) -> Sequence[str]:
        """Return the names of the outputs that the layers `wanted` are made of."""
        return (self._output,) if "person" in wanted else ()

    def decode(self, outputs: Mapping[str, npt.NDArray[Any]], wanted: Sequence[str], frame: Frame) -> dict[str, Any]:
        """Return ``{"person": Mask}`` at the network's own resolution, if asked for.

        The mask owns its memory. What is not a number decodes to 0: hidden, not shown.
        """
        if "person" not in wanted:
            return {}
        return {"person": Mask(self._decode(outputs[self._output][0]), frame.size, frame.index)}
