"""A contact sheet: the pictures on which a model did worst, with its masks drawn in."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from framefx.training import metrics
from framefx.training.evaluate import Report, pairs
from framefx.training.predict import Predictor

Bytes = npt.NDArray[np.uint8]
TILE = (180, 240)  # height and width of a picture on the sheet
FOUND, TRUTH = (255, 60, 60), (60, 255, 60)


def tile(rgb: Bytes, found: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_], caption: str) -> Bytes:
    """Draw one picture: what was found is tinted red, the true outline is green."""
    height, width = TILE
    factor = min(width / rgb.shape[1], height / rgb.shape[0])
    size = (max(1, int(rgb.shape[1] * factor)), max(1, int(rgb.shape[0] * factor)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    masks = [cv2.resize(m.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) for m in (found, truth)]
    small[masks[0] > 0] = (0.65 * small[masks[0] > 0] + 0.35 * np.array(FOUND)).astype(np.uint8)
    outlines, _ = cv2.findContours(masks[1], cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(small, outlines, -1, TRUTH, 1)
    canvas = np.full((height + 18, width, 3), 24, np.uint8)
    canvas[: size[1], : size[0]] = small
    cv2.putText(canvas, caption, (3, height + 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (230, 230, 230), 1, cv2.LINE_AA)
    return canvas


def contact_sheet(report: Report, predict: Predictor, folder: Path, path: Path, *, count: int = 24) -> None:
    """Write the sheet of the `count` worst pictures of `report` (six in a row) to `path`."""
    worst = sorted(report.scores, key=lambda s: s.iou)[:count]
    wanted = {s.name: s for s in worst}
    tiles = {}
    for name, rgb, truth in pairs(folder):
        if name in wanted:
            found = metrics.at_size(predict(rgb), truth.shape) > 0.5
            whole = cv2.resize(rgb, (truth.shape[1], truth.shape[0]))
            tiles[name] = tile(np.asarray(whole, np.uint8), found, truth, f"{name} {wanted[name].iou:.3f}")
    ordered = [tiles[s.name] for s in worst]
    blank = np.zeros((TILE[0] + 18, TILE[1], 3), np.uint8)
    ordered += [blank] * (-len(ordered) % 6)
    rows = [np.hstack(ordered[k : k + 6]) for k in range(0, len(ordered), 6)]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))
