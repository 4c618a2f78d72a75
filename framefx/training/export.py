"""From a checkpoint to files that other runtimes load, each compared with PyTorch's result."""

from __future__ import annotations

import copy
import json
import logging
import warnings
from collections.abc import Callable, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from framefx.training.network import Block, MoreChannels, NetworkConfig, Probability

if TYPE_CHECKING:
    from collections.abc import Iterator

Floats = npt.NDArray[np.float32]
FORMATS = ("litert", "litert-float16", "litert-int8", "onnx", "torch-export", "safetensors")


@dataclass(frozen=True)
class Exported:
    """A written file and how far its result lies from PyTorch's.

    Attributes
    ----------
    path : Path
    format : str
        One of `FORMATS`.
    difference : float
        Largest absolute difference of the probabilities over the test pictures.
    """

    path: Path
    format: str
    difference: float

    def __str__(self) -> str:
        size = self.path.stat().st_size
        return f"{self.path}  {self.format}  {size:,} bytes  max difference to PyTorch {self.difference:.1e}"


def folded(network: nn.Module) -> nn.Module:
    """Return a copy of `network` with every batch normalisation folded into its convolution."""
    copied = copy.deepcopy(network).eval()
    for module in copied.modules():
        if isinstance(module, nn.Sequential):
            parts = dict(module.named_children())
            for (first, left), (second, right) in pairwise(parts.items()):
                if isinstance(left, nn.Conv2d) and isinstance(right, nn.BatchNorm2d):
                    module.register_module(first, fuse_conv_bn_eval(left, right))
                    module.register_module(second, nn.Identity())
        if isinstance(module, Block) and isinstance(module.widen, MoreChannels):
            module.widen = module.widen.as_convolution()
    return copied


class ChannelsLast(nn.Module):
    """A network with NHWC input and output: how pictures lie in memory, and what LiteRT wants."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Map RGB in 0..1, (N, H, W, 3), to probabilities (N, h, w, classes)."""
        y: Tensor = self.network(x.permute(0, 3, 1, 2))
        return y.permute(0, 2, 3, 1)


def probes(config: NetworkConfig) -> list[Tensor]:
    """Return test pictures (1, H, W, 3): noise, black, white, a smooth gradient."""
    height, width = config.size
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(1, height, width, 3, generator=generator)
    ramp = torch.linspace(0, 1, width).expand(1, 3, height, width).permute(0, 2, 3, 1)
    return [noise, torch.zeros_like(noise), torch.ones_like(noise), ramp.contiguous()]


def difference(run: Callable[[Tensor], Floats], model: nn.Module, config: NetworkConfig) -> float:
    """Return the largest difference between `run` and `model` (NHWC) over the test pictures."""
    found = 0.0
    with torch.no_grad():
        for picture in probes(config):
            wanted = model(picture).numpy()
            found = max(found, float(np.abs(run(picture) - wanted).max()))
    return found


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the converters, which report every pass; errors still come out as exceptions."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def export(
    network: nn.Module, config: NetworkConfig, format: str, path: Path, pictures: Sequence[Floats] = ()
) -> Exported:
    """Write `network` (logits) as `format` to `path`; what is written gives probabilities.

    Parameters
    ----------
    network : nn.Module
    config : NetworkConfig
    format : str
        One of `FORMATS`.
    path : Path
    pictures : sequence of (H, W, 3) float32, 0 to 1
        Of the network's size. Only ``litert-int8`` needs them: it measures on them what range each map has. Its input
        and its output are float32 like the others'.

    Raises
    ------
    ValueError
        If the format is not one of `FORMATS`, or needs pictures and there are none.
    ImportError
        If the format's converter is not installed; the message names the package.
    """
    if format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, not {format!r}")
    model = ChannelsLast(Probability(folded(network), config.classes)).eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    writers: dict[str, Callable[[nn.Module, NetworkConfig, Path], None]] = {
        "litert": _litert,
        "litert-float16": _litert_float16,
        "litert-int8": lambda model, config, path: _litert_int8(model, config, path, pictures),
        "onnx": _onnx,
        "torch-export": _torch_export,
    }
    if format == "safetensors":
        _safetensors(network, config, path)
        return Exported(path, format, _safetensors_difference(network, path))
    if format == "litert-int8" and not pictures:
        raise ValueError("litert-int8 measures the range of every map on pictures: give some with --pictures")
    with quiet():
        writers[format](model, config, path)
    return Exported(path, format, difference(_runner(format, path), model, config))


def _example(config: NetworkConfig) -> tuple[Tensor]:
    return (torch.rand(1, *config.size, 3),)


def _litert(model: nn.Module, config: NetworkConfig, path: Path) -> None:
    try:
        import litert_torch
    except ImportError as error:
        raise ImportError("exporting to LiteRT needs litert-torch: pip install litert-torch") from error
    # The converter moves the two permutations of `ChannelsLast` to where they cancel.
    inner = model.network
    last = litert_torch.to_channel_last_io(inner, args=[0], outputs=[0])
    litert_torch.convert(last.eval(), _example(config)).export(str(path))


def _litert_float16(model: nn.Module, config: NetworkConfig, path: Path) -> None:
    from ai_edge_quantizer import qtyping, quantizer

    whole = path.with_suffix(".float32")
    _litert(model, config, whole)
    halves = quantizer.Quantizer(str(whole))
    weights = qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT)
    halves.update_quantization_recipe(
        regex=".*",
        operation_name=qtyping.TFLOperationName.ALL_SUPPORTED,
        op_config=qtyping.OpQuantizationConfig(
            weight_tensor_config=weights,
            compute_precision=qtyping.ComputePrecision.FLOAT,
            explicit_dequantize=True,
        ),
        algorithm_key="float_casting",
    )
    path.unlink(missing_ok=True)
    halves.quantize().export_model(str(path))
    whole.unlink()


def _litert_int8(model: nn.Module, config: NetworkConfig, path: Path, pictures: Sequence[Floats]) -> None:
    from ai_edge_quantizer import qtyping, quantizer, recipe

    whole = path.with_suffix(".float32")
    _litert(model, config, whole)
    small = quantizer.Quantizer(str(whole), recipe.static_wi8_ai8())
    for end in (qtyping.TFLOperationName.INPUT, qtyping.TFLOperationName.OUTPUT):
        small.update_quantization_recipe(regex=".*", operation_name=end, algorithm_key="no_quantize")
    signature, name = _first_input(whole)
    ranges = small.calibrate({signature: [{name: picture[None]} for picture in pictures]}, num_threads=1)
    path.unlink(missing_ok=True)
    small.quantize(ranges).export_model(str(path))
    whole.unlink()


def _first_input(path: Path) -> tuple[str, str]:
    """Return the names of a LiteRT file's signature and of its input."""
    from ai_edge_litert.interpreter import Interpreter

    signatures = Interpreter(model_path=str(path)).get_signature_list()
    signature = next(iter(signatures))
    return signature, signatures[signature]["inputs"][0]


def _onnx(model: nn.Module, config: NetworkConfig, path: Path) -> None:
    names: dict[str, Any] = {"input_names": ["image"], "output_names": ["person"]}
    torch.onnx.export(model, _example(config), str(path), dynamo=False, opset_version=17, **names)


def _torch_export(model: nn.Module, config: NetworkConfig, path: Path) -> None:
    torch.export.save(torch.export.export(model, _example(config)), str(path))


def _safetensors(network: nn.Module, config: NetworkConfig, path: Path) -> None:
    from safetensors.torch import save_file

    weights = {k: v.contiguous() for k, v in network.state_dict().items()}
    save_file(weights, str(path), metadata={"network": json.dumps(config.to_dict())})


def _safetensors_difference(network: nn.Module, path: Path) -> float:
    from safetensors.torch import load_file

    weights, found = network.state_dict(), load_file(str(path))
    return max(float((found[k].double() - v.double()).abs().max()) for k, v in weights.items())


def _runner(format: str, path: Path) -> Callable[[Tensor], Floats]:
    if format == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda picture: np.asarray(session.run(None, {name: picture.numpy()})[0], np.float32)
    if format == "torch-export":
        module = torch.export.load(str(path)).module()
        return lambda picture: np.asarray(module(picture).detach().numpy(), np.float32)
    from framefx.training.predict import LiteRTPredictor

    model = LiteRTPredictor(path)

    def run(picture: Tensor) -> Floats:
        model.set(picture.numpy())
        return model.run()[None]

    return run
