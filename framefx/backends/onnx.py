"""onnxruntime: ``.onnx`` networks, as PyTorch, TensorFlow, PaddlePaddle and others export them.

Input and outputs are bound to arrays that stay where they are, so that a run allocates none. onnxruntime computes
every output of a network, wanted or not; `OnnxSession.only` gives one that does not have the others.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, Field

from framefx.backends import guard
from framefx.backends.arrays import LARGEST_INPUT, sides, sized, take
from framefx.backends.cut import Cuts
from framefx.backends.files import one_line, read
from framefx.backends.onnxgraph import OnnxGraph
from framefx.backends.quiet import native_chatter
from framefx.backends.runtime import Runtime
from framefx.errors import ModelError
from framefx.frame import Size
from framefx.options import parse_size
from framefx.protocols import Session, Tensor

RUNTIME = Runtime("onnx", "onnxruntime", "onnxruntime", "pip install 'framefx[onnx]'")

_TYPES = {
    "float": np.float32,
    "float16": np.float16,
    "double": np.float64,
    "uint8": np.uint8,
    "int8": np.int8,
    "int32": np.int32,
    "int64": np.int64,
    "bool": np.bool_,
}


class Onnx:
    """Runs ``.onnx`` networks with onnxruntime, on the CPU; see `framefx.protocols.Backend`.

    Parameters
    ----------
    size : (height, width), optional
        Of the input in pixels, for a file that leaves it open.
    """

    name = RUNTIME.name

    def __init__(
        self,
        *,
        size: Annotated[
            Size | None,
            BeforeValidator(parse_size),
            Field(description="pixels, WIDTHxHEIGHT, for a network that takes any size"),
        ] = None,
    ) -> None:
        self._size = size

    def load(self, path: Path, threads: int = 1) -> OnnxSession:
        """Load a network, and run it once.

        Parameters
        ----------
        path : Path
            An ``.onnx`` file.
        threads : int
            Threads that one run may use, at least 1.

        Raises
        ------
        BackendUnavailableError
            When onnxruntime is not installed.
        ModelError
            When the file is no network, is damaged, leaves its size open, or needs what onnxruntime lacks.
        """
        RUNTIME.load()
        content = read(path)
        graph = OnnxGraph(content, path)
        name, shape = _input(graph, self._size, path)
        cuts = Cuts(content, RUNTIME, path)
        try:
            guard.check(path, content, RUNTIME, ["x".join(map(str, shape))])
            if graph.external:
                return OnnxSession(_opened(str(path), threads), path)
            if len(graph.outputs) == 1:
                return OnnxSession(_opened(graph.written({name: shape}), threads), path)
            return _Cuttable(graph, {name: shape}, threads, cuts, path)
        except ModelError:
            raise
        except Exception as error:  # onnxruntime's own errors have no common class
            raise ModelError(f"{path}: {_explained(error)}") from error


class OnnxSession:
    """A network in onnxruntime; see `framefx.protocols.Session`.

    Attributes
    ----------
    inputs, outputs : sequence of Tensor
        What goes in and comes out.
    buffer : array of the first input's shape and dtype
        Bound to the network: what is written here is not copied by ``run(session.buffer, …)``.
    """

    def __init__(self, session: Any, path: Path) -> None:
        self._session = session
        self._path = path
        (source,) = session.get_inputs()
        shape = tuple(side if isinstance(side, int) else 1 for side in source.shape)
        self.inputs: Sequence[Tensor] = [Tensor(source.name, shape, _dtype(source.type, path))]
        self.buffer: npt.NDArray[Any] = np.zeros(shape, self.inputs[0].dtype)
        names = [output.name for output in session.get_outputs()]
        # Shapes that the file leaves open are known after a run; the size of the input is fixed, so they stay.
        self._results = {
            name: np.empty(result.shape, result.dtype)
            for name, result in zip(names, session.run(names, {source.name: self.buffer}), strict=True)
        }
        self.outputs: Sequence[Tensor] = [Tensor(name, one.shape, one.dtype) for name, one in self._results.items()]
        self._bindings: dict[tuple[str, ...], Any] = {}

    def run(self, array: npt.NDArray[Any], wanted: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        """Run the network on `array` and return the outputs named in `wanted`, in place.

        Parameters
        ----------
        array : array of the first input's shape and dtype
            `buffer`, or an array that is copied into it.
        wanted : sequence of str
            Names of outputs.

        Returns
        -------
        dict of str to array
            Valid until the next run.

        Raises
        ------
        ModelError
            For another shape or dtype, or when the runtime fails.
        """
        take(array, self.buffer, self._path)
        key = tuple(wanted)
        if not key:
            return {}
        if key not in self._bindings:
            self._bindings[key] = self._bound(key)
        try:
            self._session.run_with_iobinding(self._bindings[key])
        except Exception as error:  # onnxruntime's own errors have no common class
            raise ModelError(f"{self._path}: {_explained(error)}") from error
        return {name: self._results[name] for name in key}

    def _bound(self, wanted: Sequence[str]) -> Any:
        binding = self._session.io_binding()
        source = self.inputs[0]
        binding.bind_input(source.name, "cpu", 0, source.dtype, source.shape, self.buffer.ctypes.data)
        for name in wanted:
            result = self._results[name]
            binding.bind_output(name, "cpu", 0, result.dtype, result.shape, result.ctypes.data)
        return binding


class _Cuttable(OnnxSession):
    """A network that can be had with fewer outputs, since all of it is in one file."""

    def __init__(
        self, graph: OnnxGraph, shapes: Mapping[str, Sequence[int]], threads: int, cuts: Cuts, path: Path
    ) -> None:
        self._graph, self._shapes, self._threads, self._cuts = graph, shapes, threads, cuts
        super().__init__(_opened(graph.written(shapes), threads), path)

    def only(self, wanted: Sequence[str]) -> Session:
        """Return a session without the outputs that are not in `wanted`, and without what only they need.

        This session stays as it is; where nothing would be saved, it is the one that is returned.
        """
        if not self._graph.dead(wanted):
            return self

        def opened(outputs: Sequence[str] | None) -> OnnxSession:
            return OnnxSession(_opened(self._graph.written(self._shapes, outputs), self._threads), self._path)

        return self._cuts.checked(self, wanted, lambda: opened(wanted), lambda: opened(None))


def _input(graph: OnnxGraph, size: Size | None, path: Path) -> tuple[str, tuple[int, ...]]:
    """Return the name of the one input, and its shape with what was left open filled in.

    Raises
    ------
    ModelError
        When there is another number of inputs, or a size is open and nothing says which it is.
    """
    if len(graph.inputs) != 1 or not graph.outputs:
        raise ModelError(
            f"{path}: got {len(graph.inputs)} inputs and {len(graph.outputs)} outputs, wanted 1 input and some output"
        )
    ((name, shape),) = graph.inputs.items()
    if shape and not isinstance(shape[0], int):
        shape = (1, *shape[1:])
    fixed = tuple(side if isinstance(side, int) else 0 for side in sized(shape, size or _size_said(graph), path))
    if not fixed or 0 in fixed:
        raise ModelError(
            f"{path}: its input is {sides(shape)}, a size left open: say which with `--model-option size=256x256`, "
            "or export it with a fixed size"
        )
    if len(fixed) == 4 and fixed[0] != 1:
        raise ModelError(f"{path}: its input is {sides(fixed)}, wanted one picture at a time: export it with batch 1")
    if math.prod(fixed) > LARGEST_INPUT:
        raise ModelError(f"{path}: its input is {sides(fixed)}, wanted at most 2048×2048 pixels")
    return name, fixed


def _size_said(graph: OnnxGraph) -> Size | None:
    """Return the size that the exporter wrote down; `imgsz` is what Ultralytics' calls it, height first."""
    try:
        said = json.loads(graph.metadata.get("imgsz", ""))
    except ValueError:
        return None
    height, width = said if isinstance(said, list) and len(said) == 2 else (said, said)
    return (height, width) if isinstance(height, int) and isinstance(width, int) else None


def _opened(content: str | bytes, threads: int) -> Any:
    """Return an `InferenceSession` of a file's name or content."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Waiting threads that spin take the processor from capture, filters and output.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    with native_chatter():
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _dtype(kind: str, path: Path) -> np.dtype[Any]:
    """Return what onnxruntime calls ``tensor(float)``."""
    found = re.fullmatch(r"tensor\((\w+)\)", kind)
    if found is None or found[1] not in _TYPES:
        raise ModelError(f"{path}: its input is a {kind}, wanted one of {', '.join(_TYPES)}")
    return np.dtype(_TYPES[found[1]])


def _explained(error: Exception) -> str:
    text = str(error)
    missing = re.search(r"(?:No Op registered for|Could not find an implementation for) (\w+)", text) or re.search(
        r"(\w+)\(-?\d+\) is not a registered function/op", text
    )
    if missing:
        return f"onnxruntime lacks its operator {missing[1]}; export the network without it"
    if "opset" in text.lower() and "official support" in text:
        return "it was exported for a newer onnxruntime: run `pip install --upgrade onnxruntime`"
    if "Protobuf parsing failed" in text or "INVALID_PROTOBUF" in text:
        return "the file is damaged; fetch it again"
    return one_line(error)
