"""``python -m framefx.bench.bodypix``: which figures it gives, and what it refuses."""

from pathlib import Path

import pytest

from framefx.bench.bodypix import ASKED, main, measure
from framefx.errors import UsageError
from framefx.plugins import PluginManager

MODELS = Path(__file__).parents[2].parent / "shared" / "data" / "models"


def network(name):
    pytest.importorskip("ai_edge_litert", reason="needs ai-edge-litert")
    path = MODELS / f"{name}.tflite"
    if not path.exists():
        pytest.skip(f"the published networks are not here: no {name}")
    return path


@pytest.mark.slow
def test_decoding_and_all_of_it_are_measured():
    path = network("bodypix_mobilenet_v1_075_720_1280_16_quant")
    suite = measure(path, PluginManager(discover=False).registry, seconds=0.1)
    names = [figure.name for figure in suite.figures]
    assert [f"decoding {name}" in names for name in ASKED] == [True] * len(ASKED)
    assert "all of it, parts and heatmaps to person" in names
    assert all(figure.value > 0 for figure in suite.figures)


def test_a_network_without_parts_is_refused():
    path = network("body-pix-float-050-8")
    with pytest.raises(UsageError, match="it gives no parts and keypoints: take a BodyPix network"):
        measure(path, PluginManager(discover=False).registry)


def test_a_network_is_wanted():
    with pytest.raises(UsageError, match=r"python -m framefx\.bench\.bodypix FILE"):
        main([])
