"""`framefx train`, `framefx evaluate` and `framefx export`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from framefx.errors import FramefxError, UsageError
from framefx.training import evaluate_cli

if TYPE_CHECKING:
    from framefx.training.predict import Floats

PRESET_NAMES = ("blazeseg", "blazeseg-fast", "blazeseg-paper")
FORMAT_NAMES = ("litert", "litert-float16", "litert-int8", "onnx", "torch-export", "safetensors")
#: Pictures on which the ranges of an int8 network are measured.
TYPICAL = 150
ENDINGS = {
    "litert": ".tflite",
    "litert-float16": ".tflite",
    "litert-int8": ".tflite",
    "onnx": ".onnx",
    "torch-export": ".pt2",
    "safetensors": ".safetensors",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of the three commands; `argv` begins with its name. Return the exit code."""
    options = parser().parse_args(sys.argv[1:] if argv is None else list(argv))
    try:
        code: int = options.run(options)
    except (ValueError, ImportError, FileNotFoundError) as error:
        if isinstance(error, FramefxError):
            raise
        raise UsageError(str(error)) from error
    return code


def parser() -> argparse.ArgumentParser:
    """Return the parser of the three commands."""
    result = argparse.ArgumentParser(prog="framefx", allow_abbrev=False)
    commands = result.add_subparsers(required=True, metavar="COMMAND")
    _train_options(commands.add_parser("train", help="pack the training pictures, or train", allow_abbrev=False))
    evaluate_cli.add_options(commands.add_parser("evaluate", help="measure models", allow_abbrev=False))
    _export_options(commands.add_parser("export", help="write a checkpoint in other formats", allow_abbrev=False))
    return result


def _train_options(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_train)
    parser.add_argument("data", type=Path, help="the data folder, or a pack (.npz) made from it")
    parser.add_argument("folder", type=Path, help="where checkpoints, metrics.csv and curves.png go; resumes there")
    parser.add_argument("--pack-only", action="store_true", help="write FOLDER/pack.npz from DATA and stop")
    parser.add_argument("--side", type=int, default=448, help="longest side of packed pictures, pixels")
    parser.add_argument("--quality", type=int, default=88, help="JPEG quality of packed pictures")
    parser.add_argument("--no-teachers", action="store_true", help="leave the labels as they are when packing")
    parser.add_argument("--preset", choices=PRESET_NAMES, default="blazeseg", help="the network")
    parser.add_argument("--size", metavar="WxH", help="input size in pixels, multiples of 16")
    parser.add_argument("--classes", type=int, default=1, help="output channels; the last is the person")
    parser.add_argument("--upsampling", choices=("bilinear", "transposed"), help="how the decoder doubles")
    parser.add_argument("--steps", type=int, default=30_000, help="length of the run")
    parser.add_argument("--batch", type=int, default=32, help="samples per step")
    parser.add_argument("--rate", type=float, default=2.5e-3, help="peak learning rate")
    parser.add_argument("--final", type=float, default=0.01, help="last learning rate as a share of the peak")
    parser.add_argument("--ema", type=float, default=0.999, help="share of the averaged weights kept per step")
    parser.add_argument("--consistency", type=float, default=0.0, help="weight of the term over time")
    parser.add_argument("--coach", metavar="FOLDER", type=Path, help="ask this folder's teacher about every sample")
    parser.add_argument("--imitation", type=float, default=0.5, help="weight of the teacher's inner maps")
    parser.add_argument("--strength", type=float, default=0.6, help="how often pictures are degraded, 0..1")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu", help="cpu or cuda (which computes in bfloat16)")
    parser.add_argument("--threads", type=int, default=1, help="torch's threads; one per core that is idle")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw samples")
    parser.add_argument("--every", type=int, default=500, help="steps between evaluations and checkpoints")
    parser.add_argument("--start", type=Path, help="begin with the weights of this checkpoint or .safetensors file")
    parser.add_argument("--evaluation", type=Path, help="a folder with images and masks to measure along the way")
    parser.add_argument("--minutes", type=float, help="stop after so long; the same command continues")


def _size(text: str) -> tuple[int, int]:
    """Parse WxH into (height, width)."""
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(p.isdigit() for p in parts):
        raise ValueError(f"--size must look like 256x144, not {text!r}")
    return int(parts[1]), int(parts[0])


def _packed(options: argparse.Namespace) -> Path:
    if options.data.suffix == ".npz":
        return Path(options.data)
    path = Path(options.folder) / "pack.npz"
    if options.pack_only or not path.exists():
        from framefx.training.data import pack
        from framefx.training.teachers import Teachers

        teachers = None if options.no_teachers else Teachers(options.data / "models")
        count = pack(options.data, path, side=options.side, quality=options.quality, teachers=teachers)
        _say(f"{path}: {count} pictures, {path.stat().st_size / 2**20:.1f} MiB")
    return path


def _train(options: argparse.Namespace) -> int:
    pack = _packed(options)
    if options.pack_only:
        return 0
    import cv2
    import torch

    from framefx.training.augment import Recipe
    from framefx.training.loop import TrainConfig
    from framefx.training.losses import LossWeights
    from framefx.training.network import preset
    from framefx.training.run import RunConfig, run

    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    changes = {"classes": options.classes}
    changes |= {"size": _size(options.size)} if options.size else {}
    changes |= {"upsampling": options.upsampling} if options.upsampling else {}
    config = TrainConfig(
        steps=options.steps,
        batch=options.batch,
        rate=options.rate,
        final=options.final,
        ema=options.ema,
        seed=options.seed,
        device=options.device,
        bfloat16=options.device.startswith("cuda"),
        loss=LossWeights(
            consistency=options.consistency, imitation=options.imitation if options.coach is not None else 0.0
        ),
    )
    where = RunConfig(
        pack,
        options.folder,
        every=options.every,
        workers=options.workers,
        start=options.start,
        evaluation=options.evaluation,
        minutes=options.minutes,
        coach=options.coach,
    )
    run(preset(options.preset, **changes), config, where, Recipe(strength=options.strength))
    return 0


def _export_options(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_export)
    parser.add_argument("checkpoint", type=Path, help="last.pt or best.pt of a training run")
    parser.add_argument("output", type=Path, help="path to write to, without its ending")
    parser.add_argument("--format", choices=FORMAT_NAMES, action="append", help="repeatable (default: litert)")
    parser.add_argument("--size", metavar="WxH", help="another input size, pixels")
    parser.add_argument("--pictures", type=Path, help="a pack (.npz) of training pictures, for litert-int8")


def _export(options: argparse.Namespace) -> int:
    from dataclasses import replace

    from framefx.training.export import export
    from framefx.training.loop import restore

    network, config = restore(options.checkpoint)
    if options.size:
        config = replace(config, size=_size(options.size))
    for format in options.format or ["litert"]:
        path = options.output.with_name(options.output.name + ENDINGS[format])
        _say(str(export(network, config, format, path, _typical(options.pictures, config.size))))
    return 0


def _typical(pack: Path | None, size: tuple[int, int]) -> list[Floats]:
    """Return pictures from all over a pack at a network's size, 0 to 1; none without a pack."""
    if pack is None:
        return []
    from framefx.training.data import load
    from framefx.training.predict import stretch

    items = [item for item in load(pack) if item.kind != "empty"]
    return [stretch(item.rgba[..., :3], size) for item in items[:: max(1, len(items) // TYPICAL)]]


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
