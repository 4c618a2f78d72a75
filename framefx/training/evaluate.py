"""Measure any model that finds a person: quality, false persons, flicker and time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import cv2
import numpy as np
import numpy.typing as npt

from framefx.training import metrics
from framefx.training.pictures import clip_frames, read_rgb
from framefx.training.predict import Predictor

Bytes = npt.NDArray[np.uint8]
PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
CLIPS = {".mp4", ".mkv", ".gif", ".webm", ".mov", ".avi"}


@runtime_checkable
class Prepared(Protocol):
    """A predictor whose network can be run apart from what surrounds it."""

    def prepare(self, picture: Bytes) -> None:
        """Put `picture`, RGB (H, W, 3), into the network's input."""

    def run(self) -> object:
        """Run the network on what was prepared."""


@dataclass(frozen=True)
class Score:
    """What one picture with a mask gave; all values 0..1."""

    name: str
    group: str
    iou: float
    mean_iou: float
    boundary: float


@dataclass
class Report:
    """What was measured of one model.

    Attributes
    ----------
    model : str
        Its name.
    scores : list of Score
        One per picture with a mask.
    false_area : dict
        Mean area taken for a person on pictures without any, 0..1, per folder or clip.
    flicker : dict
        Mean change of the mask where nothing moves, 0..1, per clip.
    milliseconds : tuple of float, optional
        Least and median time of the model alone (without resizing) where it can be told apart,
        else of the whole prediction.
    """

    model: str
    scores: list[Score] = field(default_factory=list)
    false_area: dict[str, float] = field(default_factory=dict)
    flicker: dict[str, float] = field(default_factory=dict)
    milliseconds: tuple[float, float] | None = None

    def values(self, what: str, group: str | None = None) -> list[float]:
        """Return one kind of value of all pictures, or of those of one group."""
        chosen = (s for s in self.scores if group in (None, s.group))
        return [float(getattr(s, what)) for s in chosen]

    def mean(self, what: str, group: str | None = None) -> float:
        """Return the mean of one kind of value; NaN where there is none."""
        values = self.values(what, group)
        return float(np.mean(values)) if values else float("nan")

    @property
    def groups(self) -> list[str]:
        """The groups of the pictures, sorted."""
        return sorted({s.group for s in self.scores})

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, with the summary first."""
        ious = self.values("iou")
        summary = {
            "pictures": len(ious),
            "mean_iou_person": self.mean("iou"),
            "median_iou_person": float(np.median(ious)) if ious else None,
            "miou": self.mean("mean_iou"),
            "boundary_f": self.mean("boundary"),
            "groups": {g: self.mean("iou", g) for g in self.groups},
        }
        return {"summary": summary} | asdict(self)


def pairs(folder: Path) -> Iterator[tuple[str, Bytes, npt.NDArray[np.bool_]]]:
    """Yield name, picture (RGB) and mask of a folder with `images` and `masks`."""
    if not (folder / "images").is_dir() or not (folder / "masks").is_dir():
        raise ValueError(f"{folder} must hold the folders images and masks, with equal file names")
    masks = {p.stem: p for p in (folder / "masks").iterdir()}
    for path in sorted((folder / "images").iterdir()):
        if path.suffix.lower() in PICTURES and path.stem in masks:
            mask = cv2.imread(str(masks[path.stem]), cv2.IMREAD_GRAYSCALE)
            if mask is not None:
                yield path.stem, read_rgb(path), np.asarray(mask > 127)


def frames(path: Path, limit: int = 400) -> list[Bytes]:
    """Return the first frames of a clip, RGB."""
    return list(islice(clip_frames(path), limit))


def empty_frames(path: Path, *, every: int = 5, limit: int = 2000) -> list[Bytes]:
    """Return frames of a fixed camera's clip in which nobody is to be seen.

    Visitors differ, the empty scene comes back: the picture that recurs in most separate
    stretches is taken for the empty one, and frames in which hardly a pixel differs from it count.
    """
    some = frames(path, limit)[::every]
    gray = [cv2.cvtColor(cv2.resize(f, (96, 54), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY) for f in some]
    small = np.stack(gray).astype(np.int16)
    alike = np.stack([(np.abs(small - s) > 20).mean((1, 2)) < 1 / 1000 for s in small])
    stretches = (alike[:, 1:] & ~alike[:, :-1]).sum(1)
    scene = alike[int(np.argmax(stretches))]
    return [f for f, same in zip(some, scene, strict=True) if same]


def pictures(path: Path) -> list[Bytes]:
    """Return the pictures of a folder, RGB, or the empty frames of a clip."""
    if path.suffix.lower() in CLIPS:
        return empty_frames(path)
    files = sorted(p for p in path.iterdir() if p.suffix.lower() in PICTURES)
    return [read_rgb(p) for p in files]


def evaluate(
    name: str,
    predict: Predictor,
    folder: Path,
    *,
    empty: Sequence[Path] = (),
    clips: Sequence[Path] = (),
    timed: bool = True,
) -> Report:
    """Measure one model.

    Parameters
    ----------
    name : str
        What to call it.
    predict : Predictor
        RGB (H, W, 3), uint8 -> the person, (h, w) of any size, float 0..1 or uint8 0..255.
    folder : Path
        A folder with `images` and `masks`.
    empty : sequence of Path
        Folders of pictures without people, or clips of a fixed camera.
    clips : sequence of Path
        Clips to measure flicker on.
    timed : bool
        Whether to measure the time too.

    Raises
    ------
    ValueError
        When the folder has no pictures with masks.
    """
    report = Report(name)
    for stem, rgb, truth in pairs(folder):
        found = metrics.at_size(predict(rgb), truth.shape) > 0.5
        report.scores.append(
            Score(
                stem,
                stem.split("_")[0],
                metrics.iou(found, truth),
                metrics.mean_iou(found, truth),
                metrics.boundary_f(found, truth),
            )
        )
    if not report.scores:
        raise ValueError(f"{folder}: no picture in images has a mask of the same name in masks")
    for place in empty:
        areas = [float((metrics.at_size(predict(p), p.shape[:2]) > 0.5).mean()) for p in pictures(place)]
        report.false_area[place.stem] = float(np.mean(areas)) if areas else float("nan")
    for clip in clips:
        seen = frames(clip, 120)
        report.flicker[clip.stem] = metrics.flicker(seen, [metrics.at_size(predict(f), f.shape[:2]) for f in seen])
    if timed:
        report.milliseconds = milliseconds(predict)
    return report


def milliseconds(predict: Predictor, rounds: int = 200) -> tuple[float, float]:
    """Return the least and median time per frame, of the model alone where it can be told apart."""
    picture = np.random.default_rng(0).integers(0, 256, (360, 640, 3), np.uint8)
    apart: object = predict
    if isinstance(apart, Prepared):
        apart.prepare(picture)
        return metrics.time_of(apart.run, rounds=rounds)
    return metrics.time_of(lambda: predict(picture), rounds=rounds)


def table(reports: Sequence[Report]) -> str:
    """Return the reports as a Markdown table, one line per model."""
    header = ["model", "mean IoU", "median", "mIoU", "boundary F", "false area %", "flicker %", "ms min", "ms median"]
    lines = [header, ["---"] * len(header)]
    for report in reports:
        ious = report.values("iou")
        taken = report.milliseconds or ()
        false, shaking = list(report.false_area.values()), list(report.flicker.values())
        lines.append(
            [
                report.model,
                f"{np.mean(ious):.3f}" if ious else "",
                f"{np.median(ious):.3f}" if ious else "",
                f"{report.mean('mean_iou'):.3f}",
                f"{report.mean('boundary'):.3f}",
                f"{100 * np.mean(false):.2f}" if false else "",
                f"{100 * np.mean(shaking):.2f}" if shaking else "",
                *([f"{value:.2f}" for value in taken] or ["", ""]),
            ]
        )
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def group_table(reports: Sequence[Report]) -> str:
    """Return mean person IoU by group as a Markdown table, one line per model."""
    groups = sorted({g for r in reports for g in r.groups})
    counts = [f"{g} ({len(reports[0].values('iou', g))})" for g in groups]
    lines = [["model", *counts], ["---"] * (len(groups) + 1)]
    lines += [[r.model, *(f"{r.mean('iou', g):.3f}" for g in groups)] for r in reports]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
