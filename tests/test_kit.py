"""The plugin author's kit: what `new-plugin` writes works, and `check-plugin` sees what is wrong."""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from pathlib import Path

import numpy as np
import pytest

from framefx.boxes import Boxes
from framefx.cli.main import main
from framefx.cli.new_plugin import write
from framefx.errors import UsageError
from framefx.frame import Frame
from framefx.mask import Mask
from framefx.points import Heatmaps, Points
from framefx.testing import check_filter


def in_place(frame: Frame, where: Mask | None = None, *, level: int = 3) -> Frame:
    frame = frame.make_writable()
    frame.pixels[:] = level
    return frame


def writes_to_what_is_not_its_own(frame: Frame) -> Frame:
    frame.pixels[:] = 0
    return frame


def returns_nothing(frame: Frame) -> Frame:
    frame.make_writable()


def halves(frame: Frame) -> Frame:
    return Frame.borrow(np.zeros((1 + frame.size[0] // 2, frame.size[1], 3), np.uint8))


_count = iter(range(10**9))


def never_the_same(frame: Frame) -> Frame:
    return frame.with_pixels(np.full((*frame.size, 3), next(_count) % 251, np.uint8))


class Echo:
    """Shows the frame before this one."""

    def __init__(self, *, frames: int = 1) -> None:
        self._kept: deque[Frame] = deque(maxlen=frames + 1)

    def __call__(self, frame: Frame) -> Frame:
        if self._kept and self._kept[-1].size != frame.size:
            self._kept.clear()
        self._kept.append(frame)
        return self._kept[0]


@pytest.mark.parametrize("target", [in_place, Echo])
def test_a_filter_that_keeps_the_rules_has_no_problems(target):
    findings = check_filter(target)
    assert findings.problems == [] and any("ms a frame" in note for note in findings.notes)


def all_kinds(frame: Frame, face: Mask, faces: Boxes, keypoints: Points, keypoint_heatmaps: Heatmaps) -> Frame:
    assert len(faces.landmarks[0]) == 6
    assert face.size == faces.size == keypoints.size == keypoint_heatmaps["nose"].size == frame.size
    return frame


def another_kind(frame: Frame, words: str) -> Frame:
    return frame


def test_layers_of_every_kind_are_made_up():
    findings = check_filter(all_kinds)
    assert findings.problems == [] and any("ms a frame" in note for note in findings.notes)
    assert check_filter(another_kind).notes == [
        "not run: it needs 'words', and such a layer cannot be made up for a check"
    ]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (writes_to_what_is_not_its_own, "make_writable"),
        (returns_nothing, "returned NoneType"),
        (halves, "returned a frame of"),
        (never_the_same, "another picture"),
    ],
)
def test_a_broken_rule_is_named(target, said):
    assert any(said in problem for problem in check_filter(target).problems)


def test_check_plugin_prints_what_it_found(tmp_path, capsys):
    file = tmp_path / "bad.py"
    file.write_text(
        "from framefx import Frame, Register, hookimpl\n"
        "def bad(frame: Frame) -> Frame:\n    frame.pixels[:] = 0\n    return frame\n"
        "@hookimpl\ndef framefx_register(register: Register) -> None:\n    register.filter(bad)\n"
    )
    assert main(["check-plugin", str(file)]) == 1
    assert "bad: breaks a rule" in capsys.readouterr().out


def test_a_new_plugin_is_complete(tmp_path, capsys):
    assert main(["new-plugin", "soft-focus", "--folder", str(tmp_path / "it")]) == 0
    written = sorted(str(p.relative_to(tmp_path / "it")) for p in (tmp_path / "it").rglob("*") if p.is_file())
    assert written == [
        ".github/workflows/test.yml",
        ".gitignore",
        "README.md",
        "framefx_soft_focus/__init__.py",
        "framefx_soft_focus/py.typed",
        "picture.png",
        "pyproject.toml",
        "tests/test_soft_focus.py",
    ]
    assert "pip install" in capsys.readouterr().out


def test_a_folder_that_is_there_is_not_touched(tmp_path):
    with pytest.raises(UsageError, match="is there already"):
        write("mosaic", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "9lives", "where", "class", "Übel", "a b"])
def test_a_name_that_cannot_be_a_filters_is_refused(name, tmp_path):
    with pytest.raises(UsageError, match="cannot name a filter"):
        write(name, tmp_path / "x")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_new_plugin_installs_and_passes_its_own_checks(tmp_path):
    project = Path(__file__).parents[1]
    folder = write("soft-focus", tmp_path / "plugin")

    def run(*command: str) -> None:
        done = subprocess.run([str(c) for c in command], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    run(sys.executable, "-m", "venv", tmp_path / "env")
    python = tmp_path / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", f"{project}[test]", "ruff", "mypy")
    run(python, "-m", "pip", "install", "-q", ".")
    run(python, "-m", "ruff", "check", ".")
    run(python, "-m", "ruff", "format", "--check", ".")
    run(python, "-m", "mypy")
    run(python, "-m", "pytest", "-q")
    run(tmp_path / "env" / "bin" / "framefx", "check-plugin", "soft_focus")
    chain = ("--chain", "soft_focus=where=soft_focus_spot", "--source", "demo", "--frames", "3", "--sink", "null")
    run(tmp_path / "env" / "bin" / "framefx", *chain)
