"""Finding plugins: built-ins, installed distributions (entry-point group ``framefx``) and single files.

Nothing else knows pluggy. A plugin that fails is named with its file and the fix, and the rest still runs.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import inspect
import logging
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pluggy

from framefx import hookspecs
from framefx.errors import FramefxError, PluginError, UnknownNameError, did_you_mean
from framefx.registry import Register, Registry

if TYPE_CHECKING:
    from framefx.plan import Plan
    from framefx.protocols import Observer

log = logging.getLogger(__name__)

hookimpl = pluggy.HookimplMarker("framefx")
"""Marks a plugin's implementation of a hook."""

GROUP = "framefx"

_HOOKS = ("framefx_register", "framefx_observe")

_DISABLED = "disabled"

BUILTINS = ("filters", "sources", "sinks", "models", "backends")
"""Modules ``framefx.NAME.builtin``; each is a plugin like any other, called ``framefx``."""


@dataclass(frozen=True)
class Origin:
    """Where a plugin came from."""

    name: str
    place: str
    problem: str = ""


class PluginManager:
    """The plugins of one run.

    Parameters
    ----------
    files : iterable of paths
        Python files to load as plugins (``--plugin FILE.py``).
    disabled : iterable of str
        Names of plugins to leave out; ``$FRAMEFX_DISABLE_PLUGINS`` (comma separated) adds to them.
    discover : bool
        Whether installed distributions are looked at. Tests say False.

    Attributes
    ----------
    registry : Registry
        What they registered.
    origins : list of Origin
        Every plugin found, with the problem of each that failed.
    """

    def __init__(
        self, *, files: Iterable[str | Path] = (), disabled: Iterable[str] = (), discover: bool = True
    ) -> None:
        self.registry = Registry()
        self.origins: list[Origin] = []
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(hookspecs)
        self._disabled = {*disabled, *filter(None, os.environ.get("FRAMEFX_DISABLE_PLUGINS", "").split(","))}
        for name in BUILTINS:
            module = importlib.import_module(f"framefx.{name}.builtin")
            self._add(module, "framefx", f"framefx.{name}.builtin")
        self.origins.append(Origin("framefx", "built in"))
        if discover:
            self._discover()
        for file in files:
            self._add_file(Path(file))

    def add(self, plugin: object, name: str) -> None:
        """Add a module or object with hook implementations; for tests and programs."""
        self._refuse_second(name)
        self._add(plugin, name, name)
        self.origins.append(Origin(name, "given by the program"))

    def observers(self, plan: Plan) -> list[Observer]:
        """Ask every plugin for its observer of a pipeline that is about to run `plan`."""
        found: list[Observer | None] = self._manager.hook.framefx_observe(plan=plan)
        return [observer for observer in found if observer is not None]

    @property
    def problems(self) -> list[Origin]:
        """The plugins that failed."""
        return [origin for origin in self.origins if origin.problem not in ("", _DISABLED)]

    def _discover(self) -> None:
        for entry in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda e: e.name):
            place = f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
            if entry.name in self._disabled:
                self.origins.append(Origin(entry.name, place, _DISABLED))
                continue
            self._try(entry.name, place, entry.load)

    def _add_file(self, file: Path) -> None:
        if not file.is_file():
            near = did_you_mean(file.name, [p.name for p in file.parent.glob("*.py")] if file.parent.is_dir() else [])
            raise UnknownNameError(f"there is no plugin file {file}.{near}")
        if file.stem in self._disabled:
            self.origins.append(Origin(file.stem, str(file), _DISABLED))
        elif not self._try(file.stem, str(file), lambda: _import_file(file)):
            # Asked for by name on the command line: going on without it would run something else.
            raise PluginError(self.origins[-1].problem)

    def _try(self, name: str, place: str, load: Any) -> bool:
        """Load and register one plugin from outside; on failure name it, its file and the fix, and go on."""
        problem = ""
        file = place
        try:
            plugin = load()
            file = getattr(plugin, "__file__", None) or place
            self._refuse_second(name)
            self._add(plugin, name, name)
        except (Exception, SystemExit) as error:
            # Whatever a plugin from outside does wrong, the others and the built-ins still run.
            what = str(error) if isinstance(error, FramefxError) else f"{type(error).__name__}: {error}"
            where = _last_file(error.__traceback__) or file
            problem = f"plugin '{name}' is left out: {what} (in {where}; --disable-plugin {name} silences this)"
            log.warning("%s", problem)
        self.origins.append(Origin(name, place, problem))
        return not problem

    def _refuse_second(self, name: str) -> None:
        first = next((o for o in self.origins if o.name == name and not o.problem), None)
        if first is not None:
            raise PluginError(f"another plugin is called '{name}' ({first.place}): rename one of them")

    def _add(self, plugin: object, name: str, key: str) -> None:
        functions = [getattr(plugin, hook, None) for hook in _HOOKS]
        if not any(functions):
            raise PluginError(
                f"plugin '{name}' implements no hook: write `@hookimpl` above `def framefx_register(register)`"
            )
        for hook, function in zip(_HOOKS, functions, strict=True):
            if function is not None and not hasattr(function, "framefx_impl"):
                raise PluginError(f"plugin '{name}': {hook} is not marked: write `@hookimpl` above it")
        # A plugin is looked at in a registry of its own first, so that one that fails half-way adds nothing.
        trial = Registry()
        self._call_register(plugin, Register(trial, name))
        self._manager.register(plugin, key)
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            # What stays would fail the check of every later plugin.
            self._manager.unregister(plugin)
            raise PluginError(f"{error}: the hooks are {', '.join(_HOOKS)}") from error
        _merge(trial, self.registry)

    def _call_register(self, plugin: object, register: Register) -> None:
        function = getattr(plugin, "framefx_register", None)
        if function is None:
            return
        arguments = [p for p in inspect.signature(function).parameters if p != "self"]
        if arguments not in (["register"], []):
            raise PluginError(f"framefx_register takes {arguments}, wanted (register)")
        function(*([register] if arguments else []))


def _merge(trial: Registry, registry: Registry) -> None:
    for name in ("filters", "layers", "sources", "sinks", "families", "runtimes", "weights"):
        for entry in getattr(trial, name):
            getattr(registry, name).add(entry)


def _import_file(file: Path) -> ModuleType:
    name = f"framefx_plugin_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise PluginError(f"{file} is no Python file: name it NAME.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _last_file(trace: Any) -> str | None:
    """Return ``file:line`` of the innermost frame outside framefx and Python's own import machinery."""
    place = None
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if "importlib" not in name and str(Path(__file__).parent) not in name and not name.startswith("<"):
            place = f"{name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
