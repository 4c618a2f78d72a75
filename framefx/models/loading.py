"""From a name or a file to a model: find the weights, choose the runtime, recognise the family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from framefx.errors import BackendUnavailableError, ModelError, did_you_mean
from framefx.models.found import PREFIX, in_mediapipe
from framefx.models.recognising import recognise
from framefx.models.zoo import zoo
from framefx.protocols import Model, Session
from framefx.registry import Registry, Runtime, Table, Weights


def find(name_or_path: str, weights: Table[Weights]) -> Path:
    """Return the file of a network.

    Parameters
    ----------
    name_or_path : str
        As users write it: a path, registered weights (``plugin/name`` where two plugins have one name), a network
        of the zoo that was fetched, or ``mediapipe/NAME`` for one inside an installed mediapipe.
    weights : Table of Weights
        The registered ones: `Registry.weights`.

    Raises
    ------
    ModelError
        When there is none, with the names that there are; for one of the zoo, the command that fetches it.
    UnknownNameError
        When two plugins registered the name.
    """
    path = Path(name_or_path).expanduser()
    if path.is_file():
        return path
    if name_or_path in weights:
        return weights.find(name_or_path).path
    if model := zoo().get(name_or_path):
        if model.place.is_file():
            return model.place
        raise ModelError(
            f"the model '{name_or_path}' is not here yet: run `framefx models pull {name_or_path}` "
            f"({model.size / 1e6:.1f} MB, {model.licence}, {model.publisher})"
        )
    inside = in_mediapipe() if name_or_path.startswith(PREFIX) else {}
    if name_or_path in inside:
        return inside[name_or_path]
    known = {*weights.names, *zoo(), *inside}
    raise ModelError(
        f"no model file and no model named '{name_or_path}'.{did_you_mean(name_or_path, known)} "
        f"Named models: {', '.join(sorted(known))}"
    )


def load(
    path: Path,
    registry: Registry,
    *,
    backend: str = "auto",
    threads: int = 1,
    options: Mapping[str, Any] | None = None,
) -> Model:
    """Load a network and recognise its family.

    Parameters
    ----------
    path : Path
        The file; `find` makes one of a name.
    registry : Registry
        Whose runtimes and families are asked.
    backend : str
        A runtime's name, or ``auto``: the first installed one that loads such files.
    threads : int
        Threads that one run may use, at least 1.
    options : mapping, optional
        Options of the runtime, such as ``device`` and ``precision`` of `torch`.

    Returns
    -------
    Model
        Used by one thread at a time.

    Raises
    ------
    BackendUnavailableError
        When no installed runtime loads such files.
    ModelError
        When the file is missing, damaged, or no family knows its tensors.
    ConfigError
        When the description beside it is wrong.
    OptionError
        When the runtime does not have an option, or the option's value is wrong.
    UnknownNameError
        For a runtime that nobody registered.
    """
    _, session = open_session(path, registry, backend=backend, threads=threads, options=options)
    _, model = recognise(path, session, registry)
    return model


def open_session(
    path: Path,
    registry: Registry,
    *,
    backend: str = "auto",
    threads: int = 1,
    options: Mapping[str, Any] | None = None,
) -> tuple[str, Session]:
    """Return the name of the runtime that a network was loaded with, and the network; see `load`."""
    if not path.exists():
        raise ModelError(f"{path}: no such file")
    runtimes = [registry.runtimes.find(backend)] if backend != "auto" else _runtimes_for(path, registry)
    return _session(path, runtimes, threads, options or {})


def _runtimes_for(path: Path, registry: Registry) -> Sequence[Runtime]:
    suffix = path.suffix.removeprefix(".").lower()
    found = [runtime for runtime in registry.runtimes if suffix in runtime.suffixes]
    if not found:
        known = ", ".join(sorted({f".{one}" for runtime in registry.runtimes for one in runtime.suffixes}))
        raise BackendUnavailableError(
            f"{path}: no backend here runs '.{suffix}' files, only {known}: "
            "convert the network, or use the shipped one with `--model blazeseg`"
        )
    return found


def _session(path: Path, runtimes: Sequence[Runtime], threads: int, options: Mapping[str, Any]) -> tuple[str, Session]:
    """Load with the first runtime that is installed; where none is, say how to get the first."""
    missing: BackendUnavailableError | None = None
    for runtime in runtimes:
        try:
            return runtime.name, runtime.make(options, str(path)).load(path, threads)
        except BackendUnavailableError as error:
            missing = missing or error
    raise missing or BackendUnavailableError(f"{path}: no backend to run it with")
