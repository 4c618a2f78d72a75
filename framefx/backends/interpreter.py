"""The TensorFlow Lite interpreter, which two packages ship under two names.

Input and output tensors are seen in place. The interpreter's own views would do, but it refuses to run while
one is alive; a view made through `_InPlace` keeps the memory alive and does not count. The memory stays where it
is after `allocate_tensors`, except in networks with dynamic shapes: each run looks where it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from framefx.backends import guard
from framefx.backends.arrays import LARGEST_INPUT, sides, take
from framefx.backends.cut import Cuts
from framefx.backends.files import one_line
from framefx.backends.flatbuffer import read, verify
from framefx.backends.flatcut import cut
from framefx.backends.flatlower import lower
from framefx.backends.quiet import native_chatter
from framefx.backends.runtime import Runtime
from framefx.errors import ModelError
from framefx.protocols import Session, Tensor


class _InPlace:
    """Exports an interpreter's memory and keeps the interpreter, but not its inner object, alive."""

    __slots__ = ("__array_interface__", "_interpreter")

    def __init__(self, view: npt.NDArray[Any], interpreter: Any) -> None:
        self.__array_interface__ = dict(view.__array_interface__)
        self._interpreter = interpreter


class _Memory:
    """One tensor's memory as an array that stays valid while the interpreter runs."""

    def __init__(self, interpreter: Any, index: int) -> None:
        self.index = index
        self._interpreter = interpreter
        self._view = interpreter.tensor(index)
        self.array: npt.NDArray[Any] = np.empty(0)
        self._seen: tuple[int, tuple[int, ...]] = (0, ())
        self.look()

    def look(self) -> npt.NDArray[Any]:
        """Return the array, made anew if the interpreter moved or resized the tensor."""
        view = self._view()
        found = (view.__array_interface__["data"][0], view.shape)
        if found != self._seen:
            self._seen = found
            self.array = np.asarray(_InPlace(view, self._interpreter))
        return self.array


class InterpreterSession:
    """A network in an interpreter; see `framefx.protocols.Session`.

    Attributes
    ----------
    inputs, outputs : sequence of Tensor
        What goes in and comes out.
    buffer : array of the first input's shape and dtype
        The input tensor itself: what is written here is not copied by ``run(session.buffer, …)``.
    """

    def __init__(self, interpreter: Any, path: Path, outputs: Sequence[Tensor] | None = None) -> None:
        self._interpreter = interpreter
        self._path = path
        details = interpreter.get_output_details()
        self.inputs: Sequence[Tensor] = _tensors(interpreter.get_input_details())
        self.outputs: Sequence[Tensor] = _tensors(details) if outputs is None else outputs
        self._input = _Memory(interpreter, interpreter.get_input_details()[0]["index"])
        self._outputs = {
            tensor.name: _Memory(interpreter, one["index"]) for tensor, one in zip(self.outputs, details, strict=True)
        }

    @property
    def buffer(self) -> npt.NDArray[Any]:
        return self._input.array

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
        take(array, self._input.array, self._path)
        try:
            self._interpreter.invoke()
        except RuntimeError as error:
            raise ModelError(f"{self._path}: {one_line(error)}") from error
        self._input.look()
        return {name: self._outputs[name].look() for name in wanted}


class _Cuttable(InterpreterSession):
    """A network that can be had with fewer outputs: `start` makes an interpreter of a file's content."""

    def __init__(self, content: bytes, start: Callable[[bytes], Any], cuts: Cuts, path: Path) -> None:
        super().__init__(start(content), path)
        self._content, self._start, self._cuts = content, start, cuts

    def only(self, wanted: Sequence[str]) -> Session:
        """Return a session without the outputs that are not in `wanted`, and without what only they need.

        This session stays as it is; where nothing would be saved, it is the one that is returned.
        """
        kept = [tensor for tensor in self.outputs if tensor.name in wanted]
        if not kept or len(kept) == len(self.outputs):
            return self
        content = cut(self._content, [self._outputs[tensor.name].index for tensor in kept])
        if content is None:
            return self
        return self._cuts.checked(
            self,
            wanted,
            lambda: InterpreterSession(self._start(content), self._path, outputs=kept),
            lambda: InterpreterSession(self._start(self._content), self._path),
        )


class Interpreter:
    """Runs ``.tflite`` networks with one of the two packages; see `framefx.protocols.Backend`."""

    runtime: ClassVar[Runtime]

    @property
    def name(self) -> str:
        """As users write it."""
        return self.runtime.name

    def load(self, path: Path, threads: int = 1) -> InterpreterSession:
        """Load a network, and run it once.

        Parameters
        ----------
        path : Path
            A ``.tflite`` file.
        threads : int
            Threads that one run may use, at least 1.

        Raises
        ------
        BackendUnavailableError
            When the package is not installed.
        ModelError
            When the file is no network, is damaged, or needs what the runtime lacks.
        """
        interpreter_class = self.runtime.load().Interpreter
        written = read(path)
        content = lower(written)

        def start(content: bytes) -> Any:
            with native_chatter():
                interpreter = interpreter_class(model_content=content, num_threads=threads)
                _check(interpreter, path)
                interpreter.allocate_tensors()
                interpreter.invoke()
            return interpreter

        try:
            limit = [str(LARGEST_INPUT)]
            guard.check(path, content, self.runtime, limit, verify, changed=content is not written)
            return _Cuttable(content, start, Cuts(content, self.runtime, path), path)
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{path}: {_explained(error, self.runtime)}") from error


def _check(interpreter: Any, path: Path) -> None:
    """Refuse what cannot work before the runtime allocates memory for it."""
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    if len(inputs) != 1 or not outputs:
        raise ModelError(f"{path}: got {len(inputs)} inputs and {len(outputs)} outputs, wanted 1 input and some output")
    shape = tuple(map(int, inputs[0]["shape"]))
    signature = tuple(map(int, inputs[0].get("shape_signature", shape)))
    if any(side < 1 for side in (*shape, *signature[1:])):
        raise ModelError(f"{path}: its input is {sides(signature)}, a size left open; export it with a fixed size")
    if math.prod(shape) > LARGEST_INPUT:
        raise ModelError(f"{path}: its input is {sides(shape)}, wanted at most 2048×2048 pixels")


def _tensors(details: Sequence[dict[str, Any]]) -> list[Tensor]:
    """Return the tensors under names of their own: nothing forbids a file to use one name twice."""
    result: list[Tensor] = []
    for number, one in enumerate(details):
        name = str(one["name"])
        if not name or any(name == tensor.name for tensor in result):
            name = f"{name}#{number}"
        scale, zero_point = one["quantization"]
        shape = tuple(map(int, one["shape"]))
        result.append(Tensor(name, shape, np.dtype(one["dtype"]), float(scale), int(zero_point)))
    return result


def _explained(error: Exception, runtime: Runtime) -> str:
    text = str(error)
    missing = re.search(r"unresolved custom op: (\w+)", text)
    if missing is None:
        damaged = "valid Flatbuffer" in text or "No subgraph" in text
        return "the file is damaged; fetch it again" if damaged else one_line(error)
    problem = f"{runtime.distribution} lacks its operator {missing[1]}"
    if missing[1] == "Convolution2DTransposeBias" and runtime.name == "tflite":
        return f"{problem} with overlaps; run `pip install ai-edge-litert` and use the backend 'litert'"
    if missing[1] == "PosenetDecoderOp":
        return (
            f"{problem}, which only Google Coral's own runtime has; take the file without '_decoder' in its name: "
            "framefx decodes its masks, parts and keypoints itself"
        )
    return f"{problem}; export the network without it"
