"""A teacher is asked about every sample, and a student learns from what it computes on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("ai_edge_litert", reason="the teacher is a LiteRT file")
from framefx.training.augment import Recipe  # noqa: E402
from framefx.training.batches import Batches, cross  # noqa: E402
from framefx.training.coach import FILE, Coach, Imitation, agreement, with_outputs  # noqa: E402
from framefx.training.data import load  # noqa: E402
from framefx.training.loop import TrainConfig, Trainer  # noqa: E402
from framefx.training.losses import LossWeights  # noqa: E402
from framefx.training.network import NetworkConfig  # noqa: E402
from framefx.training.pictures import read_rgb  # noqa: E402
from framefx.training.predict import LiteRTPredictor  # noqa: E402

TINY = NetworkConfig(size=(32, 48), widths=(4, 6, 8, 12), depths=(1, 1, 2))


@pytest.fixture(scope="module")
def coached(shared: Path) -> Path:
    """The folder of the teacher."""
    return shared / "models"


def test_a_teacher_is_trusted_as_far_as_it_agrees() -> None:
    label = np.zeros((20, 20), np.uint8)
    label[:, :10] = 255
    same, other = (label > 0).astype(np.float32), (label == 0).astype(np.float32)
    assert agreement(label, same) == 1
    assert agreement(label, other) == 0
    assert agreement(np.zeros_like(label), np.zeros_like(same)) == 1


def test_it_gives_its_mask_and_its_maps(coached: Path, shared: Path) -> None:
    picture = read_rgb(sorted((shared / "train" / "images").glob("ccp_*"))[0])
    alone = LiteRTPredictor(coached / FILE)(picture)
    label = np.where(alone > 0.5, 255, 0).astype(np.uint8)
    coach = Coach(coached)
    mixed, lesson = coach(picture[None], label[None])
    assert 0.05 < (label > 0).mean() < 0.95
    assert lesson.trust[0] == 1
    np.testing.assert_allclose(mixed[0], 0.9 * 255 * alone + 0.1 * label, atol=1)
    mixed, lesson = coach(picture[None], 255 - label[None])
    assert lesson.trust[0] == 0
    np.testing.assert_allclose(mixed[0], 0.4 * 255 * alone + 0.6 * (255.0 - label), atol=1)
    mixed, lesson = coach(picture[None], 255 - label[None], np.array([True]))
    assert lesson.trust[0] == 1
    np.testing.assert_allclose(mixed[0], 255 * alone, atol=1)
    assert [m.shape for m in lesson.maps] == [(1, 9, 16, 32), (1, 18, 32, 24)]


def test_crossed_pictures_hold_two_and_the_others_are_as_they_were() -> None:
    pictures = np.repeat(np.arange(0, 256, 16, dtype=np.uint8)[:, None, None, None], 24, 1).repeat(32, 2).repeat(3, 3)
    crossed, chosen = cross(pictures, 3, 5, 0.5)
    again, _ = cross(pictures, 3, 5, 0.5)
    np.testing.assert_array_equal(crossed, again)
    np.testing.assert_array_equal(crossed[~chosen], pictures[~chosen])
    assert 0 < chosen.sum() < len(chosen)
    for mine, whole, other in zip(crossed[chosen], pictures[chosen], np.roll(pictures, -1, 0)[chosen], strict=True):
        low, high = sorted((int(whole[0, 0, 0]), int(other[0, 0, 0])))
        assert low <= mine.min() <= mine.max() <= high
        assert mine.min() < high
        assert mine.max() > low
        assert not np.array_equal(mine, whole)


def test_a_file_without_the_maps_is_refused(coached: Path) -> None:
    with pytest.raises(ValueError, match="no tensor nothing"):
        with_outputs((coached / FILE).read_bytes(), ("nothing",))


def test_maps_that_follow_the_teachers_are_learnt() -> None:
    torch.manual_seed(0)
    imitation = Imitation(TINY)
    mine = torch.randn(8, 12, 4, 6), torch.randn(8, 8, 8, 12)
    theirs = tuple(
        torch.einsum("nchw,dc->ndhw", m, torch.randn(c, m.shape[1])) for m, c in zip(mine, (32, 24), strict=True)
    )
    optimizer = torch.optim.Adam(imitation.parameters(), 0.05)
    lost = []
    for _ in range(60):
        loss = imitation(mine, theirs, torch.ones(8))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        lost.append(float(loss.detach()))
    assert lost[-1] < 0.1 < 0.8 < lost[0]


@pytest.mark.slow
def test_a_coached_run_resumes_exactly(coached: Path, packed: Path, tmp_path: Path) -> None:
    config = TrainConfig(steps=4, batch=4, warmup=1, loss=LossWeights(imitation=0.5))
    batches = Batches(load(packed), TINY.size, Recipe(), count=4, workers=0, coach=coached)
    drawn = [batch for batch, _ in zip(batches, range(4), strict=False)]
    whole, first, second = Trainer(TINY, config), Trainer(TINY, config), Trainer(TINY, replace(config, seed=1))
    for batch in drawn:
        whole.train_step(*batch)
    for batch in drawn[:2]:
        first.train_step(*batch)
    first.save(tmp_path / "last.pt")
    second.resume(tmp_path / "last.pt")
    for batch in drawn[2:]:
        second.train_step(*batch)
    for a, b in zip(whole.network.state_dict().values(), second.network.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
