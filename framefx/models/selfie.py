"""The *selfie* family: networks that say for each pixel whether it belongs to a person.

MediaPipe's selfie segmentation (square and landscape, one probability), Google Meet's networks (two logits) and
framefx's own BlazeSeg. One picture goes in, RGB from 0 to 1; one channel comes out, or two with the person last,
at the input's size or a whole fraction of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from framefx.errors import ModelError
from framefx.kernels import prepare
from framefx.mask import Mask
from framefx.models.decoding import person_decoder
from framefx.protocols import Model, Session

if TYPE_CHECKING:
    from framefx.frame import Frame, Size

_INPUTS = (np.dtype(np.float32), np.dtype(np.uint8), np.dtype(np.int8))


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
    if len(source.shape) != 4 or len(result.shape) != 4 or source.dtype not in _INPUTS or result.dtype not in _INPUTS:
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
        A network of the family; it is run on a few plain pictures to see whether it gives probabilities or logits.

    Raises
    ------
    ModelError
        When the network answers them with something that is not a number.
    """

    layers: Mapping[str, type] = {"person": Mask}

    def __init__(self, session: Session) -> None:
        self.session = session
        self._output = session.outputs[0].name
        self._decode = person_decoder(session.outputs[0], _answers(session))

    def prepare(self, frame: Frame, out: npt.NDArray[Any]) -> None:
        """Write `frame`, stretched to the network's size, into `out`.

        Starts from the frame's own smaller picture where that is still larger than the input: a blur needs it too.

        Parameters
        ----------
        frame : Frame
            Any size.
        out : (1, H, W, 3) float32, uint8 or int8
            The session's buffer: 0 to 1 for float32, the pixels themselves for uint8, less 128 for int8.
        """
        _, rows, columns, _ = out.shape
        factor = _shared_factor(frame.size, (rows, columns))
        _fill(frame.pixels if factor == 1 else frame.downsampled(factor), out)

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


def _shared_factor(size: Size, wanted: Size) -> int:
    """Return the largest of 4, 2 and 1 whose smaller picture has full blocks and no fewer pixels than wanted."""
    for factor in (4, 2):
        if all(side % factor == 0 and side // factor >= least for side, least in zip(size, wanted, strict=True)):
            return factor
    return 1


def _fill(pixels: npt.NDArray[np.uint8], out: npt.NDArray[Any]) -> None:
    if out.dtype == np.float32:
        prepare(pixels, out)
        return
    # Quantised, 0 to 1 is 0 to 255, or for signed bytes -128 to 127: the top bit is all the difference.
    levels = out.view(np.uint8)
    prepare(pixels, levels, scale=1.0)
    if out.dtype == np.int8:
        np.bitwise_xor(levels, 0x80, out=levels)


def _answers(session: Session) -> list[npt.NDArray[Any]]:
    """Return what the network says to a black, a white, a grey and a noisy picture."""
    _, height, width, _ = session.inputs[0].shape
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    plain = [np.full((height, width, 3), level, np.uint8) for level in (0, 128, 255)]
    name = session.outputs[0].name
    answers = []
    for pixels in (*plain, noise):
        _fill(pixels, session.buffer)
        answer = session.run(session.buffer, (name,))[name].copy()
        if answer.dtype == np.float32 and not np.isfinite(answer).all():
            raise ModelError(f"the network answers a plain picture with NaN or infinity in '{name}': damaged weights")
        answers.append(answer)
    return answers
