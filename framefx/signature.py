"""Reading signatures: the extension rule, and what a plugin is told that does not follow it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from framefx.errors import PluginError
from framefx.options import resolve_annotation

RESERVED = frozenset({"where", "frame", "all", "canvas"})

CORE_NEEDS = frozenset({"frame", "canvas", "where"})

_NAME = re.compile(r"[A-Za-z_][\w-]*")


@dataclass(frozen=True)
class Need:
    """One parameter before the ``*``: `frame`, or a layer's name; `kind` is the class its annotation names, if any."""

    name: str
    optional: bool
    kind: type | None


def checked_name(target: Any, name: str | None, who: str) -> str:
    """Return the name to register `target` under: the given one, or its own."""
    if not callable(target):
        raise PluginError(f"{who}: got {type(target).__name__}, wanted a function or a class")
    own = getattr(target, "__name__", None)
    if name is None and own is None:
        raise PluginError(f"{who}: a {type(target).__name__} has no name of its own: give it one with name=")
    name = name or _snake(str(own))
    if name in RESERVED:
        raise PluginError(f"{who} '{name}': the name is reserved: choose another")
    if not _NAME.fullmatch(name):
        raise PluginError(f"{who} '{name}': a name is made of letters, digits, _ and -: give one with name=")
    return name


def checked_call(target: Any, who: str) -> Callable[..., Any]:
    """Return what is called for each frame: the function, or the `__call__` of a class."""
    if inspect.isclass(target) and "__call__" not in dir(target):
        raise PluginError(f"{who}: the class has no __call__: write `def __call__(self, frame: Frame) -> Frame`")
    call: Callable[..., Any] = target.__call__ if inspect.isclass(target) else target
    _check_parameters(target, call, who)
    return call


def needs_of(call: Callable[..., Any]) -> tuple[Need, ...]:
    """Return what stands before the ``*``."""
    return tuple(_need(parameter, call) for parameter in _positional(call))


def refuse_core_needs(needs: Sequence[Need], who: str) -> None:
    """Raise where a layer needs what only filters have."""
    for need in needs:
        if need.name in CORE_NEEDS - {"frame"}:
            raise PluginError(f"{who}: a layer has no '{need.name}': filters alone do")


def _positional(call: Callable[..., Any]) -> list[inspect.Parameter]:
    parameters = [p for p in inspect.signature(call).parameters.values() if p.name != "self"]
    return [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def _refuse_stars(call: Callable[..., Any], who: str) -> None:
    for parameter in inspect.signature(call).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise PluginError(f"{who}: *{parameter.name} says nothing about needs or options: name each of them")


def _check_parameters(target: Any, call: Callable[..., Any], who: str) -> None:
    _refuse_stars(call, who)
    for parameter in inspect.signature(call).parameters.values():
        if inspect.isclass(target) and parameter.kind is parameter.KEYWORD_ONLY:
            raise PluginError(f"{who}: option '{parameter.name}' belongs into the constructor, not into __call__")
        if parameter.name in RESERVED and parameter.kind is parameter.KEYWORD_ONLY:
            raise PluginError(f"{who}: the option name '{parameter.name}' is reserved: choose another")
    for parameter in _positional(call):
        if parameter.default not in (parameter.empty, None):
            raise PluginError(
                f"{who}: '{parameter.name}' stands before the * and so is a layer it needs: "
                f"put the * before it to make it an option"
            )
    if inspect.isclass(target):
        _check_constructor(target, who)


def _check_constructor(target: Any, who: str) -> None:
    if target.__init__ is object.__init__:
        return
    _refuse_stars(target, who)
    for parameter in inspect.signature(target).parameters.values():
        if parameter.name in RESERVED:
            raise PluginError(f"{who}: the option name '{parameter.name}' is reserved: choose another")
    if _positional(target):
        name = _positional(target)[0].name
        raise PluginError(f"{who}: constructor parameter '{name}' must stand after a *: it is an option")


def _need(parameter: inspect.Parameter, call: Callable[..., Any]) -> Need:
    kind: type | None = None
    try:
        # A need's name always counts; an annotation that only the type checker sees just is not checked.
        annotation = resolve_annotation(parameter.annotation, call)
        classes = [a for a in (get_args(annotation) or (annotation,)) if isinstance(a, type) and a is not type(None)]
        kind = classes[0] if classes and classes[0] is not inspect.Parameter.empty else None
    except NameError:
        pass
    return Need(parameter.name, parameter.default is None, kind)


def returned_kind(call: Callable[..., Any], who: str, wanted: type | None) -> type | None:
    """Return the class that `call` says it returns; `wanted` where it says nothing."""
    annotation = inspect.signature(call).return_annotation
    if annotation is inspect.Signature.empty:
        if wanted is None:
            raise PluginError(f"{who}: its return annotation says the layer's kind: write `-> Mask`")
        return wanted
    try:
        kind = resolve_annotation(annotation, call)
    except NameError as error:
        if wanted is None:
            raise PluginError(f"{who}: its return type is not known at run time ({error})") from error
        return wanted
    if wanted is not None and kind is not wanted:
        raise PluginError(f"{who}: it returns {getattr(kind, '__name__', kind)}, wanted {wanted.__name__}")
    if not isinstance(kind, type):
        raise PluginError(f"{who}: its return annotation {kind!r} is no layer kind: write `-> Mask`")
    return kind


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))
