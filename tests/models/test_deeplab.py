"""DeepLab on real pictures, and what torchvision's layout is taken for."""

import cv2
import numpy as np
import pytest

from framefx.frame import Frame
from framefx.models.deeplab import CLASSES
from framefx.models.loading import load

PICTURES = ("ais_1803151818-00001000", "hsd_001", "hsd_003", "hsd_004")


@pytest.fixture(scope="module")
def models():
    return {}


@pytest.fixture
def model(real, registry, models):
    pytest.importorskip("ai_edge_litert", reason="needs ai-edge-litert")
    if "deeplab" not in models:
        models["deeplab"] = load(real("models/deeplabv3_257_mv_gpu.tflite"), registry)
    return models["deeplab"]


def decode(model, pixels, wanted):
    frame = Frame.borrow(np.ascontiguousarray(pixels))
    model.prepare(frame, model.session.buffer)
    outputs = model.session.run(model.session.buffer, model.outputs_for(wanted))
    return model.decode(outputs, wanted, frame)


def test_layers_are_the_classes_of_pascal_voc(model):
    assert tuple(model.layers) == CLASSES
    assert (len(CLASSES), CLASSES[15], CLASSES[20]) == (21, "person", "tvmonitor")


def test_finds_the_person(model, real):
    overlaps = []
    for name in PICTURES:
        pixels = cv2.imread(str(real(f"eval/images/{name}.jpg")))[:, :, ::-1]
        wanted = cv2.imread(str(real(f"eval/masks/{name}.png")), cv2.IMREAD_GRAYSCALE) > 127
        mask = decode(model, pixels, ["person"])["person"].values
        full = cv2.resize(mask, wanted.shape[::-1], interpolation=cv2.INTER_LINEAR) > 127
        overlaps.append(np.sum(full & wanted) / np.sum(full | wanted))
    assert np.mean(overlaps) > 0.88


def test_classes_are_shares_of_one(model, real):
    pixels = cv2.imread(str(real(f"eval/images/{PICTURES[0]}.jpg")))[:, :, ::-1]
    masks = decode(model, pixels, CLASSES)
    total = sum(mask.values.astype(int) for mask in masks.values())
    assert np.abs(total - 255).max() <= len(CLASSES) / 2


def test_torchvisions_layout_gets_its_mean_and_deviation(registry, onnx_networks, tmp_path):
    import onnx

    node = onnx.helper.make_node("Conv", ["picture", "kernel"], ["out"])
    kernel = np.zeros((21, 3, 1, 1), np.float32)
    kernel[15, 0], kernel[0] = 5, -1
    path = onnx_networks.save(
        tmp_path / "n.onnx", [node], {"picture": (1, 3, 8, 12)}, {"out": (1, 21, 8, 12)}, {"kernel": kernel}
    )
    model = load(path, registry)
    assert tuple(model.layers) == CLASSES
    decode(model, np.full((80, 120, 3), (124, 116, 104), np.uint8), ["person"])
    np.testing.assert_allclose(model.session.buffer.mean(axis=(0, 2, 3)), 0, atol=0.02)
    red = decode(model, np.full((80, 120, 3), (255, 0, 0), np.uint8), ["person"])["person"].values
    assert red.min() > 250
