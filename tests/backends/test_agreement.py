"""One network in the files of every backend gives the same mask."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest

from framefx.errors import ModelError
from framefx.frame import Frame
from framefx.models.loading import load
from framefx.plugins import PluginManager

SIZE = (48, 64)
ENDINGS = {"onnx": "onnx", "torch-export": "pt2", "safetensors": "safetensors", "litert": "tflite"}
NEEDS = {"onnx": ("torch", "onnx", "onnxruntime"), "litert": ("torch", "litert_torch")}
SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def registry():
    return PluginManager(discover=False).registry


@pytest.fixture(scope="module")
def network():
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'framefx[torch]'")
    pytest.importorskip("safetensors", reason="safetensors is not installed: pip install 'framefx[torch]'")
    from framefx.training.network import NetworkConfig, build

    config = NetworkConfig(size=SIZE, widths=(4, 6, 8, 12), depths=(1, 1, 1), kernel=3)
    torch.manual_seed(8)
    built = build(config)
    with torch.no_grad():
        for _ in range(3):
            built(torch.rand(4, 3, *SIZE))  # statistics of the batch normalisation
    return built.eval(), config


def written(network, config, how, path):
    from framefx.training.export import export

    export(network, config, how, path)


def person(path, registry, frame):
    model = load(path, registry)
    session = getattr(model.session, "only", lambda names: model.session)(model.outputs_for(["person"]))
    model.prepare(frame, session.buffer)
    outputs = session.run(session.buffer, model.outputs_for(["person"]))
    return model.decode(outputs, ["person"], frame)["person"].values


def frame():
    down, right = np.mgrid[:120, :160]
    red = 255 * np.exp(-(((down - 60) / 40) ** 2) - ((right - 70) / 30) ** 2)
    return Frame.borrow(np.stack([red, right, 2 * down], -1).astype(np.uint8), index=0, time=0.0)


@pytest.mark.parametrize("how", ["onnx", "torch-export", "safetensors", pytest.param("litert", marks=pytest.mark.slow)])
def test_every_backend_gives_pytorchs_mask(how, network, registry, tmp_path):
    import torch

    for module in NEEDS.get(how, ()):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    built, config = network
    path = tmp_path / f"net.{ENDINGS[how]}"
    written(built, config, how, path)
    found = person(path, registry, frame())
    model = load(path, registry)
    picture = np.empty((1, *SIZE, 3), np.float32)
    model.prepare(frame(), picture)
    with torch.no_grad():
        answer = built(torch.from_numpy(picture).permute(0, 3, 1, 2)).sigmoid()[0, 0].numpy()
    assert found.shape == answer.shape
    np.testing.assert_allclose(found, 255 * answer, atol=1.0)
    assert found.std() > 1


def test_weights_of_nan_are_refused_when_the_model_is_loaded(network, registry, tmp_path):
    import torch

    built, config = network
    state = {name: value.clone() for name, value in built.state_dict().items()}
    from framefx.training.network import build

    broken = build(config).eval()
    broken.load_state_dict(state)
    with torch.no_grad():
        broken.head.weight.fill_(math.nan)
    written(broken, config, "safetensors", tmp_path / "nan.safetensors")
    with pytest.raises(ModelError, match="NaN or infinity"):
        load(tmp_path / "nan.safetensors", registry)


def test_mediapipes_network_is_the_same_in_two_formats(registry):
    if importlib.util.find_spec("onnxruntime") is None:
        pytest.skip("onnxruntime is not installed: pip install 'framefx[onnx]'")
    paths = [SHARED / "models" / f"selfie_segmentation.{ending}" for ending in ("onnx", "tflite")]
    if not all(path.exists() for path in paths):
        pytest.skip(f"the networks are not in {SHARED}")
    skimage = pytest.importorskip("skimage", reason="scikit-image is not installed: pip install 'framefx[demo]'")
    picture = Frame.borrow(np.ascontiguousarray(skimage.data.astronaut()), index=0, time=0.0)
    first, second = (person(path, registry, picture).astype(int) for path in paths)
    assert first.shape == second.shape
    assert np.abs(first - second).mean() < 1.0
    assert first.max() > 200
