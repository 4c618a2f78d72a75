import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def live():
    """What running pipelines are tested with, imported by its place: test folders are no packages."""
    place = Path(__file__).with_name("live.py")
    spec = importlib.util.spec_from_file_location("framefx_test_live", place)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
