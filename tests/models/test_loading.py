import importlib.util
import sys
from types import SimpleNamespace

import pytest

from framefx.errors import BackendUnavailableError, ModelError, PluginError, UnknownNameError
from framefx.models.loading import find, load
from framefx.registry import Register, Registry


def named(path, *names, plugin="framefx"):
    registry = Registry()
    for name in names:
        Register(registry, plugin).weights(name, path)
    return registry


def test_finds_a_path(tmp_path):
    path = tmp_path / "mine.tflite"
    path.touch()
    assert find(str(path), Registry().weights) == path


def test_finds_a_name(tmp_path):
    assert find("blazeseg", named(tmp_path, "blazeseg").weights) == tmp_path


def test_an_unknown_name_says_which_there_are(tmp_path):
    with pytest.raises(ModelError, match=r"Did you mean 'blazeseg'\? Named models: .*blazeseg, .*other"):
        find("blazesig", named(tmp_path, "blazeseg", "other").weights)


def test_a_name_that_two_plugins_registered_needs_the_plugins(tmp_path):
    registry = named(tmp_path / "a", "people", plugin="one")
    Register(registry, "two").weights("people", tmp_path / "b")
    with pytest.raises(UnknownNameError, match="'one/people' or 'two/people'"):
        find("people", registry.weights)
    assert find("two/people", registry.weights) == tmp_path / "b"


def test_a_plugin_has_each_name_once(tmp_path):
    with pytest.raises(PluginError, match="'one' registers the model 'people' twice"):
        named(tmp_path, "people", "people", plugin="one")


def test_shipped_weights_are_registered_by_their_file_names(registry):
    assert all(one.path.stem == one.name and one.path.is_file() for one in registry.weights)


def test_loads_and_recognises(registry, networks, tmp_path):
    model = load(networks.pixelwise(tmp_path / "n.tflite"), registry)
    assert set(model.layers) == {"person"}


def test_the_files_name_does_not_matter(registry, networks, tmp_path):
    assert load(networks.pixelwise(tmp_path / "body-pix.tflite"), registry).layers


@pytest.mark.parametrize("channels", [4, 5])
def test_unknown_tensors_are_listed_with_the_known_families(registry, networks, tmp_path, channels):
    path = networks.pixelwise(tmp_path / "n.tflite", weights=[[1] * channels])
    wanted = (
        rf"no known family .* in 'picture' 1×8×12×{channels} float32, out 'sum' 1×8×12×1 float32; "
        rf"and its input 'picture' is 1×8×12×{channels}: {channels} channels, wanted 3\. Known: .*selfie \("
    )
    with pytest.raises(ModelError, match=wanted) as caught:
        load(path, registry)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", ["h5", "pb", "caffemodel"])
def test_what_no_backend_runs(registry, tmp_path, ending):
    path = tmp_path / f"n.{ending}"
    path.touch()
    with pytest.raises(BackendUnavailableError, match=rf"no backend here runs '\.{ending}' files, only .*\.tflite"):
        load(path, registry)


def test_missing_file(registry, tmp_path):
    with pytest.raises(ModelError, match="no such file"):
        load(tmp_path / "none.onnx", registry)


def test_unknown_backend(registry, networks, tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'litert'"):
        load(networks.pixelwise(tmp_path / "n.tflite"), registry, backend="liter")


def test_takes_the_next_backend_where_the_first_is_missing(networks, registry, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    if importlib.util.find_spec("tflite_runtime") is None:
        with pytest.raises(BackendUnavailableError, match="pip install ai-edge-litert"):
            load(networks.pixelwise(tmp_path / "n.tflite"), registry)
    else:
        assert load(networks.pixelwise(tmp_path / "n.tflite"), registry).layers


def test_asks_families_of_plugins_too(networks, tmp_path, registry):
    mine = Registry()
    known = SimpleNamespace(layers={"mine": object})
    Register(mine, "me").family("mine", lambda session: known if session.inputs[0].shape[3] == 5 else None)
    for runtime in registry.runtimes:
        mine.runtimes.add(runtime)
    path = networks.pixelwise(tmp_path / "n.tflite", weights=[[1] * 5])
    assert load(path, mine) is known


def test_shipped_weights_give_the_person_at_a_fraction_of_their_input(registry):
    for path in (one.path for one in registry.weights):
        model = load(path, registry)
        (source,), (result,) = model.session.inputs, model.session.outputs
        assert "person" in model.layers
        assert source.shape[1] >= result.shape[1]
