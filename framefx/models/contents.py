"""What a network's file holds, read from its bytes: operators, weights, inputs and outputs. No runtime is asked.

So it can be said of a file too that no runtime here runs.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from framefx.backends import flatbuffer
from framefx.backends.arrays import Shape
from framefx.backends.files import read
from framefx.backends.flatbuffer import _NETWORK, Reader
from framefx.backends.onnxgraph import OnnxGraph, _shape
from framefx.backends.wire import Bytes, fields
from framefx.errors import ModelError

_TFLITE_TYPES = (
    "float32", "float16", "int32", "uint8", "int64", "string", "bool", "int16", "complex64", "int8", "float64",
)  # fmt: skip
_ONNX_TYPES = {1: "float32", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 9: "bool", 10: "float16", 11: "float64"}
_WEIGHTS = {"float32", "float16", "float64", "uint8", "int8", "int16"}
_CUSTOM = 32
_ONNX_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")


@dataclass(frozen=True)
class Value:
    """An input or output as the file has it; sides left open are None or a name."""

    name: str
    shape: Shape
    dtype: str
    scale: float = 0.0
    zero_point: int = 0


@dataclass(frozen=True)
class Contents:
    """What a file holds.

    Attributes
    ----------
    inputs, outputs : tuple of Value
    operators : mapping of str to int
        How often each is there; custom ones too.
    custom : mapping of str to int
        Those that are not the format's own: a runtime has them, or does not run the network.
    weights : mapping of str to int
        How many numbers of each dtype its weights are.
    """

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    operators: Mapping[str, int]
    custom: Mapping[str, int]
    weights: Mapping[str, int]


def contents(path: Path) -> Contents | None:
    """Return what the file holds, or None for a kind of file that is not read here.

    Raises
    ------
    ModelError
        When it cannot be read, is damaged or something else.
    """
    readers: Mapping[str, Callable[[bytes, Path], Contents]] = {".tflite": _of_tflite, ".onnx": _of_onnx}
    reader = readers.get(path.suffix.lower())
    return reader(read(path), path) if reader else None


# -- .tflite --------------------------------------------------------------------------------------------------


def _of_tflite(content: bytes, path: Path) -> Contents:
    flatbuffer.read(path)
    flatbuffer.verify(content, path)
    reader = Reader(content)
    network = reader.table(reader.unsigned(0), _NETWORK)
    if not network[2]:
        raise ModelError(f"{path}: the file has no network in it; fetch it again")
    graph = network[2][0]
    tensors = [_Tensor(reader, content, one) for one in graph.get(0, [])]
    codes = [_code(reader, content, one) for one in network[1]]
    used = [codes[reader.number(operator, 0)] for one in network[2] for operator in one.get(3, [])]
    weights: Counter[str] = Counter()
    for tensor in tensors:
        if tensor.value.dtype in _WEIGHTS and len(network[4][tensor.buffer].get(0, ())):
            weights[tensor.value.dtype] += math.prod(side for side in tensor.value.shape if isinstance(side, int))
    return Contents(
        tuple(tensors[i].value for i in reader.numbers(graph, 1)),
        tuple(tensors[i].value for i in reader.numbers(graph, 2)),
        dict(Counter(name for name, _ in used)),
        dict(Counter(name for name, is_custom in used if is_custom)),
        dict(weights),
    )


class _Tensor:
    """One tensor of a graph, and which buffer holds its content."""

    def __init__(self, reader: Reader, content: bytes, table: dict[int, Any]) -> None:
        name = bytes(content[i] for i in table.get(3, ())).decode(errors="replace")
        sides = reader.numbers(table, 7) or reader.numbers(table, 0)
        shape = tuple(side if side >= 0 else None for side in sides)
        kind = content[table[1]] if 1 in table else 0
        dtype = _TFLITE_TYPES[kind] if kind < len(_TFLITE_TYPES) else f"type {kind}"
        scale, zero_point = _quantisation(content, table.get(4, {}))
        self.value = Value(name, shape, dtype, scale, zero_point)
        self.buffer = reader.number(table, 2)


def _quantisation(content: bytes, table: dict[int, Any]) -> tuple[float, int]:
    scales, points = table.get(2, ()), table.get(3, ())
    scale = struct.unpack_from("<f", content, scales[0])[0] if scales else 0.0
    return float(scale), int(struct.unpack_from("<q", content, points[0])[0] if points else 0)


def _code(reader: Reader, content: bytes, table: dict[int, Any]) -> tuple[str, bool]:
    """Return an operator's name and whether it is a custom one."""
    # Numbers up to 127 stand in a byte, which older readers look at; the field for larger ones may be left out.
    number = max(content[table[0]] if 0 in table else 0, reader.number(table, 3))
    if number == _CUSTOM:
        return bytes(content[i] for i in table.get(1, ())).decode(errors="replace") or "without a name", True
    return _builtin_names().get(number, f"operator {number}"), False


def _builtin_names() -> Mapping[int, str]:
    try:
        from ai_edge_litert.schema_py_generated import BuiltinOperator
    except ImportError:
        return {}
    return {number: name for name, number in vars(BuiltinOperator).items() if isinstance(number, int)}


# -- .onnx ----------------------------------------------------------------------------------------------------


def _of_onnx(content: bytes, path: Path) -> Contents:
    graph = OnnxGraph(content, path)
    try:
        body = next(part.content for part in fields(content) if part.tag == 7)
        parts = list(fields(body))
        names = [_node(part.content) for part in parts if part.tag == 1]
        values = {one.name: one for one in (_value(part.content) for part in parts if part.tag in (11, 12))}
        weights: Counter[str] = Counter()
        for part in parts:
            if part.tag == 5:
                dtype, count = _initializer(part.content)
                weights[dtype] += count if dtype in _WEIGHTS else 0
    except ValueError as error:
        raise ModelError(f"{path}: the file is damaged or cut short ({error}); fetch it again") from error
    shapes = {name: Value(name, shape, values[name].dtype) for name, shape in graph.inputs.items()}
    return Contents(
        tuple(shapes.values()),
        tuple(values[name] for name in graph.outputs),
        dict(Counter(f"{domain}::{name}" if domain not in _ONNX_DOMAINS else name for domain, name in names)),
        dict(Counter(f"{domain}::{name}" for domain, name in names if domain not in _ONNX_DOMAINS)),
        dict(+weights),
    )


def _node(message: Bytes) -> tuple[str, str]:
    """Return domain and kind of a node."""
    texts = {part.tag: part.text for part in fields(message) if part.tag in (4, 7)}
    return texts.get(7, ""), texts.get(4, "")


def _initializer(message: Bytes) -> tuple[str, int]:
    """Return dtype and number of elements of a TensorProto; its sides are packed into one field, or are not."""
    sides, kind = [], 0
    for part in fields(message):
        if part.tag == 1:
            sides += _packed(part.content) if len(part.content) else [part.number]
        elif part.tag == 2:
            kind = part.number
    return _ONNX_TYPES.get(kind, f"type {kind}"), math.prod(sides)


def _packed(message: Bytes) -> list[int]:
    """Return varints that follow one another."""
    result, value, shift = [], 0, 0
    for byte in memoryview(message):
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            result.append(value)
            value, shift = 0, 0
    return result


def _value(message: Bytes) -> Value:
    """Return a ValueInfoProto: its name, dtype, and shape."""
    name, kind = "", 0
    for part in fields(message):
        if part.tag == 1:
            name = part.text
        elif part.tag == 2:
            tensor = next((one.content for one in fields(part.content) if one.tag == 1), b"")
            kind = next((one.number for one in fields(tensor) if one.tag == 1), 0)
    return Value(name, _shape(message), _ONNX_TYPES.get(kind, f"type {kind}"))
