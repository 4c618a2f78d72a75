"""What virtual_webcam_background rendered from its own configs, framefx renders from the same files."""

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from framefx.cli.main import main

GOLDEN = Path(os.environ.get("FRAMEFX_GOLDEN", Path(__file__).parents[2] / "shared" / "golden"))
CASES = sorted(path.parent.name for path in GOLDEN.glob("*/config.yaml"))
NEAREST = {"affine", "zoom_in", "pip"}
"""Sampled with the nearest pixel there, bilinear here."""


def psnr(a, b):
    error = np.mean((a.astype(np.float64) - b) ** 2)
    return float("inf") if error == 0 else 10 * np.log10(255**2 / error)


def render(folder, frames):
    arguments = ["--config", str(folder / "config.yaml"), "--source", str(folder / "input.png")]
    arguments += ["--layer", f"person={folder / 'mask.png'}", "--frames", str(frames + 1), "--quiet"]
    assert main([*arguments, "--sink", str(folder / "out" / "%04d.png")]) == 0
    return cv2.imread(str(folder / "out" / f"{frames:04d}.png"))


@pytest.mark.skipif(not CASES, reason=f"there are no reference pictures in {GOLDEN}: set FRAMEFX_GOLDEN")
@pytest.mark.parametrize("case", CASES)
def test_golden(case, tmp_path, record_property):
    shutil.copytree(GOLDEN / "assets", tmp_path, dirs_exist_ok=True)
    shutil.copy(GOLDEN / case / "config.yaml", tmp_path)
    frames = int((GOLDEN / case / "frames").read_text())
    got = render(tmp_path, frames)
    likeness = psnr(got, cv2.imread(str(GOLDEN / case / "expected.png")))
    record_property("psnr", round(likeness, 1))
    if "FRAMEFX_GOLDEN_OUT" in os.environ:
        cv2.imwrite(str(Path(os.environ["FRAMEFX_GOLDEN_OUT"]) / f"{case}-{likeness:.1f}.png"), got)
    assert likeness >= (30 if case in NEAREST else 38)
