"""The config file: validated as a whole, and every error names file, line, key, what was found and what was wanted."""

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from framefx.config import Config, schema
from framefx.errors import ConfigError, FramefxError
from framefx.frame import Frame
from framefx.job import Job
from framefx.mask import Mask
from framefx.plugins import PluginManager

EXAMPLE = """\
source: {device: /dev/video0, size: 1280x720, rate: 30, format: auto}
model: blazeseg                     # a name, a path, or a list; the plan picks who serves which layer
mask: {feather: 3, smooth: 0.08, refine: true, max_age: 0.1}
layers: {logo: {image: logo-mask.png}}
chain:
  - blur: {radius: 12}
  - replace: {image: beach.jpg, fit: cover}
  - color@warm: {saturation: 1.1}   # @warm names a step, for --set and reload
sink: auto
profiles:
  meeting: {chain: [blur]}
"""


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "framefx.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def example(write, tmp_path):
    import cv2

    cv2.imwrite(str(tmp_path / "logo-mask.png"), np.full((4, 4), 255, np.uint8))
    cv2.imwrite(str(tmp_path / "beach.jpg"), np.full((9, 16, 3), 200, np.uint8))
    return write(EXAMPLE)


def job(path, profile=None):
    config = Config(path, profile)
    return Job(config.settings, PluginManager(discover=False), config)


# The example.


def test_the_example_s_values_are_read(example):
    settings = Config(example).settings
    assert settings.source.location == "/dev/video0"
    assert settings.source.options == {"size": (720, 1280), "rate": 30.0}
    assert settings.model == ["blazeseg"]
    assert (settings.mask.feather, settings.mask.smooth, settings.mask.refine) == (3, 0.08, True)
    assert settings.sink.location == "auto"


def test_the_example_s_chain_is_the_one_that_is_written(example):
    chain = str(job(example).stack())
    assert chain == "blur=radius=12,replace=image=beach.jpg:fit=cover,color@warm=saturation=1.1"


def test_the_example_works(example):
    from framefx.plan import Plan

    loaded = job(example)
    plan = Plan(loaded.stack(), loaded.plugins.registry, given={"person": Mask(np.zeros((2, 2), np.uint8), (2, 2))})
    pixels = plan.run(Frame.borrow(np.zeros((18, 32, 3), np.uint8))).pixels
    assert abs(int(pixels.mean()) - 200) <= 3


def test_a_profile_changes_what_it_names(example):
    loaded = job(example, "meeting")
    assert str(loaded.stack()) == "blur"
    assert loaded.settings.mask.feather == 3


def test_an_unknown_profile_gets_the_nearest(example):
    with pytest.raises(ConfigError, match=r"no profile 'meting'. Did you mean 'meeting'\? Its profiles: meeting"):
        Config(example, "meting")


# Short forms.


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("source: clip:x", "clip:x"),
        ("source: 0", "0"),
        ("source: {file: /a/b.mp4}", "/a/b.mp4"),
        ("source: {}", "auto"),
        ("", "auto"),
        ("source: '-'", "-"),
        ("source: demo", "demo"),
    ],
)
def test_a_source_is_a_name_a_number_or_a_mapping(write, text, location):
    assert Config(write(text)).settings.source.location == location


@pytest.mark.parametrize("text", ["clip.mp4", "sub/clip", "{file: clip.mp4}", "frames/%04d.png"])
def test_paths_are_relative_to_the_file_whether_they_exist_or_not(write, tmp_path, text):
    for key in ("source", "sink"):
        location = getattr(Config(write(f"{key}: {text}")).settings, key).location
        assert location.startswith(str(tmp_path))


def test_an_absolute_path_stays(write):
    assert Config(write("sink: /tmp/out.mp4")).settings.sink.location == "/tmp/out.mp4"


def test_paths_of_layers_plugins_and_models_are_relative_to_the_file(write, tmp_path):
    (tmp_path / "net.tflite").touch()
    text = "model: [net.tflite, blazeseg]\nplugins: [mosaic.py]\nlayers: {logo: {image: logo.png}}"
    settings = Config(write(text)).settings
    assert settings.model == [str(tmp_path / "net.tflite"), "blazeseg"]
    assert settings.plugins == [tmp_path / "mosaic.py"]
    assert settings.layers["logo"].image == tmp_path / "logo.png"


@pytest.mark.parametrize("chain", ["[replace: {image: beach.jpg}]", "replace=beach.jpg", "[replace: beach.jpg]"])
def test_paths_in_a_chain_are_relative_to_the_file(write, tmp_path, chain, monkeypatch):
    monkeypatch.chdir("/")
    (tmp_path / "beach.jpg").touch()
    loaded = job(write(f"chain: {chain}"))
    [call] = loaded.stack().entries[0].chain
    assert call.base == tmp_path


# Errors.


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: [", 1, "this is not YAML: "),
        ("a: b: c", 1, "this is not YAML: mapping values are not allowed here"),
        ("- blur", 1, "got a list, wanted keys like 'chain:'"),
        ("blur", 1, "got a str, wanted keys like 'chain:'"),
        ("chian: blur", 1, r"unknown key 'chian'. Did you mean 'chain'\? Known here: .*chain, "),
        ("chain: blur\nchain: flip", 2, "the key 'chain' is there twice"),
        ("mask:\n  feathr: 3", 2, r"unknown key 'feathr'. Did you mean 'feather'\? Known here: .*feather"),
        ("mask:\n  feather: soft", 2, "mask.feather is 'soft', wanted a valid number"),
        ("mask:\n  feather: -1", 2, "mask.feather is -1, wanted greater than or equal to 0"),
        ("mask: 3", 1, "mask is 3, wanted a valid dictionary"),
        ("layers:\n  logo:\n    imag: a.png", 3, r"unknown key 'imag'. Did you mean 'image'\? Known here: image"),
        ("layers:\n  logo: {}", 2, "layers.logo"),
        ("source:\n  size: big", 2, "source.size is 'big', wanted a size as WIDTHxHEIGHT, for example 1280x720"),
        ("source:\n  size: 0x720", 2, "source.size is 1824, wanted a size as"),
        ("source:\n  size: 00x720", 2, "source.size is '00x720', wanted a size as"),
        ("source:\n  size: [1280, 720]", 2, "source.size is .*, wanted a size as"),
        ("source:\n  rate: 0", 2, "source.rate is 0, wanted greater than 0"),
        ("sink: null", 1, "sink is None, wanted a device or file, or a mapping with one; in quotes .*: 'null'"),
        ("source: [3]", 1, r"source is \[3\], wanted a device or file"),
        ("priority: fast", 1, "priority is 'fast', wanted 'latency', 'balanced' or 'cpu'"),
        ("chain:\n  - blur\n  - 3", 3, "chain.1 is 3, wanted"),
        ("chain: 5", 1, "chain is 5, wanted"),
        ("frames: 0", 1, "frames is 0, wanted greater than or equal to 1"),
        ("profiles:\n  a:\n    chian: blur", 3, r"unknown key 'chian'. Did you mean 'chain'\?"),
        ("profiles:\n  a:\n    mask:\n      feather: x", 4, "profiles.a.mask.feather is 'x'"),
        ("profiles: 3", 1, "profiles is 3, wanted a valid dictionary"),
        ("frames: !!int ''", 1, "does not fit its tag"),
        ("frames: !!bool maybe", 1, "does not fit its tag"),
        ("frames: !!timestamp x", 1, "does not fit its tag"),
        ("frames: !!python/object:os.system x", 1, "could not determine a constructor for the tag"),
        ("? [a]\n: b", 1, "a key is no plain word"),
        ("a: &a [*a, *a]", 1, "nested deeper than|more than"),
    ],
)
def test_an_error_names_file_line_and_key(write, text, line, message):
    path = write(text)
    with pytest.raises(ConfigError, match=message) as caught:
        Config(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("chain:\n  - blur\n  - bluur: {}", 3, r"no filter 'bluur'. Did you mean 'blur'\?"),
        ("chain:\n  - color:\n      saturation: 9", 2, "color: saturation is 9, wanted less than or equal to 4"),
        ("chain:\n  - color:\n      saturatoin: 1", 2, r"color has no option 'saturatoin'. Did you mean 'saturation'"),
        ("source: demo\nchain: color,,flip", 2, "a filter's name should stand here"),
        ("profiles: {}\nchain:\n  - 'color@'", 3, "wanted NAME or NAME@LABEL"),
    ],
)
def test_a_chain_s_errors_name_file_and_line_too(write, text, line, message):
    path = write(text)
    with pytest.raises(FramefxError, match=message) as caught:
        job(path).plan()
    assert str(caught.value).startswith(f"{path}:{line}: ")


def test_a_profile_s_chain_names_the_profile_s_line(write):
    path = write("chain: [flip]\nprofiles:\n  a:\n    chain:\n      - bluur\n")
    with pytest.raises(FramefxError, match=f"{path}:5: "):
        job(path, "a").plan()


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + inner] * 9)}]\n" for inner, name in ["ab", "bc", "cd", "de", "ef"]
)
NO_CONFIG = {"binary": b"\xff\xfe\x00\x80", "bomb": BOMB.encode(), "deep": b"[" * 1500}


@pytest.mark.parametrize("make", ["missing", "folder", "binary", "bomb", "deep"])
def test_what_is_no_config_file_is_one_line(tmp_path, make):
    path = tmp_path / "framefx.yaml"
    if make == "folder":
        path.mkdir()
    elif make != "missing":
        path.write_bytes(NO_CONFIG[make])
    with pytest.raises(ConfigError) as caught:
        Config(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


KEYS = ["source", "sink", "chain", "model", "mask", "layers", "profiles", "blur", "image", "set", "stack"]
WORDS = st.sampled_from(KEYS)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9999) | st.floats() | st.text(max_size=6) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.dictionaries(WORDS, VALUES, max_size=4))
def test_any_yaml_is_a_config_or_one_line_of_error(tmp_path_factory, values):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
    check_any(path)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.text(alphabet="abc:-[]{}&*!|>'\"#%@,? \n\t0é\0", max_size=40) | st.binary(max_size=30))
def test_any_text_is_a_config_or_one_line_of_error(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    check_any(path)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.integers(0, len(EXAMPLE)), st.text(alphabet="x:-[]{} \n'&*!", min_size=1, max_size=3))
def test_a_typing_error_in_the_example_is_no_traceback(tmp_path_factory, place, typed):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(EXAMPLE[:place] + typed + EXAMPLE[place:])
    check_any(path)


def check_any(path):
    try:
        Config(path)
    except ConfigError as error:
        assert str(error).startswith(str(path))
        assert "\n" not in str(error)


# Both, neither, and the schema.


def test_no_chain_is_an_error_only_when_it_is_needed(write):
    loaded = job(write("source: demo"))
    with pytest.raises(FramefxError, match="no chain: say what to do with --chain"):
        loaded.plan()


def test_the_schema_knows_every_key_and_its_help():
    properties = schema()["properties"]
    assert {"source", "sink", "chain", "model", "mask", "layers", "profiles"} <= properties.keys()
    assert all("description" in facts for facts in properties.values())
    assert schema()["additionalProperties"] is False
