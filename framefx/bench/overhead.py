"""The suite ``overhead``: what the framework itself takes, in time, memory, copies and imports."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence

import numpy as np

from framefx.bench.chains import Player, Setup
from framefx.bench.measure import interleave
from framefx.bench.report import Figure, Suite, ratio
from framefx.bench.scene import Scene
from framefx.errors import ModelError
from framefx.frame import Frame
from framefx.plan import Plan
from framefx.plugins import PluginManager
from framefx.registry import Register
from framefx.warmup import warm_plan

RUNTIMES = ("ai_edge_litert", "tflite_runtime", "onnxruntime", "torch", "tensorflow")
_STEPS = 20
_WARM_UP = 10
_FRAMES = 20


def untouched(frame: Frame) -> Frame:
    """Return the frame as it came."""
    return frame


class Keeper:
    """Returns the frame as it came, and is a class: what a filter with state costs."""

    def __call__(self, frame: Frame) -> Frame:
        """Return the frame as it came."""
        return frame


def touched(frame: Frame) -> Frame:
    """Change one pixel in place."""
    frame = frame.make_writable()
    frame.pixels[0, 0] = 0
    return frame


def run(scenes: Sequence[Scene], setup: Setup) -> Suite:
    """Measure on the first scene; chains with masks only where there is a model."""
    scene = scenes[0]
    suite = Suite("overhead", f"Overhead of the framework, at {scene.label}")
    suite.figures += _idle_filters(scene, setup.seconds)
    suite.figures += _copies(scene)
    try:
        for chain in ("color=saturation=1.2", "blur=radius=7", "replace", "blur,replace,color=saturation=1.2"):
            suite.figures += _allocations(chain, scene, setup)
    except ModelError as error:
        suite.notes.append(f"chains with masks were left out: {error}")
    suite.figures += _imports()
    return suite


def _idle_filters(scene: Scene, seconds: float) -> list[Figure]:
    plans = {
        "a filter that does nothing": (_plan(",".join(["untouched"] * _STEPS)), _plan("untouched")),
        "the same as a class": (_plan(",".join(["keeper"] * _STEPS)), _plan("keeper")),
    }
    figures = []
    for name, (many, one) in plans.items():
        sides = [Player(one, scene).side("one"), Player(many, scene).side("many")]
        few, all_of_them = interleave(sides, seconds / 2, most=5000)
        each = (all_of_them.cpu_median - few.cpu_median) / (_STEPS - 1) * 1e3
        figures.append(Figure(f"{name}, one of {_STEPS}", each, "µs a frame", 20))
        figures.append(Figure(f"a chain of {_STEPS} such", all_of_them.cpu_median * 1e3, "µs a frame",
                              note=f"{ratio(all_of_them, few):.1f} times one"))  # fmt: skip
    return figures


def _plan(chain: str) -> Plan:
    plugins = PluginManager()
    register = Register(plugins.registry, "bench")
    for target in (untouched, touched):
        register.filter(target)
    register.filter(Keeper, name="keeper")
    return Plan(chain, plugins.registry)


def _copies(scene: Scene) -> list[Figure]:
    plan = _plan("touched,touched,touched")
    shown = Frame.borrow(scene.pictures[0], pool=plan.pool)
    plan.run(shown)
    before = plan.pool.copies
    for _ in range(_FRAMES):
        plan.run(shown)
    copies = (plan.pool.copies - before) / _FRAMES
    return [Figure("copies, three in-place filters of one group", copies, "a frame", 1, note="of a frame others read")]


def _allocations(chain: str, scene: Scene, setup: Setup) -> list[Figure]:
    plan = setup.job(chain).plan()
    warm_plan(plan)
    player = Player(plan, scene)
    for _ in range(_WARM_UP):
        plan.run(player.frame())
    before = plan.pool.allocations
    peaks = [peak_of(lambda frame: plan.run(frame), player.frame()) for _ in range(_FRAMES)]
    plane = scene.size[0] * scene.size[1]
    fresh = (plan.pool.allocations - before) / _FRAMES
    plan.close()
    large = float(np.mean([peak >= plane for peak in peaks]))
    name = chain.replace("=saturation=1.2", "").replace("=radius=7", "")
    note = f"new memory at the worst moment: {max(peaks) / 1e3:.0f} kB; a plane is {plane / 1e3:.0f} kB"
    return [Figure(f"{name}: allocations of a frame's size", max(fresh, large), "a frame", 0, note=note)]


def peak_of(work: Callable[[Frame], object], frame: Frame) -> int:
    """Return how many bytes of new memory `work` held at its worst moment, as Python and NumPy count them."""
    tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        work(frame)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak - before


def _imports() -> list[Figure]:
    used = modules_after(
        "from framefx.job import Job; from framefx.config import Settings; from framefx.warmup import probe_frame; "
        "job = Job(Settings(chain='color=saturation=1.2:where=all')); plan = job.plan(); "
        "plan.run(probe_frame((72, 128), 0)); models = len(plan.layers.models)",
        "models",
    )
    runtimes = [name for name in RUNTIMES if name in used[0]]
    helped, seconds, cpu = _help()
    heavy = [name for name in ("numba", *RUNTIMES) if name in helped]
    return [
        Figure("color=where=all: runtimes imported", len(runtimes), "modules", 0, note=", ".join(runtimes)),
        Figure("color=where=all: models loaded", used[1], "models", 0),
        Figure("framefx --help: CPU time", cpu, "s", 0.3, note=f"the least of 5; by the clock {seconds:.2f} s"),
        Figure("framefx --help: numba and runtimes imported", len(heavy), "modules", 0, note=", ".join(heavy)),
        Figure("framefx --help: modules imported", len(helped), "modules"),
    ]


def modules_after(code: str, value: str = "0") -> tuple[set[str], int]:
    """Run `code` in a new interpreter; return the modules it had imported at the end, and an integer of its own."""
    tail = f"\nimport json, sys\nprint(json.dumps([sorted(sys.modules), {value}]))"
    done = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=True)
    modules, number = json.loads(done.stdout.splitlines()[-1])
    return set(modules), int(number)


def _help(runs: int = 5) -> tuple[set[str], float, float]:
    """Return the modules of ``framefx --help``, and the least wall and CPU seconds of some runs."""
    code = "from framefx.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    walls, cpus = [], []
    for _ in range(runs):
        before, start = _children(), time.perf_counter()
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        walls.append(time.perf_counter() - start)
        cpus.append(_children() - before)
    return modules_after(code)[0], min(walls), min(cpus)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
