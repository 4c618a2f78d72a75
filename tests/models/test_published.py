"""The published networks that framefx understands, on real pictures."""

import cv2
import numpy as np
import pytest

from framefx.backends.litert import LiteRT
from framefx.errors import ModelError
from framefx.frame import Frame
from framefx.models.loading import load
from framefx.models.recognising import recognise

NETWORKS = {
    "selfie_segmentation_landscape": (144, 256),
    "selfie_segmentation": (256, 256),
    "segm_full_v679": (144, 256),
    "segm_lite_v681": (96, 160),
}


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


@pytest.fixture
def model(name, real, registry):
    pytest.importorskip("ai_edge_litert", reason="tflite-runtime lacks an operator of these")
    return load(real(f"models/{name}.tflite"), registry)


def person(model, pixels):
    frame = Frame.borrow(pixels)
    model.prepare(frame, model.session.buffer)
    outputs = model.session.run(model.session.buffer, model.outputs_for(["person"]))
    return model.decode(outputs, ["person"], frame)["person"]


def picture(path):
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def truth(path):
    return cv2.imread(str(path.parents[1] / "masks" / f"{path.stem}.png"), cv2.IMREAD_GRAYSCALE) > 127


def overlap(mask, wanted):
    full = cv2.resize(mask.values, wanted.shape[::-1], interpolation=cv2.INTER_LINEAR) > 127
    return np.sum(full & wanted) / np.sum(full | wanted)


def test_is_recognised(name, model):
    assert model.session.inputs[0].shape[1:3] == NETWORKS[name]
    assert set(model.layers) == {"person"}


def test_masks_are_upright(model, real):
    path = real("eval/images/ais_1803151818-00001000.jpg")
    mask, wanted = person(model, picture(path)), truth(path)
    right = overlap(mask, wanted)
    assert right > 0.85
    assert all(overlap(mask, turned) < right - 0.1 for turned in (wanted[::-1], wanted[::-1, ::-1]))


def test_masks_are_not_mirrored(model, real):
    path = real("eval/images/ais_1803151818-00001000.jpg")
    pixels, wanted = picture(path), truth(path)
    half = wanted.shape[1] // 2
    pixels[:, half:] = pixels[:, :1].mean(axis=(0, 1)).astype(np.uint8)
    values = np.asarray(person(model, pixels).values, np.float32)
    middle = values.shape[1] // 2
    assert values[:, :middle].mean() > 2 * values[:, middle:].mean()


@pytest.mark.parametrize(
    ("name", "published"),
    [("selfie_segmentation_landscape", 0.903), ("selfie_segmentation", 0.911), ("segm_full_v679", 0.902)],
)
def test_overlap_with_the_truth_is_the_published_one(model, real, published):
    overlaps = [overlap(person(model, picture(path)), truth(path)) for path in real("eval/images").iterdir()]
    assert np.mean(overlaps) == pytest.approx(published, abs=0.005)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("body-pix-float-050-8", "bodypix"),
        ("deeplabv3_257_mv_gpu", "deeplab"),
        ("face_detection_short_range", "faces"),
        ("pose_landmark_lite", "pose"),
        ("selfie_segmentation", "selfie"),
        ("segm_lite_v681", "selfie"),
    ],
)
def test_each_goes_to_its_family(name, family, real, registry):
    pytest.importorskip("ai_edge_litert", reason="needs ai-edge-litert")
    path = real(f"models/{name}.tflite")
    assert recognise(path, LiteRT().load(path, 1), registry)[0] == family


def test_what_finds_people_in_boxes_is_no_family_yet(real, registry):
    pytest.importorskip("ai_edge_litert", reason="needs ai-edge-litert")
    with pytest.raises(ModelError, match=r"no known family has .* 1×2254×12 .* none of its outputs"):
        load(real("models/pose_detection.tflite"), registry)


def test_the_corals_decoder_is_refused(real, registry):
    with pytest.raises(ModelError, match="lacks its operator PosenetDecoderOp"):
        load(real("models/bodypix_mobilenet_v1_075_480_352_16_quant_decoder.tflite"), registry)
