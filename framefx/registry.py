"""What plugins are handed, and what they registered.

The extension rule: parameters before ``*`` are needs (`frame`, or the name of a layer), parameters after it are
options. The signature is the manifest; nothing is declared twice.

Three needs are the core's and no layer's: `frame`; `canvas`, a frame of the same size, index and time whose pixels
are undefined, for filters that draw a picture of their own; and `where`, the mask that the filter is limited to
(None for all), for filters that want to know it beforehand, as a blur without halo does.
"""

from __future__ import annotations

import importlib
import inspect
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

from framefx.errors import PlanError, PluginError, UnknownNameError, UsageError, did_you_mean
from framefx.frame import Frame, Size
from framefx.geometry import Geometry
from framefx.options import Options
from framefx.protocols import Backend, Model, Session
from framefx.signature import (
    CORE_NEEDS,
    Need,
    checked_call,
    checked_name,
    needs_of,
    refuse_core_needs,
    returned_kind,
)
from framefx.where import Where


@dataclass(frozen=True)
class Step:
    """A registered filter, geometry or layer: a function, or a class with state."""

    name: str
    plugin: str
    target: Callable[..., Any]
    needs: tuple[Need, ...]
    where: str = "all"
    kind: type | None = None
    resize: Callable[..., Size] | None = None

    @cached_property
    def stateful(self) -> bool:
        return inspect.isclass(self.target)

    @property
    def moves(self) -> bool:
        """Whether it is a geometry."""
        return self.kind is Geometry

    @property
    def reads_frame(self) -> bool:
        return any(need.name == "frame" for need in self.needs)

    @property
    def keeps_frames(self) -> bool:
        """Whether it may keep the frames it is handed, so that nobody may write to them later."""
        return self.stateful and self.reads_frame

    @property
    def layers(self) -> list[Need]:
        return [need for need in self.needs if need.name not in CORE_NEEDS]

    @cached_property
    def options(self) -> Options:
        return Options(self.name, self.target)

    @property
    def summary(self) -> str:
        """First line of its docstring."""
        return (inspect.getdoc(self.target) or "").partition("\n")[0]


@dataclass(frozen=True)
class Port:
    """A registered source or sink; `target` may be ``"module:Class"``, imported on first use."""

    name: str
    plugin: str
    target: str | Callable[..., Any]
    accepts: Callable[[str], bool]
    summary: str

    def load(self) -> Callable[..., Any]:
        """Return the class, importing its module now."""
        return _imported(self.target)

    def make(self, location: str, options: dict[str, Any], origin: str = "") -> Any:
        """Check `options` against the constructor and make the object; nothing is opened."""
        target = self.load()
        return target(location, **Options(self.name, target).check(options, origin))


@dataclass(frozen=True)
class Family:
    """A model family: `recognise` looks at a session's tensors and makes a model of it, or returns None."""

    name: str
    plugin: str
    recognise: Callable[[Session], Model | None]


@dataclass(frozen=True)
class Runtime:
    """A backend and the endings of the files it loads, without the dot; `target` as a port's."""

    name: str
    plugin: str
    target: str | Callable[..., Backend]
    suffixes: tuple[str, ...]

    def make(self, options: Mapping[str, Any] | None = None, origin: str = "") -> Backend:
        """Check `options` against the constructor and make the backend, importing its module now."""
        target = _imported(self.target)
        backend: Backend = target(**Options(self.name, target).check(options or {}, origin))
        return backend


@dataclass(frozen=True)
class Weights:
    """A network's file under the name that ``--model`` takes."""

    name: str
    plugin: str
    path: Path


def _imported(target: str | Callable[..., Any]) -> Callable[..., Any]:
    """Return what ``"module:Class"`` names, or `target` itself."""
    if not isinstance(target, str):
        return target
    module, _, name = target.partition(":")
    loaded: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return loaded


Entry = TypeVar("Entry", Step, Port, Family, Runtime, Weights)


class Table(Generic[Entry]):
    """Entries of one sort by name; a name that two plugins registered needs ``plugin/name``."""

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self._entries: defaultdict[str, list[Entry]] = defaultdict(list)

    def add(self, entry: Entry) -> None:
        """Add an entry; a plugin has each name once."""
        if any(known.plugin == entry.plugin for known in self._entries.get(entry.name, ())):
            raise PluginError(
                f"plugin '{entry.plugin}' registers the {self.noun} '{entry.name}' twice: give one another name"
            )
        self._entries[entry.name].append(entry)

    def __iter__(self) -> Iterator[Entry]:
        for name in sorted(self._entries):
            yield from self._entries[name]

    def __contains__(self, name: str) -> bool:
        return name.rpartition("/")[2] in self._entries

    @property
    def names(self) -> list[str]:
        return sorted(self._entries)

    def find(self, name: str, origin: str = "") -> Entry:
        """Return the entry called `name` or ``plugin/name``.

        Raises
        ------
        UnknownNameError
            When there is none (with the nearest name) or more than one (with both plugins).
        """
        at = f"{origin}: " if origin else ""
        plugin, _, bare = name.rpartition("/")
        entries = [e for e in self._entries.get(bare, []) if not plugin or e.plugin == plugin]
        if not entries:
            raise UnknownNameError(
                f"{at}there is no {self.noun} '{name}'.{did_you_mean(name, self.names)} "
                f"`framefx {self.noun}s` lists what is there"
            )
        if len(entries) > 1:
            choices = " or ".join(f"'{e.plugin}/{bare}'" for e in entries)
            raise UnknownNameError(f"{at}two plugins register the {self.noun} '{bare}': write {choices}")
        return entries[0]


class Registry:
    """Everything that is there to be used."""

    def __init__(self) -> None:
        self.filters: Table[Step] = Table("filter")
        self.layers: Table[Step] = Table("layer")
        self.sources: Table[Port] = Table("source")
        self.sinks: Table[Port] = Table("sink")
        self.families: Table[Family] = Table("model family")
        self.runtimes: Table[Runtime] = Table("backend")
        self.weights: Table[Weights] = Table("model")


def find_port(table: Table[Port], location: str, noun: str) -> tuple[Port, str]:
    """Return the source or sink that takes `location`, and the location without its kind.

    Raises
    ------
    UsageError
        When none does.
    """
    kind, colon, rest = location.partition(":")
    if colon and kind in table.names:
        return table.find(kind), rest
    for port in table:
        if port.accepts(location):
            return port, location
    kinds = ", ".join(table.names)
    raise UsageError(
        f"nothing can use {location!r} as a {noun}: name a file, a device or kind:LOCATION (kinds: {kinds}); "
        f"`framefx {noun}s` says what each takes"
    )


class Register:
    """What a plugin's `framefx_register` is handed: one method for each thing a plugin can add."""

    def __init__(self, registry: Registry, plugin: str) -> None:
        self._registry = registry
        self._plugin = plugin

    def filter(self, target: Callable[..., Frame] | type, *, where: str = "all", name: str | None = None) -> None:
        """Add a filter.

        Parameters
        ----------
        target : callable
            A function from its needs to a `Frame`, or a class with state whose `__call__` is one.
        where : str
            What it is limited to when the user does not say: a layer, ``not-LAYER``, a union ``a+b``, or ``all``.
        name : str, optional
            As users write it; the function's own by default.

        Raises
        ------
        PluginError
            When the signature does not follow the extension rule.
        """
        self._registry.filters.add(self._step(target, name, "filter", Frame, where=where))

    def geometry(
        self,
        target: Callable[..., Geometry] | type,
        *,
        name: str | None = None,
        size: Callable[..., Size] | None = None,
    ) -> None:
        """Add a filter that moves pixels: it returns a `Geometry`, and the core moves pixels, alpha and layers.

        Parameters
        ----------
        target : callable
            A function from its needs to a `Geometry`, or a class whose `__call__` is one.
        name : str, optional
            As users write it; the function's own by default.
        size : callable, optional
            ``size((height, width), **options) -> (height, width)``: the output's size, known before the first
            frame. By default the size does not change.
        """
        self._registry.filters.add(self._step(target, name, "geometry", Geometry, resize=size))

    def layer(self, target: Callable[..., Any] | type, *, name: str | None = None) -> None:
        """Add a layer made from `frame` or from other layers; its kind is the class its return annotation names."""
        self._registry.layers.add(self._step(target, name, "layer", None))

    def source(
        self, name: str, target: str | Callable[..., Any], *, accepts: Callable[[str], bool], summary: str
    ) -> None:
        """Add a source: a class (or ``"module:Class"``, imported on use) made with a location and options.

        `accepts` says whether a location given as ``--source`` is this source's; ``name:LOCATION`` always is.
        """
        self._registry.sources.add(Port(name, self._plugin, target, accepts, summary))

    def sink(
        self, name: str, target: str | Callable[..., Any], *, accepts: Callable[[str], bool], summary: str
    ) -> None:
        """Add a sink, as `source`."""
        self._registry.sinks.add(Port(name, self._plugin, target, accepts, summary))

    def family(self, name: str, recognise: Callable[[Session], Model | None]) -> None:
        """Add a model family: `recognise` makes a `Model` of a session whose tensors it knows, else None."""
        self._registry.families.add(Family(name, self._plugin, recognise))

    def backend(self, name: str, make: str | Callable[..., Backend], *, suffixes: tuple[str, ...]) -> None:
        """Add a runtime for files with one of `suffixes`: a class (or ``"module:Class"``, imported on use).

        Its keyword-only parameters are options that users give a model: ``model: {path: …, backend: NAME, …}``.
        """
        self._registry.runtimes.add(Runtime(name, self._plugin, make, suffixes))

    def weights(self, name: str, path: Path) -> None:
        """Add a network's file under a name for ``--model``."""
        self._registry.weights.add(Weights(name, self._plugin, path))

    def _step(
        self,
        target: Callable[..., Any] | type,
        name: str | None,
        noun: str,
        wanted: type | None,
        *,
        where: str = "all",
        resize: Callable[..., Size] | None = None,
    ) -> Step:
        who = f"plugin '{self._plugin}', {noun}"
        name = checked_name(target, name, who)
        who = f"{who} '{name}'"
        call = checked_call(target, who)
        needs = needs_of(call)
        kind = returned_kind(call, who, wanted)
        if noun == "layer":
            refuse_core_needs(needs, who)
        try:
            Options(name, target).check_types()
            Where.parse(where, who)
        except PlanError as error:
            raise PluginError(str(error)) from error
        except PluginError as error:
            raise PluginError(f"{who}: {str(error).removeprefix(f'{name}: ')}") from error
        return Step(name, self._plugin, target, needs, where=where, kind=kind, resize=resize)
