"""The *DeepLab* family: networks with the 21 classes of PASCAL VOC.

TensorFlow's take RGB from -1 to 1 and lie NHWC; torchvision's lie NCHW and take what its ImageNet networks take.
"""

from __future__ import annotations

from framefx.models.classes import ClassModel
from framefx.models.inputs import DTYPES, Preparation
from framefx.models.planes import pictures_among
from framefx.protocols import Model, Session

CLASSES = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable",
    "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
"""What the 21 channels are, in PASCAL VOC's order and spelling."""

_TENSORFLOW = Preparation(mean=127.5, std=127.5)
_TORCHVISION = Preparation(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375), layout="nchw")


def recognise(session: Session) -> Model | None:
    """Return a model if the session's tensors look like this family's, else None.

    Raises
    ------
    ModelError
        When they do and the network answers a plain picture with something that is not a number.
    """
    source = session.inputs[0]
    if len(session.inputs) != 1 or source.dtype not in DTYPES or len(source.shape) != 4 or source.shape[0] != 1:
        return None
    if 3 not in (source.shape[1], source.shape[3]):
        return None
    preparation = _TENSORFLOW if source.shape[3] == 3 else _TORCHVISION
    found = pictures_among(session.outputs, preparation.size(source), preparation.layout)
    fitting = [one for one in found if one.channels == len(CLASSES) and one.tensor.dtype in DTYPES]
    if not fitting:
        return None
    return ClassModel(session, preparation, fitting[0], {name: (i,) for i, name in enumerate(CLASSES)})
