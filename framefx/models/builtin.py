"""The model families and weights that come with framefx."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from framefx.plugins import hookimpl

if TYPE_CHECKING:
    from framefx.protocols import Model, Session
    from framefx.registry import Register

_WEIGHTS = Path(__file__).with_name("weights")


def _bodypix(session: Session) -> Model | None:
    """1×H×W×3 in; 1×h×w×1, ×24, ×17 and ×34 out, as far as they are there, at a stride of 8, 16 or 32."""
    from framefx.models.bodypix import recognise

    return recognise(session)


def _selfie(session: Session) -> Model | None:
    """1×H×W×3 in, 1×h×w×1 or ×2 out, where H and W are whole multiples of h and w."""
    from framefx.models.selfie import recognise

    return recognise(session)


def _multiclass(session: Session) -> Model | None:
    """1×H×W×3 in, 1×H×W×6 out."""
    from framefx.models.multiclass import recognise

    return recognise(session)


def _deeplab(session: Session) -> Model | None:
    """1×H×W×3 in, the 21 classes of PASCAL VOC out; or both with the channels first."""
    from framefx.models.deeplab import recognise

    return recognise(session)


def _faces(session: Session) -> Model | None:
    """1×H×W×3 in, 1×N×16 and 1×N×1 out, where N is the number of BlazeFace's anchors."""
    from framefx.models.faces import recognise

    return recognise(session)


def _pose(session: Session) -> Model | None:
    """1×256×256×3 in; 1×195, 1×1 and 1×h×w×1 among what comes out."""
    from framefx.models.pose import recognise

    return recognise(session)


@hookimpl
def framefx_register(register: Register) -> None:
    """Add them."""
    register.family("bodypix", _bodypix)
    register.family("selfie", _selfie)
    register.family("multiclass", _multiclass)
    register.family("deeplab", _deeplab)
    register.family("faces", _faces)
    register.family("pose", _pose)
    for path in sorted(_WEIGHTS.glob("*.tflite")):
        register.weights(path.stem, path)
