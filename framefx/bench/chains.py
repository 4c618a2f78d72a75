"""The suite ``chain``: whole chains, all of a frame's work but decoding and output, beside the peers' loops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from framefx import kernels
from framefx.bench.measure import Side, interleave, one_thread
from framefx.bench.peers import SIGMA, LinuxFakeBackground, Network, ThreeCopies, VirtualWebcamBackground
from framefx.bench.profile import profile
from framefx.bench.report import Figure, Row, Suite
from framefx.bench.scene import NAMED_SIZES, U8, Scene
from framefx.config import Settings
from framefx.filters.scenery import default_picture
from framefx.frame import Frame, FramePool, Size
from framefx.job import Job
from framefx.plan import Plan
from framefx.warmup import warm_plan

LFBW = "Linux-Fake-Background-Webcam"
VWB = "virtual_webcam_background"
OPENCV = "OpenCV"
COPIES = "copying a frame 3 times"

_WANTED: dict[Size, dict[str, float]] = {
    NAMED_SIZES["720p"]: {LFBW: 6, VWB: 35},
    NAMED_SIZES["1080p"]: {LFBW: 10, VWB: 55},
}
_PSNR = 35.0
_COLOR = "color=saturation=1.2:temperature=0.1:contrast=1.05"


@dataclass(frozen=True)
class Setup:
    """What the user chose: models as for ``--model`` (empty: the default one), and seconds for each row."""

    models: Sequence[str] = ()
    seconds: float = 1.0

    def job(self, chain: str) -> Job:
        """Return a job for `chain` with the default mask pipeline, one thread, each frame with its own mask."""
        values = {"chain": chain, "source": "null", "sink": "null", "threads": 1, "masks": "sync"}
        if self.models:
            values["model"] = list(self.models)
        return Job(Settings.model_validate(values))

    def network(self) -> Network:
        """Load the network for a peer: the very file that framefx runs."""
        plan = self.job("blur").plan()
        return Network(plan.layers.models[0].model)


class Player:
    """Feeds a plan frames of a scene as a source at 30 frames per second does: in memory lent from a pool."""

    def __init__(self, plan: Plan, scene: Scene) -> None:
        self.plan = plan
        self._scene = scene
        self._pool = FramePool()
        self._next = 0

    def frame(self) -> Frame:
        """Return the next frame, which may be written to."""
        frame = self._pool.frame(self._scene.size, index=self._next, time=self._next / 30)
        np.copyto(frame.pixels, self._scene.pictures[self._next % len(self._scene.pictures)])
        self._next += 1
        return frame

    def side(self, name: str = "framefx") -> Side:
        """Return the plan as a side to measure."""
        return Side(name, self.plan.run, self.frame)


def run(scenes: Sequence[Scene], setup: Setup) -> Suite:
    """Measure every chain at every size.

    Raises
    ------
    UsageError
        When there is no model.
    """
    suite = Suite("chain", "Chains: all of a frame's work but decoding and output")
    for scene in scenes:
        for name, chain, others in _chains(scene, setup):
            suite.rows.append(_row(name, chain, others, scene, setup))
        suite.figures.append(Figure(f"blur {scene.label}: PSNR", blur_psnr(scene, setup), "dB", _PSNR, at_least=True,
                                    note=f"against cv2.GaussianBlur, σ {SIGMA}, where no person is near"))  # fmt: skip
    return suite


def _chains(scene: Scene, setup: Setup) -> list[tuple[str, str, Callable[[], list[Side]]]]:
    picture = default_picture(scene.size)

    def blur() -> list[Side]:
        network = setup.network()
        return [
            Side(LFBW, LinuxFakeBackground(network, scene.size), scene.feed()),
            Side(VWB, VirtualWebcamBackground.blurring(network), scene.feed()),
            Side(COPIES, ThreeCopies(scene.size), scene.feed()),
        ]

    def replace() -> list[Side]:
        network = setup.network()
        return [
            Side(LFBW, LinuxFakeBackground(network, scene.size, picture), scene.feed()),
            Side(VWB, VirtualWebcamBackground.replacing(network, picture), scene.feed()),
        ]

    def color() -> list[Side]:
        return [Side(OPENCV, OpenCvColor(), scene.feed())]

    def all_three() -> list[Side]:
        compose, grade = LinuxFakeBackground(setup.network(), scene.size, picture), OpenCvColor()
        return [Side(f"{LFBW} + OpenCV", lambda frame: grade(compose(frame)), scene.feed())]

    return [
        ("blur", f"blur=radius={SIGMA}", blur),
        ("replace", "replace", replace),
        ("color", _COLOR, color),
        ("blur,replace,color", f"blur=radius={SIGMA},replace,{_COLOR}", all_three),
    ]


def _row(name: str, chain: str, others: Callable[[], list[Side]], scene: Scene, setup: Setup) -> Row:
    plan = setup.job(chain).plan()
    warm_plan(plan)
    player = Player(plan, scene)
    timings = interleave([player.side(), *others()], setup.seconds)
    with one_thread():
        parts = profile(plan, player.frame)
    plan.close()
    wants = _WANTED.get(scene.size, {}) if name == "blur" else {}
    return Row(name, scene.label, timings, wants, parts)


class OpenCvColor:
    """The same correction by OpenCV: `cv2.transform` with the very matrix (in BGR order), in place."""

    def __init__(self) -> None:
        matrix = kernels.color_tables(saturation=1.2, temperature=0.1, contrast=1.05).matrix
        self._matrix = matrix[::-1, [2, 1, 0, 3]].copy()

    def __call__(self, frame: U8) -> U8:
        cv2.transform(frame, self._matrix, dst=frame)
        return frame


def blur_psnr(scene: Scene, setup: Setup) -> float:
    """Return the PSNR in dB of our blur against OpenCV's Gaussian where no person is within three σ."""
    plan = setup.job(f"blur=radius={SIGMA}").plan()
    frame = Frame.borrow(scene.pictures[0])
    shown = plan.run(frame).pixels
    person = np.asarray(plan.compute_layers(frame).values["person"])
    plan.close()
    far = cv2.dilate(person, np.ones((6 * SIGMA + 1, 6 * SIGMA + 1), np.uint8)) == 0
    wanted = cv2.GaussianBlur(scene.pictures[0], (0, 0), SIGMA)
    if not far.any():
        return float("nan")
    error = float(np.mean((shown[far].astype(np.float64) - wanted[far]) ** 2))
    return float(10 * np.log10(255**2 / max(error, 1e-9)))
