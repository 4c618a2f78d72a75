"""Every example runs as its user would run it."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import framefx
from framefx.plugins import PluginManager

EXAMPLES = Path(__file__).parents[2] / "examples"
HAS_DEFAULT_MODEL = "blazeseg" in PluginManager(discover=False).registry.weights

needs_model = pytest.mark.skipif(not HAS_DEFAULT_MODEL, reason="the default model's weights are not installed")
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg: apt-get install ffmpeg")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def photos(folder):
    place = folder / "photos"
    place.mkdir()
    for name, (height, width) in {"a.png": (48, 64), "b.jpg": (30, 20)}.items():
        cv2.imwrite(str(place / name), np.full((height, width, 3), (40, 120, 200), np.uint8))
    (place / "notes.txt").write_text("no photo")
    (place / "broken.png").write_bytes(b"\x89PNG but no more")
    return place


def run(name, *arguments):
    """Run an example in a process of its own, where `framefx` is the one under test."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    program = ["sh"] if name.endswith(".sh") else [sys.executable]
    return subprocess.run(
        [*program, str(EXAMPLES / name), *map(str, arguments)],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def frames_of(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_every_example_is_short_and_tested():
    code = Path(__file__).read_text()
    for file in EXAMPLES.iterdir():
        if file.is_file():
            assert file.name in code, f"{file.name} has no test here"
            assert len(file.read_text().splitlines()) <= 40, f"{file.name} is longer than 40 lines"


@needs_model
@pytest.mark.slow
def test_three_lines():
    done = run("three_lines.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("300 frames")
    assert len(frames_of("framefx-demo.mp4")) == 300


def test_photos_keep_their_size_and_broken_ones_are_named(photos, folder):
    done = run("photos.py", photos, folder / "done", "color=saturation=0")
    assert done.returncode == 0, done.stderr
    assert "broken.png" in done.stderr
    shapes = {p.name: cv2.imread(str(p)).shape[:2] for p in (folder / "done").iterdir()}
    assert shapes == {"a.png": (48, 64), "b.jpg": (30, 20)}
    assert np.ptp(cv2.imread("done/a.png")[0, 0].astype(int)) <= 1


def test_a_custom_source():
    done = run("custom_source.py")
    assert done.returncode == 0, done.stderr
    frames = frames_of("wheel.mp4")
    assert len(frames) == 90
    assert frames[0].shape == (360, 640, 3)
    assert (frames[0] != frames[30]).any()


def framefx_command(*arguments):
    command = [sys.executable, "-m", "framefx", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture
def config(folder):
    shutil.copy(EXAMPLES / "profiles.yaml", folder)
    return "profiles.yaml"


def test_a_profile_without_masks_needs_no_model(config):
    done = framefx_command("--config", config, "--profile", "mirror", "--frames", 5)
    assert done.returncode == 0, done.stderr
    assert len(frames_of("mirror.mp4")) == 5


@needs_model
@pytest.mark.parametrize("profile", [[], ["--profile", "meeting"]])
def test_profiles(config, profile):
    done = framefx_command("--config", config, *profile, "--frames", 5)
    assert done.returncode == 0, done.stderr
    assert len(frames_of("profiles.mp4")) == 5


def test_a_profile_changes_what_it_names_and_nothing_else(config, folder):
    shown = framefx_command("config", "show", config, "--profile", "meeting")
    assert "blur" in shown.stdout
    assert "replace" not in shown.stdout
    assert "feather: 3" in shown.stdout


def load_mosaic():
    spec = importlib.util.spec_from_file_location("mosaic_example", EXAMPLES / "mosaic.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("shape", [(48, 64, 3), (1, 1, 3), (37, 41, 3)])
def test_mosaic_blocks_are_of_one_colour(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    blocks = load_mosaic().mosaic(framefx.Frame.borrow(pixels), size=8).pixels
    assert blocks.shape == shape
    assert (blocks[:8, :8] == pixels[0, 0]).all()


def test_mosaic_as_a_plugin_from_its_file(folder):
    plugin = str(EXAMPLES / "mosaic.py")
    done = framefx_command(
        "--plugin", plugin, "--chain", "mosaic=32:where=all", "--source", "demo", "--sink", "out.png", "--frames", 1
    )
    assert done.returncode == 0, done.stderr
    picture = cv2.imread("out.png")
    assert (picture[:32, :32] == picture[0, 0]).all()


def test_mosaic_tells_its_bounds():
    done = framefx_command("filters", "--plugin", str(EXAMPLES / "mosaic.py"), "mosaic")
    assert "size: integer, ≥ 2, ≤ 200, default 16: pixels" in done.stdout


@needs_ffmpeg
def test_pipe():
    source = ["-f", "lavfi", "-i", "testsrc=size=160x120:rate=25:duration=1"]
    subprocess.run(["ffmpeg", "-v", "error", *source, "in.mp4"], check=True, timeout=60)
    done = run("pipe.sh", "in.mp4", "out.mp4", "color=saturation=0")
    assert done.returncode == 0, done.stderr
    frames = frames_of("out.mp4")
    assert len(frames) == 25
    assert frames[0].shape == (120, 160, 3)
    assert np.ptp(frames[0].astype(int), axis=2).max() <= 3
