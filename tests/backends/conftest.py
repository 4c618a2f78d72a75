import importlib.util
import sys
from pathlib import Path

import pytest


def load_networks():
    """Import the writer of test networks by its place: test folders are no packages."""
    if "framefx_test_networks" not in sys.modules:
        place = Path(__file__).parents[1] / "backends" / "networks.py"
        spec = importlib.util.spec_from_file_location("framefx_test_networks", place)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    return sys.modules["framefx_test_networks"]


@pytest.fixture(scope="session")
def networks():
    return load_networks()


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """One cache for the whole run, and never the user's."""
    directory = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(directory))
    return directory / "framefx" / "networks"
