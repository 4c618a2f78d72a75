"""Networks that only exist to be measured: BlazeSeg at any size, with any number of classes, in any format.

Runs in a process of its own: the converters are large and talk a lot. Converting takes seconds to minutes, so the
files are kept beside the other caches, under a hash of the network's graph and the converters' versions. Their
weights are random: what a network takes does not depend on them.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from framefx.training.network import NetworkConfig

FORMATS = {"tflite": "litert", "onnx": "onnx", "pt2": "torch-export"}
"""File endings that can be written, with the name of the format."""

_TOOLS = ("torch", "litert-torch", "onnx")


def main() -> None:
    """Make each network that standard input asks for; write a JSON object on a line for each."""
    for request in json.load(sys.stdin):
        try:
            result = {"path": str(network_file(request))}
        except (ImportError, RuntimeError, ValueError, OSError) as error:
            result = {"problem": (str(error).splitlines() or [type(error).__name__])[0]}
        sys.stdout.write(f"\n{json.dumps(result)}\n")
        sys.stdout.flush()


def network_file(request: Mapping[str, Any]) -> Path:
    """Return the file of a network, made now if it is not kept from before.

    Parameters
    ----------
    request : mapping
        ``config``: the fields of a `NetworkConfig`; ``enlarged``: (height, width) that the network itself
        interpolates its result to, or None; ``ending``: one of `FORMATS`.
    """
    from framefx.training.export import export

    network, config, key = _network(json.dumps([request["config"], request["enlarged"]]))
    path = _folder() / f"{key}.{request['ending']}"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            made = export(network, config, FORMATS[request["ending"]], Path(folder) / path.name).path
            made.replace(path)
    return path


@functools.cache
def _network(text: str) -> tuple[nn.Module, NetworkConfig, str]:
    """Return a network, its configuration and its key; each is asked for in several formats."""
    import torch

    from framefx.training.network import NetworkConfig, build

    fields, enlarged = json.loads(text)
    config = NetworkConfig.from_dict(fields)
    torch.manual_seed(0)
    network = build(config).eval()
    if enlarged:
        network = _enlarged(network, tuple(enlarged))
    return network, config, _key(network, config.size)


def _enlarged(network: nn.Module, size: tuple[int, int]) -> nn.Module:
    """Return `network` with an interpolation to `size` at its end."""
    from torch import Tensor, nn
    from torch.nn import functional

    class Enlarged(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, x: Tensor) -> Tensor:
            return functional.interpolate(self.network(x), size=size, mode="bilinear", align_corners=False)

    return Enlarged().eval()


def _key(network: nn.Module, size: tuple[int, int]) -> str:
    """Return a hash of what the network computes, not of how its source is written."""
    import torch

    graph = torch.export.export(network, (torch.zeros(1, 3, *size),)).graph_module.code
    shapes = [(name, tuple(value.shape)) for name, value in network.state_dict().items()]
    tools = [f"{tool} {_version(tool)}" for tool in _TOOLS]
    return hashlib.sha256(repr((graph, shapes, size, tools)).encode()).hexdigest()[:32]


def _version(tool: str) -> str:
    try:
        return metadata.version(tool)
    except metadata.PackageNotFoundError:
        return "none"


def _folder() -> Path:
    if chosen := os.environ.get("FRAMEFX_CACHE_DIR"):
        return Path(chosen, "bench")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "framefx" / "bench"


if __name__ == "__main__":
    main()
