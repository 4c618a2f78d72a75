"""Loads and runs one network in a process of its own; see `framefx.backends.guard`.

Imports nothing of framefx: it is run as a script, ``python probe.py MODULE FILE LIMIT``. Exit code 0 says that
the network ran, `LOADED` that it was not tried because its input is too large, `REFUSED` that the runtime raised
an exception, whose text is printed, and a signal that it would have taken the process down.
"""

from __future__ import annotations

import importlib
import math
import sys

LOADED = 3
REFUSED = 4


def main(module: str, path: str, limit: str) -> int:
    """Load the network at `path` with the runtime `module`, run it once, and return the exit code."""
    interpreter_class = importlib.import_module(module).Interpreter
    try:
        interpreter = interpreter_class(model_path=path, num_threads=1)
        if any(math.prod(map(int, tensor["shape"])) > int(limit) for tensor in interpreter.get_input_details()):
            return LOADED
        interpreter.allocate_tensors()
        interpreter.invoke()
        for tensor in interpreter.get_output_details():
            interpreter.get_tensor(tensor["index"])
    except (RuntimeError, ValueError) as error:
        sys.stdout.write(str(error))
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
