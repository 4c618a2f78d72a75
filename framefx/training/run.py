"""A whole training run: batches, steps, regular evaluations, checkpoints, curves."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from framefx.training import losses, metrics
from framefx.training.augment import Recipe
from framefx.training.batches import Batches, from_pack
from framefx.training.curves import draw_curves
from framefx.training.loop import Record, TrainConfig, Trainer, fit
from framefx.training.network import NetworkConfig
from framefx.training.predict import stretch

Bytes = npt.NDArray[np.uint8]
Held = list[tuple[Bytes, npt.NDArray[np.bool_]]]


@dataclass(frozen=True)
class RunConfig:
    """Where a run reads and writes, and how often.

    Attributes
    ----------
    pack : Path
        The packed training pictures.
    folder : Path
        Where checkpoints, the record and the curves go.
    every : int
        Steps between evaluations and checkpoints.
    workers : int
        Processes that draw samples.
    start : Path, optional
        A checkpoint whose averaged weights a new run begins with.
    evaluation : Path, optional
        A folder with `images` and `masks` that is measured beside the validation pictures.
    minutes : float, optional
        Stop, with a checkpoint, after this long; the same command continues later.
    coach : Path, optional
        The folder of the teacher that is asked about every sample.
    """

    pack: Path
    folder: Path
    every: int = 500
    workers: int = 1
    start: Path | None = None
    evaluation: Path | None = None
    minutes: float | None = None
    coach: Path | None = None


def run(network: NetworkConfig, config: TrainConfig, where: RunConfig, recipe: Recipe | None = None) -> Trainer:
    """Train, or continue where the checkpoint in the run's folder left off.

    The folder holds two checkpoints: ``last.pt``, which a later run goes on from, and ``best.pt``, the one with the
    highest IoU on the validation pictures so far.

    Returns
    -------
    Trainer
        As it stood after the last step.
    """
    trainer = Trainer(network, config)
    checkpoint = where.folder / "last.pt"
    if checkpoint.exists():
        trainer.resume(checkpoint)
    elif where.start is not None:
        trainer.start_from(where.start)
    train, held = from_pack(where.pack)
    validation: Held = [(i.rgba[..., :3], i.rgba[..., 3] > 127) for i in held]
    batches = Batches(
        train,
        network.size,
        recipe or Recipe(),
        count=config.batch,
        seed=config.seed,
        start=trainer.step,
        workers=where.workers,
        coach=where.coach,
    )
    record, begin = Record(where.folder / "metrics.csv"), time.monotonic()
    limit = float("inf") if where.minutes is None else begin + 60 * where.minutes
    recent: list[float] = []
    for pictures, masks, lesson in batches:
        if trainer.step >= config.steps:
            break
        recent.append(trainer.train_step(pictures, masks, lesson))
        over = trainer.step >= config.steps or time.monotonic() > limit
        if trainer.step % where.every == 0 or over:
            best = record.highest("val_iou")
            if _evaluate(trainer, record, recent, validation, where, time.monotonic() - begin) > best:
                trainer.save(where.folder / "best.pt")
            trainer.save(checkpoint)
            recent.clear()
        if over:
            break
    return trainer


def _evaluate(
    trainer: Trainer, record: Record, recent: Sequence[float], held: Held, where: RunConfig, seconds: float
) -> float:
    """Measure, record and draw; return the mean IoU on the validation pictures."""
    loss, ious = measure(trainer, held)
    values = {
        "step": trainer.step,
        "seconds": seconds,
        "rate": trainer.optimizer.param_groups[0]["lr"],
        "train_loss": float(np.mean(recent)),
        "val_loss": loss,
        "val_iou": float(np.mean(ious)) if ious else float("nan"),
    }
    if where.evaluation is not None:
        from framefx.training.evaluate import pairs

        pictures: Held = [(rgb, mask) for _, rgb, mask in pairs(where.evaluation)]
        values["eval_iou"] = float(np.mean(measure(trainer, pictures)[1]))
    record.add(**values)
    draw_curves(record.path, where.folder / "curves.png")
    sys.stdout.write("  ".join(f"{k} {v:.6g}" for k, v in values.items()) + "\n")
    sys.stdout.flush()
    return float(values["val_iou"])


def measure(trainer: Trainer, pictures: Held, count: int = 16) -> tuple[float, list[float]]:
    """Return the loss and the person's IoU per picture, of the averaged network.

    Parameters
    ----------
    trainer : Trainer
    pictures : list of (np.ndarray, np.ndarray)
        RGB (H, W, 3), uint8, and masks (H, W), bool, of any sizes.
    count : int
        Pictures computed at once.
    """
    total, ious = 0.0, []
    size = trainer.shape.size
    for k in range(0, len(pictures), count):
        part = pictures[k : k + count]
        x = torch.from_numpy(np.stack([stretch(rgb, size) for rgb, _ in part])).permute(0, 3, 1, 2)
        with torch.no_grad():
            logits = trainer.average(x.to(trainer.device, memory_format=torch.channels_last)).float()
        small = np.stack([metrics.at_size(m.astype(np.float32), logits.shape[-2:]) for _, m in part])
        target = fit(torch.from_numpy(small)[:, None].to(trainer.device), logits)
        total += len(part) * float(losses.total(logits, target, trainer.config.loss))
        for (_, truth), found in zip(part, losses.person_probability(logits).cpu().numpy(), strict=True):
            ious.append(metrics.iou(metrics.at_size(found, truth.shape) > 0.5, truth))
    return total / max(1, len(pictures)), ious
