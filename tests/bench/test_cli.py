import json

import pytest

from framefx.bench.measure import Timing
from framefx.bench.overhead import modules_after, peak_of
from framefx.bench.report import Report, Row, Suite
from framefx.bench.scene import size_of
from framefx.cli.main import main


def bench(*arguments):
    return main(["bench", *map(str, arguments)])


@pytest.mark.slow
@pytest.mark.timeout(600)  # kernels may have to be compiled first
def test_chains_are_measured_and_written(tmp_path, clip, model_file, capsys):
    target, page = tmp_path / "figures.json", tmp_path / "page.md"
    options = ["--size", "160x90", "--seconds", 0.01, "--input", clip, "--model", model_file]
    assert bench("chain", *options, "--json", target, "--markdown", page) == 0
    report = json.loads(target.read_text())
    [suite] = report["suites"]
    assert [row["name"] for row in suite["rows"]] == ["blur", "replace", "color", "blur,replace,color"]
    blur = suite["rows"][0]
    assert blur["sides"][0]["name"] == "framefx"
    assert all(side["cpu_min"] > 0 and side["runs"] >= 5 for side in blur["sides"])
    assert {"prepare", "network", "decode", "masks", "merge"} <= set(blur["profile"])
    assert "processor" in report["machine"]
    assert str(tmp_path) not in report["command"]
    text = page.read_text()
    assert "## Chains" in text
    assert "| blur | 160x90 | framefx |" in text
    assert "blur" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.timeout(600)  # kernels may have to be compiled first
def test_kernels_are_measured(tmp_path, picture):
    target = tmp_path / "figures.json"
    assert bench("kernels", "--size", "64x48", "--seconds", 0.001, "--input", picture, "--no-compile", "--quiet",
                 "--json", target) == 0  # fmt: skip
    [suite] = json.loads(target.read_text())["suites"]
    assert {"masked_merge", "downsample by 4", "color: matrix"} <= {row["name"] for row in suite["rows"]}


@pytest.mark.slow
@pytest.mark.timeout(600)  # kernels may have to be compiled first
def test_overhead_is_measured(tmp_path, picture, model_file):
    target = tmp_path / "figures.json"
    assert bench("overhead", "--size", "128x72", "--seconds", 0.01, "--input", picture, "--model", model_file,
                 "--quiet", "--json", target) == 0  # fmt: skip
    [suite] = json.loads(target.read_text())["suites"]
    figures = {one["name"]: one["value"] for one in suite["figures"]}
    assert figures["color=where=all: runtimes imported"] == 0
    assert figures["copies, three in-place filters of one group"] <= 1
    assert not suite["notes"]


def test_a_page_is_made_of_figures_measured_before(tmp_path):
    row = Row("masked_merge", "2x1", [Timing("framefx", 5, 2.0, 1.0, 3.0, 1.0), Timing("other", 5, 8.0, 5.0, 9.0, 5.0)])
    report = Report({"cores": "2"}, "framefx bench", [Suite("kernels", "Kernels", [row])])
    target, page = tmp_path / "figures.json", tmp_path / "page.md"
    target.write_text(json.dumps(report.to_json()))
    assert bench("--from", target, "--quiet", "--markdown", page) == 0
    assert "| masked_merge | 2x1 | framefx | 2.000 | 1.000 |" in page.read_text()
    assert "4.0×" in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["chains"], "Did you mean 'chain'?"),
        (["--size", "huge"], "--size huge"),
        (["--seconds", "0"], "--seconds 0"),
        (["--json", "nowhere/at/all.json"], "make it first"),
        (["--from", "missing.json"], "No such file"),
        (["kernels", "--input", "missing.mp4"], "missing.mp4"),
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
    assert "this is not what `framefx bench --json` writes" in capsys.readouterr().err


def test_an_unknown_model_gets_one_line(picture, capsys):
    assert bench("chain", "--model", "nonesuch", "--input", picture, "--size", "32x32") == 2
    assert "nonesuch" in capsys.readouterr().err


def test_sizes_have_names():
    assert size_of("720P") == (720, 1280)
    assert size_of("641x361") == (361, 641)


def test_new_memory_is_seen_while_it_is_held():
    held = peak_of(lambda _: bytes(1_000_000), None)
    assert 1_000_000 <= held < 1_100_000


def test_modules_of_a_fresh_interpreter_are_listed():
    modules, value = modules_after("import csv; n = 3", "n")
    assert "csv" in modules
    assert value == 3
