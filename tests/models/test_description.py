"""A TOML beside the weights: what it changes, and what it is told when it is wrong."""

import numpy as np
import pytest

from framefx.errors import ConfigError, ModelError
from framefx.frame import Frame
from framefx.models.description import Description, beside
from framefx.models.loading import load

RED = np.full((80, 120, 3), (204, 51, 102), np.uint8)


@pytest.fixture
def made(registry, networks, tmp_path):
    """Loads a network that passes its channels on, with a description beside it."""

    def make(text, **changes):
        options = {"weights": np.eye(3), "bias": np.zeros(3)} | changes
        path = networks.pixelwise(tmp_path / "my.tflite", **options)
        path.with_suffix(".toml").write_text(text)
        return load(path, registry)

    return make


def shown(model, pixels=RED):
    model.prepare(Frame.borrow(pixels), model.session.buffer)
    return model.session.buffer.reshape(-1, 3).mean(axis=0).tolist()


def decode(model, wanted, pixels=RED):
    frame = Frame.borrow(pixels)
    model.prepare(frame, model.session.buffer)
    outputs = model.session.run(model.session.buffer, model.outputs_for(wanted))
    return {name: int(mask.values.mean()) for name, mask in model.decode(outputs, wanted, frame).items()}


def test_is_the_file_of_the_same_name(tmp_path):
    network = tmp_path / "my.tflite"
    assert beside(network) is None
    (tmp_path / "my.toml").touch()
    assert beside(network) == tmp_path / "my.toml"


def test_an_empty_one_changes_nothing(made):
    model = made("")
    assert list(model.layers) == ["class_0", "class_1", "class_2"]
    assert shown(model) == pytest.approx([0.8, 0.2, 0.4])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("mean = 127.5\nstd = 127.5", [0.6, -0.6, -0.2]),
        ("std = 1", [204, 51, 102]),
        ("mean = [4, 1, 2]\nstd = [100, 50, 25]", [2, 1, 4]),
        ('order = "bgr"', [0.4, 0.2, 0.8]),
        ('order = "bgr"\nmean = [2, 1, 4]\nstd = [25, 50, 100]', [4, 1, 2]),
    ],
)
def test_what_the_network_sees(made, text, wanted):
    assert shown(made(text)) == pytest.approx(wanted)


@pytest.mark.parametrize(("kind", "wanted"), [("UINT8", (204, 51, 102)), ("INT8", (76, -77, -26))])
def test_bytes_are_the_levels_unless_told_otherwise(made, networks, kind, wanted):
    kind = getattr(networks, kind)
    assert shown(made("", kind=kind)) == pytest.approx(list(wanted))
    half = made("mean = 0\nstd = 510", kind=kind)
    offset = 0 if kind == networks.UINT8 else -128
    assert shown(half) == pytest.approx([102 + offset, 26 + offset, 51 + offset], abs=1)


def test_names_of_classes(made):
    masks = decode(made('activation = "none"\nclasses = ["wall", "person", "plant"]'), ["wall", "plant"])
    assert masks == {"wall": 204, "plant": 102}


def test_a_channel_may_belong_to_several_layers_and_a_layer_have_several_channels(made):
    model = made('activation = "none"\nclasses = ["background", ["person", "hair"], ["person", "skin"]]')
    assert list(model.layers) == ["background", "person", "hair", "skin"]
    assert decode(model, ["person", "hair"]) == {"person": 153, "hair": 51}


@pytest.mark.parametrize(
    ("activation", "wanted"), [("none", 204), ("sigmoid", 255 / (1 + np.exp(-0.8))), ("softmax", 116)]
)
def test_what_is_left_to_do(made, activation, wanted):
    model = made(f'activation = "{activation}"\nclasses = ["a", "b", "c"]')
    assert decode(model, ["a"])["a"] == pytest.approx(wanted, abs=1)


def test_chooses_an_output(registry, onnx_networks, tmp_path):
    path = onnx_networks.heads(tmp_path / "n.onnx")
    path.with_suffix(".toml").write_text('output = "b"')
    model = load(path, registry)
    assert list(model.layers) == ["background", "person"]
    assert model.outputs_for(["person"]) == ("b",)


def test_comes_before_the_families(made):
    """A two-class network, which would be a selfie network, with its person first."""
    model = made('classes = ["person", "background"]', weights=[[0, 8, 0], [0, -8, 0]], bias=[0, 0])
    assert decode(model, ["person"], np.full((8, 12, 3), (0, 255, 0), np.uint8))["person"] > 250


# -- wrong ones -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# mine\nmaen = 3", r"my\.toml:2: unknown key 'maen'\. Did you mean 'mean'\? Known here: activation, classes"),
        ("\n\nstd = 0.229", r"my\.toml:3: std is 0\.229, wanted at least 1: .* levels from 0 to 255"),
        ("std = [1, 2]", r"my\.toml:1: std is .*, wanted"),
        ("mean = nan", r"my\.toml:1: mean is nan, wanted"),
        ('order = "brg"', r"my\.toml:1: order is 'brg', wanted 'rgb' or 'bgr'"),
        ('order = "rgb"\nlayout = "hwc"', r"my\.toml:2: layout is 'hwc', wanted 'nhwc' or 'nchw'"),
        ("classes = []", r"my\.toml:1: classes is \[\], wanted"),
        ('classes = ["a b"]', r"my\.toml:1: classes is .*'a b' is none"),
        ("[input]\nmean = 3", r"my\.toml:1: unknown key 'input'"),
        ("mean = 3\nmean = ", r"my\.toml:2: this is not TOML: "),
        ("mean", r"my\.toml:1: this is not TOML: "),
    ],
)
def test_says_line_and_key(tmp_path, text, message):
    path = tmp_path / "my.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        Description.read(path)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_what_is_no_text(tmp_path):
    path = tmp_path / "my.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"my\.toml: cannot be read"):
        Description.read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('classes = ["background", "person"]', "has 3 channels, and the description names 2"),
        ('output = "smu"', r"it has no output 'smu'\. Did you mean 'sum'\? Its outputs: 'sum' 1×8×12×3"),
        ('layout = "nchw"', "its input 'picture' is 1×8×12×3, and the description says layout = \"nchw\""),
    ],
)
def test_what_does_not_fit_the_network(made, text, message):
    with pytest.raises(ModelError, match=message) as caught:
        made(text)
    assert str(caught.value).partition(": ")[0].endswith("my.tflite")
    assert "\n" not in str(caught.value)
