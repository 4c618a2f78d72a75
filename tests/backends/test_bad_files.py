import importlib.util
import random
import signal
import sys

import pytest

from framefx.backends import guard
from framefx.backends.litert import LiteRT
from framefx.backends.tflite import TFLite
from framefx.errors import BackendUnavailableError, ModelError

HAS = {LiteRT: "ai_edge_litert", TFLite: "tflite_runtime"}


@pytest.fixture(params=[LiteRT, TFLite])
def backend(request):
    if importlib.util.find_spec(HAS[request.param]) is None:
        pytest.skip(f"{HAS[request.param]} is not installed")
    return request.param()


@pytest.fixture
def good(networks, tmp_path):
    return networks.pixelwise(tmp_path / "good.tflite").read_bytes()


def refusal(backend, path):
    """Return the error's text, which is one line that starts with the file."""
    with pytest.raises(ModelError) as caught:
        backend.load(path, 1)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text


def test_missing(backend, tmp_path):
    assert "No such file" in refusal(backend, tmp_path / "none.tflite")


def test_folder(backend, tmp_path):
    assert "directory" in refusal(backend, tmp_path)


def test_empty(backend, tmp_path):
    path = tmp_path / "empty.tflite"
    path.touch()
    assert "empty" in refusal(backend, path)


def test_something_else(backend, tmp_path):
    path = tmp_path / "page.tflite"
    path.write_text("<html>404: no such model</html>")
    assert "no .tflite network" in refusal(backend, path)


def test_cut_short_anywhere(backend, good, tmp_path, monkeypatch):
    monkeypatch.setattr(guard, "_run", lambda *given: pytest.fail("tried"))
    path = tmp_path / "cut.tflite"
    for length in range(8, 400, 7):
        path.write_bytes(good[:length])
        assert "damaged" in refusal(backend, path)


@pytest.mark.slow
def test_random_damage_never_takes_the_process_down(backend, good, tmp_path):
    source = random.Random(3)
    for _ in range(25):
        content = bytearray(good)
        for _ in range(6):
            content[source.randrange(8, len(content))] = source.randrange(256)
        path = tmp_path / "damaged.tflite"
        path.write_bytes(content)
        try:
            backend.load(path, 1)
        except ModelError as error:
            assert "\n" not in str(error)


def test_a_crash_in_the_second_process_is_an_error_here(backend, good, tmp_path, monkeypatch):
    path = tmp_path / "good.tflite"
    path.write_bytes(good + b"\0")
    monkeypatch.setattr(guard, "_run", lambda *given: (-signal.SIGSEGV, ""))
    assert "crashes" in refusal(backend, path)


def test_the_second_process_reports_a_crash(tmp_path, monkeypatch):
    (tmp_path / "suicidal.py").write_text("import os\nos.abort()\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert guard._run(["suicidal", "x", "1"]) == (-signal.SIGABRT, "")


def test_a_network_that_ran_is_not_tried_again(backend, good, tmp_path, cache, monkeypatch):
    path = tmp_path / "again.tflite"
    path.write_bytes(good + b"\0\0")
    backend.load(path, 1)
    assert list(cache.iterdir())
    monkeypatch.setattr(guard, "_run", lambda *given: pytest.fail("tried again"))
    backend.load(path, 1)


def test_no_place_to_remember_is_no_error(backend, good, tmp_path, monkeypatch):
    monkeypatch.setattr(guard, "_folder", lambda: tmp_path / "good.tflite" / "networks")
    backend.load(tmp_path / "good.tflite", 1)


def test_custom_operator_is_named(backend, networks, tmp_path):
    assert "lacks its operator Magic" in refusal(backend, networks.custom(tmp_path / "c.tflite", "Magic"))


def test_no_outputs(backend, networks, tmp_path):
    assert "0 outputs" in refusal(backend, networks.without_outputs(tmp_path / "none.tflite"))


def test_huge_input(backend, networks, tmp_path):
    assert "1×4096×4096×3" in refusal(backend, networks.pixelwise(tmp_path / "huge.tflite", size=(4096, 4096)))


def test_size_left_open(backend, networks, tmp_path):
    path = networks.pixelwise(tmp_path / "open.tflite", size=(1, 1), signature=(1, -1, -1, 3))
    assert "1×?×?×3" in refusal(backend, path)


def test_transposed_convolution_with_overlaps_sends_to_litert(networks, tmp_path):
    if importlib.util.find_spec("tflite_runtime") is None:
        pytest.skip("tflite_runtime is not installed")
    path = networks.custom(tmp_path / "t.tflite", "Convolution2DTransposeBias")
    assert "pip install ai-edge-litert" in refusal(TFLite(), path)


@pytest.mark.parametrize(
    ("backend_class", "command"),
    [(LiteRT, "pip install ai-edge-litert"), (TFLite, "pip install 'framefx[tflite]'")],
)
def test_missing_runtime_gives_the_command(backend_class, command, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, f"{HAS[backend_class]}.interpreter", None)
    with pytest.raises(BackendUnavailableError, match="is not installed: run") as caught:
        backend_class().load(tmp_path / "any.tflite", 1)
    assert f"`{command}`" in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value", "folder"),
    [("FRAMEFX_CACHE_DIR", "/a", "/a/networks"), ("XDG_CACHE_HOME", "/b", "/b/framefx/networks")],
)
def test_where_it_is_remembered(variable, value, folder, monkeypatch, real_folder):
    monkeypatch.delenv("FRAMEFX_CACHE_DIR", raising=False)
    monkeypatch.setenv(variable, value)
    assert str(real_folder()) == folder
