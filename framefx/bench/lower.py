"""What it saves to run transposed convolutions as ordinary ones: networks as they are in the file, and lowered.

``python -m framefx.bench.lower FILE…`` measures `.tflite` files, all of them in turns in one process, on a random
picture, one thread. A network without such an operator is the same either way.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from framefx.backends.flatbuffer import read
from framefx.backends.flatlower import lower
from framefx.backends.litert import LiteRT
from framefx.bench.measure import Side, Timing, interleave
from framefx.bench.report import Figure, Suite, ratio_of_minima
from framefx.bench.table import show_suite
from framefx.errors import FramefxError
from framefx.models.loading import find
from framefx.plugins import PluginManager

_WIDTH = 120
_SECONDS = 4.0


def measure(paths: Sequence[Path], seconds: float = _SECONDS) -> Suite:
    """Return for each network how much of its time as it is is left when it is lowered, and both against the first.

    Raises
    ------
    BackendUnavailableError
        Without LiteRT.
    ModelError
        For a file that is no network.
    """
    sides = []
    for path in paths:
        content = read(path)
        sides += [Side("lowered", _running(lower(content))), Side("as it is", _running(content))]
    timings = interleave(sides, seconds * len(paths))
    suite = Suite("lower", "Transposed convolutions as ordinary ones, LiteRT")
    for number, path in enumerate(paths):
        suite.figures += _figures(path.name, timings[2 * number], timings[2 * number + 1], timings[1])
    return suite


def _figures(name: str, lowered: Timing, whole: Timing, first: Timing) -> list[Figure]:
    note = f"{lowered.cpu_min:.2f} of {whole.cpu_min:.2f} ms, the least"
    beside = f"{whole.cpu_min:.2f} ms, {first.cpu_min:.2f} ms"
    return [
        Figure(f"{name}, lowered", round(ratio_of_minima(lowered, whole), 3), "times", note=note),
        Figure(f"{name}, as it is, of the first file", round(ratio_of_minima(whole, first), 3), "times", note=beside),
    ]


def _running(content: bytes) -> Callable[[object], object]:
    interpreter: Any = LiteRT.runtime.load().Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]
    picture = np.random.default_rng(5).random(source["shape"])
    interpreter.set_tensor(source["index"], picture.astype(source["dtype"]))
    return lambda _: interpreter.invoke()


def main(arguments: Sequence[str]) -> int:
    """Print the figures of the files that `arguments` name; return the exit code."""
    if not arguments:
        sys.stderr.write("usage: python -m framefx.bench.lower FILE…\n")
        return 2
    try:
        weights = PluginManager().registry.weights
        show_suite(measure([find(one, weights) for one in arguments]), Console(width=_WIDTH))
    except FramefxError as error:
        sys.stderr.write(f"framefx: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
