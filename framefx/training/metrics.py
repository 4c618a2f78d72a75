"""Numbers that say how good a mask is. Masks are compared at the ground truth's resolution."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

#: The boundary score is taken at this height, pixels, so that its tolerance means the same everywhere.
BOUNDARY_HEIGHT = 256


def at_size(mask: npt.NDArray[np.generic], shape: tuple[int, ...]) -> Floats:
    """Return a mask (float 0..1 or uint8 0..255) as float32, 0..1, resized to `shape`."""
    scale = np.float32(1 / 255) if mask.dtype == np.uint8 else np.float32(1)
    values = mask.astype(np.float32) * scale
    if values.shape == shape[:2]:
        return values
    return np.asarray(cv2.resize(values, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def iou(found: Mask, truth: Mask) -> float:
    """Intersection over union; two empty masks agree completely."""
    union = np.count_nonzero(found | truth)
    return float(np.count_nonzero(found & truth) / union) if union else 1.0


def mean_iou(found: Mask, truth: Mask) -> float:
    """Mean of the person's and the background's intersection over union."""
    return (iou(found, truth) + iou(~found, ~truth)) / 2


def boundary_f(found: Mask, truth: Mask, tolerance: int = 2) -> float:
    """F-score of the masks' outlines: how much of each lies within `tolerance` pixels of the other.

    Both are first brought to a height of 256 pixels.
    """
    width = max(1, round(truth.shape[1] * BOUNDARY_HEIGHT / truth.shape[0]))
    outlines = [_outline(_resized(m, width)) for m in (found, truth)]
    counts = [np.count_nonzero(o) for o in outlines]
    if not counts[0] and not counts[1]:
        return 1.0
    if not counts[0] or not counts[1]:
        return 0.0
    side = 2 * tolerance + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    near = [np.asarray(cv2.dilate(o, disc), np.uint8) for o in outlines]
    precision = np.count_nonzero(outlines[0] & near[1]) / counts[0]
    recall = np.count_nonzero(outlines[1] & near[0]) / counts[1]
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def _resized(mask: Mask, width: int) -> Mask:
    size = (width, BOUNDARY_HEIGHT)
    return np.asarray(cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5)


def _outline(mask: Mask) -> npt.NDArray[np.uint8]:
    whole = mask.astype(np.uint8)
    # The frame's border is no outline: a person cut by it continues outside.
    eroded = cv2.erode(whole, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(whole - eroded, np.uint8)


def flicker(frames: Sequence[npt.NDArray[np.uint8]], masks: Sequence[Floats], still: int = 6) -> float:
    """Mean change of the mask from frame to frame where the picture stood still.

    Parameters
    ----------
    frames : sequence of np.ndarray [shape=(h, w, 3), dtype=uint8]
    masks : sequence of np.ndarray [shape=(h, w), dtype=float32]
    still : int
        A pixel stands still if no channel of the smoothed picture changed by more levels.
    """
    changes, smooth = [], [cv2.blur(f, (5, 5)) for f in frames]
    for k in range(1, len(frames)):
        quiet = cv2.absdiff(smooth[k], smooth[k - 1]).max(-1) <= still
        if quiet.any():
            changes.append(float(np.abs(masks[k] - masks[k - 1])[quiet].mean()))
    return float(np.mean(changes)) if changes else 0.0


def paired_bootstrap(
    first: Sequence[float], second: Sequence[float], *, rounds: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % interval of mean(first - second) over resampled pictures."""
    difference = np.asarray(first, np.float64) - np.asarray(second, np.float64)
    rng = np.random.default_rng(seed)
    means = difference[rng.integers(0, len(difference), (rounds, len(difference)))].mean(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def time_of(run: Callable[[], object], *, rounds: int = 200, warm: int = 10) -> tuple[float, float]:
    """Return the least and the median time of `run`, milliseconds."""
    import time

    for _ in range(warm):
        run()
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return float(min(times) * 1e3), float(np.median(times) * 1e3)
