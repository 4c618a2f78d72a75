"""TorchScript as a graph that is cut, folded and run.

Freezing inlines every method, makes weights constants and folds batch normalisation into convolutions (not into
transposed ones). What is left is one graph whose last node builds the tuple, list or dictionary of results; cutting
takes the wanted ones from it.
"""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framefx.errors import ModelError

if TYPE_CHECKING:
    import torch

_DESCRIPTION = "config.txt"
"""Where Ultralytics' exporter writes what a TorchScript file does not say."""

_TUPLE, _LIST, _DICT = "prim::TupleConstruct", "prim::ListConstruct", "prim::DictConstruct"


class ScriptNetwork:
    """A TorchScript network; see `framefx.backends.torchsession.Network`.

    The file does not say what goes in: three channels, or as many as its first convolution takes, of any size.
    """

    def __init__(
        self, module: torch.jit.ScriptModule, path: Path, description: str = "", kept: Sequence[int] = ()
    ) -> None:
        import torch

        self._module = module
        self._path = path
        self._description = description
        self._frozen = _frozen(module)
        self._results = _results(self._frozen.graph, path)
        self._kept = list(kept) or list(range(len(self._results)))
        self.names = [self._results[place] for place in self._kept]
        self.shape: tuple[int | None, ...] = (1, _channels(module), *_size(description))
        self.dtype = torch.float32

    def dead(self, wanted: Sequence[str]) -> int:
        """Return how many operators no output in `wanted` depends on."""
        return _count(self._graph(self._frozen, self._kept)) - _count(self._graph(self._frozen, self._places(wanted)))

    def only(self, wanted: Sequence[str]) -> ScriptNetwork:
        """Return the network without its other outputs and without what only they need; weights are shared."""
        return ScriptNetwork(self._module, self._path, self._description, self._places(wanted))

    def ready(self, device: torch.device, dtype: torch.dtype) -> Callable[[torch.Tensor], Any]:
        """Return a function on `device` with weights of `dtype`, batch normalisation folded into convolutions."""
        import torch

        moved = copy.deepcopy(self._module).to(device=device, dtype=dtype)
        moved = moved.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in the stubs
        graph = self._graph(_frozen(moved), self._kept)
        # Weights are constants of the frozen graph; the module itself is asked for nothing.
        graph.eraseInput(0)
        return torch._C._create_function_from_graph("forward", graph)

    def _places(self, wanted: Sequence[str]) -> list[int]:
        return [place for place in self._kept if self._results[place] in wanted]

    @staticmethod
    def _graph(frozen: Any, places: Sequence[int]) -> Any:
        """Return a copy of the graph that gives the results at `places`, and nothing else."""
        import torch

        graph = frozen.graph.copy()
        values = _tensors(graph)
        graph.eraseOutput(0)
        for place in places:
            graph.registerOutput(values[place])
        torch._C._jit_pass_dce(graph)
        if len(places) > 1:
            graph.makeMultiOutputIntoTuple()
        return graph


def read(content: bytes, path: Path) -> ScriptNetwork:
    """Return the network in a TorchScript file's bytes.

    Raises
    ------
    ModelError
        When its results are something else than tensors, in a tuple, list or dictionary or alone.
    """
    import torch

    extra: dict[str, Any] = {_DESCRIPTION: ""}
    module = torch.jit.load(io.BytesIO(content), "cpu", extra)  # type: ignore[no-untyped-call]
    for value in module.graph.inputs():
        if str(value.type()) != "Tensor" and "__torch__" not in str(value.type()):
            raise ModelError(f"{path}: it takes {value.type()}, wanted one picture")
    if len(list(module.graph.inputs())) != 2:
        raise ModelError(f"{path}: got {len(list(module.graph.inputs())) - 1} inputs, wanted 1, a picture")
    if "aten::from_file" in str(module.inlined_graph):
        raise ModelError(f"{path}: it reads and writes files, which no network needs: do not use it")
    description = extra[_DESCRIPTION]
    return ScriptNetwork(module, path, description.decode() if isinstance(description, bytes) else description)


def _frozen(module: torch.jit.ScriptModule) -> Any:
    import torch

    frozen = torch.jit.freeze(module.eval())
    # An activation that writes in place would keep a dead head alive.
    torch._C._jit_pass_remove_mutation(frozen.graph)
    return frozen


def _tensors(graph: Any) -> list[Any]:
    """Return the values of the graph's results, without their container."""
    (output,) = graph.outputs()
    if str(output.type()) == "Tensor":
        return [output]
    values = list(output.node().inputs())
    return values[1::2] if output.node().kind() == _DICT else values


def _results(graph: Any, path: Path) -> list[str]:
    """Return a name for each result: the key of a dictionary or named tuple, else ``output`` or ``output_0``, ….

    Raises
    ------
    ModelError
        When they are not tensors.
    """
    (output,) = graph.outputs()
    node = output.node()
    values = _tensors(graph) if str(output.type()) == "Tensor" or node.kind() in (_TUPLE, _LIST, _DICT) else []
    if not values or any(str(value.type()) != "Tensor" for value in values):
        raise ModelError(f"{path}: it gives {output.type()}, wanted tensors, alone or in a tuple, list or dictionary")
    if node.kind() == _DICT and output not in values:
        return [str(key.node().s("value")) for key in list(node.inputs())[0::2]]
    return ["output"] if len(values) == 1 else [f"output_{number}" for number in range(len(values))]


def _channels(module: torch.jit.ScriptModule) -> int:
    """Return the channels of the first convolution's weights, which are (out, in, rows, columns)."""
    first = next((weights for weights in module.parameters() if weights.ndim == 4), None)
    return int(first.shape[1]) if first is not None else 3


def _size(description: str) -> tuple[int | None, int | None]:
    try:
        height, width = json.loads(description)["imgsz"]
    except (ValueError, KeyError, TypeError):
        return None, None
    return (height, width) if isinstance(height, int) and isinstance(width, int) else (None, None)


def _count(graph: Any) -> int:
    return sum(node.kind().startswith("aten::") for node in graph.nodes())
