import gc
import importlib.util
import os

import numpy as np
import pytest

from framefx.backends.litert import LiteRT
from framefx.backends.tflite import TFLite
from framefx.errors import ModelError


def _needs(module):
    missing = importlib.util.find_spec(module) is None
    return pytest.mark.skipif(missing, reason=f"{module} is not installed")


@pytest.fixture(
    params=[
        pytest.param(LiteRT, marks=_needs("ai_edge_litert")),
        pytest.param(TFLite, marks=_needs("tflite_runtime")),
    ]
)
def backend(request):
    return request.param()


@pytest.fixture
def session(backend, networks, tmp_path):
    return backend.load(networks.pixelwise(tmp_path / "green.tflite"), 1)


def test_tensors_say_name_shape_and_dtype(session):
    (source,), (result,) = session.inputs, session.outputs
    assert (source.name, source.shape, source.dtype) == ("picture", (1, 8, 12, 3), np.float32)
    assert (result.name, result.shape, result.dtype) == ("sum", (1, 8, 12, 1), np.float32)


def test_quantised_tensors_say_what_a_byte_means(backend, networks, tmp_path):
    session = backend.load(networks.pixelwise(tmp_path / "q.tflite", kind=networks.INT8, out_kind=networks.UINT8), 1)
    (source,), (result,) = session.inputs, session.outputs
    assert (source.dtype, source.scale, source.zero_point) == (np.int8, pytest.approx(1 / 255), -128)
    assert (result.dtype, result.scale, result.zero_point) == (np.uint8, pytest.approx(1 / 255), 0)


def test_runs_what_is_written_into_its_buffer(session):
    for _ in range(3):
        picture = np.random.default_rng(1).random(session.buffer.shape, np.float32)
        session.buffer[...] = picture
        np.testing.assert_allclose(session.run(session.buffer, ["sum"])["sum"], picture[..., 1:2], rtol=1e-6)


def test_runs_an_array_of_the_callers(session):
    picture = np.full(session.buffer.shape, 0.25, np.float32)
    assert session.run(picture, ["sum"])["sum"] == pytest.approx(0.25)


def test_returns_only_the_outputs_asked_for(session):
    assert session.run(session.buffer, []) == {}


def test_outputs_are_not_copied(session):
    first, second = (session.run(session.buffer, ["sum"])["sum"] for _ in range(2))
    assert np.shares_memory(first, second)


def test_an_output_outlives_its_session(backend, networks, tmp_path):
    session = backend.load(networks.pixelwise(tmp_path / "green.tflite"), 1)
    session.buffer[...] = 0.5
    result = session.run(session.buffer, ["sum"])["sum"]
    del session
    gc.collect()
    assert result == pytest.approx(0.5)


@pytest.mark.parametrize("bad", [np.zeros((1, 8, 12, 3)), np.zeros((8, 12, 3), np.float32)])
def test_refuses_another_shape_or_dtype(session, bad):
    with pytest.raises(ModelError, match="wanted float32"):
        session.run(bad, ["sum"])


def test_one_name_used_twice_still_gives_two_outputs(backend, networks, tmp_path):
    graph = networks.Graph()
    source = graph.tensor("picture", (1, 4, 4, 3))
    results = [graph.tensor("same", (1, 4, 4, 3)) for _ in range(2)]
    for result in results:
        graph.operator(networks.LOGISTIC, [source], [result])
    session = backend.load(graph.save(tmp_path / "twins.tflite", [source], results), 1)
    assert len(session.run(session.buffer, [tensor.name for tensor in session.outputs])) == 2


def test_a_batch_left_open_is_one_picture(backend, networks, tmp_path):
    session = backend.load(networks.pixelwise(tmp_path / "b.tflite", signature=(-1, 8, 12, 3)), 1)
    assert session.inputs[0].shape == (1, 8, 12, 3)


def test_loading_is_silent(backend, networks, tmp_path, capfd):
    backend.load(networks.pixelwise(tmp_path / "green.tflite"), 1)
    with pytest.raises(ModelError):
        backend.load(networks.custom(tmp_path / "custom.tflite", "Magic"), 1)
    assert capfd.readouterr() == ("", "")


def test_loading_leaves_standard_error_open(backend, networks, tmp_path, capfd):
    backend.load(networks.pixelwise(tmp_path / "green.tflite"), 1)
    os.write(2, b"still here\n")
    assert capfd.readouterr().err == "still here\n"
