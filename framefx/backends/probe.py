"""Loads and runs one network in a process of its own; see `framefx.backends.guard`.

Imports nothing of framefx: it is run as a script, ``python probe.py MODULE FILE ARGUMENT``. Exit code 0 says that
the network ran, `LOADED` that it was not tried because its input is too large, `REFUSED` that the runtime raised
an exception, whose text is printed, and a signal that it would have taken the process down.
"""

from __future__ import annotations

import importlib
import math
import sys
from typing import Any

LOADED = 3
REFUSED = 4


def main(module: str, path: str, argument: str) -> int:
    """Load the network at `path` with the runtime `module`, run it once, and return the exit code."""
    runtime = importlib.import_module(module)
    try:
        return {"onnxruntime": _onnx, "torch": _torch}.get(module, _interpreter)(runtime, path, argument)
    except Exception as error:  # onnxruntime's have no common class
        sys.stdout.write(str(error))
        return REFUSED


def _interpreter(runtime: Any, path: str, limit: str) -> int:
    """Run a ``.tflite`` network whose inputs have at most `limit` elements."""
    interpreter = runtime.Interpreter(model_path=path, num_threads=1)
    if any(math.prod(map(int, tensor["shape"])) > int(limit) for tensor in interpreter.get_input_details()):
        return LOADED
    interpreter.allocate_tensors()
    interpreter.invoke()
    for tensor in interpreter.get_output_details():
        interpreter.get_tensor(tensor["index"])
    return 0


def _onnx(runtime: Any, path: str, shape: str) -> int:
    """Run an ``.onnx`` network on zeros of `shape`, ``1x3x256x256``."""
    import numpy as np

    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    source = session.get_inputs()[0]
    kind = {"float": "float32", "double": "float64"}.get(source.type[7:-1], source.type[7:-1])
    session.run(None, {source.name: np.zeros([int(side) for side in shape.split("x")], kind)})
    return 0


def _torch(runtime: Any, path: str, kind: str) -> int:
    """Load a TorchScript file or a `torch.export` program; how large its pictures are is not known here."""
    import os

    os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
    if kind == "script":
        runtime.jit.load(path, map_location="cpu")
    else:
        runtime.export.load(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
