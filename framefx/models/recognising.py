"""What a loaded network is: by its description, by a family that knows its tensors, or by what its tensors show."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path

from framefx.errors import ModelError
from framefx.models.description import Description, beside
from framefx.protocols import Model, Session, Tensor
from framefx.registry import Registry

GENERIC = "generic"
"""What a network is called that no family knows and that can be used all the same."""

DESCRIBED = "described"
"""What it is called where a description beside it says what it is."""


def recognise(path: Path, session: Session, registry: Registry) -> tuple[str, Model]:
    """Return the family's name and the model.

    Parameters
    ----------
    path : Path
        The network's file; a ``.toml`` of the same name beside it comes before what the tensors look like.
    session : Session
        The network.
    registry : Registry
        Whose families are asked, in their order.

    Raises
    ------
    ModelError
        When no family knows its tensors and they are no picture in, picture out either.
    ConfigError
        When the description is wrong.
    """
    from framefx.models.generic import make

    told = beside(path)
    description = Description.read(told) if told else Description()
    try:
        if told is None:
            for family in registry.families:
                if model := family.recognise(session):
                    return family.name, model
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    try:
        return (DESCRIBED if told else GENERIC), make(session, description)
    except ModelError as error:
        if told or "answers a plain picture" in str(error):
            raise ModelError(f"{path}: {error}") from error
        known = "; ".join(f"{family.name} ({_summary(family.recognise)})" for family in registry.families)
        raise ModelError(
            f"{path}: no known family has these tensors: in {described(session.inputs)}, "
            f"out {described(session.outputs)}; and {error}. Known: {known}"
        ) from error


def described(tensors: Sequence[Tensor]) -> str:
    """Return names, shapes and dtypes in one line."""
    return ", ".join(f"'{one.name}' {'×'.join(map(str, one.shape))} {one.dtype}" for one in tensors)


def _summary(recognise: object) -> str:
    return (inspect.getdoc(recognise) or "no description").partition("\n")[0].rstrip(".")
