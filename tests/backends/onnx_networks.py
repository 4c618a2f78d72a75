"""Writes small ``.onnx`` networks, good and bad ones, with the `onnx` package."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17


def _value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def save(path, nodes, inputs, outputs, weights=None, **metadata):
    """Save a network; `inputs` and `outputs` map names to shapes, in which text leaves a side open."""
    graph = helper.make_graph(
        nodes,
        "test",
        [_value(name, shape) for name, shape in inputs.items()],
        [_value(name, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(np.asarray(array, np.float32), name) for name, array in (weights or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    helper.set_model_props(model, metadata)
    path.write_bytes(model.SerializeToString())
    return path


def pixelwise(path, shape=(1, 3, 8, 12), out=None, weights=(0.0, 1.0, 0.0), **metadata):
    """Save a network that weighs the channels of each pixel, NCHW."""
    out = out or (shape[0], 1, *shape[2:])
    kernel = np.reshape(np.asarray(weights, np.float32), (1, -1, 1, 1))
    node = helper.make_node("Conv", ["picture", "kernel"], ["sum"])
    return save(path, [node], {"picture": shape}, {"sum": out}, {"kernel": kernel}, **metadata)


def heads(path, size=(8, 12), *, conditional=False, seed=0):
    """Save a network of one trunk and three heads: ``a``, ``b`` (a node behind another) and ``c``.

    With `conditional` the head ``a`` is made inside an `If` that reads the trunk from outside.
    """
    source = np.random.default_rng(seed)
    weights = {
        "trunk.weight": source.normal(size=(4, 3, 3, 3)) / 5,
        **{f"{name}.weight": source.normal(size=(k, 4, 1, 1)) for name, k in (("a", 1), ("b", 2), ("c", 24))},
    }
    nodes = [
        helper.make_node("Conv", ["picture", "trunk.weight"], ["trunk"], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["trunk", "b.weight"], ["b.sum"]),
        helper.make_node("Sigmoid", ["b.sum"], ["b"]),
        helper.make_node("Conv", ["trunk", "c.weight"], ["c"]),
    ]
    shapes = {"a": (1, 1, *size), "b": (1, 2, *size), "c": (1, 24, *size)}
    if conditional:
        inside = helper.make_node("Conv", ["trunk", "a.weight"], ["inner"])
        then = helper.make_graph([inside], "then", [], [_value("inner", shapes["a"])])
        nodes.append(helper.make_node("ReduceMax", ["picture"], ["most"], keepdims=0))
        nodes.append(helper.make_node("Cast", ["most"], ["some"], to=TensorProto.BOOL))
        nodes.append(helper.make_node("If", ["some"], ["a"], then_branch=then, else_branch=then))
    else:
        nodes.append(helper.make_node("Conv", ["trunk", "a.weight"], ["a"]))
    return save(path, nodes, {"picture": (1, 3, *size)}, shapes, weights)


def custom(path, name):
    """Save a network whose one operator nobody has."""
    node = helper.make_node(name, ["picture"], ["result"])
    return save(path, [node], {"picture": (1, 3, 8, 8)}, {"result": (1, 1, 8, 8)})


def without_outputs(path):
    """Save a network that takes a picture and gives nothing."""
    model = onnx.load(pixelwise(path))
    del model.graph.output[:]
    path.write_bytes(model.SerializeToString())
    return path


def with_weights_as_inputs(path, source):
    """Save the network `source` as old exporters did, with every weight among the inputs."""
    model = onnx.load(source)
    for weight in model.graph.initializer:
        model.graph.input.append(_value(weight.name, weight.dims))
    path.write_bytes(model.SerializeToString())
    return path
