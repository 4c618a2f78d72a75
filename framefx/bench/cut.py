"""What cutting a network to the wanted outputs saves: the whole one against the one that gives a single output.

``python -m framefx.bench.cut FILE [OUTPUT…]`` measures each output of a network, or those named. The two take turns,
on a random picture.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from framefx.backends.cut import random_picture
from framefx.bench.measure import Side, interleave
from framefx.bench.report import Figure, Suite, ratio_of_minima
from framefx.bench.table import show_suite
from framefx.errors import FramefxError, UsageError
from framefx.models.loading import find
from framefx.plugins import PluginManager
from framefx.protocols import Session
from framefx.registry import Registry

_WIDTH = 120
_SECONDS = 4.0
_ROUNDS = 15


def measure(path: Path, registry: Registry, names: Sequence[str] = (), seconds: float = _SECONDS) -> Suite:
    """Return the time of the cut network, as a part of the whole one's, for each output in `names` (default: all).

    Raises
    ------
    UsageError
        When the network does not have such an output, or nothing can be cut from it.
    """
    suffix = path.suffix.removeprefix(".")
    runtime = next((one for one in registry.runtimes if suffix in one.suffixes), None)
    if runtime is None:
        raise UsageError(f"{path}: no backend here runs '.{suffix}' files")
    whole = runtime.make().load(path, 1)
    outputs = [one.name for one in whole.outputs]
    unknown = [name for name in names if name not in outputs]
    if unknown:
        raise UsageError(f"{path}: it has no output '{unknown[0]}', only {', '.join(outputs)}")
    suite = Suite("cut", f"{path.name}: one output instead of {len(outputs)}, {runtime.name}")
    for name in names or outputs:
        part = whole.only([name]) if hasattr(whole, "only") else whole
        if part is whole:
            raise UsageError(f"{path}: nothing can be cut from it for '{name}': every operator is needed")
        alone, together = interleave(
            [Side("cut", _running(part, name)), Side("whole", _running(whole, name))], seconds, least=_ROUNDS
        )
        note = f"{alone.cpu_min:.1f} of {together.cpu_min:.1f} ms, the least"
        suite.figures.append(Figure(f"{name} alone", round(ratio_of_minima(alone, together), 3), "times", note=note))
    return suite


def _running(session: Session, name: str) -> Callable[[object], object]:
    session.buffer[...] = random_picture(session)
    return lambda _: session.run(session.buffer, [name])


def main(arguments: Sequence[str]) -> int:
    """Print the figures of the file that `arguments` name; return the exit code."""
    if not arguments:
        sys.stderr.write("usage: python -m framefx.bench.cut FILE [OUTPUT…]\n")
        return 2
    try:
        registry = PluginManager().registry
        show_suite(measure(find(arguments[0], registry.weights), registry, arguments[1:]), Console(width=_WIDTH))
    except FramefxError as error:
        sys.stderr.write(f"framefx: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
