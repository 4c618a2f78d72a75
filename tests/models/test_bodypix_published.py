"""The published BodyPix networks on real pictures: what they find lies where it should."""

import cv2
import numpy as np
import pytest
from skimage import data

from framefx.errors import ModelError
from framefx.frame import Frame
from framefx.models.loading import load
from framefx.models.vocabulary import PARTS, UNIONS

PARTS_NETWORK = "bodypix_mobilenet_v1_075_720_1280_16_quant"
EVERYTHING = ("person", *PARTS, *UNIONS, "keypoints", "keypoint_heatmaps")

# Left, top, right and bottom of the astronaut's face, by eye.
FACE = (175, 60, 285, 190)


@pytest.fixture(scope="module")
def parts_model(real, registry):
    pytest.importorskip("ai_edge_litert", reason="needs ai-edge-litert")
    return load(real(f"models/{PARTS_NETWORK}.tflite"), registry, threads=2)


def run(model, pixels, wanted):
    frame = Frame.borrow(np.ascontiguousarray(pixels))
    model.prepare(frame, model.session.buffer)
    outputs = model.session.run(model.session.buffer, model.outputs_for(wanted))
    return model.decode(outputs, wanted, frame)


@pytest.fixture(scope="module")
def astronaut(parts_model):
    return run(parts_model, data.astronaut(), EVERYTHING)


@pytest.fixture(scope="module")
def mirrored(parts_model):
    return run(parts_model, data.astronaut()[:, ::-1], EVERYTHING)


def picture(path):
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def overlap(mask, path):
    wanted = cv2.imread(str(path.parents[1] / "masks" / f"{path.stem}.png"), cv2.IMREAD_GRAYSCALE) > 127
    found = np.asarray(mask) > 127
    return np.sum(found & wanted) / np.sum(found | wanted)


def middle(mask):
    """Return x and y of a mask's centre of gravity in the frame."""
    weights = np.asarray(mask, np.float64)
    down, across = np.indices(weights.shape)
    return (weights * across).sum() / weights.sum(), (weights * down).sum() / weights.sum()


def test_the_float_network_finds_people(real, registry):
    pytest.importorskip("ai_edge_litert", reason="needs ai-edge-litert")
    model = load(real("models/body-pix-float-050-8.tflite"), registry)
    assert set(model.layers) == {"person"}
    paths = sorted(real("eval/images").iterdir())
    overlaps = [overlap(run(model, picture(path), ["person"])["person"], path) for path in paths]
    assert np.mean(overlaps) > 0.87


def test_the_quantised_network_finds_people(real, parts_model):
    paths = sorted(real("eval/images").iterdir())[2:20:3]
    overlaps = [overlap(run(parts_model, picture(path), ["person"])["person"], path) for path in paths]
    assert np.mean(overlaps) > 0.8


def test_the_face_is_where_the_face_is(astronaut):
    x, y = middle(astronaut["face"])
    left, top, right, bottom = FACE
    assert left < x < right
    assert top - 30 < y < bottom
    assert y < middle(astronaut["torso"])[1] - 100
    assert (np.asarray(astronaut["face"])[115:145, 205:245] > 200).all()


def test_keypoints_of_the_face_lie_in_it(astronaut):
    points = astronaut["keypoints"]
    left, top, right, bottom = FACE
    for name in ("nose", "left_eye", "right_eye"):
        x, y = points[name]
        assert left < x < right
        assert top < y < bottom
        assert points.score(name) > 0.9
        assert np.asarray(astronaut["face"])[round(y), round(x)] > 200
    assert points["nose"][1] > points["left_eye"][1]
    assert points.score("left_ankle") < 0.5


def test_the_published_eyes_are_hit(astronaut):
    # By eye, in the picture: the pupils.
    assert np.hypot(*np.subtract(astronaut["keypoints"]["right_eye"], (203, 103))) < 10
    assert np.hypot(*np.subtract(astronaut["keypoints"]["left_eye"], (247, 104))) < 10


def test_left_is_the_persons_left(astronaut):
    points = astronaut["keypoints"]
    assert points["left_eye"][0] > points["right_eye"][0] + 20
    assert points["left_shoulder"][0] > points["right_shoulder"][0] + 100
    assert middle(astronaut["left_face"])[0] > middle(astronaut["right_face"])[0] + 20


def test_a_mirrored_person_has_their_left_on_the_other_side(astronaut, mirrored):
    points, straight = mirrored["keypoints"], astronaut["keypoints"]
    for name, opposite in (("left_eye", "right_eye"), ("right_eye", "left_eye"), ("nose", "nose")):
        assert np.abs(np.subtract((511 - points[name][0], points[name][1]), straight[opposite])).max() < 12
    assert middle(mirrored["left_face"])[0] > middle(mirrored["right_face"])[0] + 20


def test_heatmaps_peak_at_the_keypoints(astronaut):
    for name in ("nose", "left_eye", "right_eye"):
        full = np.asarray(astronaut["keypoint_heatmaps"][name])
        y, x = np.unravel_index(full.argmax(), full.shape)
        assert np.hypot(*np.subtract((x, y), astronaut["keypoints"][name])) < 25


def test_parts_add_up(astronaut):
    total = sum(astronaut[part].values.astype(int) for part in PARTS)
    np.testing.assert_array_equal(total, astronaut["person"].values)
    assert np.asarray(astronaut["face"]).sum() > 20 * np.asarray(astronaut["feet"]).sum()


def test_corals_decoder_is_refused_with_what_to_take_instead(real, registry):
    pytest.importorskip("ai_edge_litert", reason="needs ai-edge-litert")
    with pytest.raises(ModelError, match=r"lacks its operator PosenetDecoderOp.*take the file without '_decoder'"):
        load(real("models/bodypix_mobilenet_v1_075_480_352_16_quant_decoder.tflite"), registry)
