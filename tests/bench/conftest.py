from pathlib import Path

import numpy as np
import pytest

from framefx.models.loading import load
from framefx.plugins import PluginManager

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def shared(name):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the published networks and clips are not here: no {name}")
    return path


@pytest.fixture(scope="session")
def model_file():
    """A published network; tests that need one are skipped without it."""
    return shared("models/selfie_segmentation_landscape.tflite")


@pytest.fixture(scope="session")
def clip():
    return shared("clips/asl_again.mkv")


@pytest.fixture
def model(model_file):
    return load(model_file, PluginManager().registry)


@pytest.fixture
def picture(tmp_path):
    """A small picture file, for what any picture will do."""
    import cv2

    path = tmp_path / "noise.png"
    cv2.imwrite(str(path), np.random.default_rng(1).integers(0, 256, (72, 128, 3), np.uint8))
    return path
