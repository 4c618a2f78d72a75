"""The weights that framefx ships keep their promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="the shipped models are LiteRT files")
from framefx.training.evaluate import evaluate
from framefx.training.predict import LiteRTPredictor

WEIGHTS = Path(__file__).parents[2] / "framefx" / "models" / "weights"
#: Least mean IoU of the person on the evaluation pictures.
PROMISED = {"blazeseg": 0.865, "blazeseg-fast": 0.84}


def test_together_they_are_small() -> None:
    assert sum(p.stat().st_size for p in WEIGHTS.glob("*.tflite")) <= 1_500_000


@pytest.mark.parametrize("name", PROMISED)
def test_the_output_is_a_probability_at_half_size(name: str) -> None:
    model = LiteRTPredictor(WEIGHTS / f"{name}.tflite")
    mask = model(np.random.default_rng(0).integers(0, 256, (120, 200, 3), np.uint8))
    assert mask.shape == (model.size[0] // 2, model.size[1] // 2)
    assert 0 <= mask.min() <= mask.max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", PROMISED)
def test_it_finds_people(name: str, shared: Path) -> None:
    model = LiteRTPredictor(WEIGHTS / f"{name}.tflite")
    report = evaluate(name, model, shared / "eval", timed=False)
    assert report.mean("iou") >= PROMISED[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", PROMISED)
def test_the_astronaut_is_found(name: str) -> None:
    data = pytest.importorskip("skimage.data", reason="scikit-image has the picture")
    mask = LiteRTPredictor(WEIGHTS / f"{name}.tflite")(data.astronaut())
    height, width = mask.shape
    assert mask[height // 4, width * 45 // 100] > 0.8  # her face
    assert mask[height // 10, width * 62 // 100] < 0.2  # the wall beside her


@pytest.mark.slow
@pytest.mark.xfail(strict=True, reason="a known failure of both, named in docs/model-card.md: the flag is kept in part")
@pytest.mark.parametrize("name", PROMISED)
def test_the_flag_beside_her_is_no_person(name: str) -> None:
    data = pytest.importorskip("skimage.data", reason="scikit-image has the picture")
    mask = LiteRTPredictor(WEIGHTS / f"{name}.tflite")(data.astronaut())
    assert mask[mask.shape[0] // 10, mask.shape[1] // 10] < 0.2
