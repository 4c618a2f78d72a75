"""The zoo: what it names, where it keeps it, and what it deletes."""

import hashlib
import importlib.util
import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

from framefx.cli.main import main
from framefx.errors import MediaError, ModelError
from framefx.models import zoo as registry
from framefx.models.download import sha256_of
from framefx.models.found import in_mediapipe
from framefx.models.loading import find, load
from framefx.models.pull import pull, receipt, remove
from framefx.models.zoo import Figures, ZooModel, folder, shipped, zoo
from framefx.plugins import PluginManager

CONTENT = b"some weights"


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    """The folder of fetched networks, never the user's."""
    monkeypatch.setenv("FRAMEFX_MODELS_DIR", str(tmp_path / "kept"))
    monkeypatch.delenv("FRAMEFX_MODEL_MIRROR", raising=False)
    return tmp_path / "kept"


@pytest.fixture
def mirror(tmp_path):
    """A folder that has the made-up network, called `mine`."""
    place = tmp_path / "mirror"
    place.mkdir()
    (place / "mine.tflite").write_bytes(CONTENT)
    return place


@pytest.fixture
def mine(monkeypatch, mirror):
    """A made-up network of the zoo, at an address where nobody is."""
    model = ZooModel(
        "mine", "mine.tflite", "made up", "CC0-1.0", "nobody", "http://127.0.0.1:9/mine.tflite",
        hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), Figures(("person",)),
    )  # fmt: skip
    monkeypatch.setattr(registry, "_registry", lambda: {"model": [], "shipped": [], "measured": ""})
    for module in ("framefx.models.loading", "framefx.cli.models_pull", "framefx.cli.models_list"):
        __import__(module)
        monkeypatch.setattr(sys.modules[module], "zoo", lambda: {"mine": model})
    return model


@pytest.mark.parametrize("model", zoo().values(), ids=lambda model: model.name)
def test_an_entry_says_all_there_is_to_know(model):
    assert re.fullmatch(r"[0-9a-f]{64}", model.sha256)
    assert model.source.startswith("https://")
    assert model.size > 0
    assert model.licence
    assert model.publisher
    assert model.summary
    assert "/" not in model.file


@pytest.mark.parametrize("model", zoo().values(), ids=lambda model: model.name)
def test_the_hash_and_the_size_are_those_of_the_published_file(model, real):
    path = real(f"models/{model.file}")
    assert (sha256_of(path), path.stat().st_size) == (model.sha256, model.size)


@pytest.mark.slow
@pytest.mark.parametrize("model", zoo().values(), ids=lambda model: model.name)
def test_the_layers_are_those_that_it_gives(model, real):
    pytest.importorskip("ai_edge_litert", reason="tflite-runtime lacks an operator of these")
    path = real(f"models/{model.file}")
    assert sorted(load(path, PluginManager(discover=False).registry).layers) == sorted(model.figures.layers)


def test_names_and_files_are_used_once():
    assert len({model.file for model in zoo().values()}) == len(zoo())
    assert not {*zoo()} & {*shipped()}


def test_what_is_shipped_is_listed_as_shipped():
    assert {*shipped()} == {one.name for one in PluginManager(discover=False).registry.weights}


def test_the_folder_is_the_users(monkeypatch, tmp_path):
    monkeypatch.delenv("FRAMEFX_MODELS_DIR")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert folder() == tmp_path / "framefx" / "models"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folder() == tmp_path / ".local" / "share" / "framefx" / "models"


def test_pulled_from_a_folder(mine, mirror, kept):
    seen = []
    assert pull(mine, str(mirror), seen.append) == kept / "mine.tflite"
    assert (kept / "mine.tflite").read_bytes() == CONTENT
    assert seen == [len(CONTENT)]
    assert receipt(mine).licence == "CC0-1.0"


@pytest.mark.parametrize("form", [str, lambda path: path.as_uri()], ids=["path", "file:"])
def test_the_mirror_may_be_in_the_environment(mine, mirror, monkeypatch, form):
    monkeypatch.setenv("FRAMEFX_MODEL_MIRROR", form(mirror))
    assert pull(mine).read_bytes() == CONTENT


def test_a_pulled_model_is_found_by_its_name(mine, mirror):
    weights = PluginManager(discover=False).registry.weights
    with pytest.raises(ModelError, match=r"'mine' is not here yet: run `framefx models pull mine` \(0.0 MB, CC0-1.0"):
        find("mine", weights)
    pull(mine, str(mirror))
    assert find("mine", weights) == mine.place


def test_a_mirror_with_another_file_is_refused(mine, mirror, kept):
    (mirror / "mine.tflite").write_bytes(b"other")
    with pytest.raises(MediaError, match="the file there is another: got sha256"):
        pull(mine, str(mirror))
    assert not any(kept.iterdir())


def test_a_mirror_without_the_file_is_named(mine, tmp_path):
    with pytest.raises(MediaError, match=r"cannot fetch 'mine' from \S*elsewhere\S*mine.tflite: No such file"):
        pull(mine, str(tmp_path / "elsewhere"))


def test_offline_it_says_what_to_fetch_and_where_to_put_it(mine, kept):
    with pytest.raises(MediaError) as caught:
        pull(mine)
    words = str(caught.value)
    assert f"get {mine.source} ({len(CONTENT)} bytes, sha256 {mine.sha256}), put it at {kept / 'mine.tflite'}" in words
    assert "\n" not in words


def test_what_was_put_there_by_hand_is_checked_and_used(mine, kept):
    kept.mkdir()
    (kept / "mine.tflite").write_bytes(CONTENT)
    assert pull(mine) == kept / "mine.tflite"


def test_another_file_put_there_is_not_overwritten(mine, mirror, kept):
    kept.mkdir()
    (kept / "mine.tflite").write_bytes(b"precious")
    with pytest.raises(ModelError, match="is another file"):
        pull(mine, str(mirror))
    assert (kept / "mine.tflite").read_bytes() == b"precious"


def test_a_pulled_file_that_was_damaged_is_fetched_again(mine, mirror):
    pull(mine, str(mirror)).write_bytes(b"rot")
    assert pull(mine, str(mirror)).read_bytes() == CONTENT


def test_remove_leaves_nothing(mine, mirror, kept):
    pull(mine, str(mirror))
    (kept / "mine.tflite.part").touch()
    assert remove(mine) == kept / "mine.tflite"
    assert [path for path in kept.rglob("*") if path.is_file()] == []
    with pytest.raises(ModelError, match="'mine' is not here"):
        remove(mine)


@pytest.mark.parametrize("pulled", [False, True], ids=["put there by hand", "changed since"])
def test_remove_deletes_only_what_pull_wrote(mine, mirror, kept, pulled):
    kept.mkdir()
    if pulled:
        pull(mine, str(mirror))
    (kept / "mine.tflite").write_bytes(b"precious")
    with pytest.raises(ModelError, match="delete it yourself"):
        remove(mine)
    assert (kept / "mine.tflite").read_bytes() == b"precious"


@pytest.fixture
def mediapipe(tmp_path, monkeypatch):
    """A package that must not be imported."""
    package = tmp_path / "site" / "mediapipe"
    (package / "modules" / "pose").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "modules" / "pose" / "pose_landmark_full.tflite").write_bytes(CONTENT)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.delitem(sys.modules, "mediapipe", raising=False)
    return package


def test_models_inside_mediapipe_are_found_without_importing_it(mediapipe):
    path = mediapipe / "modules" / "pose" / "pose_landmark_full.tflite"
    assert in_mediapipe() == {"mediapipe/pose_landmark_full": path}
    assert find("mediapipe/pose_landmark_full", PluginManager(discover=False).registry.weights) == path
    with pytest.raises(ModelError, match="Did you mean 'mediapipe/pose_landmark_full'"):
        find("mediapipe/pose_landmark_ful", PluginManager(discover=False).registry.weights)
    assert "mediapipe" not in sys.modules


def test_the_commands(mine, mirror, kept, mediapipe, tmp_path, capsys):
    plugin = tmp_path / "others.py"
    plugin.write_text(
        "from pathlib import Path\nfrom framefx import hookimpl\n"
        "@hookimpl\ndef framefx_register(register):\n    register.weights('people', Path('/nowhere/people.onnx'))\n"
    )
    assert main(["models", "pull", "mine", "--mirror", str(mirror)]) == 0
    shown = capsys.readouterr()
    assert shown.out == f"{kept / 'mine.tflite'}\n"
    assert "mine: CC0-1.0 (nobody), 12 bytes from 127.0.0.1" in shown.err
    assert main(["models", "path", "mine"]) == 0
    assert capsys.readouterr().out == f"{kept / 'mine.tflite'}\n"
    assert main(["models", "list", "--json", "--plugin", str(plugin)]) == 0
    lines = {line["name"]: line for line in json.loads(capsys.readouterr().out)}
    assert lines["mine"]["origin"] == "fetched"
    assert lines["people"]["origin"] == "plugin others"
    assert not lines["people"]["here"]
    assert lines["mediapipe/pose_landmark_full"]["origin"] == "package mediapipe"
    assert lines["blazeseg"]["path"].endswith("blazeseg.tflite")
    assert main(["models", "remove", "mine"]) == 0
    assert main(["models"]) == 0
    assert re.search(r"^mine +to fetch +CC0-1.0 .* person .*made up \(nobody\)", capsys.readouterr().out, re.M)


@pytest.mark.parametrize("verb", ["pull", "remove"])
def test_an_unknown_name_gets_one_line(verb, mine, capsys):
    assert main(["models", verb, "mime"]) == 2
    assert "no model 'mime' in the zoo. Did you mean 'mine'?" in capsys.readouterr().err


def test_figures_are_shares_and_times():
    for figures in (*shipped().values(), *(model.figures for model in zoo().values())):
        assert figures.iou is None or 0.5 < figures.iou < 1
        assert figures.milliseconds is None or figures.milliseconds > 0


@pytest.fixture(scope="module")
def fill():
    """The program that fills in the figures."""
    place = Path(__file__).parents[2] / "docs" / "fill_zoo.py"
    spec = importlib.util.spec_from_file_location("fill_zoo", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_figures_are_filled_in_and_nothing_else_changes(fill):
    text = '# said\nmeasured = "x"\n\n[[model]]\nname = "a"\nms = 9.0\n\n[[model]]\nname = "b"\nsize = 1\n'
    facts = fill.measured(
        [{"model": "a", "summary": {"mean_iou_person": 0.91234}}],
        {"measurements": [
            {"group": "networks", "network": "a", "runtime": "litert", "threads": 1, "problem": "", "cpu": 1.234},
            {"group": "networks", "network": "b", "runtime": "litert", "threads": 2, "problem": "", "cpu": 5.0},
        ]},
    )  # fmt: skip
    once = fill.filled(text, facts)
    assert tomllib.loads(once) == {
        "measured": "x",
        "model": [{"name": "a", "iou": 0.912, "ms": 1.23}, {"name": "b", "size": 1}],
    }
    assert once.startswith("# said\n")
    assert fill.filled(once, facts) == once


def test_filling_in_what_is_there_changes_nothing(fill):
    text = fill.REGISTRY.read_text(encoding="utf-8")
    facts = {model.name: {"layers": [*model.figures.layers]} for model in zoo().values()}
    assert fill.filled(text, facts) == text
