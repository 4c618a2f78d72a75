"""Linux-Fake-Background-Webcam's INI files."""

import cv2
import numpy as np
import pytest

from framefx.config import Config
from framefx.errors import ConfigError
from framefx.frame import Frame
from framefx.importers import import_file
from framefx.job import Job
from framefx.mask import Mask
from framefx.plan import Plan


@pytest.fixture
def old(tmp_path):
    def write(text, name="config.ini"):
        path = tmp_path / name
        path.write_text(text)
        return path

    for name in ("a.jpg", "b.png", "background.jpg"):
        cv2.imwrite(str(tmp_path / name), np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8))
    return write


def values(path):
    return import_file(path).values


def shown(path):
    config = Config(path)
    job = Job(config.settings, config=config)
    mask = Mask(np.full((4, 4), 128, np.uint8), (20, 30))
    frame = Frame.borrow(np.zeros((20, 30, 3), np.uint8))
    return Plan(job.stack(), job.plugins.registry, given={"person": mask}).run(frame)


def test_devices(old):
    made = values(
        old("width=640\nheight=480\nfps=20\ncodec=YUYV\nwebcam-path=/dev/video3\nv4l2loopback-path=/dev/video9\n")
    )
    assert made["source"] == {"device": "/dev/video3", "size": "640x480", "rate": 20, "format": "YUYV"}
    assert made["sink"] == {"device": "/dev/video9"}


@pytest.mark.parametrize(("text", "always_on"), [("no-ondemand=true\n", True), ("fps=30\n", False)])
def test_on_demand(old, text, always_on):
    assert Config(old(text)).settings.always_on is always_on


def test_its_sigmoid_makes_the_edge_harder(old):
    soft, hard = (values(old(text))["mask"] for text in ("fps=30\n", "use-sigmoid=true\n"))
    assert {name for name in soft if soft[name] != hard[name]} == {"feather"}
    assert hard["feather"] < soft["feather"]


def test_effects_keep_its_order(old):
    made = values(old("background=file=a.jpg,brightness=150,cmap=jet,blur=20,crop\n"))
    assert [next(iter(step)) for step in made["chain"]] == ["replace", "blur", "color_map", "brightness"]


def test_solid_is_blue_green_red(old):
    assert values(old("background=no,solid=1,2,255\n"))["chain"][0]["replace"]["color"] == "#ff0201"


def test_an_overlay(old):
    step = values(old("background=no\nmask=foreground=a.jpg,mask-file=b.png,opacity=60\n"))["chain"][-1]["overlay"]
    assert step == {"image": "a.jpg", "fit": "stretch", "mask": "b.png", "opacity": 0.6}


def test_effects_of_an_overlay_change_nothing_else(old):
    plain = shown(old("background=solid=0,0,0\nmask=file=a.jpg,opacity=100\n", "plain.ini")).pixels
    path = old("background=solid=0,0,0\nmask=file=a.jpg,opacity=100,brightness=50\n")
    assert [entry["source"] for entry in values(path)["stack"]] == ["frame", "empty"]
    np.testing.assert_allclose(shown(path).pixels, plain / 2, atol=2)
    cv2.imwrite(str(path.parent / "half.png"), np.repeat([[255] * 15 + [0] * 15], 20, 0).astype(np.uint8))
    path = old("background=solid=0,0,200\nmask=file=a.jpg,mask-file=half.png,brightness=50\n")
    halves = shown(path).pixels
    np.testing.assert_allclose(halves[:, :14], plain[:, :14] / 2, atol=2)
    without = shown(old("background=solid=0,0,200\nmask=no\n")).pixels
    np.testing.assert_array_equal(halves[:, 16:], without[:, 16:])


def test_the_usual_overlay_is_taken_where_it_lies(old):
    path = old("background=no\n")
    assert values(path)["chain"] == ["blur"]
    for name in ("foreground.jpg", "foreground-mask.png"):
        (path.parent / name).write_bytes((path.parent / "b.png").read_bytes())
    overlay = values(path)["chain"][-1]["overlay"]
    assert (overlay["image"], overlay["mask"]) == ("foreground.jpg", "foreground-mask.png")
    assert values(old("background=no\nmask=no\n"))["chain"] == ["blur"]


def test_a_faint_person_is_a_picture_of_its_own(old):
    made = values(old("selfie=opacity=50,hologram\n"))
    assert [entry["source"] for entry in made["stack"]] == ["frame", "person"]
    assert made["stack"][1]["opacity"] == 0.5


@pytest.mark.parametrize(
    "text",
    [
        "width=640\n",
        "background=file=a.jpg,tile,blur=10\nselfie=hologram,brightness=50\n",
        "background=no\nmask=file=a.jpg,mask-file=b.png\n",
        "selfie=opacity=30\nmask=file=b.png,opacity=10\n",
        "background=no,solid=9,9,9\n",
    ],
)
def test_it_runs_as_it_is(old, text):
    assert shown(old(text)).size == (20, 30)


def test_other_endings_are_recognised(old):
    assert values(old("background = no\n", "lfbw"))["chain"] == ["blur"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fps=20\nwidht=3\n", "2: unknown key 'widht'. Did you mean 'width'?"),
        ("fps=20\nwidth=wide\n", "2: width is 'wide', wanted a whole number above 0"),
        ("fps=20\nbackground=blurr\n", "2: background: unknown effect 'blurr'. Did you mean 'blur'?"),
        ("background=blur=much\n", "1: background: blur is 'much', wanted a whole number"),
        ("background=solid=1,2\n", "1: background: solid is '1,2', wanted blue,green,red"),
        ("selfie=glow=3\n", "1: selfie: unknown effect 'glow'."),
    ],
)
def test_errors_name_file_and_line(old, text, message):
    path = old(text)
    with pytest.raises(ConfigError) as caught:
        Config(path)
    assert str(caught.value).startswith(f"{path}:{message}")
