"""The *multiclass* family: MediaPipe's selfie multiclass, which tells hair, skin, clothes and other things apart.

One picture goes in, RGB from 0 to 1, stretched; six channels of logits come out, at its size.
"""

from __future__ import annotations

from framefx.models.classes import Channels, ClassModel
from framefx.models.inputs import DTYPES, Preparation
from framefx.models.planes import planes
from framefx.protocols import Model, Session

CLASSES = ("background", "hair", "skin", "face", "clothes", "accessories")
"""What the six channels are; MediaPipe calls them background, hair, body-skin, face-skin, clothes and others."""

CHANNELS: Channels = {"person": (1, 2, 3, 4, 5)} | {name: (channel,) for channel, name in enumerate(CLASSES)}
"""Layer to the channels it is the sum of."""


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
    if source.dtype not in DTYPES or result.dtype not in DTYPES or len(source.shape) != 4 or source.shape[3] != 3:
        return None
    if source.shape[0] != 1 or result.shape != (*source.shape[:3], len(CLASSES)):
        return None
    found = planes(result, (source.shape[1], source.shape[2]), "nhwc", "nhwc")
    return ClassModel(session, Preparation(), found, CHANNELS) if found else None
