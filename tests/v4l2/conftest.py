import importlib.util
import sys
from pathlib import Path

import pytest

if "v4l2_fake" not in sys.modules:
    spec = importlib.util.spec_from_file_location("v4l2_fake", Path(__file__).with_name("fake.py"))
    sys.modules["v4l2_fake"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


@pytest.fixture
def clock():
    from v4l2_fake import Clock

    return Clock()
