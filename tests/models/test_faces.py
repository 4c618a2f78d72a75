"""BlazeFace's boxes: the arithmetic against slow, obvious code, the network on real pictures."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framefx.boxes import Boxes
from framefx.errors import ModelError
from framefx.frame import Frame
from framefx.layers import LoadedModel
from framefx.mask import Mask
from framefx.models.detection import Detections, Scheme, anchors, decode, merge
from framefx.models.loading import load
from framefx.plan import Plan
from framefx.plugins import PluginManager

SHORT = Scheme((8, 16, 16, 16), 2)

# -- arithmetic -----------------------------------------------------------------------------------------------


def slow_anchors(side, strides, each):
    """As MediaPipe's calculator goes through them: neighbouring layers of one stride share their cells."""
    result, layer = [], 0
    while layer < len(strides):
        last = layer
        while last < len(strides) and strides[last] == strides[layer]:
            last += 1
        cells = math.ceil(side / strides[layer])
        for y in range(cells):
            for x in range(cells):
                result += [((x + 0.5) / cells, (y + 0.5) / cells)] * (each * (last - layer))
        layer = last
    return result


@pytest.mark.parametrize(
    ("side", "scheme", "count"),
    [(128, SHORT, 896), (256, Scheme((16, 32, 32, 32), 2), 896), (192, Scheme((4,), 1), 2304), (100, SHORT, 632)],
)
def test_anchors_are_mediapipes(side, scheme, count):
    found = anchors((side, side), scheme)
    assert found.shape == (count, 2)
    np.testing.assert_allclose(found, slow_anchors(side, *scheme), rtol=1e-6)


def test_offsets_are_pixels_from_the_anchor():
    centres = anchors((128, 128), SHORT)
    offsets, logits = np.zeros((896, 16), np.float32), np.full(896, -9, np.float32)
    offsets[5, :6], logits[5] = (12.8, -6.4, 25.6, 51.2, 1.28, 2.56), 0.1
    found = decode(offsets, logits, centres, (128, 128), 0.5)
    x, y = centres[5]
    np.testing.assert_allclose(found.corners, [[x, y - 0.25, x + 0.2, y + 0.15]], atol=1e-6)
    np.testing.assert_allclose(found.landmarks[0, :2], [[x + 0.01, y + 0.02], [x, y]], atol=1e-6)
    np.testing.assert_allclose(found.scores, [1 / (1 + math.exp(-0.1))], rtol=1e-6)


def slow_overlap(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def slow_merge(corners, scores, threshold):
    rest, result = sorted(range(len(scores)), key=lambda i: -scores[i]), []
    while rest:
        same = [i for i in rest if slow_overlap(corners[rest[0]], corners[i]) > threshold]
        total = sum(scores[i] for i in same)
        mean = [sum(scores[i] * corners[i][k] for i in same) / total for k in range(4)]
        result.append((*mean, scores[rest[0]]))
        rest = [i for i in rest if i not in same]
    return result


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.sampled_from([0.1, 0.3, 0.5]))
def test_overlapping_boxes_become_their_weighted_mean(seed, count, threshold):
    source = np.random.default_rng(seed)
    low = source.random((count, 2))
    corners = np.hstack([low, low + 0.2 + 0.5 * source.random((count, 2))]).astype(np.float32)
    scores = source.permutation(np.linspace(0.5, 1, count)).astype(np.float32)
    landmarks = corners.reshape(-1, 2, 2)
    found = merge(Detections(corners, landmarks, scores), threshold)
    wanted = slow_merge(corners.tolist(), scores.tolist(), threshold)
    np.testing.assert_allclose(np.column_stack([found.corners, found.scores]), wanted, rtol=1e-4)
    np.testing.assert_allclose(found.landmarks.reshape(-1, 4), found.corners, rtol=1e-5)


def test_nothing_found_is_no_boxes():
    nothing = decode(np.zeros((896, 16), np.float32), np.full(896, -1, np.float32), np.zeros((896, 2)), (128, 128), 0.5)
    found = merge(nothing, 0.3)
    assert (found.corners.shape, found.landmarks.shape, found.scores.shape) == ((0, 4), (0, 6, 2), (0,))


# -- the network ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def models():
    return {}


@pytest.fixture
def model(real, registry, models):
    pytest.importorskip("ai_edge_litert", reason="tflite-runtime lacks an operator of these")
    if "faces" not in models:
        models["faces"] = load(real("models/face_detection_short_range.tflite"), registry)
    return models["faces"]


@pytest.fixture
def picture(real):
    def read(name):
        return np.ascontiguousarray(cv2.imread(str(real(name)))[:, :, ::-1])

    return read


ONE_FACE = "eval/images/ais_1803151818-00001000.jpg"


def detect(model, pixels, wanted=("faces",)):
    frame = Frame.borrow(np.ascontiguousarray(pixels), index=3)
    model.prepare(frame, model.session.buffer)
    outputs = model.session.run(model.session.buffer, model.outputs_for(wanted))
    return model.decode(outputs, wanted, frame)


def test_is_recognised(model):
    assert model.layers == {"faces": Boxes, "face": Mask}


def test_landmarks_lie_as_in_a_face(model, picture):
    pixels = picture(ONE_FACE)
    (faces,) = detect(model, pixels).values()
    assert (len(faces), faces.index, faces.size) == (1, 3, pixels.shape[:2])
    assert faces.scores[0] > 0.9
    (left, top, right, bottom), points = faces.corners[0], faces.landmarks[0]
    right_eye, left_eye, nose, mouth, right_ear, left_ear = points
    assert right_ear[0] < right_eye[0] < nose[0] < left_eye[0] < left_ear[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < mouth[1]
    assert left < right_eye[0] < left_eye[0] < right
    assert top < right_eye[1] < mouth[1] < bottom


def test_a_mirror_image_has_mirrored_boxes(model, picture):
    pixels = picture(ONE_FACE)
    one, other = (detect(model, shown)["faces"].corners[0] for shown in (pixels, pixels[:, ::-1]))
    wanted = np.array([pixels.shape[1] - 1 - one[2], one[1], pixels.shape[1] - 1 - one[0], one[3]])
    np.testing.assert_allclose(other, wanted, atol=0.05 * (one[2] - one[0]))


@pytest.mark.parametrize("border", [(0, 0, 0, 401), (0, 0, 333, 0), (150, 51, 0, 0)], ids=["right", "left", "both"])
def test_boxes_stay_where_they_are_in_frames_of_other_proportions(model, picture, border):
    pixels = picture(ONE_FACE)
    one = detect(model, pixels)["faces"].corners[0]
    wider = cv2.copyMakeBorder(pixels, *border, cv2.BORDER_REPLICATE)
    other = detect(model, wider)["faces"].corners[0]
    moved = one + np.tile([border[2], border[0]], 2)
    np.testing.assert_allclose(other, moved, atol=0.08 * (one[2] - one[0]))


def test_every_face_is_found(model, picture):
    faces = detect(model, picture("eval_webcam/images/headpose_female-and-male_006.jpg"))["faces"]
    assert len(faces) == 2
    assert abs(faces.corners[0, 0] - faces.corners[1, 0]) > 0.2 * faces.size[1]


def test_the_mask_covers_the_landmarks_and_little_else(model, picture):
    pixels = picture(ONE_FACE)
    values = detect(model, pixels, ["faces", "face"])
    full, (points,) = np.asarray(values["face"]), values["faces"].landmarks
    assert max(values["face"].values.shape) == 160
    assert all(full[round(float(y)), round(float(x))] == 255 for x, y in points[:4])
    assert 0.02 < (full > 127).mean() < 0.2


def test_where_nobody_is_nothing_is_found(model, real):
    for path in sorted(real("negatives").iterdir())[:6]:
        values = detect(model, cv2.imread(str(path))[:, :, ::-1], ["face", "faces"])
        assert bool(values["face"].values.any()) == bool(len(values["faces"]))


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (721, 1279)])
def test_frames_of_any_size(model, size):
    values = detect(model, np.full((*size, 3), 90, np.uint8), ["face", "faces"])
    assert len(values["faces"]) == 0
    assert (values["face"].size, values["face"].values.any()) == (size, False)


def test_gives_only_what_is_asked_for(model, picture):
    assert model.outputs_for([]) == model.outputs_for(["person"]) == ()
    assert model.decode({}, [], None) == {}
    assert set(detect(model, picture(ONE_FACE), ["face"])) == {"face"}


def test_scores_that_are_not_numbers_are_an_error(model):
    frame = Frame.borrow(np.zeros((20, 30, 3), np.uint8))
    bad = {
        name: np.full((1, 896, width), np.nan, np.float32)
        for name, width in zip(model.outputs_for(["face"]), (16, 1), strict=True)
    }
    with pytest.raises(ModelError, match="not numbers"):
        model.decode(bad, ["face"], frame)


# -- with a filter --------------------------------------------------------------------------------------------


@pytest.fixture
def hide(model):
    def run(pixels, chain="anonymize=black"):
        plan = Plan(chain, PluginManager().registry, load_models=lambda: [LoadedModel("faces", model)])
        return plan.run(Frame.borrow(pixels)).pixels

    return run


def test_anonymize_hides_the_face_and_nothing_else(model, hide, picture):
    pixels = picture(ONE_FACE)
    (points,) = detect(model, pixels)["faces"].landmarks
    shown = hide(pixels)
    hidden = (shown == 0).all(axis=2)
    assert all(hidden[round(float(y)), round(float(x))] for x, y in points)
    assert hidden.mean() < 0.3
    elsewhere = cv2.dilate(hidden.astype(np.uint8), np.ones((41, 41))) == 0
    assert elsewhere.mean() > 0.6
    assert np.array_equal(shown[elsewhere], pixels[elsewhere])


def test_anonymize_hides_the_whole_frame_where_no_face_is(hide):
    pixels = np.full((90, 160, 3), 77, np.uint8)
    assert not hide(pixels).any()
    assert np.array_equal(hide(pixels, "anonymize=black:secure=false"), pixels)


def test_a_face_that_just_came_in_is_hidden_though_its_mask_is_smoothed(model, picture):
    """The mask of a second face starts faint; the boxes do not."""
    from framefx.filters.anonymize import anonymize

    pixels = picture(ONE_FACE)
    values = detect(model, pixels, ["face", "faces"])
    faint = Mask(values["face"].values // 8, values["face"].size)
    (points,) = values["faces"].landmarks
    hidden = (anonymize(Frame.borrow(pixels), faint, values["faces"], style="black").pixels == 0).all(axis=2)
    assert all(hidden[round(float(y)), round(float(x))] for x, y in points)
    assert hidden.mean() < 0.3


# -- beside another network -----------------------------------------------------------------------------------


class _Counted:
    """A session that counts its runs and what was asked of it."""

    def __init__(self, session):
        self._session, self.asked = session, []

    def __getattr__(self, name):
        return getattr(self._session, name)

    only = None

    def run(self, array, wanted):
        self.asked.append(tuple(wanted))
        return self._session.run(array, wanted)


@pytest.fixture
def two(real, registry):
    pytest.importorskip("ai_edge_litert", reason="tflite-runtime lacks an operator of these")
    loaded = []
    for name in ("selfie_segmentation_landscape", "face_detection_short_range"):
        model = load(real(f"models/{name}.tflite"), registry)
        model.session = _Counted(model.session)
        loaded.append(LoadedModel(name, model))
    return loaded


@pytest.mark.parametrize(
    ("chain", "runs", "outputs"),
    [
        ("invert=where=background", (1, 0), ["person"]),
        ("anonymize=where=all", (0, 1), ["face", "faces"]),
        ("anonymize,invert=where=background", (1, 1), ["face", "faces", "person"]),
        ("color=saturation=0", (0, 0), []),
        ("pixelate=where=face", (0, 1), ["face"]),
    ],
)
def test_each_layer_comes_from_the_model_that_has_it_and_only_what_is_needed_runs(two, picture, chain, runs, outputs):
    plan = Plan(chain, PluginManager().registry, load_models=lambda: two)
    plan.run(Frame.borrow(picture(ONE_FACE)))
    asked = [loaded.model.session.asked for loaded in two]
    assert tuple(map(len, asked)) == runs
    assert sorted(name for loaded in two for name in loaded.wanted) == outputs
    for loaded, calls in zip(two, asked, strict=True):
        assert all(call == tuple(loaded.model.outputs_for(loaded.wanted)) for call in calls)
