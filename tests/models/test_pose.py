import cv2
import numpy as np
import pytest

from framefx.frame import Frame
from framefx.models.loading import load


@pytest.fixture(scope="module")
def models():
    return {}


@pytest.fixture
def model(real, registry, models):
    pytest.importorskip("ai_edge_litert", reason="needs ai-edge-litert")
    if "pose" not in models:
        models["pose"] = load(real("models/pose_landmark_lite.tflite"), registry)
    return models["pose"]


def person(model, pixels):
    frame = Frame.borrow(np.ascontiguousarray(pixels), index=5)
    model.prepare(frame, model.session.buffer)
    outputs = model.session.run(model.session.buffer, model.outputs_for(["person"]))
    return model.decode(outputs, ["person"], frame)["person"]


def overlap(mask, wanted):
    full = cv2.resize(mask.values, wanted.shape[::-1], interpolation=cv2.INTER_LINEAR) > 127
    return np.sum(full & wanted) / np.sum(full | wanted)


def test_finds_a_person_who_fills_the_frame(model, real):
    pixels = cv2.imread(str(real("eval/images/hsd_086.jpg")))[:, :, ::-1]
    wanted = cv2.imread(str(real("eval/masks/hsd_086.png")), cv2.IMREAD_GRAYSCALE) > 127
    mask = person(model, pixels)
    right = overlap(mask, wanted)
    assert right > 0.9
    assert all(overlap(mask, turned) < right - 0.1 for turned in (wanted[::-1], wanted[:, ::-1]))
    assert (mask.size, mask.index) == (pixels.shape[:2], 5)


def test_where_nobody_is_nobody_is_shown(model):
    assert not person(model, np.full((360, 640, 3), 120, np.uint8)).values.any()


def test_a_presence_that_is_not_a_number_is_nobody(model):
    frame = Frame.borrow(np.zeros((40, 60, 3), np.uint8))
    mask, presence = model.outputs_for(["person"])
    outputs = {mask: np.full((1, 128, 128, 1), 9, np.float32), presence: np.full((1, 1), np.nan, np.float32)}
    assert not model.decode(outputs, ["person"], frame)["person"].values.any()


@pytest.mark.parametrize(("size", "shape"), [((360, 640), (72, 128)), ((640, 360), (128, 72)), ((50, 50), (128, 128))])
def test_the_mask_is_cut_out_of_the_letterbox(model, size, shape):
    assert person(model, np.zeros((*size, 3), np.uint8)).values.shape == shape


@pytest.mark.parametrize("size", [(1, 1), (1, 1999), (1999, 1)])
def test_frames_of_any_size(model, size):
    assert min(person(model, np.zeros((*size, 3), np.uint8)).values.shape) >= 1


def test_gives_only_what_is_asked_for(model):
    assert model.outputs_for(["keypoints"]) == ()
    assert model.decode({}, ["keypoints"], None) == {}
