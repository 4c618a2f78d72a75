"""The command line: what it prints, what it returns, and how it ends."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
import yaml

from framefx.cli.main import COMMANDS, main

COMPILING = "framefx: compiling kernels, the first time only\n"
"""Stands on standard error where no cache has the kernels yet."""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Every test runs in a folder of its own, without devices and without anybody's plugins."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("framefx.auto.devices", lambda *_: ([], []))
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [])


@pytest.fixture
def cli(capsys):
    """Run the command line in this process; returns exit code, output and errors."""

    def cli(*arguments):
        try:
            code = main(list(arguments))
        except SystemExit as end:
            code = end.code or 0
        out, err = capsys.readouterr()
        return code, out, err.removeprefix(COMPILING)

    return cli


@pytest.fixture
def clip(tmp_path):
    """Five small frames in a file."""
    path = tmp_path / "clip.y4m"
    size = 16 * 12 * 3 // 2
    frames = b"".join(b"FRAME\n" + bytes([40 * i + 40]) * size for i in range(5))
    path.write_bytes(b"YUV4MPEG2 W16 H12 F30:1 Ip A1:1 C420jpeg\n" + frames)
    return path


@pytest.fixture
def person(tmp_path):
    import cv2

    path = tmp_path / "person.png"
    cv2.imwrite(str(path), np.repeat([[255, 0]], 4, axis=1).astype(np.uint8))
    return path


def one_line(err):
    assert err.startswith("framefx: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err


# Help.


def imported_by(*arguments):
    code = (
        "import sys; from framefx.cli.main import main\n"
        f"try: main({list(arguments)!r})\nexcept SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(result.stderr.split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_help_imports_neither_numpy_nor_numba_nor_a_runtime_nor_a_plugin(arguments):
    heavy = {
        "numpy",
        "numba",
        "llvmlite",
        "cv2",
        "av",
        "ai_edge_litert",
        "tflite_runtime",
        "pluggy",
        "pydantic",
        "yaml",
    }
    modules = imported_by(*arguments)
    assert not modules & heavy
    assert not [m for m in modules if m.startswith("framefx.") and m.endswith(".builtin")]


def test_a_chain_without_masks_imports_no_runtime(clip):
    modules = imported_by("--chain", "color=where=all", "--source", str(clip), "--sink", "null")
    assert not modules & {"ai_edge_litert", "tflite_runtime", "torch", "onnxruntime"}


def test_help_names_every_command_and_the_chain_s_syntax(cli):
    code, out, _ = cli("--help")
    assert code == 0
    assert all(f"  {name} " in out for name in COMMANDS)
    assert "quotes keep" in out
    assert "130 stopped with Ctrl-C" in out


def test_no_arguments_is_the_help_and_wrong_usage(cli):
    code, out, _ = cli()
    assert code == 2
    assert "--chain CHAIN" in out


def test_the_version_is_the_package_s(cli):
    import framefx

    assert cli("--version")[:2] == (0, f"framefx {framefx.__version__}\n")


# Runs.


def test_a_run_is_silent_and_returns_zero(cli, clip, tmp_path):
    assert cli("--chain", "flip", "--source", str(clip), "--sink", "out.y4m") == (0, "", "")
    assert (tmp_path / "out.y4m").read_bytes().count(b"FRAME") == 5


def test_frames_stops_after_so_many(cli, clip):
    code, _, err = cli("--chain", "flip", "--source", str(clip), "--sink", "null", "--frames", "3", "--verbose")
    assert code == 0
    assert "3 frames sent, 0 dropped, 0 cards" in err


def test_stats_is_a_table(cli, clip):
    code, _, err = cli("--chain", "flip,color=saturation=0", "--source", str(clip), "--sink", "null", "--stats")
    assert code == 0
    for word in ("median ms", "p99 ms", "flip", "color", "dropped 0", "copies"):
        assert word in err


def test_a_layer_can_be_given_by_a_picture(cli, clip, person):
    options = ["--chain", "replace=color=red", "--layer", f"person={person}", "--source", str(clip)]
    assert cli(*options, "--sink", "out.y4m")[0] == 0


def test_a_config_runs_and_the_command_line_wins(cli, clip, tmp_path):
    (tmp_path / "f.yaml").write_text("source: clip.y4m\nsink: 'null'\nframes: 4\nchain: [flip]\n")
    assert "4 frames sent" in cli("--config", "f.yaml", "--verbose")[2]
    assert "2 frames sent" in cli("--config", "f.yaml", "--frames", "2", "--verbose")[2]


# What goes wrong is one line with the fix, and the right exit code.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--chain", "bluur"], r"--chain, column 1: there is no filter 'bluur'. Did you mean 'blur'\?"),
        (["--chain", "color=saturation=9"], "color: saturation is '9', wanted less than or equal to 4 (factor"),
        (["--chain", "color=where=persn"], "nothing gives it"),
        (["--source", "x.mp4"], "no chain: say what to do with --chain"),
        (["--chain", "flip", "--frames", "0"], "--frames: got 0, wanted greater than or equal to 1"),
        (["--chain", "flip", "--threads", "0"], "--threads: got 0, wanted"),
        (["--chain", "flip", "--mask", "feathr=3"], "--mask has no option 'feathr'. Did you mean 'feather'"),
        (["--chain", "flip", "--mask", "feather=x"], "--mask feather: got 'x', wanted a valid number"),
        (
            ["--chain", "flip", "--mask", "feather=3,smooth=1"],
            "feather=3,smooth=1: options are separated by ':'",
        ),
        (["--chain", "flip", "--layer", "person"], "--layer person: wanted NAME=VALUE"),
        (["--chain", "flip", "--size", "big"], "--source size: got 'big', wanted a size as WIDTHxHEIGHT"),
        (["--chain", "flip", "--profile", "x"], "and there is no framefx.yaml: add --config FILE"),
        (["--chain", "flip", "--config", "no.yaml"], "no.yaml: cannot be read: No such file"),
        (["--chain", "flip", "--plugin", "no.py"], "there is no plugin file no.py"),
        (["--chain", "flip", "--source-option", "loop"], "--source-option loop: wanted NAME=VALUE"),
        (["--chain", "replace=nothing.jpg"], "there is no file nothing.jpg"),
        (["--chain", "replace=color=blurple"], "'blurple' is no colour"),
        (["--chain", "blur", "--model", "no.tflite"], "no model file and no model named 'no.tflite'"),
        (["explain", "--chain", "flip", "--size", "huge"], "--size huge: wanted a size as WIDTHxHEIGHT"),
        (["filters", "bluur"], "there is no filter 'bluur'. Did you mean 'blur'"),
        (["config", "check", "no.yaml"], "no.yaml: cannot be read"),
    ],
)
def test_wrong_usage_is_one_line_and_two(cli, clip, arguments, message):
    if "--source" not in arguments and arguments[0].startswith("--"):
        arguments = [*arguments, "--source", str(clip), "--sink", "null"]
    code, out, err = cli(*arguments)
    assert (code, out) == (2, "")
    assert re.search(message if "\\" in message else re.escape(message), one_line(err))


def test_a_syntax_error_shows_a_caret(cli):
    code, _, err = cli("--chain", "blur,,color")
    assert code == 2
    assert err.splitlines()[1:] == ["  blur,,color", "       ^"]


def test_an_unknown_flag_is_two(cli):
    code, _, err = cli("--chian", "blur")
    assert code == 2
    assert "--chian" in err


def test_a_failure_while_running_is_one_and_leaves_nothing(cli, clip, tmp_path):
    clip.write_bytes(clip.read_bytes()[:-100])
    code, _, err = cli("--chain", "flip", "--source", "missing.mp4", "--sink", "out.y4m")
    assert code == 1
    one_line(err)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.y4m"]


PLUGIN = '''
from framefx import Frame, hookimpl

def broken(frame: Frame, *, at: int = 2) -> Frame:
    """Fail at a frame."""
    if frame.index == at:
        return frame.with_pixels(None)
    return frame

def bug(frame: Frame) -> Frame:
    """A programming error."""
    raise ZeroDivisionError

@hookimpl
def framefx_register(register):
    register.filter(broken)
    register.filter(bug)
'''


def test_a_plugin_s_broken_promise_names_the_step(cli, clip, tmp_path):
    (tmp_path / "p.py").write_text(PLUGIN)
    code, _, err = cli("--plugin", "p.py", "--chain", "broken@x", "--source", str(clip), "--sink", "out.y4m")
    assert code == 1
    assert "in step 'broken@x' of plugin 'p', frame 2" in one_line(err)
    assert not (tmp_path / "out.y4m").exists()


def test_a_bug_shows_its_traceback(cli, clip, tmp_path):
    (tmp_path / "p.py").write_text(PLUGIN)
    with pytest.raises(ZeroDivisionError):
        cli("--plugin", "p.py", "--chain", "bug", "--source", str(clip), "--sink", "out.y4m")
    assert not (tmp_path / "out.y4m").exists()


def test_output_equal_to_input_is_refused_and_nothing_touched(cli, clip, tmp_path):
    before = clip.read_bytes()
    code, _, err = cli("--chain", "flip", "--source", str(clip), "--sink", str(clip))
    assert code == 2
    assert "nothing was touched" in one_line(err)
    assert clip.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["clip.y4m"]


def test_without_a_loopback_device_it_says_how_to_make_one(cli, monkeypatch):
    monkeypatch.setattr("framefx.auto.devices", lambda *_: (["/dev/video0"], []))
    code, _, err = cli("--chain", "flip")
    assert code == 2
    assert "sudo modprobe v4l2loopback" in one_line(err)


# Commands.


def test_explain_says_what_a_chain_does(cli, person):
    chain = "flip,blur,replace=color=red,color=saturation=1.2"
    code, out, _ = cli("explain", "--chain", chain, "--layer", f"person={person}", "--no-cost", "--size", "640x360")
    assert code == 0
    assert f"chain: {chain}" in out
    assert "models: none is loaded" in out
    assert "person: a picture" in out
    assert "background: framefx: background(person)" in out
    assert "blur: dead" in out
    assert "group on background, merged once" in out
    assert "output: 640x360 for 640x360" in out


def test_explain_measures_every_step(cli, person):
    _, out, _ = cli("explain", "--chain", "color,flip", "--size", "64x36")
    assert re.search(r"color\(frame\) .*: \d+\.\d\d ms", out)
    assert re.search(r"geometry, one resampling: \d+\.\d\d ms", out)
    assert re.search(r"copies: 1.00 a frame; total \d+\.\d\d ms", out)


LISTED = {"filters": "blur ", "layers": "background ", "sources": "video ", "sinks": "null ", "plugins": "framefx ("}


@pytest.mark.parametrize("noun", LISTED)
def test_lists_have_a_line_for_each(cli, noun):
    code, out, _ = cli(noun)
    assert code == 0
    expected = {
        "filters": "blur ",
        "layers": "background ",
        "sources": "video ",
        "sinks": "null ",
        "plugins": "framefx (",
    }
    assert any(line.startswith(expected[noun]) for line in out.splitlines())


@pytest.mark.parametrize(
    ("noun", "name", "expected"),
    [
        ("filters", "blur", r"radius: number, ≥ 0, ≤ 200, default 12.*: pixels"),
        ("filters", "replace", r"fit: cover\|contain\|stretch\|tile, default cover"),
        ("layers", "background", "needs: person"),
        ("layers", "left_hand", r"left_hand  the person's left hand \[models of bodypix\]"),
        ("layers", "keypoints", r"keypoints  points: nose, eyes"),
        ("sources", "video", "options"),
        ("sinks", "video", "options"),
    ],
)
def test_one_entry_is_described_with_its_options(cli, noun, name, expected):
    code, out, _ = cli(noun, name)
    assert code == 0
    assert re.search(expected, out)


def test_plugins_says_what_came_from_where_and_what_is_wrong(cli, tmp_path):
    (tmp_path / "p.py").write_text(PLUGIN)
    code, out, _ = cli("plugins", "--plugin", "p.py")
    assert code == 0
    assert re.search(r"^p \(p.py\)\n  filters: broken, bug$", out, re.M)
    assert re.search(r"^p \(p.py\)\n  disabled$", cli("plugins", "--plugin", "p.py", "--disable-plugin", "p")[1], re.M)


def test_config_check_finds_errors_before_anything_opens(cli, tmp_path):
    config = tmp_path / "f.yaml"
    config.write_text("chain: [flip]\nsource: {file: missing.mp4, sise: 3}\n")
    code, _, err = cli("config", "check", "f.yaml")
    assert code == 2
    assert "f.yaml:2: video has no option 'sise'" in one_line(err)
    config.write_text("chain: [flip]\nsource: missing.mp4\nsink: auto\n")
    assert cli("config", "check", "f.yaml") == (0, "f.yaml: in order\n", "")


def test_config_show_prints_what_it_comes_to(cli, tmp_path):
    (tmp_path / "f.yaml").write_text("chain: [flip]\nprofiles: {a: {frames: 3}}\n")
    code, out, _ = cli("config", "show", "f.yaml", "--profile", "a")
    assert code == 0
    shown = yaml.safe_load(out)
    assert (shown["chain"], shown["frames"]) == (["flip"], 3)


def test_a_profile_alone_is_one_of_the_usual_file(cli, clip, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "framefx.yaml").write_text("chain: [nothing]\nsink: 'null'\nprofiles: {meeting: {chain: [flip]}}\n")
    assert cli("--profile", "meeting", "--source", str(clip), "--sink", "out.y4m") == (0, "", "")
    assert (tmp_path / "out.y4m").is_file()
    code, _, err = cli("--profile", "meting", "--source", str(clip))
    assert code == 2
    assert "framefx.yaml: there is no profile 'meting'. Did you mean 'meeting'?" in one_line(err)


def test_config_schema_is_a_json_schema(cli):
    code, out, _ = cli("config", "schema")
    assert code == 0
    assert "chain" in json.loads(out)["properties"]
