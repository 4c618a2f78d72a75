"""The training loop: steps, averaged weights, checkpoints that resume exactly, and a record."""

from __future__ import annotations

import copy
import csv
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from framefx.training import losses
from framefx.training.coach import Imitation, Lesson
from framefx.training.losses import LossWeights
from framefx.training.network import BlazeSeg, NetworkConfig, build
from framefx.training.schedule import learning_rate

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class TrainConfig:
    """How a run trains.

    Attributes
    ----------
    steps : int
        Length of the run; the learning rate falls along a cosine to `final` of its peak.
    batch : int
        Samples per step.
    rate : float
        Peak of the learning rate.
    warmup : int
        Steps of its rise.
    final : float
        Last learning rate, as a share of the peak.
    decay : float
        AdamW's weight decay.
    ema : float
        How much of the averaged weights stays at each step.
    seed : int
        Seed of the weights and of the samples.
    device : str
        `cpu` or `cuda`.
    bfloat16 : bool
        Whether to compute in bfloat16 (worth it on a GPU; slower on a CPU).
    loss : LossWeights
        What is minimised.
    """

    steps: int = 40_000
    batch: int = 32
    rate: float = 2e-3
    warmup: int = 300
    final: float = 0.01
    decay: float = 1e-4
    ema: float = 0.999
    seed: int = 0
    device: str = "cpu"
    bfloat16: bool = False
    loss: LossWeights = field(default_factory=LossWeights)


class Trainer:
    """A network in training.

    Parameters
    ----------
    network : NetworkConfig
    config : TrainConfig
    """

    def __init__(self, network: NetworkConfig, config: TrainConfig) -> None:
        torch.manual_seed(config.seed)
        self.shape, self.config = network, config
        self.device = torch.device(config.device)
        layout = torch.channels_last
        self.network = build(network).to(self.device, memory_format=layout)  # type: ignore[call-overload]
        self.average: nn.Module = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.imitation = Imitation(network).to(self.device) if config.loss.imitation else None
        trained = [self.network, *([self.imitation] if self.imitation else [])]
        groups = [group for part in trained for group in _groups(part, config.decay)]
        self.optimizer = torch.optim.AdamW(groups, lr=config.rate, betas=(0.9, 0.99))
        self.step = 0

    def train_step(self, pictures: Bytes, masks: Bytes, lesson: Lesson | None = None) -> float:
        """Take one step on (N, H, W, 3) and (N, h, w), uint8, and what a teacher says of them; return the loss."""
        config = self.config
        self.network.train()
        rate = learning_rate(self.step, config.steps, config.rate, warmup=config.warmup, final=config.final)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        x, y = self.tensors(pictures, masks)
        shift, pairs = self._move(x, y)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=config.bfloat16):
            logits, inner = self._answer(x, lesson)
        logits = logits.float()
        y = fit(y, logits)
        loss = losses.total(logits, y, config.loss)
        if pairs:
            person = losses.person_logit(logits)
            first, second = person[:pairs], person[-pairs:]
            loss = loss + config.loss.consistency * losses.consistency(first, second, shift)
        if lesson is not None and inner and self.imitation is not None:
            # What was moved into the end of the batch is not what the teacher saw there.
            told = slice(0, len(x) - pairs)
            maps = tuple(torch.from_numpy(m[told]).to(self.device).permute(0, 3, 1, 2).float() for m in lesson.maps)
            trust = torch.from_numpy(lesson.trust[told]).to(self.device)
            mine = tuple(m[told].float() for m in inner)
            loss = loss + config.loss.imitation * self.imitation(mine, maps, trust)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self._update_average()
        self.step += 1
        return float(loss.detach())

    def _answer(self, x: Tensor, lesson: Lesson | None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the logits, and the maps that a teacher's are compared with where there is a lesson."""
        if lesson is None or self.imitation is None or not isinstance(self.network, BlazeSeg):
            return self.network(x), ()
        logits, *inner = self.network.explained(x)
        return logits, tuple(inner)

    def tensors(self, pictures: Bytes, masks: Bytes) -> tuple[Tensor, Tensor]:
        """Return pictures (N, 3, H, W) and masks (N, 1, h, w) in 0..1, on the device."""
        x = torch.from_numpy(pictures).to(self.device).permute(0, 3, 1, 2).float() / 255
        y = torch.from_numpy(masks).to(self.device)[:, None].float() / 255
        return x.contiguous(memory_format=torch.channels_last), y

    def _move(self, x: Tensor, y: Tensor) -> tuple[tuple[int, int], int]:
        """Replace the end of the batch by its start, moved and with other noise, in place.

        The random numbers come from the step's number, so that a resumed run draws the same.
        """
        pairs = len(x) // 8 if self.config.loss.consistency else 0
        rng = np.random.default_rng((self.config.seed, self.step, 7))
        shift = int(rng.integers(-3, 4)), int(rng.integers(-3, 4))
        if pairs:
            scale = x.shape[-1] // y.shape[-1]
            moved = torch.roll(x[:pairs], (shift[0] * scale, shift[1] * scale), (2, 3))
            gain = float(rng.uniform(0.9, 1.1))
            grain = torch.from_numpy(rng.normal(0, 0.02, moved.shape).astype(np.float32))
            x[-pairs:] = (moved * gain + grain.to(x.device)).clamp_(0, 1)
            y[-pairs:] = torch.roll(y[:pairs], shift, (2, 3))
        return shift, pairs

    @torch.no_grad()
    def _update_average(self) -> None:
        # Young averages would still remember the random start: they follow faster.
        keep = min(self.config.ema, (1 + self.step) / (10 + self.step))
        mine = [v for v in self.network.state_dict().values() if v.dtype.is_floating_point]
        theirs = [v for v in self.average.state_dict().values() if v.dtype.is_floating_point]
        torch._foreach_lerp_(theirs, mine, 1 - keep)

    def state(self) -> dict[str, Any]:
        """Return all that continuing needs, as plain values and tensors."""
        return {
            "network": self.shape.to_dict(),
            "config": asdict(self.config),
            "weights": self.network.state_dict(),
            "average": self.average.state_dict(),
            "imitation": self.imitation.state_dict() if self.imitation else {},
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
        }

    def save(self, path: Path) -> None:
        """Write a checkpoint; an interrupted write leaves the former one whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".tmp")
        torch.save(self.state(), beside)
        beside.replace(path)

    def resume(self, path: Path) -> None:
        """Continue from a checkpoint of the same run."""
        state = read_checkpoint(path)
        self.network.load_state_dict(state["weights"])
        self.average.load_state_dict(state["average"])
        if self.imitation is not None:
            self.imitation.load_state_dict(state["imitation"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = int(state["step"])

    def start_from(self, path: Path) -> None:
        """Begin a new run with the averaged weights of a checkpoint, or with those of a ``.safetensors`` file.

        The input size may differ, and there may be more blocks and gates than in the checkpoint: added ones
        begin as identities, so that the network gives at first what the former one gave.
        """
        weights = _tensors(path) if path.suffix == ".safetensors" else read_checkpoint(path)["average"]
        for network in (self.network, self.average):
            missing, unknown = network.load_state_dict(weights, strict=False)
            if unknown:
                raise ValueError(f"{path} holds {unknown[0]}, which this network does not have")
            quiet_blocks(network, missing)


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in load_file(path).items()}


def quiet_blocks(network: nn.Module, missing: list[str]) -> None:
    """Turn the blocks whose weights are `missing` into identities (a block adds to its input; a fresh gate is one)."""
    for name in missing:
        if name.endswith("pointwise.1.weight"):
            nn.init.zeros_(network.get_parameter(name))
        elif not any(part in name for part in (".pointwise.", ".depthwise.", "gate")):
            raise ValueError(f"the checkpoint has no {name}, and only whole blocks and gates may be added")


def fit(target: Tensor, logits: Tensor) -> Tensor:
    """Resize masks to the logits' size where a network answers at another one."""
    if target.shape[-2:] == logits.shape[-2:]:
        return target
    return nn.functional.interpolate(target, size=logits.shape[-2:], mode="bilinear")


def _groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Part the parameters: only the convolutions' weights decay."""
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint onto the CPU, without running code from it."""
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def restore(path: Path) -> tuple[nn.Module, NetworkConfig]:
    """Return the averaged network of a checkpoint, ready to be used, and its configuration."""
    state = read_checkpoint(path)
    config = NetworkConfig.from_dict(state["network"])
    network = build(config)
    network.load_state_dict(state["average"])
    return network.eval(), config


class Record:
    """A CSV of metrics, one line per evaluation; a resumed run appends to it."""

    columns = ("step", "seconds", "rate", "train_loss", "val_loss", "val_iou", "eval_iou")

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            self._append(self.columns)

    def add(self, **values: float) -> None:
        """Append a line; columns without a value stay empty."""
        self._append([f"{values[c]:.6g}" if c in values else "" for c in self.columns])

    def highest(self, column: str) -> float:
        """Return the highest value of a column so far; minus infinity where there is none."""
        with self.path.open(newline="") as file:
            return max((float(row[column]) for row in csv.DictReader(file) if row[column]), default=float("-inf"))

    def _append(self, row: Any) -> None:
        with self.path.open("a", newline="") as file:
            csv.writer(file).writerow(row)
