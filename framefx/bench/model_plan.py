"""What `framefx bench model` measures: networks, sizes, runtimes, numbers of threads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from framefx.bench.model_build import FORMATS

PIXELS = (160, 320, 640, 1024)
THREADS = (1, 2)
CLASSES = (1, 2, 6, 21, 64)
FRAME = (720, 1280)
_CLASSES_OF = "blazeseg-paper"
_VARIANTS_OF = "blazeseg"


@dataclass(frozen=True)
class Facts:
    """What there is on this machine.

    Attributes
    ----------
    runtimes : mapping
        Name of each installed backend to the endings of its files.
    presets : mapping
        Name of each BlazeSeg to the fields of its configuration; none without PyTorch.
    compiler : bool
        Whether there is a C++ compiler, which `torch.compile` needs on a CPU.
    gpu : str
        What PyTorch calls it, or nothing.
    tensorrt : bool
        Whether torch-tensorrt is installed.
    """

    runtimes: Mapping[str, Sequence[str]]
    presets: Mapping[str, Mapping[str, Any]]
    compiler: bool
    gpu: str
    tensorrt: bool


@dataclass(frozen=True)
class Wishes:
    """What the user wants of all that.

    Attributes
    ----------
    pixels, threads : sequence of int
        Sides of square inputs; numbers of threads.
    compiled : bool
        Whether networks are compiled too, which takes half a minute for each.
    convert : sequence of str
        Endings of files that may be made.
    classes : sequence of int
    """

    pixels: Sequence[int] = PIXELS
    threads: Sequence[int] = THREADS
    compiled: bool = True
    convert: Sequence[str] = tuple(FORMATS)
    classes: Sequence[int] = CLASSES


@dataclass(frozen=True)
class Case:
    """One configuration: how the tables call it, and the work that its process is told to do.

    Attributes
    ----------
    request : mapping or None
        The network to be made first; see `framefx.bench.model_build.network_file`.
    """

    group: str
    network: str
    detail: str
    pixels: str
    runtime: str
    threads: int
    work: Mapping[str, Any]
    request: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class _Way:
    """A way to run files with an ending."""

    label: str
    runtime: str
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def on_gpu(self) -> bool:
        return self.options.get("device") == "cuda"

    @property
    def compiled(self) -> bool:
        return "compile" in self.options


def cases(facts: Facts, wishes: Wishes, files: Mapping[str, Path], groups: Sequence[str]) -> list[Case]:
    """Return all configurations of the groups asked for; `files` are networks by name."""
    plan = _Plan(facts, wishes)
    makers = {
        "networks": lambda: plan.networks(files),
        "runtimes": plan.runtimes,
        "sizes": plan.sizes,
        "upsampling": plan.upsampling,
        "merge": plan.merge,
        "classes": plan.classes,
    }
    return [case for group in groups for case in makers[group]()]


class _Plan:
    def __init__(self, facts: Facts, wishes: Wishes) -> None:
        self._facts = facts
        self._wishes = wishes

    def networks(self, files: Mapping[str, Path]) -> Iterator[Case]:
        for name, path in files.items():
            for way in self._ways(path.suffix.removeprefix(".").lower()):
                for threads in self._threads(way):
                    yield Case("networks", name, "", "", way.label, threads, _work(way, threads, path=str(path)))

    def runtimes(self) -> Iterator[Case]:
        for name, config in self._facts.presets.items():
            yield from self._made("runtimes", name, "", config, self._wishes.threads)

    def sizes(self) -> Iterator[Case]:
        for name, config in _distinct(self._facts.presets).items():
            for side in self._wishes.pixels:
                yield from self._made("sizes", name, "", {**config, "size": [side, side]}, self._wishes.threads)

    def upsampling(self) -> Iterator[Case]:
        if not self._facts.presets:
            return
        for how in ("bilinear", "transposed"):
            for device in ("cpu", "cuda") if self._facts.gpu else ("cpu",):
                work = {"do": "doubling", "how": how, "device": device, "threads": 1}
                runtime = "torch cuda" if device == "cuda" else "torch"
                yield Case("upsampling", "one doubling of 96 channels", how, "16x16", runtime, 1, work)
        config = self._facts.presets[_VARIANTS_OF]
        for how in ("bilinear", "transposed"):
            yield from self._made("upsampling", _VARIANTS_OF, how, {**config, "upsampling": how}, (1,))

    def merge(self) -> Iterator[Case]:
        if not self._facts.presets:
            return
        config = self._facts.presets[_VARIANTS_OF]
        size = tuple(config["size"])
        variants = {
            "half-size output, merge upsamples": None,
            "input-size output, merge upsamples": size,
            "frame-size output, merge only blends": FRAME,
        }
        for detail, enlarged in variants.items():
            yield from self._made("merge", _VARIANTS_OF, detail, config, (1,), enlarged, do="frame", frame=list(FRAME))

    def classes(self) -> Iterator[Case]:
        if not self._facts.presets:
            return
        config = self._facts.presets[_CLASSES_OF]
        for count in self._wishes.classes:
            yield from self._made("classes", _CLASSES_OF, str(count), {**config, "classes": count}, (1,))

    def _made(
        self,
        group: str,
        name: str,
        detail: str,
        config: Mapping[str, Any],
        threads: Sequence[int],
        enlarged: Sequence[int] | None = None,
        **work: Any,
    ) -> Iterator[Case]:
        """Yield the cases of a network that is made first, in each format that something here runs."""
        height, width = config["size"]
        for ending in self._wishes.convert:
            request = {"config": config, "enlarged": enlarged, "ending": ending}
            for way in self._ways(ending):
                if group in ("merge", "classes", "upsampling") and way.compiled:
                    continue
                for count in self._threads(way, threads):
                    told = _work(way, count, **work)
                    yield Case(group, name, detail, f"{width}x{height}", way.label, count, told, request)

    def _threads(self, way: _Way, threads: Sequence[int] | None = None) -> Sequence[int]:
        # A compiler takes half a minute for each network and number of threads.
        return (1,) if way.on_gpu or way.compiled else threads or self._wishes.threads

    def _ways(self, ending: str) -> Iterator[_Way]:
        for name, endings in self._facts.runtimes.items():
            if ending in endings:
                yield from self._torch() if name == "torch" else [_Way(name, name)]

    def _torch(self) -> Iterator[_Way]:
        facts, compiled = self._facts, self._wishes.compiled
        yield _Way("torch", "torch", {"device": "cpu"})
        if facts.compiler and compiled:
            yield _Way("torch compiled", "torch", {"device": "cpu", "compile": "inductor"})
        if not facts.gpu:
            return
        gpu = {"device": "cuda"}
        yield _Way("torch cuda", "torch", gpu)
        yield _Way("torch cuda fp16", "torch", {**gpu, "precision": "fp16"})
        if compiled:
            yield _Way("torch cuda fp16 compiled", "torch", {**gpu, "precision": "fp16", "compile": "inductor"})
        if compiled and facts.tensorrt:
            yield _Way("torch cuda fp16 tensorrt", "torch", {**gpu, "precision": "fp16", "compile": "tensorrt"})


def _work(way: _Way, threads: int, **more: Any) -> dict[str, Any]:
    return {"do": "network", "runtime": way.runtime, "options": dict(way.options), "threads": threads} | more


def _distinct(presets: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the presets that differ in more than their size, which is changed anyway."""
    found: dict[str, Mapping[str, Any]] = {}
    for name, config in presets.items():
        shape = {key: value for key, value in config.items() if key != "size"}
        if all(shape != {k: v for k, v in other.items() if k != "size"} for other in found.values()):
            found[name] = config
    return found
