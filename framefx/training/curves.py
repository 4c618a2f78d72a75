"""The record of a run as pictures."""

from __future__ import annotations

import csv
from pathlib import Path


def draw_curves(record: Path, path: Path) -> None:
    """Draw loss and IoU over the steps of `record` (a CSV) into a PNG at `path`.

    Without matplotlib (extra `train`) nothing is drawn: the CSV holds all of it.
    """
    try:
        import matplotlib as mpl
    except ImportError:
        return
    mpl.use("Agg")
    from matplotlib.figure import Figure

    with record.open(newline="") as file:
        rows = list(csv.DictReader(file))
    figure = Figure(figsize=(10, 4))
    for axes, names in zip(figure.subplots(1, 2), (("train_loss", "val_loss"), ("val_iou", "eval_iou")), strict=True):
        for name in names:
            points = [(int(float(r["step"])), float(r[name])) for r in rows if r.get(name)]
            if points:
                axes.plot(*zip(*points, strict=True), label=name.replace("_", " "))
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)
