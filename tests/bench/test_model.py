"""`framefx bench model`: what is measured, what a process of its own answers, and what is made of it."""

import json

import pytest

from framefx.bench import model
from framefx.bench.model import Protocol, measure
from framefx.bench.model_cli import networks
from framefx.bench.model_page import page
from framefx.bench.model_plan import Case, Facts, Wishes, cases
from framefx.bench.model_report import GROUPS, Measurement, ModelReport
from framefx.cli.main import main
from framefx.errors import ModelError
from framefx.plugins import PluginManager

RUNTIMES = {"litert": ["tflite"], "onnx": ["onnx"], "torch": ["pt2", "pt"]}
LATERAL = {"family": "lateral", "size": [144, 240], "classes": 1, "upsampling": "bilinear"}
PRESETS = {
    "blazeseg": LATERAL,
    "blazeseg-fast": {**LATERAL, "size": [96, 160]},
    "blazeseg-paper": {**LATERAL, "family": "published"},
}
CPU = Facts(RUNTIMES, PRESETS, compiler=True, gpu="", tensorrt=False)
GPU = Facts(RUNTIMES, PRESETS, compiler=True, gpu="a GPU", tensorrt=True)
HASTY = Protocol(runs=3, warm_up=1, seconds=0.05)


def bench(*arguments):
    return main(["bench", "model", *map(str, arguments)])


def runtimes(found):
    return {case.runtime for case in found}


def test_a_network_runs_on_all_that_load_its_file(tmp_path):
    found = cases(CPU, Wishes(), {"a": tmp_path / "a.ONNX", "b": tmp_path / "b.pt"}, ["networks"])
    assert [(case.network, case.runtime, case.threads) for case in found] == [
        ("a", "onnx", 1), ("a", "onnx", 2),
        ("b", "torch", 1), ("b", "torch", 2), ("b", "torch compiled", 1),
    ]  # fmt: skip


def test_each_network_at_each_size_on_each_runtime_with_each_number_of_threads():
    found = cases(CPU, Wishes(), {}, ["sizes"])
    assert {case.network for case in found} == {"blazeseg", "blazeseg-paper"}  # the fast one is the same network
    assert {case.pixels for case in found} == {"160x160", "320x320", "640x640", "1024x1024"}
    assert len(found) == 2 * 4 * (3 * 2 + 1)
    assert runtimes(found) == {"litert", "onnx", "torch", "torch compiled"}


def test_the_published_network_and_ours_run_at_their_own_size():
    found = cases(CPU, Wishes(), {}, ["runtimes"])
    assert {(case.network, case.pixels) for case in found} == {
        ("blazeseg", "240x144"), ("blazeseg-fast", "160x96"), ("blazeseg-paper", "240x144"),
    }  # fmt: skip


def test_what_needs_a_gpu_is_there_only_with_one():
    assert not any("cuda" in name for group in GROUPS for name in runtimes(cases(CPU, Wishes(), {}, [group])))
    found = cases(GPU, Wishes(), {}, ["sizes"])
    on_gpu = {name for name in runtimes(found) if "cuda" in name}
    assert on_gpu == {
        "torch cuda", "torch cuda fp16", "torch cuda fp16 compiled", "torch cuda fp16 tensorrt",
    }  # fmt: skip
    assert {case.threads for case in found if case.runtime in on_gpu} == {1}


def test_nothing_is_compiled_without_a_compiler_or_when_not_asked_for():
    bare = Facts(RUNTIMES, PRESETS, compiler=False, gpu="", tensorrt=False)
    assert "torch compiled" not in runtimes(cases(bare, Wishes(), {}, ["sizes"]))
    assert "torch compiled" not in runtimes(cases(CPU, Wishes(compiled=False), {}, ["sizes"]))


@pytest.mark.parametrize("group", ["runtimes", "sizes", "upsampling", "merge", "classes"])
def test_without_pytorch_only_files_are_measured(group):
    assert cases(Facts(RUNTIMES, {}, compiler=True, gpu="", tensorrt=False), Wishes(), {}, [group]) == []


def test_the_rows_that_the_field_argues_about():
    details = {case.detail for case in cases(CPU, Wishes(), {}, ["upsampling"])}
    assert details == {"bilinear", "transposed"}
    merges = cases(CPU, Wishes(), {}, ["merge"])
    assert [case.request["enlarged"] for case in merges if case.runtime == "litert"] == [None, (144, 240), (720, 1280)]
    assert {case.detail for case in cases(CPU, Wishes(), {}, ["classes"])} == {"1", "2", "6", "21", "64"}


def report(**changes):
    one = {"group": "sizes", "network": "blazeseg", "detail": "", "pixels": "160x160", "runtime": "onnx", "threads": 1,
           "runs": 100, "least": 1.25, "median": 2.5, "cpu": 1.125, "before": 40.0, "peak": 60.0}  # fmt: skip
    measurements = [Measurement(**one), Measurement(**{**one, "pixels": "320x320"}), Measurement(**{**one, **changes})]
    return ModelReport({"cores": "2"}, "framefx bench model", {"runs": 100, "warm_up": 10, "seconds": 3}, measurements)


def test_a_page_is_made_of_figures_measured_before(tmp_path):
    target, text = tmp_path / "figures.json", tmp_path / "page.md"
    target.write_text(json.dumps(report(group="merge", detail="half-size").to_json()))
    assert bench("--from", target, "--quiet", "--markdown", text) == 0
    lines = text.read_text().splitlines()
    assert "| network | runtime | threads | 160x160 | 320x320 |" in lines
    assert lines.count("| blazeseg | onnx | 1 | 1.25 (2.50) | 1.25 (2.50) |") == 1
    assert "| blazeseg | onnx | 1 | 60 | 60 |" in lines
    assert "| blazeseg | half-size | onnx | 1 | 1.250 | 2.500 | 1.125 | 60 | 40 | 100 |" in lines


def test_a_report_survives_json():
    first = report()
    assert ModelReport.from_json(json.loads(json.dumps(first.to_json()))) == first


def test_a_problem_is_a_remark_and_no_figure():
    made = report(runtime="tflite", problem="lacks an operator")
    assert made.problems == ["blazeseg 160x160 tflite: lacks an operator"]
    text = page(made)
    assert "- blazeseg 160x160 tflite: lacks an operator" in text
    assert "| tflite |" not in text


def case(path, **work):
    told = {"do": "network", "runtime": "litert", "options": {}, "threads": 1, "path": str(path), **work}
    return Case("networks", path.stem, "", "", "litert", 1, told)


def test_a_file_that_is_no_network_is_a_problem_without_its_folder(tmp_path):
    bad = tmp_path / "bad.tflite"
    bad.write_bytes(b"no network at all")
    [found] = measure([case(bad)], HASTY, [], lambda text: None)
    assert found.problem.startswith("bad.tflite: no .tflite network")
    assert str(tmp_path) not in found.problem


def test_a_process_that_dies_is_a_problem(tmp_path):
    [found] = measure([case(tmp_path / "a.tflite", do="no such work")], HASTY, [], lambda text: None)
    assert found.problem == "the process died (exit code 1)"


def test_a_process_that_hangs_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(model, "_LONGEST", 0.05)
    [found] = measure([case(tmp_path / "a.tflite")], HASTY, [], lambda text: None)
    assert found.problem == "it took longer than 0.05 s"


@pytest.fixture
def fetched(tmp_path, monkeypatch):
    """The folder of fetched networks, with none in it."""
    monkeypatch.setenv("FRAMEFX_MODELS_DIR", str(tmp_path / "fetched"))
    return tmp_path / "fetched"


def test_all_networks_that_are_here_are_measured(tmp_path, fetched):
    registry = PluginManager(discover=False).registry
    mine, other = tmp_path / "mine.tflite", tmp_path / "blazeseg.onnx"
    fetched.mkdir()
    for path in (mine, other, fetched / "selfie_segmentation.tflite"):
        path.touch()
    found = networks([str(mine), str(other), "blazeseg"], registry)
    assert list(found) == ["blazeseg", "blazeseg-fast", "selfie_segmentation", "mine", "blazeseg.onnx"]
    with pytest.raises(ModelError, match="nonesuch"):
        networks(["nonesuch"], registry)


@pytest.mark.slow
def test_networks_are_measured_and_written(tmp_path, fetched, capsys):
    pytest.importorskip("ai_edge_litert", reason="the shipped networks are LiteRT files")
    target, text = tmp_path / "figures.json", tmp_path / "page.md"
    assert bench("--quick", "--group", "networks", "--json", target, "--markdown", text) == 0
    made = json.loads(target.read_text())
    assert {one["network"] for one in made["measurements"]} >= {"blazeseg", "blazeseg-fast"}
    for one in made["measurements"]:
        assert one["problem"] == ""
        assert one["runs"] == 3
        assert 0 < one["least"] <= one["median"]
        assert one["cpu"] > 0
        assert 0 < one["before"] < one["peak"] < 1000
    assert str(tmp_path) not in target.read_text()
    assert "| blazeseg-fast | 160x96 | litert | 1 |" in text.read_text()
    assert "blazeseg-fast" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.timeout(600)  # a dozen processes, some of which import PyTorch
def test_made_networks_are_measured(tmp_path, fetched, monkeypatch):
    for name in ("torch", "onnx", "onnxruntime"):
        pytest.importorskip(name)
    monkeypatch.setenv("FRAMEFX_CACHE_DIR", str(tmp_path / "cache"))
    target = tmp_path / "figures.json"
    groups = [word for name in ("upsampling", "merge", "classes") for word in ("--group", name)]
    assert bench("--quick", "--quiet", *groups, "--json", target) == 0
    made = ModelReport.from_json(json.loads(target.read_text()))
    assert not made.problems
    assert {one.detail for one in made.group("upsampling")} == {"bilinear", "transposed"}
    assert {one.detail for one in made.group("classes")} == {"1", "6"}
    assert len({one.detail for one in made.group("merge") if one.runtime == "onnx"}) == 3


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nonesuch"], "no model named 'nonesuch'"),
        (["--pixels", "100"], "--pixels 100: wanted a multiple of 16"),
        (["--threads", "0"], "--threads 0: wanted 1 to"),
        (["--runs", "0"], "--runs 0"),
        (["--seconds", "0"], "--seconds 0"),
        (["--json", "nowhere/at/all.json"], "make it first"),
        (["--from", "missing.json"], "No such file"),
    ],
)
def test_a_bad_argument_gets_one_line(arguments, complaint, capsys):
    assert bench(*arguments) in (1, 2)
    error = capsys.readouterr().err
    assert complaint in error
    assert len(error.strip().splitlines()) == 1


def test_figures_from_elsewhere_are_refused(tmp_path, capsys):
    other = tmp_path / "other.json"
    other.write_text('{"rows": 3}')
    assert bench("--from", other) == 1
    assert "this is not what `framefx bench model --json` writes" in capsys.readouterr().err
