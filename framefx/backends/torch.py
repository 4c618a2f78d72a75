"""PyTorch: ``torch.export`` programs, TorchScript, and weights of architectures that framefx knows."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from framefx.backends import guard, torchscan
from framefx.backends.arrays import LARGEST_INPUT, sides, sized
from framefx.backends.cut import Cuts
from framefx.backends.files import read
from framefx.backends.runtime import Runtime
from framefx.backends.torchsession import Network, Setting, TorchSession, explained, quiet
from framefx.errors import BackendUnavailableError, ModelError, OptionError
from framefx.frame import Size
from framefx.options import parse_size

if TYPE_CHECKING:
    import torch

RUNTIME = Runtime("torch", "torch", "torch", "pip install 'framefx[torch]'")
_TENSORRT = Runtime("tensorrt", "torch_tensorrt", "torch-tensorrt", "pip install 'framefx[tensorrt]'")

_SECONDS = 240.0
"""For a second process: starting PyTorch alone takes long on a busy machine."""

Precision = Literal["fp32", "fp16", "bf16"]
"""Of weights and of what flows between layers."""

Compiler = Literal["none", "inductor", "tensorrt"]
"""What makes kernels for this very network."""


class Torch:
    """Runs networks with PyTorch; see `framefx.protocols.Backend`.

    Parameters
    ----------
    device : str
        ``cpu``, ``cuda``, ``cuda:1``, ``mps``; ``auto`` is ``cuda`` where there is one, else ``cpu``.
    precision : {"fp32", "fp16", "bf16"}
        Of weights and of what flows between them; what goes in and comes out stays float32.
    compile : {"none", "inductor", "tensorrt"}
        Compile the network when it is loaded, which takes from seconds to minutes.
    size : (height, width), optional
        Of the input in pixels, for a file that leaves it open.
    """

    name = RUNTIME.name

    def __init__(
        self,
        *,
        device: Annotated[
            str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d{1,2})?)$", description="auto, cpu, cuda, cuda:NUMBER or mps")
        ] = "auto",
        precision: Annotated[Precision, Field(description="of weights and what flows between them")] = "fp32",
        compile: Annotated[Compiler, Field(description="what makes kernels for this very network")] = "none",
        size: Annotated[
            Size | None,
            BeforeValidator(parse_size),
            Field(description="pixels, WIDTHxHEIGHT, for a network that takes any size"),
        ] = None,
    ) -> None:
        self._device = device
        self._precision = precision
        self._compile = compile
        self._size = size

    def load(self, path: Path, threads: int = 1) -> TorchSession:
        """Load a network, and run it once; nothing in the file is unpickled.

        Parameters
        ----------
        path : Path
            A ``torch.export`` program, TorchScript, or safetensors.
        threads : int
            Threads that one run on a CPU may use, at least 1.

        Raises
        ------
        BackendUnavailableError
            When PyTorch, or what `compile` needs, is not installed.
        ModelError
            When the file is no network, is damaged, a pickle, leaves its size open, or fails to run.
        OptionError
            When there is no such device.
        """
        content = read(path)
        kind = torchscan.kind_of(content, path)
        torch = RUNTIME.load()
        device = _device(self._device, path)
        setting = Setting(device, _dtype(self._precision), _compiler(self._compile, kind, device, path), threads)
        with explained(path), quiet():
            network = _network(content, kind, path)
            cuts = Cuts(content, RUNTIME, path)
            if device.type == "cuda":
                # Every frame has the same shape: cuDNN tries its ways once and takes the fastest.
                torch.backends.cudnn.benchmark = True
            return TorchSession(network, _shape(network, self._size, path), setting, path, cuts)


def _network(content: bytes, kind: torchscan.Kind, path: Path) -> Network:
    """Read a file whose kind is known, tried in another process first where PyTorch could crash on it."""
    if kind == "safetensors":
        from framefx.backends import torchweights

        return torchweights.read(content, path)
    if kind == "export":
        torchscan.check_export(content, path)
    try:
        guard.check(path, content, RUNTIME, [kind], seconds=_SECONDS)
    except RuntimeError as error:
        raise ModelError(f"{path}: {error}".splitlines()[0]) from error
    if kind == "export":
        from framefx.backends import torchgraph

        return torchgraph.read(content, path)
    from framefx.backends import torchscript

    return torchscript.read(content, path)


def _shape(network: Network, size: Size | None, path: Path) -> tuple[int, ...]:
    """Return the input's shape with what was left open filled in."""
    shape = (1, *network.shape[1:]) if network.shape and network.shape[0] is None else network.shape
    fixed = tuple(side if isinstance(side, int) else 0 for side in sized(shape, size, path))
    if not fixed or 0 in fixed:
        raise ModelError(
            f"{path}: its input is {sides(shape)}, a size left open: say which with `--model-option size=256x256`"
        )
    if len(fixed) == 4 and fixed[0] != 1:
        raise ModelError(f"{path}: its input is {sides(fixed)}, wanted one picture at a time: export it with batch 1")
    if math.prod(fixed) > LARGEST_INPUT:
        raise ModelError(f"{path}: its input is {sides(fixed)}, wanted at most 2048×2048 pixels")
    return fixed


def _device(name: str, path: Path) -> torch.device:
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there[device.type]:
        raise OptionError(
            f"{path}: PyTorch {torch.__version__} finds no {device.type} here: use `--model-option device=cpu`, or "
            "install a PyTorch that is made for this graphics card"
        )
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise OptionError(f"{path}: there is no {name}, only {torch.cuda.device_count()} cuda devices")
    return device


def _dtype(precision: Precision) -> torch.dtype:
    import torch

    return {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[precision]


def _compiler(
    name: Compiler, kind: torchscan.Kind, device: torch.device, path: Path
) -> Callable[[Callable[..., Any]], Callable[..., Any]] | None:
    """Return what compiles a function; that it can be had is made sure now."""
    if name == "none":
        return None
    if kind == "script":
        raise OptionError(
            f"{path}: TorchScript cannot be compiled with {name}: leave `compile` out, or export the network with "
            "torch.export.save"
        )
    import torch

    if name == "tensorrt":
        _TENSORRT.load()
        if device.type != "cuda":
            raise OptionError(f"{path}: tensorrt needs a graphics card: add `--model-option device=cuda`")
        return lambda function: torch.compile(function, backend="torch_tensorrt", dynamic=False, fullgraph=True)
    if device.type == "cpu" and not _has_compiler():
        raise BackendUnavailableError(
            f"{path}: inductor needs a C++ compiler: run `sudo apt-get install g++ python3-dev`, or leave `compile` out"
        )
    # Weights are known for good: layouts and folded constants are chosen for them.
    options: dict[str, Any] = {"freezing": True, "compile_threads": 1}
    return lambda function: torch.compile(function, options=options, dynamic=False, fullgraph=True)


def _has_compiler() -> bool:
    return any(shutil.which(name) for name in (os.environ.get("CXX", "g++"), "g++", "clang++", "c++"))
