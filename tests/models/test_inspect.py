"""``framefx models inspect``: what it says of networks good and bad."""

import json

import numpy as np
import pytest

from framefx.cli.main import main
from framefx.models.contents import contents
from framefx.models.loading import load


@pytest.fixture
def inspect(capsys):
    def run(*arguments):
        code = main(["models", "inspect", *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def small(networks, tmp_path):
    return networks.pixelwise(tmp_path / "small.tflite", weights=np.eye(4, 3), bias=np.zeros(4))


def test_says_what_is_in_the_file_and_what_it_gives(inspect, networks, tmp_path):
    path = networks.pixelwise(tmp_path / "n.tflite", sigmoid=True, kind=networks.UINT8)
    code, out, err = inspect(path)
    assert (code, err) == (0, "")
    assert out.startswith(f"{path}: {path.stat().st_size:,} bytes, 4 weights in float32\n")
    assert "in:        'picture' 1×8×12×3 uint8, a step is 0.00392157 from 0\n" in out
    assert "out:       'probability' 1×8×12×1 float32\n" in out
    assert "operators: DEQUANTIZE ×1, CONV_2D ×1, LOGISTIC ×1\ncustom:    none\n" in out
    assert "backend:   litert\nfamily:    selfie\nlayers:    mask: person\ntime:      " in out
    assert " ms in the median" in out


def test_writes_the_description_of_what_nobody_knows(inspect, small, registry):
    code, out, _ = inspect(small)
    assert code == 0
    assert "family:    none that is known" in out
    text = out.partition("\n\n")[2]
    assert text.startswith("# small.toml, beside small.tflite: ")
    before = load(small, registry)
    small.with_suffix(".toml").write_text(text)
    after = load(small, registry)
    assert list(after.layers) == list(before.layers) == [f"class_{i}" for i in range(4)]
    assert (after.activation, after.preparation.layout) == (before.activation, before.preparation.layout)
    code, out, _ = inspect(small)
    assert f"family:    described by {small.with_suffix('.toml')}\n" in out
    assert "mean" not in out


def test_json(inspect, small):
    code, out, _ = inspect(small, "--json")
    found = json.loads(out)
    assert code == 0
    assert found["inputs"] == [
        {"name": "picture", "shape": [1, 8, 12, 3], "dtype": "float32", "scale": 0.0, "zero_point": 0}
    ]
    assert found["contents"]["operators"] == {"CONV_2D": 1}
    assert found["layers"]["class_2"] == "mask"
    assert found["times"]["least"] <= found["times"]["median"]
    assert found["problem"] is None


def test_custom_operators_are_named_though_no_runtime_has_them(inspect, networks, tmp_path):
    path = networks.custom(tmp_path / "c.tflite", "Magic")
    code, out, err = inspect(path)
    assert code == 2
    assert "custom:    Magic ×1\n" in out
    assert "family" not in out
    assert err == f"framefx: {path}: ai-edge-litert lacks its operator Magic; export the network without it\n"


def test_what_no_family_knows(inspect, networks, tmp_path):
    code, out, err = inspect(networks.pixelwise(tmp_path / "n.tflite", weights=[[1] * 5]))
    assert code == 2
    assert "in:        'picture' 1×8×12×5 float32\n" in out
    assert "5 channels, wanted 3" in err


def test_an_onnx_network(inspect, onnx_networks, tmp_path):
    path = onnx_networks.pixelwise(tmp_path / "n.onnx")
    code, out, _ = inspect(path)
    assert code == 0
    assert "3 weights in float32" in out
    assert "in:        'picture' 1×3×8×12 float32\n" in out
    assert "operators: Conv ×1\ncustom:    none\nbackend:   onnx\n" in out


def test_a_size_left_open_can_be_said(inspect, onnx_networks, tmp_path):
    path = onnx_networks.pixelwise(tmp_path / "n.onnx", shape=(1, 3, "h", "w"), out=(1, 1, "h", "w"))
    code, out, err = inspect(path)
    assert code == 2
    assert "in:        'picture' 1×3×?×? float32\n" in out
    assert "`--model-option size=256x256`" in err
    code, out, _ = inspect(path, "--model-option", "size=16x12")
    assert code == 0
    assert "in:        'picture' 1×3×12×16 float32\n" in out


def test_onnx_operators_of_others_are_custom(inspect, onnx_networks, tmp_path):
    import onnx

    path = onnx_networks.custom(tmp_path / "n.onnx", "Magic")
    model = onnx.load(path)
    model.graph.node[0].domain = "mine"
    model.opset_import.append(onnx.helper.make_opsetid("mine", 1))
    onnx.save(model, path)
    code, out, err = inspect(path)
    assert code == 2
    assert "custom:    mine::Magic ×1\n" in out
    assert "lacks its operator" in err


def test_names_are_found_as_for_model(inspect):
    code, out, _ = inspect("blazeseg")
    assert code == 0
    assert "layers:    mask: person\n" in out


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.tflite", None, "no model file and no model named"),
        ("page.tflite", b"<html>404: no such model</html>", "no .tflite network"),
        ("empty.onnx", b"", "empty"),
        ("text.txt", b"hello", "no backend here runs '.txt' files"),
    ],
)
def test_what_is_no_network(inspect, tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    code, out, err = inspect(path)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "custom", "weights"),
    [
        ("selfie_segmentation_landscape.tflite", {"Convolution2DTransposeBias": 1}, {"float16": 106_401}),
        ("bodypix_mobilenet_v1_075_480_352_16_quant_decoder.tflite", {"PosenetDecoderOp": 1}, {"int8": 1_273_680}),
        ("SINet_Softmax_simple.onnx", {}, {"float32": 88_129}),
    ],
)
def test_published_networks(real, name, custom, weights):
    found = contents(real(f"models/{name}"))
    assert (found.custom, found.weights) == (custom, weights)


def test_counts_are_what_the_onnx_package_counts(real, onnx_networks):
    import onnx

    path = real("models/mediapipe.onnx")
    found, model = contents(path), onnx.load(path)
    assert sum(found.operators.values()) == len(model.graph.node)
    floats = [one for one in model.graph.initializer if one.data_type == onnx.TensorProto.FLOAT]
    assert found.weights == {"float32": sum(int(np.prod(one.dims)) for one in floats)}
