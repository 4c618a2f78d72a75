"""A ``.tflite`` file with fewer outputs, and without the operators that only the others need.

Nothing is moved in the file: the list of operators is closed up where it lies, a shorter list of outputs is added at
the end, and weights that nobody uses any more stay, unread. `framefx.backends.flatbuffer` knows the layout.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence

from framefx.backends.flatbuffer import Reader

_GRAPHS, _METADATA, _SIGNATURES = 2, 6, 7
_TENSORS, _OUTPUTS, _OPERATORS = 0, 2, 3
_INPUTS_OF, _OUTPUTS_OF = 1, 2
_NAME_OF_METADATA, _IS_VARIABLE = 0, 5
_ORDER = b"model_control_dependencies"
"""Metadata that names operators by their number."""


def cut(content: bytes, wanted: Collection[int]) -> bytes | None:
    """Return the network with only the outputs `wanted`, the numbers of their tensors.

    None where no operator would be left out, where one keeps a state between runs, or where the file says in which
    order they have to run.
    """
    reader = Reader(content)
    network = reader.fields(reader.unsigned(0))
    graph = reader.fields(reader.follow(reader.vector(network[_GRAPHS], 4)[0]))
    operators = reader.vector(graph[_OPERATORS], 4)
    live = _live(reader, operators, wanted)
    if len(live) == len(operators) or _keeps_state(reader, graph, operators) or is_ordered(reader, network):
        return None
    result = bytearray(content)
    outputs = [one for one in reader.numbers(graph, _OUTPUTS) if one in wanted]
    for place, operator in zip(operators, live, strict=False):
        # An offset counts from where it stands.
        struct.pack_into("<I", result, place, operator - place)
    struct.pack_into("<I", result, operators.start - 4, len(live))
    if _SIGNATURES in network:
        # A signature may name an output that is no longer there; sessions do not use them.
        struct.pack_into("<I", result, reader.vector(network[_SIGNATURES], 4).start - 4, 0)
    result.extend(bytes(-len(result) % 4))
    struct.pack_into("<I", result, graph[_OUTPUTS], len(result) - graph[_OUTPUTS])
    result.extend(struct.pack(f"<I{len(outputs)}i", len(outputs), *outputs))
    return bytes(result)


def _live(reader: Reader, operators: Sequence[int], wanted: Collection[int]) -> list[int]:
    """Return where the tables of the operators lie that `wanted` depends on, in the order in which they run."""
    needed, live = set(wanted), []
    for place in reversed(operators):
        start = reader.follow(place)
        operator = reader.fields(start)
        if needed.intersection(reader.numbers(operator, _OUTPUTS_OF)):
            needed.update(reader.numbers(operator, _INPUTS_OF))
            live.append(start)
    return live[::-1]


def _keeps_state(reader: Reader, graph: dict[int, int], operators: Sequence[int]) -> bool:
    """Whether an operator works by what it changes: it gives nothing, or there is a variable."""
    tensors = (reader.fields(reader.follow(place)) for place in reader.vector(graph[_TENSORS], 4))
    silent = (not reader.numbers(reader.fields(reader.follow(place)), _OUTPUTS_OF) for place in operators)
    return any(silent) or any(_IS_VARIABLE in tensor for tensor in tensors)


def is_ordered(reader: Reader, network: dict[int, int]) -> bool:
    """Whether the file says in which order its operators have to run."""
    entries = reader.vector(network[_METADATA], 4) if _METADATA in network else ()
    names = (reader.fields(reader.follow(place)).get(_NAME_OF_METADATA) for place in entries)
    return any(reader.text(name) == _ORDER for name in names if name is not None)
