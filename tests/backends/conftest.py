import importlib.util
import sys
from pathlib import Path

import pytest

from framefx.backends import guard


def _beside(name):
    place = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"framefx_test_{name}", place)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def beside():
    """Imports a file of this folder by its place: test folders are no packages."""
    return _beside


@pytest.fixture(scope="session")
def networks():
    """The writer of ``.tflite`` test networks."""
    return _beside("networks")


@pytest.fixture(scope="session")
def real_folder():
    return guard._folder


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch, real_folder):
    """One memory of tried networks for the whole run, and never the user's."""
    folder = tmp_path_factory.getbasetemp() / "networks"
    monkeypatch.setattr(guard, "_folder", lambda: folder)
    return folder
