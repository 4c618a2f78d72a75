"""From a name or a file to a model: find the weights, choose the runtime, recognise the family."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from framefx.backends.flatbuffer import MAGIC
from framefx.backends.litert import LiteRT
from framefx.backends.tflite import TFLite
from framefx.errors import BackendUnavailableError, ModelError, UnknownNameError, did_you_mean
from framefx.models import selfie
from framefx.protocols import Backend, Model, Session, Tensor

DEFAULT = "blazeseg"
"""The weights that framefx ships and uses when none are named."""

WEIGHTS = Path(__file__).with_name("weights")
"""Where the shipped weights lie, one ``<name>.tflite`` each."""


@dataclass(frozen=True)
class Family:
    """One kind of networks: how it looks in words, and who knows it by its tensors."""

    description: str
    recognise: Callable[[Session], Model | None]


FAMILIES: tuple[Family, ...] = (Family(selfie.DESCRIPTION, selfie.recognise),)
"""Asked in this order; the first that recognises a network has it."""

BACKENDS: dict[str, Callable[[], Backend]] = {"litert": LiteRT, "tflite": TFLite}
"""The runtimes by name."""

_FOREIGN = {
    ".onnx": "ONNX",
    ".pt": "TorchScript",
    ".pth": "PyTorch",
    ".pt2": "torch.export",
    ".safetensors": "safetensors",
}


def load(path: Path, *, backend: str = "auto", threads: int = 1) -> Model:
    """Load a network and recognise its family.

    Parameters
    ----------
    path : Path
        The file; `find` makes one of a name.
    backend : str
        ``litert``, ``tflite``, or ``auto``: the first of them that is installed.
    threads : int
        Threads that one run may use, at least 1.

    Returns
    -------
    Model
        Used by one thread at a time.

    Raises
    ------
    BackendUnavailableError
        When no installed runtime executes such files.
    ModelError
        When the file is missing, damaged, or no family knows its tensors.
    UnknownNameError
        For a backend that does not exist.
    """
    session = _backend(path, backend).load(path, threads)
    for family in FAMILIES:
        try:
            model = family.recognise(session)
        except ModelError as error:
            raise ModelError(f"{path}: {error}") from error
        if model is not None:
            return model
    raise ModelError(
        f"{path}: no known family has these tensors: in {_described(session.inputs)}; out "
        f"{_described(session.outputs)}. Known: {'; '.join(family.description for family in FAMILIES)}"
    )


def find(name_or_path: str) -> Path:
    """Return the file of a network: the path itself, or the shipped weights of that name.

    Raises
    ------
    ModelError
        When there is neither; lists the names.
    """
    path = Path(name_or_path).expanduser()
    if path.is_file():
        return path
    names = sorted(weights.stem for weights in WEIGHTS.glob("*.tflite"))
    if name_or_path in names:
        return WEIGHTS / f"{name_or_path}.tflite"
    known = ", ".join(names) or "none"
    raise ModelError(
        f"no model file and no model named '{name_or_path}'.{did_you_mean(name_or_path, names)} Named models: {known}"
    )


def _backend(path: Path, name: str) -> Backend:
    if name != "auto":
        if name not in BACKENDS:
            known = ", ".join(BACKENDS)
            raise UnknownNameError(f"no backend '{name}'.{did_you_mean(name, BACKENDS)} Backends: auto, {known}")
        return BACKENDS[name]()
    foreign = _FOREIGN.get(path.suffix.lower())
    if foreign and not _has_magic(path):
        raise BackendUnavailableError(
            f"{path}: this version of framefx cannot run {foreign} networks, only .tflite: "
            "convert it, or use the shipped one with `--model blazeseg`"
        )
    if importlib.util.find_spec("ai_edge_litert") is None and importlib.util.find_spec("tflite_runtime") is not None:
        return TFLite()
    return LiteRT()


def _has_magic(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(8)[4:] == MAGIC
    except OSError:
        return False


def _described(tensors: Sequence[Tensor]) -> str:
    return ", ".join(f"'{one.name}' {'×'.join(map(str, one.shape))} {one.dtype}" for one in tensors)
