"""What every filter costs: its CPU time for one 720p frame, merge included, without model and masks.

The least of many runs: what other programs do on the machine meanwhile only adds to it.

``python -m framefx.bench.filters FILE.json`` measures all of them and writes milliseconds by filter.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from framefx.bench.measure import Side, interleave
from framefx.bench.scene import NAMED_SIZES, Scene, load_frames
from framefx.errors import UsageError
from framefx.frame import Frame, FramePool, Size
from framefx.mask import Mask
from framefx.models.vocabulary import KEYPOINTS
from framefx.plan import Plan
from framefx.plugins import PluginManager
from framefx.points import Heatmaps, Points
from framefx.registry import Register, Registry

_SECONDS = 0.4  # for one filter

COMPOSITION = "blur,color,text,vignette,lut"
"""What many would want at once; at most 6 ms beyond the model."""

REQUIRED = {
    COMPOSITION: "blur,color=saturation=1.2,text=text=framefx,vignette,lut=file={folder}/warm.cube",
    "lut": "lut=file={folder}/warm.cube",
    "overlay": "overlay=image={folder}/logo.png",
    "text": "text=text=framefx",
}
"""How filters are measured that do nothing without an option."""

BUSY = {
    "affine": "affine=matrix=0.98/-0.17/80/0.17/0.98/-100",
    "alpha": "alpha=add=-0.5",
    "follow": "follow=margin=0:smooth=0",
    "move": "move=x=100",
    "roll": "roll=speed_x=200",
}
"""And those whose defaults leave the picture alone."""


def write_inputs(folder: Path) -> None:
    """Write the files that filters in `REQUIRED` take: a warm grade and a logo."""
    import cv2

    ramp = np.linspace(0, 1, 17)
    lines = [f"{r**0.85:.5f} {g:.5f} {b**1.3:.5f}" for b in ramp for g in ramp for r in ramp]
    (folder / "warm.cube").write_text("\n".join(['TITLE "warm"', "LUT_3D_SIZE 17", *lines, ""]), encoding="utf-8")
    logo = np.zeros((96, 288, 4), np.uint8)
    cv2.rectangle(logo, (0, 0), (287, 95), (120, 70, 30, 200), -1)
    cv2.putText(logo, "framefx", (24, 64), cv2.FONT_HERSHEY_SIMPLEX, 1.8, (255, 255, 255, 255), 4, cv2.LINE_AA)
    cv2.imwrite(str(folder / "logo.png"), logo)


def costs(
    registry: Registry,
    names: Sequence[str] | None = None,
    *,
    size: Size = NAMED_SIZES["720p"],
    seconds: float = _SECONDS,
) -> dict[str, float]:
    """Return CPU milliseconds (the least of many runs) of one frame by filter.

    Copying a frame that somebody else reads is included. Without `names`: all filters, and `COMPOSITION`.
    """
    add_portrait_layers(registry)
    scene = Scene.of(load_frames("demo", 1), size)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_inputs(folder)
        chains = names or [*registry.filters.names, COMPOSITION]
        return {name: _cost(chain_of(name, folder), registry, scene, seconds) for name in chains}


def chain_of(name: str, folder: Path) -> str:
    """Return a chain of this filter alone that does something."""
    return (REQUIRED.get(name) or BUSY.get(name, name)).format(folder=folder)


def portrait_masks(size: Size) -> Mapping[str, Mask]:
    """Return what a head and shoulders would be, at a model's resolution."""
    import cv2

    person = np.zeros((144, 256), np.uint8)
    cv2.ellipse(person, (120, 58), (30, 40), 0, 0, 360, 255, -1)
    cv2.ellipse(person, (120, 150), (66, 52), 0, 0, 360, 255, -1)
    face = np.zeros((144, 256), np.uint8)
    cv2.ellipse(face, (120, 66), (20, 27), 0, 0, 360, 255, -1)
    return {"person": _soft(person, size), "face": _soft(face, size)}


JOINTS = {
    "nose": (0.453, 0.481), "left_eye": (0.498, 0.401), "right_eye": (0.406, 0.400), "left_ear": (0.557, 0.454),
    "right_ear": (0.355, 0.450), "left_shoulder": (0.582, 0.850), "right_shoulder": (0.275, 0.800),
}  # fmt: skip
"""Where the portrait's keypoints are, as parts of width and height; the others are below the picture."""


def keypoints(frame: Frame) -> Points:
    """Return what a body network would find in the portrait."""
    height, width = frame.size
    xy = [JOINTS.get(name, (0.5, 1.5)) for name in KEYPOINTS]
    scores = [0.9 * (name in JOINTS) for name in KEYPOINTS]
    return Points(np.array(xy) * (width, height), scores, KEYPOINTS, frame.size, frame.index)


def keypoint_heatmaps(frame: Frame) -> Heatmaps:
    """Return what a body network would find in the portrait: a round spot at each keypoint."""
    y, x = np.mgrid[0.5:90, 0.5:160] / [[[90]], [[160]]]
    values = np.zeros((len(KEYPOINTS), 90, 160), np.uint8)
    for plane, name in zip(values, KEYPOINTS, strict=True):
        across, down = JOINTS.get(name, (0.5, 1.5))
        plane[:] = 255 * np.exp(-((16 * (x - across)) ** 2 + (9 * (y - down)) ** 2) / 0.6)
    return Heatmaps(values, KEYPOINTS, frame.size, frame.index)


def add_portrait_layers(registry: Registry) -> None:
    """Register the portrait's layers that are no masks, for filters that need them."""
    register = Register(registry, "portrait")
    for layer in (keypoints, keypoint_heatmaps):
        if layer.__name__ not in registry.layers:
            register.layer(layer)


def _soft(values: Any, size: Size) -> Mask:
    import cv2

    return Mask(np.asarray(cv2.GaussianBlur(values, (0, 0), 0.7), np.uint8), size)


def _cost(chain: str, registry: Registry, scene: Scene, seconds: float) -> float:
    plan = Plan(chain, registry, given=portrait_masks(scene.size))
    layers = plan.compute_layers(Frame.borrow(scene.pictures[0]))
    pool, times = FramePool(), iter(range(10**9))

    def fresh() -> Frame:
        number = next(times)
        frame = pool.frame(scene.size, index=number, time=number / 30)
        np.copyto(frame.pixels, scene.pictures[0])
        return frame

    side = Side(chain, lambda frame: plan.apply(frame, layers), fresh)
    [timing] = interleave([side], seconds, warm_up=3)
    plan.close()
    return timing.cpu_min


def main(argv: Sequence[str]) -> int:
    """Measure all built-in filters and write the file that `argv` names."""
    if len(argv) != 1:
        raise UsageError("got no file to write: python -m framefx.bench.filters FILE.json")
    found = costs(PluginManager(discover=False).registry)
    rounded = {name: round(cost, 2) for name, cost in found.items()}
    Path(argv[0]).write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
