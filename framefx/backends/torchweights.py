"""Weights alone (``.safetensors``), for an architecture that framefx knows by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framefx.errors import BackendUnavailableError, ModelError, did_you_mean

if TYPE_CHECKING:
    from framefx.backends.torchgraph import GraphNetwork

ARCHITECTURES = ("blazeseg",)
"""Names that ``architecture`` in a file's metadata may have; `blazeseg` is `framefx.training.network`."""

_INSTALL = "pip install 'framefx[torch]'"


def read(content: bytes, path: Path) -> GraphNetwork:
    """Return the network that a ``.safetensors`` file's bytes describe.

    Its metadata has the key ``network``, the JSON of a `framefx.training.network.NetworkConfig`, as ``framefx
    export`` writes it, and may have ``architecture``. One picture (1, H, W, 3) goes in, RGB from 0 to 1; probabilities
    (1, h, w, classes) come out.

    Raises
    ------
    BackendUnavailableError
        When `safetensors` is not installed.
    ModelError
        When it is damaged, or nobody knows the architecture, or the weights are another one's.
    """
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load
    except ImportError as error:
        raise BackendUnavailableError(f"safetensors is not installed: run `{_INSTALL}`") from error
    metadata = _metadata(content, path)
    name = metadata.get("architecture", "blazeseg" if "network" in metadata else "")
    if name not in ARCHITECTURES:
        raise ModelError(
            f"{path}: its metadata names the architecture {name!r}.{did_you_mean(str(name), ARCHITECTURES)} Known: "
            f"{', '.join(ARCHITECTURES)}; for any other network write a program: `torch.export.save(…, 'network.pt2')`"
        )
    try:
        return _blazeseg(load(content), metadata.get("network", "{}"), path)
    except SafetensorError as error:
        raise ModelError(f"{path}: the file is damaged or cut short ({error}); fetch it again") from error


def _metadata(content: bytes, path: Path) -> dict[str, Any]:
    length = int.from_bytes(content[:8], "little")
    try:
        found = json.loads(content[8 : 8 + length]).get("__metadata__", {})
    except (ValueError, AttributeError, RecursionError) as error:
        raise ModelError(f"{path}: the file is damaged or cut short at {len(content)} bytes; fetch it again") from error
    return found if isinstance(found, dict) else {}


def _blazeseg(weights: dict[str, Any], described: str, path: Path) -> GraphNetwork:
    import torch

    from framefx.backends.arrays import LARGEST_INPUT
    from framefx.backends.torchgraph import of_program
    from framefx.training.export import ChannelsLast
    from framefx.training.network import NetworkConfig, Probability, build

    try:
        config = NetworkConfig.from_dict(json.loads(described))
        if 3 * config.size[0] * config.size[1] > LARGEST_INPUT:
            raise ValueError(f"a size of {config.size}, wanted at most 2048×2048 pixels")
        network = build(config)
        network.load_state_dict(weights)
    except (TypeError, ValueError, KeyError, IndexError, RuntimeError) as error:
        problem = str(error).splitlines()[0].rstrip(":")
        raise ModelError(f"{path}: its weights are not those of the network it describes ({problem})") from error
    model = ChannelsLast(Probability(network, config.classes)).eval()
    with torch.no_grad():
        program = torch.export.export(model, (torch.zeros(1, *config.size, 3),))
    result = of_program(program, path)
    result.names = ["person"]
    return result
