import importlib.util
import sys
from pathlib import Path

import pytest

from framefx.backends import builtin as backends
from framefx.backends import guard
from framefx.models import builtin as models
from framefx.registry import Register, Registry

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def _writer(name):
    """Import a file of the backends' tests by its place: test folders are no packages."""
    place = Path(__file__).parents[1] / "backends" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"framefx_test_{name}", place)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def networks():
    """The writer of ``.tflite`` test networks."""
    return _writer("networks")


@pytest.fixture(scope="session")
def onnx_networks():
    """The writer of ``.onnx`` test networks."""
    for package in ("onnx", "onnxruntime"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    return _writer("onnx_networks")


@pytest.fixture(scope="session")
def registry():
    """What framefx itself registers of backends and families."""
    registry = Registry()
    for plugin in (backends, models):
        plugin.framefx_register(Register(registry, "framefx"))
    return registry


@pytest.fixture(scope="session")
def real():
    """Returns the path of a published network or folder of pictures, or skips."""

    def find(name):
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"the published networks and pictures are not here: no {name}")
        return path

    return find


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """One memory of tried networks for the whole run, and never the user's."""
    folder = tmp_path_factory.getbasetemp() / "networks"
    monkeypatch.setattr(guard, "_folder", lambda: folder)
    return folder
