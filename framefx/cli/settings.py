"""From parsed arguments to settings: the config file first, the command line over it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from framefx.chain import Chain
from framefx.config import Config, Settings
from framefx.errors import UsageError, did_you_mean
from framefx.job import Job
from framefx.plan import Plan
from framefx.plugins import PluginManager

_USUAL = "framefx.yaml"
"""The config file in the current folder that ``--profile`` means when no other is named."""


def make_job(options: argparse.Namespace, plugins: PluginManager | None = None) -> Job:
    """Return the job that the arguments describe.

    Raises
    ------
    UsageError
        For everything wrong in the arguments or the config file.
    """
    path = options.config or (_USUAL if options.profile and Path(_USUAL).is_file() else None)
    config = Config(Path(path), options.profile) if path else None
    if options.profile and config is None:
        raise UsageError(f"--profile needs the file that has the profile, and there is no {_USUAL}: add --config FILE")
    values: dict[str, Any] = config.settings.model_dump(exclude_unset=True) if config else {}
    given = _given(options)
    for name in ("source", "sink"):
        if name in given:
            given[name] = _port(values.get(name), given[name])
    if isinstance(given.get("mask"), dict):
        given["mask"] = {**values.get("mask", {}), **given["mask"]}
    if isinstance(given.get("layers"), dict):
        given["layers"] = {**values.get("layers", {}), **given["layers"]}
    for name in ("plugins", "disable_plugins"):
        if name in given:
            given[name] = [*values.get(name, []), *given[name]]
    if "chain" in given:
        values.pop("stack", None)  # the command line wins over the file
    values = {**values, **given}
    if extra := _model_options(options):
        models = values.get("model", Settings().model)
        values["model"] = [{**({"path": one} if isinstance(one, str) else one), **extra} for one in models]
    settings = _validate(values)
    return Job(settings, plugins, config=config if "chain" not in given else None)


def reread(job: Job, options: argparse.Namespace) -> Plan:
    """Return the plan that the config file says now, with the command line over it as before.

    Raises
    ------
    UsageError
        When the file is broken; the job is as it was then.
    """
    new = make_job(options, job.plugins)
    if new.config is None:
        raise UsageError("there is no config file to read again")
    return job.replan(new.settings, new.config)


def _port(old: Any, new: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(old, dict):
        return new
    if "device" in new:
        # Another place: the options of the old one need not fit it.
        return new
    return {**old, **new}


def _given(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that the command line names, and no others."""
    given: dict[str, Any] = {}
    for name in ("chain", "masks", "priority", "backend", "threads", "frames"):
        value = getattr(options, name, None)
        if value is not None:
            given[name] = value
    lists: dict[str, Any] = {"set": options.set, "model": options.model, "disable_plugins": options.disable_plugin}
    lists["plugins"] = [Path(file) for file in options.plugin]
    given |= {name: values for name, values in lists.items() if values}
    if options.layer:
        given["layers"] = {name: {"image": file} for name, file in pairs(options.layer, "--layer")}
    if options.mask:
        given["mask"] = mask_options(options.mask)
    if getattr(options, "always_on", False):
        given["always_on"] = True
    source = _port_values(options, "source", ("size", "rate"))
    if getattr(options, "camera_control", []):
        source["controls"] = ",".join(options.camera_control)
    sink = _port_values(options, "sink", ())
    return {**given, **({"source": source} if source else {}), **({"sink": sink} if sink else {})}


def _port_values(options: argparse.Namespace, name: str, extra: Sequence[str]) -> dict[str, Any]:
    values: dict[str, Any] = dict(pairs(getattr(options, f"{name}_option", []), f"--{name}-option"))
    for key in extra:
        if getattr(options, key, None) is not None:
            values[key] = getattr(options, key)
    location = getattr(options, name, None)
    if location is not None:
        values["device"] = location
    return values


def _model_options(options: argparse.Namespace) -> dict[str, Any]:
    """Return what the command line says about how every network is run."""
    found: dict[str, Any] = dict(pairs(options.model_option, "--model-option"))
    return found if options.device is None else {**found, "device": options.device}


def pairs(texts: Sequence[str], flag: str) -> list[tuple[str, str]]:
    """Split ``NAME=VALUE`` texts.

    Raises
    ------
    UsageError
        When one has no ``=``.
    """
    result = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"{flag} {text}: wanted NAME=VALUE")
        result.append((name.strip(), value))
    return result


def mask_options(text: str) -> dict[str, str]:
    """Parse ``feather=3:smooth=0.1`` with the chain's own syntax, so that quoting is the same everywhere."""
    calls = Chain.parse(f"mask={text}").calls
    if len(calls) > 1:
        raise UsageError(f"--mask {text}: options are separated by ':', as in feather=3:smooth=0.1")
    return dict(calls[0].options)


_FLAGS = {"layers": "--layer", "plugins": "--plugin", "disable_plugins": "--disable-plugin"}
"""Options of the command line that are not called as their key."""


def _validate(values: dict[str, Any]) -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        loc = [part for part in problem["loc"] if isinstance(part, str)]
        name = loc[0] if loc else "?"
        flag = _FLAGS.get(name, "--" + name.replace("_", "-"))
        inner = ".".join(loc[1:2])
        if problem["type"] == "extra_forbidden":
            from framefx.maskpipeline import MaskOptions

            known = sorted(MaskOptions.model_fields)
            raise UsageError(
                f"{flag} has no option '{inner}'.{did_you_mean(inner, known)} Its options: {', '.join(known)}"
            ) from error
        message = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        raise UsageError(
            f"{' '.join(filter(None, (flag, inner)))}: got {problem['input']!r}, wanted {message}"
        ) from error
