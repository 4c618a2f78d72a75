"""What is in an ``.onnx`` file: read, given a fixed size, and cut to the outputs that are wanted.

The layout is that of ``onnx.proto``. Cutting is what ``onnx.utils.extract_model`` does: nodes that no wanted output
depends on go, and with them the weights that only they use.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from framefx.backends.arrays import Shape
from framefx.backends.wire import Bytes, Field, fields, join, of_bytes, of_number
from framefx.errors import ModelError

_MODEL_GRAPH, _MODEL_METADATA = 7, 14
_NODE, _INITIALIZER, _INPUT, _OUTPUT, _VALUE_INFO, _SPARSE_INITIALIZER = 1, 5, 11, 12, 13, 15
_NODE_INPUT, _NODE_OUTPUT, _NODE_ATTRIBUTE = 1, 2, 5
_ATTRIBUTE_GRAPH, _ATTRIBUTE_GRAPHS = 6, 11
_TENSOR_NAME, _TENSOR_EXTERNAL = 8, 13
_VALUE_NAME, _VALUE_TYPE = 1, 2
_KEY, _TEXT = 1, 2


class OnnxGraph:
    """An ``.onnx`` file's content.

    Parameters
    ----------
    content : bytes
        The file's.
    path : Path
        Its place, for messages.

    Attributes
    ----------
    inputs : dict of str to tuple
        Shape of each input that is no weight.
    outputs : list of str
        Names.
    metadata : dict of str to str
        What the exporter wrote into the file.
    external : bool
        Whether some weights are in a file beside it.

    Raises
    ------
    ModelError
        When it is damaged, cut short or something else.
    """

    def __init__(self, content: bytes, path: Path) -> None:
        try:
            self._model = list(fields(content))
            graph = next((part.content for part in self._model if part.tag == _MODEL_GRAPH), None)
            if graph is None:
                raise ModelError(f"{path}: no .onnx network: it has no graph; fetch it again")
            self._graph = list(fields(graph))
            self._read()
        except ValueError as error:
            raise ModelError(f"{path}: the file is damaged, cut short or no .onnx network ({error})") from error

    def _read(self) -> None:
        weights = [part for part in self._graph if part.tag == _INITIALIZER]
        self._weights = {_text(part.content, _TENSOR_NAME) for part in weights}
        self.external = any(_of(part.content, _TENSOR_EXTERNAL) for part in weights)
        values = {_text(part.content, _VALUE_NAME): part for part in self._graph if part.tag == _INPUT}
        # Old exporters list every weight as an input.
        self.inputs = {name: _shape(part.content) for name, part in values.items() if name not in self._weights}
        self.outputs = [_text(part.content, _VALUE_NAME) for part in self._graph if part.tag == _OUTPUT]
        pairs = [part.content for part in self._model if part.tag == _MODEL_METADATA]
        self.metadata = {_text(pair, _KEY): _text(pair, _TEXT) for pair in pairs}

    def written(self, shapes: Mapping[str, Sequence[int]], wanted: Collection[str] | None = None) -> bytes:
        """Return a file's content with inputs of fixed size, and weights that no caller can override.

        Parameters
        ----------
        shapes : mapping of str to sequence of int
            The shape of each input.
        wanted : collection of str, optional
            Outputs to keep; all by default. What no kept output depends on is left out.
        """
        outputs = self.outputs if wanted is None else [name for name in self.outputs if name in wanted]
        needed, nodes = self._needed(outputs)
        parts = [self._written(part, shapes) for part in self._graph if self._is_kept(part, outputs, needed, nodes)]
        graph = of_bytes(_MODEL_GRAPH, join(parts))
        return join(graph if part.tag == _MODEL_GRAPH else part for part in self._model)

    def _is_kept(self, part: Field, outputs: Collection[str], needed: Collection[str], nodes: Collection[int]) -> bool:
        if part.tag == _NODE:
            return id(part) in nodes
        if part.tag == _INITIALIZER:
            return _text(part.content, _TENSOR_NAME) in needed
        if part.tag not in (_INPUT, _OUTPUT, _VALUE_INFO):
            return True
        name = _text(part.content, _VALUE_NAME)
        if part.tag == _INPUT:
            # A weight that is an input too cannot be folded into its neighbours.
            return name not in self._weights
        return name in (outputs if part.tag == _OUTPUT else needed)

    @staticmethod
    def _written(part: Field, shapes: Mapping[str, Sequence[int]]) -> Field:
        shape = shapes.get(_text(part.content, _VALUE_NAME)) if part.tag == _INPUT else None
        return part if shape is None else _with_shape(part, shape)

    def dead(self, wanted: Collection[str]) -> int:
        """Return how many operators no output in `wanted` depends on."""
        everything, kept = self._needed(self.outputs)[1], self._needed(wanted)[1]
        return len(everything) - len(kept)

    def _needed(self, outputs: Collection[str]) -> tuple[set[str], set[int]]:
        """Return every name that `outputs` depend on, and the ids of the node fields."""
        nodes = [part for part in self._graph if part.tag == _NODE]
        maker = {name: part for part in nodes for name in _texts(part.content, _NODE_OUTPUT)}
        needed: set[str] = set()
        kept: set[int] = set()
        waiting = list(outputs)
        while waiting:
            name = waiting.pop()
            if name in needed:
                continue
            needed.add(name)
            part = maker.get(name)
            if part is not None and id(part) not in kept:
                kept.add(id(part))
                waiting += _used(part.content)
                needed.update(_texts(part.content, _NODE_OUTPUT))
        return needed, kept


def _used(node: Bytes) -> Iterator[str]:
    """Yield the names that a node reads, those inside its own graphs (`If`, `Loop`) included."""
    yield from _texts(node, _NODE_INPUT)
    for attribute in _of(node, _NODE_ATTRIBUTE):
        for graph in (*_of(attribute, _ATTRIBUTE_GRAPH), *_of(attribute, _ATTRIBUTE_GRAPHS)):
            for inner in _of(graph, _NODE):
                yield from _used(inner)
            for value in _of(graph, _OUTPUT):
                yield _text(value, _VALUE_NAME)


def _shape(value: Bytes) -> Shape:
    """Return the shape in a ValueInfoProto: type.tensor_type.shape.dim, each a dim_value or a dim_param."""
    sides: list[int | str | None] = []
    for kind in _of(value, _VALUE_TYPE):
        for tensor in _of(kind, 1):
            for shape in _of(tensor, 2):
                for side in _of(shape, 1):
                    parts = list(fields(side))
                    number = next((part.number for part in parts if part.tag == 1), 0)
                    name = next((part.text for part in parts if part.tag == 2), None)
                    sides.append(number if 0 < number < 1 << 62 else name)
    return tuple(sides)


def _with_shape(value: Field, shape: Sequence[int]) -> Field:
    """Return an input with a shape of numbers, its type of elements unchanged."""
    fixed = of_bytes(2, b"".join(of_bytes(1, of_number(1, side).raw).raw for side in shape))

    def tensor(part: Field) -> Field:
        if part.tag != 1:
            return part
        return of_bytes(1, join([one for one in fields(part.content) if one.tag != 2] + [fixed]))

    def kind(part: Field) -> Field:
        return of_bytes(_VALUE_TYPE, join(map(tensor, fields(part.content)))) if part.tag == _VALUE_TYPE else part

    return of_bytes(_INPUT, join(map(kind, fields(value.content))))


def _of(message: Bytes, tag: int) -> list[Bytes]:
    return [part.content for part in fields(message) if part.tag == tag]


def _texts(message: Bytes, tag: int) -> list[str]:
    # An optional input that is left out is an empty name.
    return [part.text for part in fields(message) if part.tag == tag and part.content]


def _text(message: Bytes, tag: int) -> str:
    return next(iter(_texts(message, tag)), "")
