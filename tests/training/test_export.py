"""Every exported file gives what PyTorch gives; evaluation runs on it."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="exporting needs torch")
pytest.importorskip("ai_edge_litert", reason="the exported model is run with LiteRT")
from framefx.errors import UsageError  # noqa: E402
from framefx.training import cli  # noqa: E402
from framefx.training.export import FORMATS, export, folded  # noqa: E402
from framefx.training.loop import TrainConfig, Trainer  # noqa: E402
from framefx.training.network import NetworkConfig, build  # noqa: E402
from framefx.training.predict import LiteRTPredictor  # noqa: E402

TINY = NetworkConfig(size=(32, 48), widths=(4, 6, 8, 12), depths=(1, 1, 1))
NEEDS = {
    "litert": "litert_torch",
    "litert-float16": "ai_edge_quantizer",
    "litert-int8": "ai_edge_quantizer",
    "onnx": "onnxruntime",
    "torch-export": "torch",
    "safetensors": "safetensors",
}


def trained(config: NetworkConfig) -> torch.nn.Module:
    """A network whose batch normalisations are not neutral."""
    torch.manual_seed(1)
    network = build(config).train()
    for _ in range(3):
        network(torch.rand(4, 3, *config.size))
    return network.eval()


def operators(path: Path) -> set[str]:
    interpreter = importlib.import_module("ai_edge_litert.interpreter").Interpreter(model_path=str(path))
    return {one["op_name"] for one in interpreter._get_ops_details()}


def test_folding_changes_nothing() -> None:
    network = trained(replace(TINY, gates=True))
    picture = torch.rand(1, 3, 32, 48)
    with torch.no_grad():
        torch.testing.assert_close(folded(network)(picture), network(picture), atol=1e-5, rtol=1e-5)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded(network).modules())


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS[1:])  # the next test converts to plain LiteRT
@pytest.mark.filterwarnings("ignore")
def test_exports_agree_with_pytorch(format: str, tmp_path: Path) -> None:
    pytest.importorskip(NEEDS[format])
    pictures = [np.random.default_rng(k).random((*TINY.size, 3), np.float32) * (k / 10) for k in range(11)]
    found = export(trained(TINY), TINY, format, tmp_path / f"model{cli.ENDINGS[format]}", pictures)
    assert found.difference < {"litert-float16": 0.01, "litert-int8": 0.05}.get(format, 1e-4)


def test_int8_needs_pictures(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--pictures"):
        export(trained(TINY), TINY, "litert-int8", tmp_path / "model.tflite")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_checkpoint_becomes_a_model_that_is_evaluated(
    data_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("litert_torch")
    Trainer(TINY, TrainConfig()).save(tmp_path / "last.pt")
    assert cli.main(["export", str(tmp_path / "last.pt"), str(tmp_path / "tiny")]) == 0
    assert float(capsys.readouterr().out.split()[-1]) < 1e-4
    assert "TRANSPOSE" not in operators(tmp_path / "tiny.tflite")
    mask = LiteRTPredictor(tmp_path / "tiny.tflite")(np.zeros((90, 160, 3), np.uint8))
    assert mask.shape == (16, 24)
    report, sheet = tmp_path / "report.json", tmp_path / "sheet.png"
    command = ["evaluate", str(tmp_path / "tiny.tflite"), str(data_folder / "train"), "--empty"]
    command += [str(data_folder / "negatives"), "--json", str(report), "--sheet", str(sheet)]
    assert cli.main(command) == 0
    assert json.loads(report.read_text())[0]["summary"]["pictures"] == 8
    assert sheet.stat().st_size > 1000


def test_wrong_paths_are_usage_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no model named 'no-such-model'"):
        cli.main(["evaluate", "no-such-model", str(tmp_path)])
    with pytest.raises(UsageError, match="must look like"):
        cli.main(["train", str(tmp_path / "x.npz"), str(tmp_path), "--size", "7"])
