"""One measurement of `framefx bench model`, in a process of its own: reads a piece of work, writes its figures.

A process for each: peak memory is a process's, not a network's, and what one runtime starts (threads, caches,
allocators) would stay for the next.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_LEAST_RUNS = 5

Work = Mapping[str, Any]
Run = Callable[[], object]


def main() -> None:
    """Do the work that standard input describes; write a JSON object as the last line of standard output."""
    from framefx.errors import FramefxError

    work = json.load(sys.stdin)
    try:
        result = _WORKS[work["do"]](work)
    except (FramefxError, ImportError, RuntimeError, ValueError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        result = {"problem": lines[0].replace(str(work.get("path")), Path(str(work.get("path"))).name)}
    sys.stdout.write(f"\n{json.dumps(result)}\n")


def _facts(work: Work) -> dict[str, Any]:
    """Return which runtimes and tools there are here."""
    import importlib.util
    import shutil

    from framefx.errors import BackendUnavailableError, FramefxError
    from framefx.plugins import PluginManager

    found = {}
    for runtime in PluginManager(files=work["plugins"]).registry.runtimes:
        try:
            runtime.make().load(Path("no such file"), 1)
        except BackendUnavailableError:
            continue
        except (FramefxError, OSError):
            pass
        found[runtime.name] = list(runtime.suffixes)
    facts: dict[str, Any] = {"runtimes": found, "presets": {}, "gpu": "", "tensorrt": False}
    facts["compiler"] = any(map(shutil.which, ("c++", "g++", "clang++")))
    if importlib.util.find_spec("torch"):
        import torch

        from framefx.training.network import PRESETS

        facts["presets"] = {name: config.to_dict() for name, config in PRESETS.items()}
        facts["gpu"] = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
        facts["tensorrt"] = importlib.util.find_spec("torch_tensorrt") is not None
    return facts


def _network(work: Work) -> dict[str, Any]:
    """Time the network alone, all its outputs."""
    session, before = _session(work)
    names = [output.name for output in session.outputs]
    result = _measured(work, lambda: session.run(session.buffer, names), before)
    result["pixels"] = _pixels(session.inputs[0].shape)
    return result


def _frame(work: Work) -> dict[str, Any]:
    """Time a network and what follows until its mask has merged two frames of ``work["frame"]`` (height, width)."""
    from framefx.kernels import masked_merge
    from framefx.models.decoding import person_decoder

    session, before = _session(work)
    name = session.outputs[0].name
    decode = person_decoder(session.outputs[0], [session.run(session.buffer, [name])[name]])
    rng = np.random.default_rng(1)
    base, top = (rng.integers(0, 256, (*work["frame"], 3), np.uint8) for _ in range(2))
    out = np.empty_like(base)

    def run() -> None:
        masked_merge(base, top, decode(session.run(session.buffer, [name])[name][0]), out=out)

    result = _measured(work, run, before)
    result["pixels"] = _pixels(session.inputs[0].shape)
    return result


def _doubling(work: Work) -> dict[str, Any]:
    """Time one upsampling of 96 channels, 16×16, in PyTorch: the published comparison."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(work["threads"])
    torch.backends.cudnn.benchmark = True
    device, before = work["device"], _memory("VmRSS")
    x = torch.rand(1, 96, 16, 16, device=device)
    transposed = torch.nn.ConvTranspose2d(96, 96, 2, 2).to(device).eval()

    def bilinear() -> torch.Tensor:
        return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)

    with torch.inference_mode():
        return _measured(work, bilinear if work["how"] == "bilinear" else lambda: transposed(x), before)


_WORKS: dict[str, Callable[[Work], dict[str, Any]]] = {
    "facts": _facts,
    "network": _network,
    "frame": _frame,
    "doubling": _doubling,
}


def _session(work: Work) -> tuple[Any, float]:
    """Load the network through framefx's runtime and fill its input with noise; the memory was read before."""
    from framefx.errors import FramefxError
    from framefx.plugins import PluginManager

    runtime = PluginManager(files=work["plugins"]).registry.runtimes.find(work["runtime"])
    backend = runtime.make(work["options"])
    if work["runtime"] == "torch":
        import torch

        torch.backends.cudnn.benchmark = True
    with suppress(FramefxError):
        # Brings the runtime in, which is not the network's memory.
        backend.load(Path("no such file"), 1)
    before = _memory("VmRSS")
    session = backend.load(Path(work["path"]), work["threads"])
    only = getattr(session, "only", None)
    if only:
        # Where networks are cut or compiled, that is when.
        session = only([output.name for output in session.outputs])
    _fill(session.buffer)
    return session, before


def _fill(buffer: npt.NDArray[Any]) -> None:
    rng = np.random.default_rng(0)
    if buffer.dtype.kind == "f":
        buffer[...] = rng.random(buffer.shape)
    else:
        limits = np.iinfo(buffer.dtype)
        buffer[...] = rng.integers(limits.min, limits.max, buffer.shape, buffer.dtype, endpoint=True)


def _measured(work: Work, run: Run, before: float) -> dict[str, Any]:
    """Warm up, then time each run, waiting for the device before the clock is read."""
    wait = _wait()
    with _inferring(), _no_collector():
        _repeat(run, wait, work["warm_up"], work["seconds"] / 2, 1)
        taken = _repeat(run, wait, work["runs"], work["seconds"], _LEAST_RUNS)
    clock, processor = zip(*taken, strict=True)
    return {
        "runs": len(taken),
        "least": min(clock),
        "median": statistics.median(clock),
        "cpu": min(processor),
        "before": before,
        "peak": _memory("VmHWM"),
    }


def _repeat(run: Run, wait: Run, runs: int, seconds: float, least: int) -> list[tuple[float, float]]:
    """Return the milliseconds of each of `runs` runs, by the clock and of the processor.

    There are fewer when `seconds` are over, but `least` in any case.
    """
    taken: list[tuple[float, float]] = []
    end = time.perf_counter() + seconds
    while len(taken) < runs and (len(taken) < min(least, runs) or time.perf_counter() < end):
        wait()
        cpu, clock = time.process_time(), time.perf_counter()
        run()
        wait()
        clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
        taken.append((clock * 1e3, cpu * 1e3))
    return taken


def _wait() -> Run:
    """Return what waits until the GPU has done all it was told, nothing where there is none."""
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        wait: Run = torch.cuda.synchronize
        return wait
    return lambda: None


@contextmanager
def _inferring() -> Iterator[None]:
    torch: Any = sys.modules.get("torch")
    if torch is None:
        yield
        return
    with torch.inference_mode():
        yield


@contextmanager
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _memory(what: str) -> float:
    """Return a figure of Linux's ``/proc/self/status`` in megabytes, 0 elsewhere.

    Not `resource.getrusage`, whose maximum is inherited from the process that started this one.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    found = [line.split()[1] for line in lines if line.startswith(f"{what}:")]
    return int(found[0]) * 1024 / 1e6 if found else 0.0


def _pixels(shape: tuple[int, ...]) -> str:
    """Return the size of a picture tensor, whose channels are the smaller of its second and last side."""
    if len(shape) != 4:
        return "×".join(map(str, shape))
    height, width = shape[2:] if shape[1] < shape[3] else shape[1:3]
    return f"{width}x{height}"


if __name__ == "__main__":
    main()
