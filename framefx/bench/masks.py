"""What the mask pipeline, bilinear sampling and the camera's motion cost, and what they are good for.

``python -m framefx.bench.masks DATA`` prints every figure. DATA holds ``eval/images`` and ``eval/masks``, and
``clips/headpose_female.gif``, in which shoulders and wall stand still; networks in ``models`` are measured beside the
one that comes along.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from framefx.bench.filters import portrait_masks
from framefx.bench.measure import Side, Timing, interleave
from framefx.bench.scene import NAMED_SIZES
from framefx.errors import UsageError
from framefx.frame import Frame, Image, Size
from framefx.layers import LoadedModel
from framefx.mask import Mask
from framefx.maskpipeline import MaskOptions, MaskPipeline, refined
from framefx.models.loading import find, load
from framefx.plugins import PluginManager
from framefx.roi import RegionOfInterest

_SHAPE = (144, 256)
_SECONDS = 1.0
_STILL = 12
"""Levels that a pixel of the smoothed picture may span over a clip that stands still there."""

_NETWORKS = ("selfie_segmentation_landscape.tflite", "segm_full_v679.tflite")

Floats = npt.NDArray[np.float32]


def main(argv: Sequence[str]) -> int:
    """Measure everything with the folder that `argv` names."""
    if len(argv) != 1 or not (Path(argv[0]) / "eval" / "images").is_dir():
        raise UsageError("got no folder with eval/images: python -m framefx.bench.masks DATA")
    data, console = Path(argv[0]), Console()
    models = _models(data)
    for table in (_costs(), _edges(data, models), _distant(data, models), _flicker(data, models), _steps()):
        console.print(table)
    from framefx.bench import places

    for table in places.tables():
        console.print(table)
    return 0


def _models(data: Path) -> list[LoadedModel]:
    registry = PluginManager(discover=False).registry
    files = [find("blazeseg", registry.weights), *(data / "models" / name for name in _NETWORKS)]
    return [LoadedModel(file.stem, load(file, registry), ["person"]) for file in files if file.is_file()]


def table_of(title: str, *columns: str) -> Table:
    """Return an empty table: the first column of words, the others of numbers."""
    table = Table(title=title, title_justify="left")
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left")
    return table


def add_timings(table: Table, timings: Sequence[Timing]) -> None:
    """Add a row of milliseconds for each."""
    for timing in timings:
        table.add_row(timing.name, f"{timing.cpu_min:.3f}", f"{timing.cpu_median:.3f}")


# -- what stages cost -------------------------------------------------------------------------------


def _costs() -> Table:
    """Stages on a mask of 256 × 144 of a 720p frame, CPU milliseconds."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (*NAMED_SIZES["720p"], 3), np.uint8)
    person = portrait_masks(NAMED_SIZES["720p"])["person"].values.astype(np.int16)
    masks = [np.asarray(np.clip(person + rng.integers(-9, 10, _SHAPE), 0, 255), np.uint8) for _ in range(2)]
    sides = [_refine_side("refine, smaller picture there", pixels, masks[0], shared=True)]
    sides.append(_refine_side("refine, smaller picture made", pixels, masks[0], shared=False))
    for smoothing in ("motion", "exponential"):
        sides.append(_stage_side(f"smoothing={smoothing}", masks, {"smoothing": smoothing, "range": (0, 1)}))
    sides.append(_stage_side("largest", masks, {"largest": True, "smooth": 0, "range": (0, 1)}))
    sides.append(_stage_side("default pipeline", masks, {}))
    table = table_of("Stages at 256×144, ms of CPU time", "stage", "least", "median")
    add_timings(table, interleave(sides, _SECONDS))
    return table


def _refine_side(name: str, pixels: Image, values: Image, *, shared: bool) -> Side:
    def fresh() -> Frame:
        frame = Frame.borrow(pixels)
        if shared:
            frame.downsampled(4)
        return frame

    return Side(name, lambda frame: refined(values, frame), fresh)


def _stage_side(name: str, masks: Sequence[Image], options: dict[str, Any]) -> Side:
    pipeline, size = MaskPipeline(MaskOptions(**options)), NAMED_SIZES["720p"]
    pixels, count = np.zeros((*size, 3), np.uint8), iter(range(10**9))

    def fresh() -> tuple[Mask, Frame]:
        number = next(count)
        return Mask(masks[number % 2], size), Frame.borrow(pixels, index=number, time=number / 30)

    return Side(name, lambda given: pipeline("person", *given), fresh)


# -- what refinement is good for --------------------------------------------------------------------


def _edges(data: Path, models: Sequence[LoadedModel]) -> Table:
    """Boundary F-score and overlap on the pictures of DATA/eval, without and with refinement."""
    from framefx.training import metrics
    from framefx.training.evaluate import pairs

    scores: dict[tuple[str, bool], list[tuple[float, float]]] = {}
    for _, pixels, truth in pairs(data / "eval"):
        frame = Frame.borrow(pixels)
        for model in models:
            mask = model.compute(frame)["person"]
            for refine in (False, True):
                pipeline = MaskPipeline(MaskOptions(smooth=0, refine=refine))
                found = metrics.at_size(np.asarray(pipeline("person", mask, frame)), truth.shape) > 0.5
                score = metrics.boundary_f(found, truth), metrics.iou(found, truth)
                scores.setdefault((model.name, refine), []).append(score)
    table = table_of("Refinement on eval", "model", "boundary F without", "with", "IoU without", "with")
    for model in models:
        (f, overlap), (fine_f, fine_overlap) = (np.mean(scores[model.name, r], axis=0) for r in (False, True))
        table.add_row(model.name, f"{f:.4f}", f"{fine_f:.4f}", f"{overlap:.4f}", f"{fine_overlap:.4f}")
    return table


# -- a distant person -------------------------------------------------------------------------------


def _distant(data: Path, models: Sequence[LoadedModel]) -> Table:
    """The same for people who are far away: pictures of DATA/eval at a third of their size, without and with `roi`."""
    from framefx.training import metrics
    from framefx.training.evaluate import pairs

    scores: dict[str, list[list[float]]] = {model.name: [] for model in models}
    for _, pixels, truth in pairs(data / "eval"):
        small, inside = _far_away(pixels, truth)
        for model in models:
            near = LoadedModel(model.name, model.model, ["person"], region=RegionOfInterest())
            frames = [Frame.borrow(small, index=number, time=number / 30) for number in range(25)]
            for frame in frames:
                followed = near.compute(frame)["person"]
            found = [np.asarray(mask) > 127 for mask in (model.compute(frames[0])["person"], followed)]
            scores[model.name].append(
                [score(mask, inside) for score in (metrics.boundary_f, metrics.iou) for mask in found]
            )
    table = table_of("Far away people", "model", "boundary F without roi", "with", "IoU without", "with")
    for name, rows in scores.items():
        table.add_row(name, *(f"{value:.4f}" for value in np.mean(rows, axis=0)))
    return table


def _far_away(pixels: Image, truth: npt.NDArray[np.bool_]) -> tuple[Image, npt.NDArray[np.bool_]]:
    """Return a picture at a third of a 720p frame's height in a blurred, larger copy of itself, and its mask."""
    import cv2

    height, width = NAMED_SIZES["720p"]
    rows = height // 3
    columns = min(width, round(pixels.shape[1] * rows / pixels.shape[0]))
    frame = cv2.GaussianBlur(cv2.resize(pixels, (width, height)), (0, 0), 40)
    inside = np.zeros((height, width), np.float32)
    place = slice(rows, 2 * rows), slice((width - columns) // 2, (width - columns) // 2 + columns)
    frame[place] = cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA)
    inside[place] = cv2.resize(truth.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(frame, np.uint8), inside > 0.5


# -- flicker ----------------------------------------------------------------------------------------


def _flicker(data: Path, models: Sequence[LoadedModel]) -> Table:
    """Mean change of the mask, in levels, where the clip stands still: raw, smoothed, and through all stages."""
    import av

    from framefx.training.evaluate import frames

    clip = data / "clips" / "headpose_female.gif"
    with av.open(str(clip)) as container:
        rate = float(container.streams.video[0].average_rate or 25)
    pictures = frames(clip)
    table = table_of(
        f"Flicker on {clip.name}'s still part, levels of 255 (part of raw)",
        "model", "part", "frames per second", "raw", "smoothing alone", "default pipeline", "exponential 0.08 s",
    )  # fmt: skip
    ways: list[dict[str, Any]] = [{"range": (0, 1)}, {}, {"range": (0, 1), "smoothing": "exponential"}]
    for model in models:
        masks = [model.compute(Frame.borrow(picture))["person"] for picture in pictures]
        whole = np.stack([np.asarray(mask) for mask in masks])
        for part, still in _still_parts(pictures, whole).items():
            raw = _change(whole, still)
            for speed in (rate, 30.0):
                shown = [_change(_piped(masks, pictures, speed, way), still) for way in ways]
                cells = [f"{value:.4f} ({value / raw:.2f})" for value in shown]
                table.add_row(model.name, part, f"{speed:g}", f"{raw:.4f}", *cells)
    return table


def _still_parts(pictures: Sequence[Image], whole: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[np.bool_]]:
    """Return where the clip stands still: all of it, and that without the outlines of any frame."""
    import cv2

    smooth = np.stack([cv2.blur(picture, (5, 5)) for picture in pictures])
    still = np.asarray((smooth.max(0) - smooth.min(0)).max(-1) <= _STILL)
    square = np.ones((9, 9), np.uint8)
    inside = np.asarray(cv2.erode(np.asarray(whole.min(0) > 127).view(np.uint8), square)) > 0
    outside = np.asarray(cv2.erode(np.asarray(whole.max(0) < 128).view(np.uint8), square)) > 0
    return {"background and interior": still & (inside | outside), "all that is still": still}


def _piped(masks: Sequence[Mask], pictures: Sequence[Image], rate: float, options: dict[str, Any]) -> Any:
    pipeline = MaskPipeline(MaskOptions(**options))
    made = [
        pipeline("person", mask, Frame.borrow(picture, index=number, time=number / rate))
        for number, (mask, picture) in enumerate(zip(masks, pictures, strict=True))
    ]
    return np.stack([np.asarray(mask) for mask in made])


def _change(masks: npt.NDArray[np.uint8], where: npt.NDArray[np.bool_]) -> float:
    return float(np.abs(np.diff(masks.astype(np.float32), axis=0))[:, where].mean())


# -- a step -----------------------------------------------------------------------------------------


def _steps() -> Table:
    """Milliseconds until 90 % of a step is shown: a person who is there in one frame and gone in the next."""
    table = table_of("90 % of a step, ms after the last frame before it", "smoothing", "15 fps", "30 fps", "60 fps")
    for smoothing in ("motion", "exponential"):
        cells = [f"{next(_until(smoothing, rate)):.0f}" for rate in (15, 30, 60)]
        table.add_row(f"{smoothing} {MaskOptions(smoothing=smoothing).time_constant} s", *cells)
    return table


def _until(smoothing: Any, rate: float) -> Iterator[float]:
    size: Size = (90, 160)
    pipeline = MaskPipeline(MaskOptions(range=(0, 1), smoothing=smoothing))
    pixels = np.zeros((*size, 3), np.uint8)
    for number in range(1000):
        mask = Mask(np.full((9, 16), 255 * (number == 0), np.uint8), size)
        shown = pipeline("person", mask, Frame.borrow(pixels, index=number, time=number / rate))
        if shown.values.max() <= 25:
            yield 1000 * number / rate


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
