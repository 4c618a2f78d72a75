"""Networks, losses, the loop and its exact resume."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
from framefx.training import losses  # noqa: E402
from framefx.training.loop import TrainConfig, Trainer, read_checkpoint, restore  # noqa: E402
from framefx.training.losses import LossWeights  # noqa: E402
from framefx.training.network import NetworkConfig, build, parameters, preset  # noqa: E402
from framefx.training.run import RunConfig, run  # noqa: E402
from framefx.training.schedule import learning_rate  # noqa: E402

TINY = NetworkConfig(size=(32, 48), widths=(4, 6, 8, 12), depths=(1, 1, 2))


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", ["blazeseg", "blazeseg-fast"])
def test_shipped_networks_answer_at_half_size(name: str) -> None:
    config = preset(name)
    with torch.no_grad():
        logits = build(config).eval()(torch.rand(1, 3, *config.size))
    assert logits.shape == (1, 1, config.size[0] // 2, config.size[1] // 2)


def test_the_published_design_has_the_published_size() -> None:
    config = preset("blazeseg-paper")
    network = build(config).eval()
    assert parameters(network) == pytest.approx(160_681, rel=0.002)
    with torch.no_grad():
        assert network(torch.rand(1, 3, 128, 128)).shape == (1, 1, 128, 128)


@pytest.mark.parametrize("family", ["lateral", "published"])
def test_classes_and_upsampling_are_options(family: str) -> None:
    config = replace(TINY, family=family, classes=5, upsampling="transposed")
    assert build(config)(torch.rand(2, 3, 32, 48)).shape[:2] == (2, 5)


def test_sizes_must_be_multiples_of_16() -> None:
    with pytest.raises(ValueError, match="multiples of 16"):
        preset("blazeseg", size=(100, 160))


def test_a_config_survives_a_checkpoint() -> None:
    assert NetworkConfig.from_dict({**TINY.to_dict(), "size": [32, 48]}) == TINY


def test_the_right_mask_costs_least() -> None:
    target = torch.zeros(2, 1, 16, 16)
    target[0, :, 4:12, 4:12] = 1
    weights = LossWeights()
    right, wrong = (losses.total(s * (target - 0.5) * 20, target, weights) for s in (1, -1))
    assert right < 0.01 < 1 < wrong


def test_the_rim_is_weighed_along_the_border_only() -> None:
    target = torch.zeros(1, 1, 16, 16)
    target[..., 8:] = 1
    band = losses.rim(target, 1)[0, 0, 0]
    assert band.nonzero().flatten().tolist() == [7, 8]


def test_a_moved_mask_is_consistent() -> None:
    first = torch.randn(2, 1, 12, 12)
    assert losses.consistency(first, torch.roll(first, (2, -1), (2, 3)), (2, -1)) == 0
    assert losses.consistency(first, first, (2, -1)) > 0.05


def test_the_rate_rises_then_falls() -> None:
    rates = [learning_rate(s, 100, 1.0, warmup=10, final=0.1) for s in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.1)


def weights_of(trainer: Trainer) -> list[np.ndarray]:
    states = (trainer.network.state_dict(), trainer.average.state_dict())
    return [v.numpy() for s in states for v in s.values()]


@pytest.mark.slow
def test_a_resumed_run_equals_an_uninterrupted_one(packed: Path, tmp_path: Path) -> None:
    config = TrainConfig(steps=6, batch=8, warmup=2, loss=LossWeights(consistency=0.5))
    whole = run(TINY, config, RunConfig(packed, tmp_path / "whole", every=3, workers=0))
    parts = RunConfig(packed, tmp_path / "parts", every=2, workers=0)
    stopped = run(TINY, config, replace(parts, minutes=0.0))
    assert stopped.step == 1
    resumed = run(TINY, config, parts)
    assert resumed.step == whole.step == 6
    for a, b in zip(weights_of(whole), weights_of(resumed), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_run_leaves_a_record_and_a_network(packed: Path, tmp_path: Path) -> None:
    run(TINY, TrainConfig(steps=4, batch=4), RunConfig(packed, tmp_path, every=2, workers=0))
    with (tmp_path / "metrics.csv").open() as file:
        assert [int(float(r["step"])) for r in csv.DictReader(file)] == [2, 4]
    network, config = restore(tmp_path / "last.pt")
    assert config == TINY
    assert not network.training


def test_the_best_checkpoint_stays(packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter([0.5, 0.7, 0.6, 0.65])
    monkeypatch.setattr("framefx.training.run.measure", lambda *_: (1.0, [next(found)]))
    for steps in (3, 4):  # the second run goes on with the first one's record
        run(TINY, TrainConfig(steps=steps, batch=4), RunConfig(packed, tmp_path, every=1, workers=0))
    assert read_checkpoint(tmp_path / "best.pt")["step"] == 2
    assert read_checkpoint(tmp_path / "last.pt")["step"] == 4


def test_added_blocks_and_gates_begin_as_identities(tmp_path: Path) -> None:
    shallow = Trainer(TINY, TrainConfig())
    shallow.save(tmp_path / "last.pt")
    deep = Trainer(replace(TINY, depths=(2, 1, 4), gates=True), TrainConfig(seed=3))
    deep.start_from(tmp_path / "last.pt")
    picture = torch.rand(1, 3, 32, 48)
    torch.testing.assert_close(deep.average(picture), shallow.average(picture))


@pytest.mark.slow
def test_training_learns_bright_discs(packed: Path, tmp_path: Path) -> None:
    config = TrainConfig(steps=40, batch=8, rate=1e-2, warmup=5, ema=0.9)
    where = RunConfig(packed, tmp_path, every=20, workers=0)
    run(TINY, config, where)
    with (tmp_path / "metrics.csv").open() as file:
        lost = [float(r["train_loss"]) for r in csv.DictReader(file)]
    assert lost[-1] < 0.92 * lost[0]


@pytest.mark.slow
def test_the_command_packs_trains_and_goes_on(data_folder: Path, tmp_path: Path) -> None:
    from framefx.training.cli import main

    command = ["train", str(data_folder), str(tmp_path), "--no-teachers", "--size", "48x32", "--batch", "2"]
    command += ["--workers", "0", "--every", "1"]
    assert main([*command, "--pack-only"]) == 0
    assert main([*command, "--steps", "1"]) == 0
    assert main([*command, "--steps", "2"]) == 0
    with (tmp_path / "metrics.csv").open() as file:
        assert [r["step"] for r in csv.DictReader(file)] == ["1", "2"]


def test_training_goes_on_from_the_shipped_weights() -> None:
    pytest.importorskip("safetensors", reason="the shipped weights are a .safetensors file")
    import framefx.training

    file = Path(framefx.training.__file__).with_name("blazeseg.safetensors")
    trainer = Trainer(preset("blazeseg"), TrainConfig(steps=1))
    before = next(trainer.network.parameters()).detach().clone()
    trainer.start_from(file)
    assert not torch.equal(before, next(trainer.network.parameters()))
