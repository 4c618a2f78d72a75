"""`framefx evaluate` on networks that the tests write: what is green is a person."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from framefx.backends import guard
from framefx.cli.main import main
from framefx.errors import MissingLayerError, ModelError
from framefx.training.evaluate import Prepared, Report, Score, evaluate, milliseconds, table
from framefx.training.evaluate_cli import labels
from framefx.training.loaded import LoadedPredictor

GREEN = {"weights": [[0, 8, 0]], "bias": [-4], "sigmoid": True}
NOBODY = {"weights": [[0, 0, 0]], "bias": [-9], "sigmoid": True}


@pytest.fixture(scope="module")
def networks() -> Any:
    """The writer of test networks, imported by its place: test folders are no packages."""
    place = Path(__file__).parents[1] / "backends" / "networks.py"
    spec = importlib.util.spec_from_file_location("framefx_test_networks", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """One memory of tried networks for the whole run, and never the user's."""
    folder = tmp_path_factory.getbasetemp() / "networks"
    monkeypatch.setattr(guard, "_folder", lambda: folder)


@pytest.fixture
def green(networks: Any, tmp_path: Path) -> Path:
    return Path(networks.pixelwise(tmp_path / "green.tflite", **GREEN))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures with a green disc, of odd sizes, and two without."""
    for name in ("images", "masks", "empty"):
        (tmp_path / "data" / name).mkdir(parents=True)
    for number, (height, width) in enumerate([(97, 131), (60, 45)]):
        mask = np.zeros((height, width), np.uint8)
        cv2.circle(mask, (width // 2, height // 2), height // 3, 255, -1)
        picture = np.zeros((height, width, 3), np.uint8)
        picture[mask > 0, 1] = 255
        cv2.imwrite(str(tmp_path / "data" / "images" / f"disc_{number}.png"), picture)
        cv2.imwrite(str(tmp_path / "data" / "masks" / f"disc_{number}.png"), mask)
        cv2.imwrite(str(tmp_path / "data" / "empty" / f"{number}.png"), np.zeros_like(picture))
    return tmp_path / "data"


def run(*arguments: object) -> int:
    return main(["evaluate", *map(str, arguments)])


def test_networks_stand_beside_each_other(
    networks: Any, green: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blind = networks.pixelwise(tmp_path / "blind.tflite", **NOBODY)
    report, sheet = tmp_path / "report.json", tmp_path / "sheet.png"
    wanted = ["--empty", folder / "empty", "--json", report, "--sheet", sheet]
    assert run(green, blind, folder, *wanted) == 0
    first, second = json.loads(report.read_text())
    assert (first["model"], second["model"]) == ("green", "blind")
    assert first["summary"]["pictures"] == 2
    assert first["summary"]["mean_iou_person"] > 0.6
    assert second["summary"]["mean_iou_person"] == 0
    assert first["false_area"] == {"empty": 0}
    assert all(0 < least <= median for least, median in (first["milliseconds"], second["milliseconds"]))
    shown = capsys.readouterr().out
    assert "| green | " in shown
    assert "green minus blind, mean person IoU, 95 %: +" in shown
    assert cv2.imread(str(sheet)).shape == (180 + 18, 6 * 240, 3)


def test_a_predictor_gives_what_the_chain_gives(green: Path) -> None:
    predict = LoadedPredictor(str(green))
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:32, :, 1] = 255
    mask = predict(picture)
    rows = len(mask)
    assert mask.dtype == np.uint8
    assert mask[: rows // 2 - 1].min() > 200
    assert mask[rows // 2 + 1 :].max() < 50


def test_the_network_is_timed_alone_where_it_can_be(green: Path) -> None:
    predict = LoadedPredictor(str(green))
    assert isinstance(predict, Prepared)
    least, median = milliseconds(predict, rounds=3)
    assert 0 < least <= median
    seen = []
    milliseconds(lambda picture: seen.append(picture.shape) or picture[..., 0], rounds=2)
    assert set(seen) == {(360, 640, 3)}


def test_a_name_of_shipped_weights_will_do() -> None:
    assert LoadedPredictor("blazeseg-fast")(np.zeros((48, 64, 3), np.uint8)).max() < 128


def test_a_network_without_a_person_is_refused(networks: Any, tmp_path: Path) -> None:
    from types import SimpleNamespace

    from framefx.plugins import PluginManager, hookimpl

    class Plugin:
        @staticmethod
        @hookimpl
        def framefx_register(register: Any) -> None:
            known = SimpleNamespace(layers={"cats": object})
            register.family("cats", lambda session: known if session.inputs[0].shape[3] == 5 else None)

    plugins = PluginManager(discover=False)
    plugins.add(Plugin(), "cats")
    path = networks.pixelwise(tmp_path / "cats.tflite", weights=[[1] * 5])
    with pytest.raises(MissingLayerError, match="gives cats and no mask of the person"):
        LoadedPredictor(str(path), plugins.registry)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nonesuch", "{folder}"], "no model named 'nonesuch'"),
        (["{green}", "{folder}/empty"], "must hold the folders images and masks"),
        (["{green}", "{folder}", "--json", "{folder}/no/where.json"], "make it first"),
        (["{green}", "{folder}", "--backend", "litter"], "Did you mean 'litert'"),
        (["{green}", "{folder}", "--device", "cuda"], "device"),
        (["{green}", "{folder}", "--model-option", "size"], "wanted NAME=VALUE"),
    ],
    ids=["model", "data", "json", "backend", "device", "option"],
)
def test_a_bad_argument_gets_one_line(
    arguments: list[str], complaint: str, green: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*(text.format(green=green, folder=folder) for text in arguments)) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert len(error.strip().splitlines()) == 1


def test_a_folder_without_pairs_is_refused(green: Path, folder: Path) -> None:
    for path in (folder / "masks").iterdir():
        path.unlink()
    with pytest.raises(ValueError, match="no picture in images has a mask"):
        evaluate("green", LoadedPredictor(str(green)), folder, timed=False)


def test_two_files_of_one_name_keep_their_endings() -> None:
    assert labels(["a/selfie.tflite", "b/selfie.onnx", "blazeseg"]) == ["selfie.tflite", "selfie.onnx", "blazeseg"]


def test_the_table_has_empty_cells_for_what_was_not_measured() -> None:
    report = Report("one", [Score("a_1", "a", 0.5, 0.6, 0.7)])
    assert table([report]).splitlines()[-1] == "| one | 0.500 | 0.500 | 0.600 | 0.700 |  |  |  |  |"


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "bad.tflite"
    bad.write_bytes(b"no network at all")
    with pytest.raises(ModelError, match=r"bad\.tflite: no \.tflite network"):
        LoadedPredictor(str(bad))
