"""Metrics on masks whose values can be told by hand."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")
from framefx.training import metrics


def half(columns: int) -> np.ndarray:
    mask = np.zeros((256, 256), bool)
    mask[:, :columns] = True
    return mask


def test_iou_of_overlapping_halves() -> None:
    assert metrics.iou(half(128), half(64)) == pytest.approx(0.5)
    assert metrics.mean_iou(half(128), half(64)) == pytest.approx((0.5 + 128 / 192) / 2)


def test_two_empty_masks_agree() -> None:
    assert metrics.iou(half(0), half(0)) == 1
    assert metrics.boundary_f(half(0), half(0)) == 1


def test_the_boundary_tolerates_two_pixels_and_not_six() -> None:
    assert metrics.boundary_f(half(100), half(102)) == pytest.approx(1)
    assert metrics.boundary_f(half(100), half(106)) == 0


def test_masks_are_brought_to_size_whatever_their_type() -> None:
    assert metrics.at_size(np.full((4, 4), 255, np.uint8), (8, 8)).max() == pytest.approx(1)
    assert metrics.at_size(np.full((4, 4), 0.5, np.float32), (8, 6)).shape == (8, 6)


def test_flicker_counts_only_where_nothing_moved() -> None:
    still = [np.zeros((10, 10, 3), np.uint8)] * 3
    steady, blinking = [np.ones((10, 10), np.float32)] * 3, [np.full((10, 10), v, np.float32) for v in (0, 1, 0)]
    assert metrics.flicker(still, steady) == 0
    assert metrics.flicker(still, blinking) == 1
    moving = [np.full((10, 10, 3), v, np.uint8) for v in (0, 200, 0)]
    assert metrics.flicker(moving, blinking) == 0


def test_the_bootstrap_encloses_a_constant_difference() -> None:
    low, high = metrics.paired_bootstrap([0.6, 0.7, 0.8], [0.5, 0.6, 0.7])
    assert low == pytest.approx(0.1)
    assert high == pytest.approx(0.1)
