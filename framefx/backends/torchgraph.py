"""A ``torch.export`` program as a graph that is cut, folded and run."""

from __future__ import annotations

import copy
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framefx.errors import ModelError

if TYPE_CHECKING:
    import torch
    from torch.fx import GraphModule, Node

_WEIGHTS_ONLY = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"


class GraphNetwork:
    """A network as a graph of operators; see `framefx.backends.torchsession.Network`."""

    def __init__(
        self, module: GraphModule, names: Sequence[str], shape: Sequence[int | None], dtype: torch.dtype
    ) -> None:
        self.module = module
        self.names = list(names)
        self.shape = tuple(shape)
        self.dtype = dtype

    def dead(self, wanted: Sequence[str]) -> int:
        """Return how many operators no output in `wanted` depends on."""
        return _count(self.module) - _count(self._cut(wanted))

    def only(self, wanted: Sequence[str]) -> GraphNetwork:
        """Return the network without its other outputs and without what only they need; weights are shared."""
        names = [name for name in self.names if name in wanted]
        return GraphNetwork(self._cut(names), names, self.shape, self.dtype)

    def ready(self, device: torch.device, dtype: torch.dtype) -> GraphModule:
        """Return the module on `device` with weights of `dtype`, batch normalisation folded into convolutions."""
        import torch

        module = copy.deepcopy(self.module)
        fold_batch_norm(module)
        _retype(module, device, dtype)
        module = module.to(device=device, dtype=dtype)
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in the stubs
        return module

    def _cut(self, wanted: Sequence[str]) -> GraphModule:
        from torch.fx import GraphModule

        graph = copy.deepcopy(self.module.graph)
        (output,) = graph.find_nodes(op="output")
        results: Any = output.args[0]
        kept = tuple(node for name, node in zip(self.names, results, strict=True) if name in wanted)
        output.args = (kept,)
        graph.eliminate_dead_code()
        return GraphModule(self.module, graph)


def read(content: bytes, path: Path) -> GraphNetwork:
    """Return the network in a ``.pt2`` file's bytes, which `framefx.backends.torchscan` has looked at.

    Raises
    ------
    ModelError
        When it takes other than one picture, or changes its own state while it runs.
    """
    import torch

    with _nothing_unpickled():
        program = torch.export.load(io.BytesIO(content))
    return of_program(program, path)


def of_program(program: torch.export.ExportedProgram, path: Path) -> GraphNetwork:
    """Return the network that an exported program is, its weights made part of the graph."""
    from torch.export.graph_signature import InputKind

    if _changes_state(program) or any(map(_mutates, program.graph_module.graph.nodes)):
        # What is written in place would keep a dead head alive.
        program = program.run_decompositions({})
    if _changes_state(program):
        raise ModelError(f"{path}: it changes its own state while it runs: call `network.eval()` before exporting it")
    signature = program.graph_signature
    module = program.graph_module
    kinds = {one.arg.name: one for one in signature.input_specs}
    inputs = []
    for number, node in enumerate(module.graph.find_nodes(op="placeholder")):
        spec = kinds[node.name]
        if spec.kind == InputKind.USER_INPUT:
            inputs.append(node)
        else:
            _embed(module, node, f"weight_{number}", _value(program, str(spec.target)))
    if len(inputs) != 1 or not hasattr(inputs[0].meta.get("val"), "shape"):
        raise ModelError(f"{path}: got {len(inputs)} inputs, wanted 1, a picture")
    example = inputs[0].meta["val"]
    shape = [side if isinstance(side, int) else None for side in example.shape]
    module.graph.eliminate_dead_code()
    module.recompile()
    return GraphNetwork(module, _output_names(program), shape, example.dtype)


def fold_batch_norm(module: GraphModule) -> int:
    """Fold batch normalisation into the convolution before it, in place; return how many were folded."""
    folded = 0
    for node in list(module.graph.nodes):
        if node.op == "call_function" and (found := _normalisation(node)) is not None:
            folded += _fold(module, node, *found, name=f"folded_{folded}")
    module.graph.eliminate_dead_code()
    module.recompile()
    return folded


def _normalisation(node: Node) -> tuple[Node, float] | None:
    """Return the node whose result is the normalised one, and epsilon; None where `node` does something else."""
    import torch

    if node.target == torch.ops.aten.batch_norm.default and not node.args[5]:
        return node, float(node.args[7])  # type: ignore[arg-type]
    if node.target == torch.ops.aten._native_batch_norm_legit_no_training.default and len(node.users) == 1:
        return next(iter(node.users)), float(node.args[6])  # type: ignore[arg-type]
    return None


def _fold(module: GraphModule, node: Node, result: Node, epsilon: float, *, name: str) -> bool:
    """Fold the batch normalisation `node`, if a convolution of constants is before it; return whether it was."""
    from torch.nn.utils.fusion import fuse_conv_bn_weights

    before: Any = node.args[0]
    transposed = _is_transposed(before)
    if transposed is None or len(before.users) != 1:
        return False
    weight, bias = _constant(module, before.args[1]), _constant(module, _argument(before, 2))
    scale, offset, mean, variance = (_constant(module, one) for one in node.args[1:5])
    if weight is None or mean is None or variance is None or (bias is None) != (_argument(before, 2) is None):
        return False
    fused, shift = fuse_conv_bn_weights(weight, bias, mean, variance, epsilon, scale, offset, transposed)
    with module.graph.inserting_before(before):
        weights = _constant_node(module, f"{name}_weight", fused), _constant_node(module, f"{name}_bias", shift)
    before.args = (before.args[0], *weights, *before.args[3:])
    result.replace_all_uses_with(before)
    module.graph.erase_node(result)
    return True


def _is_transposed(node: Any) -> bool | None:
    """Return whether a convolution is a transposed one, None for anything else."""
    import torch

    aten = torch.ops.aten
    if node.target == aten.convolution.default:
        return bool(node.args[6])
    return {aten.conv2d.default: False, aten.conv_transpose2d.input: True}.get(node.target)


@contextmanager
def _nothing_unpickled() -> Iterator[None]:
    """Make PyTorch refuse the pickles that it would fall back to."""
    before = os.environ.get(_WEIGHTS_ONLY)
    os.environ[_WEIGHTS_ONLY] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_WEIGHTS_ONLY]
        else:
            os.environ[_WEIGHTS_ONLY] = before


def _mutates(node: Node) -> bool:
    """Whether an operator writes into one of its arguments."""
    schema = getattr(node.target, "_schema", None)
    return node.op == "call_function" and schema is not None and bool(schema.is_mutable)


def _changes_state(program: torch.export.ExportedProgram) -> bool:
    from torch.export.graph_signature import OutputKind

    return any(one.kind != OutputKind.USER_OUTPUT for one in program.graph_signature.output_specs)


def _value(program: torch.export.ExportedProgram, target: str) -> torch.Tensor:
    """Return a weight, or a tensor that the program holds as a constant."""
    held: Mapping[str, Any] = {**program.constants, **program.state_dict}
    value: torch.Tensor = held[target].detach()
    return value


def _embed(module: GraphModule, node: Node, name: str, value: torch.Tensor) -> None:
    """Replace an input by a tensor of the module's own."""
    with module.graph.inserting_before(node):
        inside = _constant_node(module, name, value)
    inside.meta.update(node.meta)
    node.replace_all_uses_with(inside)
    module.graph.erase_node(node)


def _constant_node(module: GraphModule, name: str, value: torch.Tensor) -> Node:
    module.register_buffer(name, value.detach())
    return module.graph.get_attr(name)


def _constant(module: GraphModule, node: Any) -> torch.Tensor | None:
    """Return the tensor that a node stands for, None for anything that is computed."""
    if getattr(node, "op", "") != "get_attr":
        return None
    value: torch.Tensor = getattr(module, str(node.target))
    return value.detach()


def _argument(node: Node, place: int) -> Any:
    return node.args[place] if len(node.args) > place else None


def _retype(module: GraphModule, device: torch.device, dtype: torch.dtype) -> None:
    """Let operators that make tensors of a type or on a device make them of and on these; drop what only checks."""
    import torch
    from torch.fx.node import map_aggregate

    def moved(value: Any) -> Any:
        if value is torch.float32:
            return dtype
        return device if isinstance(value, torch.device) else value

    for node in list(module.graph.nodes):
        if node.target == torch.ops.aten._assert_tensor_metadata.default:
            module.graph.erase_node(node)
        elif node.target == torch.ops.aten.clone.default and not node.kwargs:
            node.replace_all_uses_with(node.args[0])
            module.graph.erase_node(node)
        elif node.op == "call_function":
            node.args = map_aggregate(node.args, moved)
            node.kwargs = map_aggregate(node.kwargs, moved)
    module.recompile()


def _count(module: GraphModule) -> int:
    return sum(node.op == "call_function" for node in module.graph.nodes)


def _output_names(program: torch.export.ExportedProgram) -> list[str]:
    """Return a name for each output: the key of a dictionary, else ``output``, or ``output_0``, ``output_1``, …"""
    from torch.utils import _pytree

    count = len(program.graph_signature.output_specs)
    structure = _pytree.tree_unflatten(list(range(count)), program.call_spec.out_spec)
    return names_of(structure)


def names_of(structure: Any) -> list[str]:
    """Return the names of a network's results, in order, from the results or anything built like them."""
    if isinstance(structure, Mapping):
        return [str(key) for key in structure]
    if hasattr(structure, "_fields"):
        return [str(key) for key in structure._fields]
    if isinstance(structure, tuple | list):
        return [f"output_{number}" for number in range(len(structure))] if len(structure) > 1 else ["output"]
    return ["output"]
