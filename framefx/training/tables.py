"""The tables of the published write-up, measured again on this machine.

Upsampling by bilinear interpolation against transposed convolution, time against the number of
classes, and one network on every runtime that is installed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from framefx.training.export import export, folded
from framefx.training.metrics import time_of
from framefx.training.network import NetworkConfig, build, preset


@dataclass(frozen=True)
class Row:
    """One measurement: what ran, where, and its least and median time in milliseconds."""

    name: str
    where: str
    least: float
    median: float


def timed(name: str, where: str, run: Callable[[], object], rounds: int) -> Row:
    """Measure `run` and name the result."""
    return Row(name, where, *time_of(run, rounds=rounds))


def _on(device: str, run: Callable[[], object]) -> Callable[[], object]:
    """Return `run` followed by waiting for the device, without which a GPU's time is not seen."""
    if not device.startswith("cuda"):
        return run

    def finished() -> None:
        run()
        torch.cuda.synchronize()

    return finished


def devices() -> list[str]:
    """Return the devices that torch can use here."""
    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def upsampling_rows(rounds: int = 300) -> Iterator[Row]:
    """Doubling 96 channels of 16 x 16 pixels: interpolation against transposed convolution."""
    for device in devices():
        x = torch.rand(1, 96, 16, 16, device=device)
        up = nn.ConvTranspose2d(96, 96, 2, 2).to(device).eval()
        double = partial(functional.interpolate, x, scale_factor=2, mode="bilinear")
        with torch.inference_mode():
            yield timed("transposed convolution", device, _on(device, partial(up, x)), rounds)
            yield timed("bilinear", device, _on(device, double), rounds)


def class_rows(name: str, counts: Sequence[int] = (1, 2, 6, 21, 64), rounds: int = 60) -> Iterator[Row]:
    """Time of the preset `name` in PyTorch against the number of its classes."""
    for device in devices():
        for count in counts:
            config = preset(name, classes=count)
            yield _torch_row(config, device, f"{name}, classes: {count}", rounds)


def _torch_row(config: NetworkConfig, device: str, name: str, rounds: int) -> Row:
    network = folded(build(config)).to(device)
    x = torch.rand(1, 3, *config.size, device=device)
    with torch.inference_mode():
        return timed(name, device, _on(device, lambda: network(x)), rounds)


def runtime_rows(name: str, rounds: int = 200) -> Iterator[Row]:
    """Time of the preset `name` on every runtime that is installed."""
    config = preset(name)
    torch.manual_seed(0)
    network = build(config).eval()
    for device in devices():
        yield _torch_row(config, device, f"{name}, PyTorch", rounds)
        if device == "cuda":
            yield from _gpu_rows(name, config, network, rounds)
    with tempfile.TemporaryDirectory() as folder:
        yield from _litert_rows(name, config, network, Path(folder), rounds)
        yield from _onnx_rows(name, config, network, Path(folder), rounds)


def _gpu_rows(name: str, config: NetworkConfig, network: nn.Module, rounds: int) -> Iterator[Row]:
    half = folded(network).to("cuda", torch.float16, memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = torch.rand(1, 3, *config.size, device="cuda", dtype=torch.float16)
    fast: Callable[[torch.Tensor], torch.Tensor] = torch.compile(half, mode="max-autotune")
    with torch.inference_mode():
        yield timed(f"{name}, PyTorch fp16", "cuda", _on("cuda", lambda: half(x)), rounds)
        yield timed(f"{name}, compiled fp16", "cuda", _on("cuda", lambda: fast(x)), rounds)
    try:
        import torch_tensorrt
    except ImportError:
        return
    engine = torch_tensorrt.compile(half, inputs=[x], enabled_precisions={torch.float16})
    with torch.inference_mode():
        yield timed(f"{name}, TensorRT fp16", "cuda", _on("cuda", lambda: engine(x)), rounds)


def _litert_rows(name: str, config: NetworkConfig, network: nn.Module, folder: Path, rounds: int) -> Iterator[Row]:
    try:
        path = export(network, config, "litert", folder / "model.tflite").path
    except ImportError:
        return
    from framefx.training.predict import LiteRTPredictor

    for threads in (1, 2):
        model = LiteRTPredictor(path, threads)
        yield timed(f"{name}, LiteRT, {threads} thread{'s'[: threads - 1]}", "cpu", model.run, rounds)


def _onnx_rows(name: str, config: NetworkConfig, network: nn.Module, folder: Path, rounds: int) -> Iterator[Row]:
    try:
        import onnxruntime

        path = export(network, config, "onnx", folder / "model.onnx").path
    except ImportError:
        return
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    x = torch.rand(1, *config.size, 3).numpy()
    yield timed(f"{name}, ONNX Runtime", "cpu", lambda: session.run(None, {"image": x}), rounds)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| what | where | ms min | ms median |", "| --- | --- | --- | --- |"]
    lines += [f"| {r.name} | {r.where} | {r.least:.3f} | {r.median:.3f} |" for r in rows]
    return "\n".join(lines)


def published_tables(names: Sequence[str] = ("blazeseg-paper", "blazeseg", "blazeseg-fast")) -> str:
    """Return all tables as Markdown; torch runs on as many threads as it is set to."""
    parts = [
        "Doubling a picture:\n\n" + table(list(upsampling_rows())),
        "Time against the number of classes:\n\n" + table(list(class_rows(names[0]))),
        "Runtimes:\n\n" + table([row for name in names for row in runtime_rows(name)]),
    ]
    return "\n\n".join(parts)
