"""A network of the shape of MediaPipe's selfie multiclass: six channels of logits at the input's size."""

import numpy as np
import pytest

from framefx.frame import Frame
from framefx.layers import LoadedModel
from framefx.models.loading import load
from framefx.models.vocabulary import LAYERS
from framefx.plan import Plan
from framefx.plugins import PluginManager

NAMES = ("background", "hair", "skin", "face", "clothes", "accessories")
WEIGHTS = np.random.default_rng(2).normal(0, 8, (6, 3))
BIAS = np.random.default_rng(3).normal(0, 1, 6)


@pytest.fixture
def model(registry, networks, tmp_path):
    return load(networks.pixelwise(tmp_path / "n.tflite", size=(16, 16), weights=WEIGHTS, bias=BIAS), registry)


@pytest.fixture
def frame():
    """16×16 blocks of 4×4 pixels, each of one random colour."""
    blocks = np.random.default_rng(5).integers(0, 256, (16, 16, 3), np.uint8)
    return Frame.borrow(blocks.repeat(4, 0).repeat(4, 1), index=2)


def shares(frame):
    logits = frame.pixels[2::4, 2::4] / 255 @ WEIGHTS.T + BIAS
    powers = np.exp(logits - logits.max(axis=2, keepdims=True))
    return 255 * powers / powers.sum(axis=2, keepdims=True)


def decode(model, frame, wanted):
    model.prepare(frame, model.session.buffer)
    outputs = model.session.run(model.session.buffer, model.outputs_for(wanted))
    return model.decode(outputs, wanted, frame)


def test_each_class_is_its_softmax(model, frame):
    masks, wanted = decode(model, frame, NAMES), shares(frame)
    for channel, name in enumerate(NAMES):
        np.testing.assert_allclose(masks[name].values, wanted[..., channel], atol=1)
    assert {(mask.size, mask.index) for mask in masks.values()} == {((64, 64), 2)}


def test_the_person_is_all_but_the_background(model, frame):
    person = decode(model, frame, ["person"])["person"].values
    np.testing.assert_allclose(person, 255 - shares(frame)[..., 0], atol=1)


def test_only_what_is_wanted_is_decoded(model, frame):
    assert set(decode(model, frame, ["hair"])) == {"hair"}
    assert model.outputs_for(["keypoints"]) == ()
    assert model.decode({}, ["keypoints"], frame) == {}


def test_its_layers_are_in_the_vocabulary(model):
    assert set(model.layers) == {*NAMES, "person"}
    assert set(model.layers) <= set(LAYERS)


@pytest.mark.parametrize("kind", ["UINT8", "INT8"])
def test_quantised(registry, networks, tmp_path, frame, kind):
    """Bytes that mean 0 to 1 are shares already: nothing is left to do."""
    kind = getattr(networks, kind)
    path = networks.pixelwise(
        tmp_path / "q.tflite", size=(16, 16), weights=np.eye(6, 3) * 1.5, bias=np.zeros(6), kind=kind, out_kind=kind
    )
    masks = decode(load(path, registry), frame, ["background", "hair"])
    assert masks["background"].values.std() > 10
    wanted = np.clip(frame.pixels[2::4, 2::4, 1] / 255 * 1.5, 0, 1) * 255
    np.testing.assert_allclose(masks["hair"].values, wanted, atol=3)


def test_filters_reach_single_classes(model, frame):
    registry = PluginManager().registry
    plan = Plan("invert=where=hair+clothes", registry, load_models=lambda: [LoadedModel("mine", model)])
    shown = plan.run(frame).pixels
    assert {name for name, _ in plan.layers.describe()} == {"hair", "clothes"}
    assert not np.array_equal(shown, frame.pixels)
