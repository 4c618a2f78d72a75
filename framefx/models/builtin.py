"""The model families and weights that come with framefx."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from framefx.plugins import hookimpl

if TYPE_CHECKING:
    from framefx.protocols import Model, Session
    from framefx.registry import Register

_WEIGHTS = Path(__file__).with_name("weights")


def _selfie(session: Session) -> Model | None:
    """1×H×W×3 in, 1×h×w×1 or ×2 out, where H and W are whole multiples of h and w."""
    from framefx.models.selfie import recognise

    return recognise(session)


@hookimpl
def framefx_register(register: Register) -> None:
    """Add them."""
    register.family("selfie", _selfie)
    for path in sorted(_WEIGHTS.glob("*.tflite")):
        register.weights(path.stem, path)
