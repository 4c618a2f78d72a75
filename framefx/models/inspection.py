"""Everything that can be found out about a network: what its file holds, what it is and gives, how long it takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from framefx.errors import FramefxError
from framefx.frame import Frame, Size
from framefx.models.classes import ClassModel
from framefx.models.contents import Contents, Value, contents
from framefx.models.loading import open_session
from framefx.models.probes import person
from framefx.models.recognising import GENERIC, recognise
from framefx.protocols import Model, Tensor
from framefx.registry import Registry

_FRAME: Size = (720, 1280)
_LEAST_RUNS, _MOST_RUNS, _SECONDS = 5, 100, 1.0


@dataclass(frozen=True)
class Times:
    """How long one frame takes, in milliseconds: preparing it, running the network and decoding `layers`."""

    layers: tuple[str, ...]
    runs: int
    least: float
    median: float
    network: float
    """Median of the network alone."""


@dataclass(frozen=True)
class Inspection:
    """What was found; what could not be is None, and `problem` says why.

    Attributes
    ----------
    path : Path
    size : int
        Of the file, in bytes.
    inputs, outputs : tuple of Value
    contents : Contents or None
        None for a kind of file whose operators are not read.
    backend, family : str or None
        The runtime, and what the network was recognised as.
    layers : mapping of str to str
        Layer to its kind.
    times : Times or None
    description : str
        A file to write beside the network, where looking could not tell everything; else empty.
    problem : FramefxError or None
        Why it cannot be used.
    """

    path: Path
    size: int
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    contents: Contents | None
    backend: str | None = None
    family: str | None = None
    layers: Mapping[str, str] | None = None
    times: Times | None = None
    description: str = ""
    problem: FramefxError | None = None


def inspect(
    path: Path, registry: Registry, *, backend: str = "auto", threads: int = 1, options: Mapping[str, Any] | None = None
) -> Inspection:
    """Find out everything about a network.

    Parameters
    ----------
    path : Path
        Its file.
    registry : Registry
        Whose runtimes and families are asked.
    backend, threads, options
        As for `framefx.models.loading.load`.

    Returns
    -------
    Inspection
        With a `problem` where it cannot be used.

    Raises
    ------
    ModelError
        When there is nothing to say: the file cannot be read, is damaged or something else.
    """
    known = contents(path) if path.is_file() else None
    facts: dict[str, Any] = {
        "inputs": known.inputs if known else (),
        "outputs": known.outputs if known else (),
        "contents": known,
    }
    try:
        facts["backend"], session = open_session(path, registry, backend=backend, threads=threads, options=options)
        facts |= {"inputs": _values(session.inputs), "outputs": _values(session.outputs)}
        facts["family"], model = recognise(path, session, registry)
        facts["layers"] = {name: getattr(kind, "kind", kind.__name__) for name, kind in model.layers.items()}
        facts["times"] = _timed(model)
        facts["description"] = _description(path, facts["family"], model)
    except FramefxError as error:
        if not facts["outputs"]:
            raise
        facts["problem"] = error
    return Inspection(path, path.stat().st_size, **facts)


def _values(tensors: Sequence[Tensor]) -> tuple[Value, ...]:
    return tuple(Value(one.name, one.shape, str(one.dtype), one.scale, one.zero_point) for one in tensors)


def _timed(model: Model) -> Times:
    """Time one layer, the person if there is one, on a frame of 1280×720."""
    layers = ("person",) if "person" in model.layers else tuple(model.layers)[:1]
    pixels, session = person(_FRAME), model.session
    outputs = model.outputs_for(layers)
    whole: list[float] = []
    network: list[float] = []
    started = time.perf_counter()
    while len(whole) < _LEAST_RUNS or (len(whole) < _MOST_RUNS and time.perf_counter() - started < _SECONDS):
        frame = Frame.borrow(pixels)
        marks = [time.perf_counter()]
        model.prepare(frame, session.buffer)
        marks.append(time.perf_counter())
        found = session.run(session.buffer, outputs)
        marks.append(time.perf_counter())
        model.decode(found, layers, frame)
        marks.append(time.perf_counter())
        whole.append(1e3 * (marks[3] - marks[0]))
        network.append(1e3 * (marks[2] - marks[1]))
    # The first one compiles kernels.
    whole, network = whole[1:], network[1:]
    return Times(layers, len(whole), min(whole), statistics.median(whole), statistics.median(network))


def _description(path: Path, family: str, model: Model) -> str:
    """Return a description that says what was taken to be so, for a network of no known family."""
    if family != GENERIC or not isinstance(model, ClassModel):
        return ""
    channels = range(model.planes.channels)
    names = [next(name for name, of in model.channels.items() if i in of) for i in channels]
    classes = ", ".join(f'"{name}"' for name in names)
    lines = [
        f"# {path.with_suffix('.toml').name}, beside {path.name}: what looking cannot tell, as it was taken to be.",
        "mean = 0.0           # level that becomes 0: 127.5 for -1 to 1; one for each channel in [ ]",
        "std = 255.0          # levels that become 1: 127.5 for -1 to 1, 1.0 for 0 to 255",
        'order = "rgb"        # or "bgr"',
        f'layout = "{model.preparation.layout}"',
        f'output = "{model.planes.tensor.name}"',
        f'activation = "{model.activation}"',
        f"classes = [{classes}]",
    ]
    return "\n".join(lines) + "\n"
