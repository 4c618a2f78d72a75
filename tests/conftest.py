import importlib.util
import sys
import threading
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


@pytest.fixture
def no_thread_stays():
    """Fails the test that leaves a thread of a pipeline running."""
    before = set(threading.enumerate())
    yield
    left = [t for t in threading.enumerate() if t not in before and t.name.startswith("framefx-")]
    for thread in left:
        thread.join(10)
    assert not [t for t in left if t.is_alive()]
