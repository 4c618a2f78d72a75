"""From settings to a running pipeline: choosing source and sink, loading models, making the plan."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from framefx.chain import Chain
from framefx.config import Config, ModelSettings, Settings, StackEntry
from framefx.errors import ChainSyntaxError, MediaError, UsageError
from framefx.layers import LoadedModel
from framefx.mask import Mask
from framefx.override import override
from framefx.pipeline import Pipeline, Report
from framefx.plan import Plan
from framefx.plugins import PluginManager
from framefx.registry import find_port
from framefx.stack import Entry, Stack
from framefx.stamps import Stamp, stamp

if TYPE_CHECKING:
    from framefx.maskpipeline import MaskPipeline
    from framefx.protocols import Model, Observer, Sink, Source

log = logging.getLogger(__name__)

DEMO_FRAMES = 300

_KEEP_AUDIO = {".mp4", ".m4v", ".mkv", ".mov"}
"""Containers that take nearly every audio codec as it is; WebM and GIF do not."""

_PRIORITIES: Mapping[str, Mapping[str, Any]] = {
    "latency": {"masks": "async", "mask_rate": 0.0, "threads": 2},
    "balanced": {"masks": "sync", "mask_rate": 0.0, "threads": 1},
    "cpu": {"masks": "async", "mask_rate": 15.0, "threads": 1},
}


class Job:
    """Everything one run needs, made from settings; nothing is opened before `pipeline().run()`.

    Parameters
    ----------
    settings : Settings
        What to do.
    plugins : PluginManager, optional
        Made from the settings when missing.
    config : Config, optional
        The file the settings came from, for the places in error messages.

    Attributes
    ----------
    masks, mask_rate, threads
        What was set, or what `priority` chose.
    notes : list of str
        What the user should be told in a line each, for example that the demo clip is used.
    """

    def __init__(self, settings: Settings, plugins: PluginManager | None = None, config: Config | None = None) -> None:
        self.settings = settings
        self.config = config
        self.plugins = plugins or PluginManager(files=settings.plugins, disabled=settings.disable_plugins)
        self.notes: list[str] = []
        self._chosen: tuple[str, str] | None = None
        self._given: tuple[Source | None, Sink | None] = None, None
        self._loaded: dict[str, Model] = {}
        self.frames = settings.frames
        chosen = _PRIORITIES[settings.priority]
        self.masks = settings.masks or chosen["masks"]
        self.mask_rate: float = chosen["mask_rate"] if settings.mask_rate is None else settings.mask_rate
        self.threads: int = settings.threads or chosen["threads"]

    def stack(self) -> Stack:
        """Return what the settings ask for: a stack, or a chain as a stack of one.

        Raises
        ------
        UsageError
            When there is neither or both, or a chain does not parse.
        """
        chain, stack = self.settings.chain, self.settings.stack
        if chain is not None and stack is not None:
            raise UsageError(
                f"{self._place('stack')}chain and stack are both given: a stack's pictures have chains of their own"
            )
        if stack is not None:
            entries = Stack(tuple(self._entry(entry, number) for number, entry in enumerate(stack)))
        elif chain is not None:
            entries = Stack.of(self._chain(chain, "chain"))
        else:
            raise UsageError(f"{self._place()}no chain: say what to do with --chain, for example --chain blur")
        return override(entries, self.settings.set)

    def _entry(self, entry: StackEntry, number: int) -> Entry:
        origin = f"{self._place('stack', number)}stack entry {number + 1}"
        chain = self._chain(entry.chain, "stack", number, "chain") if entry.chain else Chain()
        source = entry.source
        here = self.config.base / source if self.config is not None else None
        if here is not None and (here.is_file() or ("/" in source and here.is_dir())):
            source = str(here)
        return Entry(source, chain, entry.opacity, entry.blend, entry.position, entry.size, entry.rate, origin)

    def _chain(self, steps: str | Sequence[Any], *key: str | int) -> Chain:
        base = self.config.base if self.config else None
        if isinstance(steps, str):
            try:
                return Chain.parse(steps, f"{self._place(*key)}chain" if self.config else "--chain", base)
            except ChainSyntaxError as error:
                raise ChainSyntaxError(self._place(*key) + error.message, error.text, error.position) from error
        return Chain.from_config(steps, lambda i: f"{self._place(*key, i)}chain step {i + 1}", base)

    def _place(self, *key: str | int) -> str:
        return f"{self.config.place(*key)}: " if self.config else ""

    def plan(self) -> Plan:
        """Make the plan; every error that can be found before a device opens is found here."""
        return Plan(
            self.stack(),
            self.plugins.registry,
            load_models=self._load_models,
            given={name: _mask_of(picture.image) for name, picture in self.settings.layers.items()},
            post=self._mask_pipeline,
            given_post=self._given_pipeline(),
        )

    @cached_property
    def _mask_pipeline(self) -> MaskPipeline:
        from framefx.maskpipeline import MaskPipeline

        return MaskPipeline(self.settings.mask)

    def _given_pipeline(self) -> MaskPipeline | None:
        """Return a pipeline of only what the user asked for: a drawn mask already is as it should be."""
        from framefx.maskpipeline import MaskOptions, MaskPipeline

        asked = {name: getattr(self.settings.mask, name) for name in self.settings.mask.model_fields_set}
        if not asked.keys() - {"every", "max_age", "roi"}:
            return None
        return MaskPipeline(MaskOptions.model_validate({"range": (0, 1), "smooth": 0, **asked}))

    def _load_models(self) -> Sequence[LoadedModel]:
        chosen = [ModelSettings(path=one) if isinstance(one, str) else one for one in self.settings.model]
        return [self._looking(LoadedModel(one.path, self._model(one))) for one in chosen]

    def _looking(self, loaded: LoadedModel) -> LoadedModel:
        """Tell a model which pictures to look at, and at which part of them."""
        from framefx.gate import MotionGate
        from framefx.roi import RegionOfInterest

        mask = self.settings.mask
        loaded.gate = MotionGate(mask.every) if mask.every > 1 else None
        loaded.region = RegionOfInterest() if mask.roi else None
        return loaded

    def _model(self, chosen: ModelSettings) -> Model:
        from framefx.models.loading import find, load

        key = chosen.model_dump_json()
        if key not in self._loaded:
            self._loaded[key] = load(
                find(chosen.path, self.plugins.registry.weights),
                self.plugins.registry,
                backend=chosen.backend or self.settings.backend,
                threads=chosen.threads or self.threads,
                options=chosen.options,
            )
        return self._loaded[key]

    def check(self) -> None:
        """Find every error that can be found before anything opens; what ``auto`` will be is known when it runs.

        Raises
        ------
        UsageError
            The first one.
        """
        if self.settings.chain is not None or self.settings.stack is not None:
            self.plan().close()
        registry, settings = self.plugins.registry, self.settings
        for noun, table, port in (
            ("source", registry.sources, settings.source),
            ("sink", registry.sinks, settings.sink),
        ):
            if port.location != "auto":
                found, rest = find_port(table, port.location, noun)
                found.make(rest, port.options, self._place(noun).removesuffix(": "))

    def replan(self, settings: Settings, config: Config) -> Plan:
        """Make the plan of changed settings; models and the mask pipeline go on where they did not change.

        Raises
        ------
        UsageError
            When something is wrong in them; nothing has changed then.
        """
        job = Job(settings, self.plugins, config)
        if (settings.backend, job.threads) == (self.settings.backend, self.threads):
            job._loaded = self._loaded
        if settings.mask == self.settings.mask:
            job._mask_pipeline = self._mask_pipeline
        plan = job.plan()
        self.settings, self.config, self.threads = settings, config, job.threads
        self._loaded, self._mask_pipeline = job._loaded, job._mask_pipeline
        return plan

    def files(self, plan: Plan) -> dict[Path, Stamp]:
        """Return the files that the settings name, to be watched: those of `plan`, made of them, and layer pictures."""
        pictures = [picture.image for picture in self.settings.layers.values()]
        return {**{path: stamp(path) for path in pictures}, **plan.files}

    def source(self) -> Source:
        """Make the source."""
        at, _ = self._locations()
        port, rest = find_port(self.plugins.registry.sources, at, "source")
        source: Source = port.make(rest, self.settings.source.options, self._place("source").removesuffix(": "))
        return source

    def sink(self) -> Sink:
        """Make the sink; a video gets the audio of the video it is made from.

        Raises
        ------
        UsageError
            When it would overwrite the source.
        """
        source_at, at = self._locations()
        port, rest = find_port(self.plugins.registry.sinks, at, "sink")
        if source_at:
            source_at = find_port(self.plugins.registry.sources, source_at, "source")[1]
            _refuse_overwriting(source_at, rest)
        options = dict(self.settings.sink.options)
        if port.name == "video" and Path(source_at).is_file() and Path(at).suffix.lower() in _KEEP_AUDIO:
            options.setdefault("audio_from", source_at)
        sink: Sink = port.make(rest, options, self._place("sink").removesuffix(": "))
        return sink

    @property
    def sink_location(self) -> str:
        """Where the frames go: a file's name, a device."""
        return self._locations()[1]

    def _locations(self) -> tuple[str, str]:
        from framefx.auto import choose

        if self._chosen is None:
            # Where an object was given there is nothing to choose.
            wanted = "" if self._given[0] is not None else self.settings.source.location
            source, sink, self.notes = choose(wanted, "" if self._given[1] is not None else self.settings.sink.location)
            if wanted == "auto" and source == "demo" and self.frames is None:
                self.frames = DEMO_FRAMES
            self._chosen = source, sink
        return self._chosen

    def pipeline(
        self, source: Source | None = None, sink: Sink | None = None, observers: Sequence[Observer] = ()
    ) -> Pipeline:
        """Make the plan, and source and sink where none is given, and the pipeline between them."""
        plan = self.plan()
        self._given = source, sink
        return Pipeline(
            self.source() if source is None else source,
            plan,
            self.sink() if sink is None else sink,
            masks=self.masks,
            mask_rate=self.mask_rate,
            max_age=self.settings.mask.max_age,
            on_demand=not self.settings.always_on,
            frames=self.frames,
            observers=[*observers, *self.plugins.observers(plan)],
        )


def run(
    source: str | Path | Source,
    sink: str | Path | Sink,
    chain: str | Chain,
    *,
    observers: Sequence[Observer] = (),
    plugins: PluginManager | None = None,
    **settings: Any,
) -> Report:
    """Run a chain from a source to a sink.

    Parameters
    ----------
    source, sink : str or object
        What ``--source`` and ``--sink`` take, or an object that is a `Source` or `Sink`.
    chain : str or Chain
        As ``--chain``.
    observers : sequence of Observer
        Told about every step.
    **settings
        Any key of a config file: ``model="selfie.tflite"``, ``mask={"feather": 3}``, ``frames=30``.

    Returns
    -------
    Report
        Counts of what was done.

    Examples
    --------
    >>> import framefx
    >>> framefx.run("holiday.mp4", "blurred.mp4", "blur")  # doctest: +SKIP
    Report(read=250, sent=250, dropped=0, cards=0, repeated=0, stopped=False)
    """
    if isinstance(source, str | Path):
        settings["source"] = str(source)
    if isinstance(sink, str | Path):
        settings["sink"] = str(sink)
    job = Job(_validated({**settings, "chain": str(chain)}), plugins)
    given_source = None if isinstance(source, str | Path) else source
    given_sink = None if isinstance(sink, str | Path) else sink
    return job.pipeline(given_source, given_sink, observers).run()


def _validated(values: Mapping[str, Any]) -> Settings:
    from pydantic import ValidationError

    try:
        return Settings.model_validate(dict(values))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        name = ".".join(map(str, problem["loc"]))
        raise UsageError(f"{name} is {problem['input']!r}: {problem['msg']}") from error


def _refuse_overwriting(source: str, sink: str) -> None:
    try:
        same = Path(source).exists() and Path(sink).exists() and Path(source).samefile(sink)
    except OSError:
        same = False
    if same and Path(source).is_file():
        raise UsageError(f"--sink {sink} is the --source: give the output another name, nothing was touched")


def _mask_of(path: Path) -> Mask:
    import cv2

    data = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) if path.is_file() else None
    if data is None:
        what = "is no picture that can be read" if path.exists() else "is not there"
        raise MediaError(f"the layer picture {path} {what}: give a PNG, white inside and black outside")
    return Mask(np.asarray(data, np.uint8), (data.shape[0], data.shape[1]))
