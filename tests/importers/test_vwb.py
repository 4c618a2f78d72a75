"""virtual_webcam_background's configs: every key, every filter, every spelling, and what is wrong with them."""

import logging

import cv2
import numpy as np
import pytest
import yaml

from framefx.cli.main import main
from framefx.config import Config
from framefx.errors import ConfigError, FramefxError
from framefx.frame import Frame
from framefx.importers import import_file
from framefx.importers.vwb_filters import FILTERS
from framefx.job import Job

SIZE = (40, 60)


@pytest.fixture
def old(tmp_path):
    def write(text):
        path = tmp_path / "config.yaml"
        path.write_text(text)
        return path

    rng = np.random.default_rng(0)
    cv2.imwrite(str(tmp_path / "a.png"), rng.integers(0, 256, (*SIZE, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "alpha.png"), rng.integers(0, 256, (*SIZE, 4), np.uint8))
    mask = np.zeros(SIZE, np.uint8)
    mask[10:30, 20:40] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    return write


def values(path):
    return import_file(path).values


def chain(path):
    """Return the steps of the last picture."""
    return values(path)["stack"][-1].get("chain", [])


def plan(path):
    config = Config(path)
    settings = config.settings.model_copy(
        update={"layers": {name: _Picture(path.parent / "mask.png") for name in ("person", "face")}}
    )
    return Job(settings, config=config).plan()


class _Picture:
    def __init__(self, image):
        self.image = image


def shown(path, time=1 / 30):
    pixels = np.random.default_rng(1).integers(0, 256, (*SIZE, 3), np.uint8)
    return plan(path).run(Frame.borrow(pixels, index=round(30 * time), time=time))


# -- keys -----------------------------------------------------------------------------------------------------


def test_devices(old):
    made = values(old("real_video_device: /dev/video1\nvirtual_video_device: /dev/video0\nwidth: 1280\nheight: 720\n"
                      "fps: 25\nmjpeg: true\n"))  # fmt: skip
    assert made["source"] == {"device": "/dev/video1", "size": "1280x720", "rate": 25, "format": "MJPG"}
    assert made["sink"] == {"device": "/dev/video0"}


def test_mask_keys(old):
    made = values(old("layers: []\nsegmentation_threshold: 0.6\naverage_masks: 4\ndilate: 11\nerode: 1\nblur: 3\n"))
    assert made["mask"] == {"range": [0.6, 0.6], "smooth": 0.05, "dilate": 5, "erode": 0, "feather": 1}


def test_mediapipe_uses_the_soft_mask(old):
    assert values(old("layers: []\nmodel: mediapipe\n"))["mask"]["range"] == [0, 1]


def test_all_keys_are_known(old):
    path = old(
        "real_video_device: /dev/video1\nvirtual_video_device: /dev/video0\nmjpeg: false\nwidth: 640\nheight: 360\n"
        "fps: 30\nmodel: resnet50\nmultiplier: 1.0\nstride: 16\ninternal_resolution: 0.5\n"
        "segmentation_threshold: 0.75\naverage_masks: 3\ndilate: 10\nerode: 10\nblur: 3\nlayers: []\n"
        "debug_show_mask: -1\ndebug_show_heatmap: -1\n"
    )
    assert "resnet50" in import_file(path).comments["model"]
    mask = shown(path).pixels
    assert (mask[20, 30] == 255).all()
    assert not mask[0, 0].any()


@pytest.mark.parametrize("keys", ["debug_show_heatmap: 17", "debug_show_heatmap: -1", "debug_show_mask: 24",
                                  "debug_show_mask: -1\ndebug_show_heatmap: 3"])  # fmt: skip
def test_any_other_number_shows_the_mask(old, keys):
    mask = shown(old(f"layers: [{{input: [blur]}}]\n{keys}\n")).pixels
    assert (mask[20, 30] == 255).all()
    assert not mask[0, 0].any()


@pytest.mark.parametrize(("number", "keypoint"), [(0, "nose"), (3, "left_ear"), (16, "right_ankle")])
def test_one_heatmap_is_shown_on_black(old, number, keypoint):
    path = old(f"layers: [{{input: [blur]}}]\ndebug_show_heatmap: {number}\n")
    first, second = chain(path)
    assert first["replace"]["color"] == "black"
    assert second["heatmap"]["keypoint"] == keypoint
    assert values(path)["model"] == "bodypix"


def test_one_part_is_shown_on_black(old):
    imported = import_file(old("layers: []\ndebug_show_mask: 10\n"))
    assert imported.values["stack"][-1]["source"] == "left_hand"
    assert imported.values["model"] == "bodypix"
    assert any("framefx models pull bodypix" in note for note in imported.notes)


def test_null_means_not_given(old):
    assert values(old("layers: []\nblur: null\ndebug_show_mask: null\nfps: null\n"))["stack"][0]["source"] == "empty"


def test_speeds_are_per_second(old):
    step = chain(old("real_video_device: /dev/video0\nfps: 20\nlayers: [{input: [[roll, 3, -1]]}]\n"))[0]
    assert step == {"roll": {"speed_x": 60.0, "speed_y": -20.0}}


def test_a_picture_as_camera_has_no_rate_to_set(old):
    step = chain(old("real_video_device: a.png\nfps: 20\nlayers: [{input: [[roll, 3, 0]]}]\n"))[0]
    assert step["roll"]["speed_x"] == 90.0


@pytest.mark.parametrize(
    ("arguments", "rate"),
    [
        ("film.mkv", 10.0),
        ("film.mkv, 25", 25.0),
        ("film.mkv, {target_fps: 2.5}", 2.5),
        ("film.mkv, 0", None),
        ("film.mkv, -1", None),
        ("film.mkv, 5000", 1000.0),
    ],
)
def test_a_video_shows_so_many_pictures_a_second(old, arguments, rate):
    arguments = arguments.replace("film.mkv, {", "{video_path: film.mkv, ")
    step = chain(old(f"layers: [{{empty: [[video, {arguments}]]}}]\n"))[0]["replace"]
    assert step.get("rate") == rate
    assert step["video"] == "film.mkv"


def test_a_video_plays_in_its_own_time(old, encode):
    """Ten of thirty pictures a second: the speed stays, whatever the rate of its loop was."""
    encode("film.mkv", [np.full((*SIZE, 3), 5 * level, np.uint8) for level in range(30)], rate=30)
    made = plan(old("layers: [{empty: [[video, film.mkv, 10, NEAREST]]}]\n"))
    times = (0, 0.05, 0.0999, 0.1, 0.25, 0.3, 0.95, 1.0, 1.1)
    frames = [Frame.borrow(np.zeros((*SIZE, 3), np.uint8), index=i, time=t) for i, t in enumerate(times)]
    assert [int(made.run(frame).pixels[0, 0, 0]) // 5 for frame in frames] == [0, 0, 3, 3, 6, 9, 27, 0, 3]
    made.close()


def test_the_four_layers(old):
    path = old("layers: [{empty: [solid_color]}, {input: []}, {foreground: [flip]}, {previous: [grayscale]}]\n")
    assert [entry["source"] for entry in values(path)["stack"]] == ["empty", "empty", "frame", "person", "previous"]


def test_a_second_camera_is_a_source(old):
    entry = values(old("layers: [{input: [blur, [webcam, 1], flip]}]\n"))["stack"][-1]
    assert (entry["source"], entry["size"]) == ("1", "frame")
    assert [next(iter(step)) for step in entry["chain"]] == ["flip"]


# -- filters --------------------------------------------------------------------------------------------------

ARGUMENTS = {
    "image": ["a.png", "NEAREST"],
    "image_sequence": ["pictures", 5, "LINEAR"],
    "video": ["film.mp4", 10, "LINEAR", False],
    "blur": [7, 3],
    "gaussian_blur": [9, 9],
    "grayscale": [],
    "roll": [2, -3],
    "change_alpha": [-50, 20, 200],
    "colorize": [255, 128, 0],
    "color_filter": [300, 128, -5],
    "solid_color": [1, 2, 3],
    "flip": [True, True],
    "stripes": [7, 20, 2],
    "chroma_key": [10, 200, 10, 50],
    "noise": [],
    "zoom": [0.5, 1.5, True],
    "move": [10, -5, False, False],
    "affine": [[[1, 0.2], [-0.2, 1]], [5, -5]],
    "webcam": ["alpha.png"],
    "anonymize": [10, 5, True, True],
    "hologram": [],
}


def test_all_21_are_known():
    assert FILTERS.keys() == ARGUMENTS.keys()
    assert len(FILTERS) == 21


def spellings(name):
    arguments = ARGUMENTS[name]
    yield [name, *arguments]
    yield [name, arguments]
    yield [name, dict(zip(FILTERS[name][0], arguments, strict=False))]
    if not any(default is ... for default in FILTERS[name][0].values()):
        yield name


@pytest.fixture
def media(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    cv2.imwrite(str(folder / "1.png"), np.full((*SIZE, 3), 9, np.uint8))
    import framefx

    rng = np.random.default_rng(0)
    from framefx.testing import ListSource

    frames = [rng.integers(0, 256, (*SIZE, 3), np.uint8) for _ in range(3)]
    framefx.run(ListSource(frames), str(tmp_path / "film.mp4"), "invert")


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_every_filter_in_every_spelling(old, media, name):
    results = [shown(old(yaml.safe_dump({"layers": [{"input": [written]}]}))) for written in spellings(name)]
    assert all(result.size == SIZE for result in results)
    assert np.array_equal(results[0].pixels, results[1].pixels)
    assert np.array_equal(results[0].pixels, results[2].pixels)


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_every_parameter_may_be_left_out_that_has_a_default(old, media, name):
    needed = [ARGUMENTS[name][i] for i, default in enumerate(FILTERS[name][0].values()) if default is ...]
    assert shown(old(yaml.safe_dump({"layers": [{"input": [[name, *needed]]}]}))).size == SIZE


def test_greys_have_their_weights(old):
    assert chain(old("layers: [{input: [grayscale, colorize]}]\n"))[0]["grayscale"]["weights"] == (0.114, 0.587, 0.299)


def test_levels_above_255_are_a_gain(old):
    step = chain(old("layers: [{input: [[color_filter, 510, 255, 0]]}]\n"))[0]["color_filter"]
    assert (step["color"], step["gain"]) == ("#ff8000", 2.0)


def test_a_moved_picture_without_alpha_leaves_black(old):
    moved = "[move, 5, 0, false, false]"
    assert chain(old(f"layers: [{{empty: [[image, a.png], {moved}]}}]\n"))[1]["move"]["border"] == "black"
    assert chain(old(f"layers: [{{empty: [[image, alpha.png], {moved}]}}]\n"))[1]["move"]["border"] == "transparent"


def test_files_are_found_where_it_was_started(old, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "elsewhere" / "config.yaml"
    path.write_text("layers: [{empty: [[image, a.png]]}]\n")
    assert chain(path)[0]["replace"]["image"] == str(tmp_path / "a.png")


# -- what is wrong --------------------------------------------------------------------------------------------

HEAD = "real_video_device: a.png\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("laiers: []", "2: unknown key 'laiers'. Did you mean 'layers'?"),
        ("width: wide", "2: width is 'wide', wanted a number"),
        ("fps: -1", "2: fps is -1, wanted a number above 0"),
        ("model: yolo", "2: model is 'yolo', wanted one of mobilenet"),
        ("blur: [1]", "2: blur is [1], wanted a number"),
        ("layers: 3", "2: layers is 3, wanted a list"),
        ("layers:\n  - 3", "3: a layer is 3, wanted one of input, foreground, previous, empty"),
        ("layers:\n  - {}", "3: a layer is {}, wanted one of"),
        ("layers:\n  - imput: []", "3: there is no layer 'imput'. Did you mean 'input'?"),
        ("layers:\n  - input: flip", "3: input has 'flip', wanted a list of filters"),
        ("layers:\n  - input:\n    - flop", "4: there is no filter 'flop'. Did you mean 'flip'?"),
        ("layers:\n  - input:\n    - flip\n    - [blurr, 3]", "5: there is no filter 'blurr'. Did you mean 'blur'?"),
        ("layers:\n  - input:\n    - [3]", "4: a filter is [3], wanted a name or [name, arguments]"),
        ("layers:\n  - input:\n    - [roll, 3]", "4: roll needs the argument 'speed_y'"),
        ("layers:\n  - input:\n    - [roll, 1, 2, 3]", "4: roll takes 2 arguments, got 3"),
        ("layers:\n  - input:\n    - [flip, {vertikal: true}]", "4: flip has no argument 'vertikal'. Did you mean"),
        ("layers:\n  - input:\n    - [zoom, big]", "4: zoom: its arguments are not what it takes"),
        ("layers:\n  - input:\n    - [affine, 3]", "4: affine: its arguments are not what it takes: matrix is"),
    ],
)
def test_errors_name_file_and_line(old, text, message):
    path = old(HEAD + text + "\n")
    with pytest.raises(ConfigError) as caught:
        Config(path)
    assert str(caught.value).startswith(f"{path}:{message}")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("[stripes, 0]", "stripes: width is 0, wanted"),
        ("[zoom, 0]", "zoom: x is 0.0, wanted"),
        ("[image, nothing.png]", "replace: there is no file"),
        ("[image_sequence, nowhere]", "replace: .*nowhere"),
    ],
)
def test_errors_of_the_plan_name_the_old_line(old, written, message):
    path = old(f"layers:\n  - foreground: []\n  - input:\n    - flip\n    - {written}\n")
    with pytest.raises(FramefxError, match=rf"config\.yaml:5: chain step 2: {message}"):
        plan(path)


# -- the command ----------------------------------------------------------------------------------------------


def test_import_prints_a_config_that_means_the_same(old, tmp_path, capsys):
    path = old("layers: [{empty: [[image, a.png], [roll, 2, 3]]}, {foreground: [grayscale]}]\nmodel: mediapipe\n")
    assert main(["import", str(path)]) == 0
    text = capsys.readouterr().out
    assert "# weights: red and blue had changed places there" in text
    assert "&id" not in text
    new = tmp_path / "framefx.yaml"
    new.write_text(text)
    assert np.array_equal(shown(new).pixels, shown(path).pixels)


def test_import_writes_a_file(old, tmp_path):
    assert main(["import", str(old("layers: []\n")), "--output", str(tmp_path / "new.yaml")]) == 0
    assert Config(tmp_path / "new.yaml").settings.stack


def test_what_is_no_old_config(old, capsys):
    assert main(["import", str(old("chain: [blur]\n"))]) == 2
    assert "a framefx config needs no import" in capsys.readouterr().err


def test_what_was_left_out_is_said(old, caplog):
    with caplog.at_level(logging.WARNING):
        Config(old("layers: []\ndebug_show_heatmap: 3\n"))
    assert "debug_show_heatmap needs the model bodypix: run `framefx models pull bodypix`" in caplog.text
