"""Writes small ``.tflite`` networks, good and bad ones, without TensorFlow.

A flatbuffer is tables that point forward to their children. A table here is a dict from field number to value:
an int is a scalar, everything else is written behind the table and pointed to.
"""

import struct
from pathlib import Path

import numpy as np

FLOAT32, UINT8, INT8 = 0, 3, 9
CONV_2D, DEQUANTIZE, LOGISTIC, CUSTOM, QUANTIZE = 3, 6, 14, 32, 114


def _pad(buffer, multiple):
    buffer.extend(bytes(-len(buffer) % multiple))


def _write(buffer, value):
    """Append `value` and return where it starts."""
    if isinstance(value, dict):
        return _write_table(buffer, value)
    if isinstance(value, np.ndarray):
        # Weights must lie at multiples of 16; their count comes before them.
        while (len(buffer) + 4) % 16:
            buffer.append(0)
        start = len(buffer)
        buffer.extend(struct.pack("<I", value.size) + value.tobytes())
    elif isinstance(value, str):
        _pad(buffer, 4)
        start = len(buffer)
        buffer.extend(struct.pack("<I", len(value)) + value.encode() + b"\0")
    else:
        _pad(buffer, 4)
        start = len(buffer)
        buffer.extend(struct.pack("<I", len(value)) + bytes(4 * len(value)))
        for number, child in enumerate(value):
            _point(buffer, start + 4 + 4 * number, child)
    return start


def _write_table(buffer, fields):
    count = max(fields, default=-1) + 1
    offsets = [0] * count
    for place, number in enumerate(sorted(fields)):
        offsets[number] = 4 + 4 * place
    _pad(buffer, 4)
    if count % 2:
        buffer.extend(b"\0\0")
    vtable = len(buffer)
    buffer.extend(struct.pack(f"<{2 + count}H", 4 + 2 * count, 4 + 4 * len(fields), *offsets))
    start = len(buffer)
    buffer.extend(struct.pack("<i", start - vtable) + bytes(4 * len(fields)))
    for number, value in fields.items():
        if isinstance(value, int):
            struct.pack_into("<i", buffer, start + offsets[number], value)
        else:
            _point(buffer, start + offsets[number], value)
    return start


def _point(buffer, place, value):
    child = _write(buffer, value)
    struct.pack_into("<I", buffer, place, child - place)


def _ints(values):
    return np.array(values, np.int32)


class Graph:
    """Tensors and operators in the order they are added."""

    def __init__(self):
        self.tensors, self.codes, self.operators, self.buffers = [], [], [], [{}]

    def tensor(self, name, shape, kind=FLOAT32, data=None, scale=None, zero_point=0, signature=None):
        one = {0: _ints(shape), 1: kind, 2: 0, 3: name}
        if data is not None:
            one[2] = len(self.buffers)
            self.buffers.append({0: np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)})
        if scale is not None:
            one[4] = {2: np.array([scale], np.float32), 3: np.array([zero_point], np.int64)}
        if signature is not None:
            one[7] = _ints(signature)
        self.tensors.append(one)
        return len(self.tensors) - 1

    def operator(self, code, inputs, outputs, options_type=0, options=None, custom=None):
        self.codes.append({0: min(code, 127), 2: 1, 3: code} | ({1: custom} if custom else {}))
        one = {0: len(self.codes) - 1, 1: _ints(inputs), 2: _ints(outputs)}
        if options is not None:
            one |= {3: options_type, 4: options}
        self.operators.append(one)

    def root(self, inputs, outputs):
        """Return the fields of the file's own table."""
        subgraph = {0: self.tensors, 1: _ints(inputs), 2: _ints(outputs), 3: self.operators, 4: "main"}
        return {0: 3, 1: self.codes, 2: [subgraph], 3: "test", 4: self.buffers}

    def save(self, path, inputs, outputs):
        return write(path, self.root(inputs, outputs))


def write(path, root):
    """Save a file with the fields `root`."""
    buffer = bytearray(b"\0\0\0\0TFL3")
    struct.pack_into("<I", buffer, 0, _write(buffer, root))
    path.write_bytes(bytes(buffer))
    return Path(path)


def pixelwise(
    path, size=(8, 12), weights=((0.0, 1.0, 0.0),), bias=(0.0,), *,
    sigmoid=False, stride=1, kind=FLOAT32, out_kind=FLOAT32, signature=None,
):  # fmt: skip
    """Save a network that weighs the channels of each pixel: output k is ``weights[k] @ pixel + bias[k]``.

    Parameters: `size` of the input, `stride` by which the output is smaller, `kind` and `out_kind` of the ends
    (quantised ones with scale 1/255), `sigmoid` after the sum, `signature` of the input's shape.
    """
    weights = np.array(weights, np.float32)
    classes, channels = weights.shape
    height, width = size
    graph = Graph()
    smaller = (1, -(-height // stride), -(-width // stride), classes)
    quantised = {FLOAT32: {}, UINT8: {"scale": 1 / 255, "zero_point": 0}, INT8: {"scale": 1 / 255, "zero_point": -128}}
    source = graph.tensor("picture", (1, height, width, channels), kind, signature=signature, **quantised[kind])
    last = source
    if kind != FLOAT32:
        last = graph.tensor("real", (1, height, width, channels))
        graph.operator(DEQUANTIZE, [source], [last])
    kernel = graph.tensor("kernel", (classes, 1, 1, channels), data=weights)
    offset = graph.tensor("bias", (classes,), data=np.array(bias, np.float32))
    result = graph.tensor("sum", smaller)
    options = {0: 1, 1: stride, 2: stride, 3: 0, 4: 1, 5: 1}
    graph.operator(CONV_2D, [last, kernel, offset], [result], 1, options)
    if sigmoid:
        last, result = result, graph.tensor("probability", smaller)
        graph.operator(LOGISTIC, [last], [result])
    if out_kind != FLOAT32:
        last, result = result, graph.tensor("bytes", smaller, out_kind, **quantised[out_kind])
        graph.operator(QUANTIZE, [last], [result])
    return graph.save(path, [source], [result])


def custom(path, name):
    """Save a network whose one operator is the custom one called `name`."""
    graph = Graph()
    source, result = graph.tensor("picture", (1, 8, 8, 3)), graph.tensor("result", (1, 8, 8, 1))
    graph.operator(CUSTOM, [source], [result], custom=name)
    return graph.save(path, [source], [result])


def without_outputs(path):
    """Save a network that takes a picture and gives nothing."""
    graph = Graph()
    source, result = graph.tensor("picture", (1, 8, 8, 3)), graph.tensor("result", (1, 8, 8, 3))
    graph.operator(LOGISTIC, [source], [result])
    return graph.save(path, [source], [])
