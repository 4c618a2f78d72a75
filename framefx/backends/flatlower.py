"""A ``.tflite`` network whose transposed convolutions are ordinary ones, where that is the same.

Where the stride is as large as the kernel, no two inputs reach one output: a transposed convolution is then a 1 × 1
convolution with stride² times the channels, and a rearrangement of them into pixels (Shi et al., "Is the deconvolution
layer the same as a convolutional layer?", 2016). XNNPACK computes 16 output channels of a transposed convolution even
if there is one: the last layer of MediaPipe's selfie networks takes a third of their time, and a twentieth so. And
runtimes that lack MediaPipe's own operator can run them.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from framefx.backends.flatbuffer import Reader
from framefx.backends.flatcut import is_ordered
from framefx.backends.flatwrite import Old, Value, in_front

Floats = npt.NDArray[np.float32]

# The numbers of fields, operators and kinds in TensorFlow Lite's schema.fbs.
_CODES, _GRAPHS, _BUFFERS = 1, 2, 4
_TENSORS, _OPERATORS, _GRAPH_OUTPUTS = 0, 3, 2
_SHAPE, _KIND, _BUFFER, _NAME, _SPARSITY = 0, 1, 2, 3, 6
_CODE, _INPUTS, _OUTPUTS, _OPTIONS_KIND, _OPTIONS, _CUSTOM_OPTIONS = 0, 1, 2, 3, 4, 5
_OLD_CODE, _CUSTOM_NAME, _CODE_VERSION, _NEW_CODE = 0, 1, 2, 3
_STRIDE_W, _STRIDE_H, _ACTIVATION = 1, 2, 3
_FLOAT32, _FLOAT16 = 0, 1
_CONV_2D, _DEPTH_TO_SPACE, _DEQUANTIZE, _CUSTOM, _TRANSPOSE_CONV = 3, 5, 6, 32, 67
_CONV_OPTIONS, _DEPTH_TO_SPACE_OPTIONS = 1, 94
_VALID = 1

_MEDIAPIPE = b"Convolution2DTransposeBias"
_FEW = 16
"""Channels from which on the built-in operator wastes nothing."""


def lower(content: bytes) -> bytes:
    """Return the network with such transposed convolutions replaced; `content` itself where there are none.

    A file that is damaged, has several graphs, or says in which order its operators run comes back as it is.
    """
    try:
        network = _Network(content)
        found = network.transposed()
        return network.rewritten(found) if found else content
    except (struct.error, KeyError, IndexError, ValueError):
        return content


@dataclass(frozen=True)
class _Transposed:
    """One of them: its operator's place in the list, tensors by number, and weights (channels, k, k, inputs)."""

    place: int
    source: int
    result: int
    weights: Floats
    bias: Floats


class _Network:
    """The first graph of a file, by where its parts lie."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.reader = reader = Reader(content)
        self.root = reader.fields(reader.unsigned(0))
        graphs = reader.vector(self.root[_GRAPHS], 4)
        self.graph = reader.fields(reader.follow(graphs[0]))
        alone = len(graphs) == 1 and max(self.root) <= 7 and max(self.graph) <= 4
        self.operators: Sequence[int] = ()
        if alone and not is_ordered(reader, self.root):
            self.operators = reader.vector(self.graph[_OPERATORS], 4)
        self.tensors = reader.vector(self.graph[_TENSORS], 4)
        self.codes = reader.vector(self.root[_CODES], 4)
        self.buffers = reader.vector(self.root[_BUFFERS], 4)

    @functools.cached_property
    def makers(self) -> dict[int, int]:
        """The operator's place by the tensor that it gives."""
        return {one: place for place in self.operators for one in self.ends(place, _OUTPUTS)}

    def transposed(self) -> Sequence[_Transposed]:
        """Return the operators that can be replaced."""
        if not any(self.kind_of(place) in ((_TRANSPOSE_CONV, b""), (_CUSTOM, _MEDIAPIPE)) for place in self.codes):
            return ()
        return [one for place in self.operators if (one := self.overlapping_nowhere(place))]

    def fields(self, place: int) -> dict[int, int]:
        """Return where the fields lie of the table that the offset at `place` points to."""
        return self.reader.fields(self.reader.follow(place))

    def ends(self, place: int, which: int) -> Sequence[int]:
        """Return the tensors that the operator at `place` takes or gives."""
        return self.reader.numbers(self.fields(place), which)

    def kind(self, operator: dict[int, int]) -> tuple[int, bytes]:
        """Return an operator's number in the schema, and its name if it is a custom one."""
        return self.kind_of(self.codes[self.reader.number(operator, _CODE)])

    def kind_of(self, code_place: int) -> tuple[int, bytes]:
        code = self.fields(code_place)
        old = self.content[code[_OLD_CODE]] if _OLD_CODE in code else 0
        name = self.reader.text(code[_CUSTOM_NAME]) if _CUSTOM_NAME in code else b""
        return max(old, self.reader.number(code, _NEW_CODE)), name

    def overlapping_nowhere(self, place: int) -> _Transposed | None:
        """Return what is to be known of the operator at `place`, or None if it has to stay."""
        operator = self.fields(place)
        kind, name = self.kind(operator)
        inputs, outputs = self.reader.numbers(operator, _INPUTS), self.reader.numbers(operator, _OUTPUTS)
        if kind == _CUSTOM and name == _MEDIAPIPE:
            options = self.reader.vector(operator[_CUSTOM_OPTIONS], 1)
            _, *strides = struct.unpack_from("<3i", self.content, options.start)
            source, weights, bias = inputs
        elif kind == _TRANSPOSE_CONV:
            found = self.fields(operator[_OPTIONS])
            strides = [self.reader.number(found, one) for one in (_STRIDE_W, _STRIDE_H)]
            _, weights, source, bias = (*inputs, -1)[:4]
            if _ACTIVATION in found and self.content[found[_ACTIVATION]]:
                return None
        else:
            return None
        kernel = self.constant(weights)
        if kernel is None or kernel.ndim != 4 or not strides[0] == strides[1] == kernel.shape[1] == kernel.shape[2]:
            return None
        if kind == _TRANSPOSE_CONV and kernel.shape[0] >= _FEW:
            return None
        shift = np.zeros(len(kernel), np.float32) if bias < 0 else self.constant(bias)
        before, after = self.shape(source), self.shape(outputs[0])
        grown = [1, *(side * strides[0] for side in before[1:3]), len(kernel)]
        if shift is None or shift.shape != (len(kernel),) or before[0] != 1 or list(after) != grown:
            return None
        return _Transposed(place, source, outputs[0], kernel, shift)

    def shape(self, tensor: int) -> Sequence[int]:
        return self.reader.numbers(self.fields(self.tensors[tensor]), _SHAPE)

    def constant(self, tensor: int) -> Floats | None:
        """Return the weights in a tensor, also those kept in half precision; None if they are no such weights."""
        maker = self.makers.get(tensor)
        if maker is not None:
            operator = self.fields(maker)
            if self.kind(operator)[0] != _DEQUANTIZE:
                return None
            tensor = self.reader.numbers(operator, _INPUTS)[0]
        fields = self.fields(self.tensors[tensor])
        kind = self.content[fields[_KIND]] if _KIND in fields else _FLOAT32
        buffer = self.fields(self.buffers[self.reader.number(fields, _BUFFER)])
        if kind not in (_FLOAT32, _FLOAT16) or _SPARSITY in fields or 0 not in buffer:
            return None
        raw = self.reader.vector(buffer[0], 1)
        values = np.frombuffer(self.content[raw.start : raw.stop], np.float16 if kind == _FLOAT16 else np.float32)
        return values.astype(np.float32).reshape(self.reader.numbers(fields, _SHAPE))

    def rewritten(self, found: Sequence[_Transposed]) -> bytes:
        """Return the file with the operators in `found` replaced by two each."""
        tensors, buffers, codes = self._old(self.tensors), self._old(self.buffers), self._old(self.codes)
        convolve, rearrange = len(codes), len(codes) + 1
        codes += [_code(_CONV_2D), _code(_DEPTH_TO_SPACE)]
        replaced: dict[int, list[Value]] = {}
        for number, one in enumerate(found):
            channels, side, _, inputs = one.weights.shape
            _, height, width, _ = self.shape(one.source)
            wide = channels * side * side
            kernel = one.weights.transpose(1, 2, 0, 3).reshape(wide, 1, 1, inputs)
            first = len(tensors)
            for name, array in (("weights", kernel), ("bias", np.tile(one.bias, side * side))):
                buffers.append({0: np.frombuffer(array.tobytes(), np.uint8)})
                tensors.append(_tensor(f"lowered{number}.{name}", array.shape, len(buffers) - 1))
            tensors.append(_tensor(f"lowered{number}", (1, height, width, wide), 0))
            replaced[one.place] = [
                _operator(convolve, [one.source, first, first + 1], first + 2, _CONV_OPTIONS,
                          {0: _VALID, _STRIDE_W: 1, _STRIDE_H: 1, 4: 1, 5: 1}),
                _operator(rearrange, [first + 2], one.result, _DEPTH_TO_SPACE_OPTIONS, {0: side}),
            ]  # fmt: skip
        operators = [new for place in self.operators for new in replaced.get(place) or self._old([place])]
        graph = self._with(self.graph, {_TENSORS: tensors, _OPERATORS: operators})
        return in_front(self._with(self.root, {_CODES: codes, _GRAPHS: [graph], _BUFFERS: buffers}), self.content)

    def _old(self, places: Sequence[int]) -> list[Value]:
        return [Old(self.reader.follow(place)) for place in places]

    def _with(self, table: dict[int, int], changed: dict[int, Value]) -> dict[int, Value]:
        """Return a table with some fields changed; the others are lists and strings, but for a network's version."""
        kept: dict[int, Value] = {number: Old(self.reader.follow(place)) for number, place in table.items()}
        if table is self.root and 0 in table:
            kept[0] = self.reader.unsigned(table[0])
        return kept | changed


def _code(number: int) -> Value:
    return {_OLD_CODE: number, _CODE_VERSION: 1, _NEW_CODE: number}


def _tensor(name: str, shape: Sequence[int], buffer: int) -> Value:
    return {_SHAPE: np.array(shape, np.int32), _KIND: _FLOAT32, _BUFFER: buffer, _NAME: name}


def _operator(code: int, inputs: Sequence[int], output: int, kind: int, options: dict[int, Any]) -> Value:
    ends = np.array(inputs, np.int32), np.array([output], np.int32)
    return {_CODE: code, _INPUTS: ends[0], _OUTPUTS: ends[1], _OPTIONS_KIND: kind, _OPTIONS: options}
