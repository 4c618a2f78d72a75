import numpy as np
import pytest

from framefx.errors import ModelError
from framefx.frame import Frame
from framefx.models.loading import load

SIGMOID_OF_GREEN = {"weights": [[0, 8, 0]], "bias": [-4]}


@pytest.fixture
def frame():
    """12×8 blocks of 8×8 pixels, each of one random colour."""
    blocks = np.random.default_rng(5).integers(0, 256, (8, 12, 3), np.uint8)
    return Frame.borrow(blocks.repeat(8, 0).repeat(8, 1), index=7)


def person(model, frame):
    session = model.session
    model.prepare(frame, session.buffer)
    outputs = session.run(session.buffer, model.outputs_for(["person"]))
    return model.decode(outputs, ["person"], frame)["person"]


def expected(frame):
    green = frame.pixels[4::8, 4::8, 1] / 255
    return 255 / (1 + np.exp(-(8 * green - 4)))


@pytest.mark.parametrize("sigmoid", [True, False], ids=["probability", "logit"])
def test_one_channel(registry, networks, tmp_path, frame, sigmoid):
    model = load(networks.pixelwise(tmp_path / "n.tflite", sigmoid=sigmoid, **SIGMOID_OF_GREEN), registry)
    np.testing.assert_allclose(person(model, frame).values, expected(frame), atol=1)


def test_two_logits_have_the_person_last(registry, networks, tmp_path, frame):
    path = networks.pixelwise(tmp_path / "n.tflite", weights=[[0, -4, 0], [0, 4, 0]], bias=[2, -2])
    np.testing.assert_allclose(person(load(path, registry), frame).values, expected(frame), atol=1)


def test_two_probabilities_have_the_person_last(registry, networks, tmp_path, frame):
    path = networks.pixelwise(tmp_path / "n.tflite", weights=[[0, -8, 0], [0, 8, 0]], bias=[4, -4], sigmoid=True)
    np.testing.assert_allclose(person(load(path, registry), frame).values, expected(frame), atol=1)


@pytest.mark.parametrize("kind", ["UINT8", "INT8"])
@pytest.mark.parametrize("out_kind", ["UINT8", "INT8", "FLOAT32"])
def test_quantised(registry, networks, tmp_path, frame, kind, out_kind):
    kinds = {"kind": getattr(networks, kind), "out_kind": getattr(networks, out_kind)}
    model = load(networks.pixelwise(tmp_path / "n.tflite", sigmoid=True, **SIGMOID_OF_GREEN, **kinds), registry)
    np.testing.assert_allclose(person(model, frame).values, expected(frame), atol=2)


@pytest.mark.parametrize("size", [(8, 12), (12, 8), (16, 16)])
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_any_size_and_whole_fractions_of_it(registry, networks, tmp_path, frame, size, stride):
    model = load(networks.pixelwise(tmp_path / "n.tflite", size=size, stride=stride, **SIGMOID_OF_GREEN), registry)
    mask = person(model, frame)
    assert mask.values.shape == (size[0] // stride, size[1] // stride)
    assert (mask.size, mask.index) == ((64, 96), 7)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (641, 361), (2160, 3840)])
def test_frames_of_any_size(registry, networks, tmp_path, size):
    model = load(networks.pixelwise(tmp_path / "n.tflite", sigmoid=True, **SIGMOID_OF_GREEN), registry)
    mask = person(model, Frame.borrow(np.full((*size, 3), 255, np.uint8)))
    assert mask.values == pytest.approx(255 / (1 + np.exp(-4)), abs=1)


def test_the_mask_owns_its_memory(registry, networks, tmp_path, frame):
    model = load(networks.pixelwise(tmp_path / "n.tflite", **SIGMOID_OF_GREEN), registry)
    first = person(model, frame)
    kept = first.values.copy()
    person(model, Frame.borrow(np.zeros((80, 120, 3), np.uint8)))
    np.testing.assert_array_equal(first.values, kept)


def test_gives_only_what_is_asked_for(registry, networks, tmp_path, frame):
    model = load(networks.pixelwise(tmp_path / "n.tflite"), registry)
    assert model.outputs_for([]) == ()
    assert model.decode({}, [], frame) == {}


def test_what_is_not_a_number_is_hidden(registry, networks, tmp_path, frame):
    for sigmoid in (True, False):
        model = load(networks.pixelwise(tmp_path / "n.tflite", sigmoid=sigmoid, **SIGMOID_OF_GREEN), registry)
        (name,) = model.outputs_for(["person"])
        bad = np.full(model.session.outputs[0].shape, np.nan, np.float32)
        assert not model.decode({name: bad}, ["person"], frame)["person"].values.any()


def test_a_network_that_answers_nan_is_refused(registry, networks, tmp_path):
    path = networks.pixelwise(tmp_path / "n.tflite", bias=[np.nan])
    with pytest.raises(ModelError, match=r"n\.tflite: the network answers a plain picture with NaN"):
        load(path, registry)
