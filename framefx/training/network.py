"""BlazeSeg: a BlazeFace-like encoder with a small decoder, for finding people.

Two families share this file. `PublishedBlazeSeg` follows the published write-up (full-size
output, skips by concatenation). `BlazeSeg` is what framefx ships: the same depthwise and
pointwise blocks, but few channels where the picture is large, many where it is small, additive
skips, a pooled summary of the whole picture, and a result at half the input's size, which the
merge of framefx upsamples at no cost.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Upsampling = Literal["bilinear", "transposed"]


@dataclass(frozen=True)
class NetworkConfig:
    """All that determines a network's shape.

    Parameters
    ----------
    family : {"lateral", "published"}
        Which of the two networks of this module.
    size : tuple of int
        Height and width of the input in pixels, multiples of 16.
    widths : tuple of int
        Channels at 1/2, 1/4, 1/8 and 1/16 of the input's size.
    depths : tuple of int
        Blocks at 1/4, 1/8 and 1/16, the first of each included.
    kernel : int
        Side of the depthwise kernels of the encoder.
    classes : int
        Channels of the output; one means a sigmoid, more mean a softmax, the person last.
    upsampling : {"bilinear", "transposed"}
        How the decoder doubles a picture.
    context : bool
        Whether the pooled summary of the picture is added at 1/16.
    gates : bool
        Whether pooled summaries also weigh the channels, in the deep stages and where skips are added.
    """

    family: Literal["lateral", "published"] = "lateral"
    size: tuple[int, int] = (144, 256)
    widths: tuple[int, int, int, int] = (16, 24, 48, 128)
    depths: tuple[int, int, int] = (2, 3, 6)
    kernel: int = 5
    classes: int = 1
    upsampling: Upsampling = "bilinear"
    context: bool = True
    gates: bool = False

    def __post_init__(self) -> None:
        """Refuse sizes that the four halvings do not divide."""
        if self.size[0] % 16 or self.size[1] % 16:
            raise ValueError(f"size must be multiples of 16, not {self.size}")

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as plain values, for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> NetworkConfig:
        """Build a configuration from what `to_dict` gave (lists become tuples)."""
        plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**plain)


PRESETS: dict[str, NetworkConfig] = {
    "blazeseg": NetworkConfig(size=(144, 240), depths=(2, 3, 9), gates=True),
    "blazeseg-fast": NetworkConfig(size=(96, 160), depths=(2, 3, 9), gates=True),
    "blazeseg-paper": NetworkConfig(family="published", size=(128, 128), widths=(24, 28, 48, 96), depths=(2, 3, 9)),
}


def preset(name: str, **changes: Any) -> NetworkConfig:
    """Return the preset `name` with the given fields replaced."""
    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, not {name!r}")
    return replace(PRESETS[name], **changes)


def _pointwise(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))


class MoreChannels(nn.Module):
    """Channels of zeros behind those that are there."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.inputs, self.outputs = inputs, outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H, W)."""
        return functional.pad(x, (0, 0, 0, 0, 0, self.outputs - self.inputs))

    def as_convolution(self) -> nn.Conv2d:
        """Return a pointwise convolution that does the same.

        The converter to LiteRT lays what is padded out channel by channel, and all that follows with it: 31 operators
        that only turn maps around.
        """
        same = nn.Conv2d(self.inputs, self.outputs, 1, bias=False).requires_grad_(False)
        same.weight.copy_(torch.eye(self.outputs, self.inputs)[:, :, None, None])
        return same


class Block(nn.Module):
    """Depthwise convolution, pointwise convolution, shortcut, ReLU (as in BlazeFace).

    The first block of a stage halves the picture and adds channels; its shortcut is then a
    max-pool padded with zero channels, which has no weights.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.depthwise = nn.Sequential(
            nn.Conv2d(inputs, inputs, kernel, stride, kernel // 2, groups=inputs, bias=False),
            nn.BatchNorm2d(inputs),
        )
        self.pointwise = _pointwise(inputs, outputs)
        self.stride = stride
        self.extra = outputs - inputs
        widens = stride == 2 and self.extra > 0
        self.widen: nn.Module = MoreChannels(inputs, outputs) if widens else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H/stride, W/stride)."""
        y = self.pointwise(self.depthwise(x))
        if self.stride == 1 and self.extra == 0:
            y = y + x
        elif self.stride == 2 and self.extra >= 0:
            y = y + self.widen(functional.max_pool2d(x, 2))
        return functional.relu(y)


class Upsample(nn.Module):
    """Doubling by bilinear interpolation or by a transposed convolution."""

    def __init__(self, channels: int, how: Upsampling) -> None:
        super().__init__()
        self.transposed = nn.ConvTranspose2d(channels, channels, 2, 2) if how == "transposed" else None

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, 2H, 2W)."""
        if self.transposed is not None:
            doubled: Tensor = self.transposed(x)
            return doubled
        # Sizes are given, not a factor: the exporters fold them to constants.
        size = (2 * x.shape[-2], 2 * x.shape[-1])
        return functional.interpolate(x, size=size, mode="bilinear", align_corners=False)


class Context(nn.Module):
    """Add what the whole picture says to every place of it.

    Whether there is a person at all is decided by the whole picture; a mean over it reaches
    further than the receptive field and costs two products of a vector with a matrix.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(16, channels // 2)
        self.reduce = nn.Conv2d(channels, hidden, 1)
        self.expand = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        pooled = x.mean((2, 3), keepdim=True)
        summary: Tensor = self.expand(functional.relu(self.reduce(pooled)))
        return x + summary


class Gate(nn.Module):
    """Weigh every channel by what the whole picture says (squeeze and excitation, Hu et al., 2018).

    A fresh gate is the identity, so that it can be added to a trained network.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(8, channels // 4)
        self.reduce = nn.Conv2d(channels, hidden, 1)
        self.expand = nn.Conv2d(hidden, channels, 1)
        nn.init.zeros_(self.expand.weight)
        nn.init.zeros_(self.expand.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        weights = self.expand(functional.relu(self.reduce(x.mean((2, 3), keepdim=True)))).sigmoid()
        gated: Tensor = x * (2 * weights)
        return gated


class Merge(nn.Module):
    """One step of the decoder: project, double, add the skip, one block."""

    def __init__(self, below: int, skip: int, how: Upsampling, kernel: int, gate: bool = False) -> None:
        super().__init__()
        self.project = _pointwise(below, skip)
        self.up = Upsample(skip, how)
        self.lateral = _pointwise(skip, skip)
        self.gate = Gate(skip) if gate else nn.Identity()
        self.block = Block(skip, skip, kernel)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Map (N, below, H, W) and (N, skip, 2H, 2W) to (N, skip, 2H, 2W)."""
        merged: Tensor = self.block(functional.relu(self.up(self.project(x)) + self.gate(self.lateral(skip))))
        return merged


def _stage(inputs: int, outputs: int, count: int, kernel: int) -> nn.Sequential:
    first = Block(inputs, outputs, kernel, stride=2)
    return nn.Sequential(first, *(Block(outputs, outputs, kernel) for _ in range(count - 1)))


class BlazeSeg(nn.Module):
    """The network that framefx ships. Logits come out at half the input's size."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        a, b, c, d = config.widths
        k = config.kernel
        self.stem = nn.Sequential(nn.Conv2d(3, a, 3, 2, 1, bias=False), nn.BatchNorm2d(a), nn.ReLU())
        self.stage4 = _stage(a, b, config.depths[0], k)
        self.stage8 = _stage(b, c, config.depths[1], k)
        self.stage16 = _stage(c, d, config.depths[2], k)
        self.context = Context(d) if config.context else nn.Identity()
        self.gate8 = Gate(c) if config.gates else nn.Identity()
        gated = range(2, config.depths[2], 3) if config.gates else ()
        self.gates16 = nn.ModuleDict({str(number): Gate(d) for number in gated})
        self.merge8 = Merge(d, c, config.upsampling, k, config.gates)
        self.merge4 = Merge(c, b, config.upsampling, 3, config.gates)
        self.merge2 = Merge(b, a, config.upsampling, 3, config.gates)
        self.head = nn.Conv2d(a, config.classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map RGB in 0..1, (N, 3, H, W), to logits (N, classes, H/2, W/2)."""
        return self.explained(x)[0]

    def explained(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the logits and the maps they come from: the encoder's last, (N, d, H/16, W/16), and
        the decoder's first, (N, c, H/8, W/8).
        """
        half = self.stem(x)
        quarter = self.stage4(half)
        eighth = self.gate8(self.stage8(quarter))
        deep = eighth
        for number, block in enumerate(self.stage16):
            deep = block(deep)
            if str(number) in self.gates16:
                deep = self.gates16[str(number)](deep)
        deep = self.context(deep)
        fine = self.merge8(deep, eighth)
        logits: Tensor = self.head(self.merge2(self.merge4(fine, quarter), half))
        return logits, deep, fine


class _PublishedUp(nn.Module):
    """Doubling, projection, concatenation with the skip, depthwise + pointwise block."""

    def __init__(self, below: int, skip: int, outputs: int, how: Upsampling, kernel: int) -> None:
        super().__init__()
        self.up = Upsample(below, how)
        self.project = _pointwise(below, outputs)
        self.block = Block(outputs + skip, outputs, kernel)

    def forward(self, x: Tensor, skip: Tensor | None) -> Tensor:
        """Map (N, below, H, W) to (N, outputs, 2H, 2W)."""
        y = functional.relu(self.project(self.up(x)))
        if skip is not None:
            y = torch.cat((y, skip), 1)
        merged: Tensor = self.block(y)
        return merged


class PublishedBlazeSeg(nn.Module):
    """The published design: skips by concatenation, output at the input's size."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        a, b, c, d = config.widths
        k, how = config.kernel, config.upsampling
        self.stem = nn.Sequential(nn.Conv2d(3, a, 5, 2, 2, bias=False), nn.BatchNorm2d(a), nn.ReLU())
        self.stage4 = _stage(a, b, config.depths[0], k)
        self.stage8 = _stage(b, c, config.depths[1], k)
        self.stage16 = _stage(c, d, config.depths[2], k)
        self.up8 = _PublishedUp(d, c, d, how, k)
        self.up4 = _PublishedUp(d, b, c, how, k)
        self.up2 = _PublishedUp(c, a, b, how, k)
        self.up1 = _PublishedUp(b, 0, a, how, k)
        self.head = nn.Conv2d(a, config.classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map RGB in 0..1, (N, 3, H, W), to logits (N, classes, H, W)."""
        half = self.stem(x)
        quarter = self.stage4(half)
        eighth = self.stage8(quarter)
        y = self.up8(self.stage16(eighth), eighth)
        y = self.up1(self.up2(self.up4(y, quarter), half), None)
        logits: Tensor = self.head(y)
        return logits


class Probability(nn.Module):
    """A network with its last step: probabilities instead of logits."""

    def __init__(self, network: nn.Module, classes: int) -> None:
        super().__init__()
        self.network = network
        self.classes = classes

    def forward(self, x: Tensor) -> Tensor:
        """Map RGB in 0..1, (N, 3, H, W), to probabilities (N, classes, h, w)."""
        logits: Tensor = self.network(x)
        return logits.sigmoid() if self.classes == 1 else logits.softmax(1)


def build(config: NetworkConfig) -> nn.Module:
    """Build the network that `config` describes, with fresh weights."""
    return BlazeSeg(config) if config.family == "lateral" else PublishedBlazeSeg(config)


def parameters(network: nn.Module) -> int:
    """Count the trainable parameters of `network`."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
