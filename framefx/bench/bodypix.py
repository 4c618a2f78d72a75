"""What the layers of a body network cost: decoding alone, and with the network's run and the mask pipeline.

``python -m framefx.bench.bodypix FILE`` measures a network that gives parts and keypoints, such as Coral's
``bodypix_mobilenet_v1_075_720_1280_16_quant.tflite``. Decoding is measured on a frame of the network's own proportions,
where every cell of its grid counts.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from framefx.bench.measure import Side, Timing, interleave
from framefx.bench.report import Figure, Suite, ratio
from framefx.bench.scene import NAMED_SIZES, Scene, load_frames
from framefx.bench.table import show_suite
from framefx.errors import UsageError
from framefx.frame import Frame, Size
from framefx.layers import LayerPlan, LoadedModel
from framefx.maskpipeline import MaskOptions, MaskPipeline
from framefx.models.loading import find, load
from framefx.models.vocabulary import PARTS
from framefx.plugins import PluginManager
from framefx.registry import Registry

ASKED = {
    "person": ("person",),
    "face": ("face",),
    "24 parts and keypoints": (*PARTS, "keypoints"),
    "24 parts and heatmaps": (*PARTS, "keypoint_heatmaps"),
}
"""What is asked for."""

_WIDTH = 120
_SECONDS = 2.0
_RUNS = 60  # of the network, for each of the two chains


def measure(path: Path, registry: Registry, seconds: float = _SECONDS) -> Suite:
    """Return the figures of one network.

    Raises
    ------
    UsageError
        When it does not give parts and heatmaps.
    """
    model = load(path, registry)
    if not {*PARTS, "keypoints"} <= model.layers.keys():
        raise UsageError(f"{path}: it gives no parts and keypoints: take a BodyPix network that has all its outputs")
    shape = model.session.inputs[0].shape
    size = (shape[1], shape[2]) if shape[3] == 3 else (shape[2], shape[3])
    suite = Suite("bodypix", f"{path.name}: layers of a frame of {size[1]}×{size[0]}")
    decoding = dict(zip(ASKED, _decoding(LoadedModel(path.stem, model), size, seconds), strict=True))
    for name, timing in decoding.items():
        limit = 0.5 if "keypoints" in name else None
        note = f"the least; median {timing.cpu_median:.3f}"
        suite.figures.append(Figure(f"decoding {name}", round(timing.cpu_min, 4), "ms", limit, note=note))
    all_of_it, person = decoding["24 parts and heatmaps"], decoding["person"]
    suite.figures.append(Figure("decoding parts and heatmaps to person", ratio(all_of_it, person), "times", 5, True))
    few, many = _computing(path, registry, seconds)
    for name, timing in (("person", few), ("24 parts and heatmaps", many)):
        note = f"median of {timing.runs}, CPU; 1280×720, run and mask pipeline included"
        suite.figures.append(Figure(f"all of {name}", round(timing.cpu_median, 2), "ms", note=note))
    suite.figures.append(Figure("all of it, parts and heatmaps to person", ratio(many, few), "times"))
    return suite


def _frame(size: Size) -> Frame:
    return Frame.borrow(Scene.of(load_frames("demo", 1), size).pictures[0])


def _decoding(loaded: LoadedModel, size: Size, seconds: float) -> list[Timing]:
    """Measure decoding what the network says to a frame of its own size."""
    frame, model, session = _frame(size), loaded.model, loaded.model.session
    model.prepare(frame, session.buffer)
    outputs = {name: np.copy(one) for name, one in session.run(session.buffer, _all(loaded)).items()}
    sides = [Side(name, lambda _, w=wanted: model.decode(outputs, w, frame)) for name, wanted in ASKED.items()]  # type: ignore[misc]
    return interleave(sides, seconds, warm_up=5)


def _all(loaded: LoadedModel) -> Sequence[str]:
    return loaded.model.outputs_for([name for wanted in ASKED.values() for name in wanted])


def _computing(path: Path, registry: Registry, seconds: float) -> list[Timing]:
    """Measure what a chain that asks for the person computes, and one that asks for parts and heatmaps."""
    frame = _frame(NAMED_SIZES["720p"])
    sides = []
    for name in ("person", "24 parts and heatmaps"):
        loaded = LoadedModel(name, load(path, registry))
        layers = LayerPlan(registry, {}, lambda one=loaded: [one], MaskPipeline(MaskOptions()))  # type: ignore[misc]
        for layer in ASKED[name]:
            layers.require(layer, "bench")
        layers.settle()
        sides.append(Side(name, lambda _, plan=layers: plan.compute(frame)))  # type: ignore[misc]
    return interleave(sides, 4 * seconds, most=_RUNS)


def main(argv: Sequence[str]) -> int:
    """Measure the network that `argv` names and print its figures."""
    if len(argv) != 1:
        raise UsageError("got no network: python -m framefx.bench.bodypix FILE")
    registry = PluginManager(discover=False).registry
    show_suite(measure(find(argv[0], registry.weights), registry), Console(highlight=False, width=_WIDTH))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
