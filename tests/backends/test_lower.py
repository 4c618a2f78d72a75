"""Transposed convolutions that overlap nowhere run as ordinary ones, and give the same."""

import importlib.util
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framefx.backends.flatbuffer import verify
from framefx.backends.flatlower import lower
from framefx.backends.litert import LiteRT
from framefx.backends.tflite import TFLite

CUSTOM, TRANSPOSE_CONV = 32, 67
SHARED = Path(__file__).parents[3] / "shared" / "data" / "models"
RNG = np.random.default_rng(3)
BACKENDS = [one for one in (LiteRT, TFLite) if importlib.util.find_spec(one.runtime.distribution.replace("-", "_"))]


def run(content, picture):
    """Run a network's content in whichever runtime is there."""
    interpreter = BACKENDS[0].runtime.load().Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def network(networks, path, weights, bias, *, size=(3, 5), stride=2, builtin=False, half=False, activation=0):
    """Save a network of one transposed convolution and a sigmoid; weights are (channels, k, k, inputs)."""
    graph = networks.Graph()
    channels, side, _, inputs = weights.shape
    height, width = size
    grown = (1, *((n - 1) * stride + max(side, stride) for n in size), channels)

    def constant(name, data):
        if not half:
            return graph.tensor(name, data.shape, data=data)
        short = graph.tensor(f"{name}.half", data.shape, 1, data=data.astype(np.float16))
        whole = graph.tensor(name, data.shape)
        graph.operator(networks.DEQUANTIZE, [short], [whole])
        return whole

    source = graph.tensor("picture", (1, height, width, inputs))
    kernel, shift = constant("weights", weights), constant("bias", bias)
    result, end = graph.tensor("sum", grown), graph.tensor("probability", grown)
    if builtin:
        wanted = graph.tensor("size", (4,), 2, data=np.array(grown, np.int32))
        options = {0: 1, 1: stride, 2: stride} | ({3: activation} if activation else {})
        graph.operator(TRANSPOSE_CONV, [wanted, kernel, source, shift], [result], 49, options)
        graph.codes[-1][2] = 3  # the version that takes a bias
    else:
        graph.operator(CUSTOM, [source, kernel, shift], [result], custom="Convolution2DTransposeBias")
        graph.operators[-1][5] = np.frombuffer(struct.pack("<3i", 2, stride, stride), np.uint8)
    graph.operator(networks.LOGISTIC, [result], [end])
    return graph.save(path, [source], [end])


def reference(picture, weights, bias):
    channels, side = weights.shape[:2]
    _, height, width, _ = picture.shape
    blocks = np.einsum("yxi,oabi->yaxbo", picture[0].astype(np.float64), weights)
    return 1 / (1 + np.exp(-(blocks.reshape(height * side, width * side, channels) + bias)))


@settings(max_examples=25, deadline=None)
@given(
    side=st.integers(2, 4), channels=st.integers(1, 5), inputs=st.integers(1, 6),
    size=st.tuples(st.integers(1, 7), st.integers(1, 9)), builtin=st.booleans(), half=st.booleans(),
)  # fmt: skip
def test_the_same_as_by_hand(networks, tmp_path_factory, side, channels, inputs, size, builtin, half):
    weights = RNG.normal(0, 0.5, (channels, side, side, inputs)).astype(np.float16).astype(np.float32)
    bias = RNG.normal(0, 1, channels).astype(np.float16).astype(np.float32)
    path = tmp_path_factory.mktemp("lower") / "t.tflite"
    network(networks, path, weights, bias, size=size, stride=side, builtin=builtin, half=half)
    content = path.read_bytes()
    lowered = lower(content)
    assert lowered.endswith(content)
    assert len(lowered) > len(content)
    verify(lowered, path)
    picture = RNG.random((1, *size, inputs), np.float32)
    found = run(lowered, picture)
    np.testing.assert_allclose(found[0], reference(picture, weights, bias), atol=2e-6)


@pytest.mark.parametrize(
    "kept",
    [
        {"stride": 1, "builtin": True},
        {"activation": 1, "builtin": True},
        {"channels": 16, "builtin": True},
        {"side": 3},
    ],
    ids=lambda kept: next(iter(kept)),
)
def test_what_is_not_the_same_or_not_faster_stays(networks, tmp_path, kept):
    shape = (kept.pop("channels", 1), *(kept.pop("side", 2),) * 2, 3)
    weights, bias = RNG.random(shape, np.float32), np.zeros(shape[0], np.float32)
    path = network(networks, tmp_path / "t.tflite", weights, bias, **kept)
    content = path.read_bytes()
    assert lower(content) is content


@pytest.mark.parametrize(
    "name",
    ["selfie_segmentation_landscape", "selfie_segmentation", "segm_full_v679", "segm_lite_v681"],
)
@pytest.mark.parametrize("backend", BACKENDS, ids=lambda one: one.runtime.name)
def test_published_networks_give_the_same(backend, name):
    path = SHARED / f"{name}.tflite"
    if not path.exists():
        pytest.skip(f"{path.name} is not in {SHARED}")
    session = backend().load(path, 1)
    height, width = session.inputs[0].shape[1:3]
    person = cv2.imread(str(SHARED.parent / "eval" / "images" / "hsd_284.jpg"))[..., ::-1]
    picture = cv2.resize(person, (width, height))[None].astype(np.float32) / 255
    found = session.run(picture, [session.outputs[0].name])[session.outputs[0].name]
    assert lower(path.read_bytes()) != path.read_bytes()
    if backend is LiteRT:  # the other one cannot run them as they are
        np.testing.assert_allclose(found, run(path.read_bytes(), picture), atol=1e-6)
    assert np.ptp(found) > 0.9


@settings(max_examples=200, deadline=None)
@given(cut=st.floats(0, 1), places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6))
def test_damaged_files_come_back_as_they_are_or_whole(damaged, cut, places):
    content = bytearray(damaged[: max(8, int(cut * len(damaged)))] if cut < 0.5 else damaged)
    for place, value in places:
        content[int(place * (len(content) - 1))] = value
    assert lower(bytes(content)).endswith(bytes(content))


@pytest.fixture(scope="module")
def damaged(networks, tmp_path_factory):
    weights = RNG.random((1, 2, 2, 3), np.float32)
    return network(networks, tmp_path_factory.mktemp("d") / "t.tflite", weights, np.zeros(1, np.float32)).read_bytes()


@pytest.mark.skipif(LiteRT not in BACKENDS, reason="ai_edge_litert is not installed")
def test_the_benchmark_compares_both_ways(networks, tmp_path):
    from framefx.bench.lower import measure

    weights = RNG.random((1, 2, 2, 3), np.float32)
    path = network(networks, tmp_path / "t.tflite", weights, np.zeros(1, np.float32))
    ours, plain = measure([path], seconds=0).figures
    assert ours.value > 0
    assert plain.value == 1
