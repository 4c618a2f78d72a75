"""Writes small PyTorch networks as files of every kind."""

import json
import warnings

import torch
from torch import nn


class Heads(nn.Module):
    """A trunk with batch normalisation and a doubling, and two heads of which one writes in place."""

    def __init__(self, container=dict):
        super().__init__()
        generator = torch.Generator().manual_seed(4)
        self.trunk = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True))
        self.up = nn.Sequential(nn.ConvTranspose2d(8, 8, 2, 2), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.Dropout())
        self.person = nn.Conv2d(8, 1, 1)
        self.parts = nn.Sequential(nn.Conv2d(8, 24, 1), nn.ReLU(inplace=True))
        self.register_buffer("scale", torch.tensor([0.5]))
        self.container = container
        for one in (self.trunk[1], self.up[1]):
            for values in (one.weight, one.bias, one.running_mean, one.running_var):
                values.data = torch.rand(values.shape, generator=generator) + 0.5
        self.eval()

    def forward(self, x):
        seen = self.up(self.trunk(x))
        person, parts = torch.sigmoid(self.person(seen)) * self.scale, self.parts(seen)
        if self.container is dict:
            return {"person": person, "parts": parts}
        return person if self.container is None else (person, parts)


def picture(size=(16, 24), seed=0):
    return torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed))


def script(path, network, size=(16, 24), **extra):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(network, picture(size), strict=False)
        torch.jit.save(traced, str(path), _extra_files={name: json.dumps(value) for name, value in extra.items()})
    return path


def program(path, network, size=(16, 24), **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(network, (picture(size),), **options), str(path))
    return path


def blazeseg(path, metadata=None, size=(32, 48)):
    """Save weights of a small network that framefx knows, and return the file and the network."""
    from safetensors.torch import save_file

    from framefx.training.network import NetworkConfig, build

    config = NetworkConfig(size=size, widths=(4, 6, 8, 12), depths=(1, 1, 1), kernel=3)
    torch.manual_seed(3)
    network = build(config).eval()
    metadata = {"network": json.dumps(config.to_dict())} if metadata is None else metadata
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, str(path), metadata=metadata)
    return path, network
