"""The chain the user asked for, in FFmpeg's filterchain syntax.

    blur=12,replace=image=beach.jpg:fit=cover,color@warm=saturation=1.2

Steps are separated by commas, options by colons. The first option may be given without its name. ``@name``
labels a step. Quoting and escaping are FFmpeg's: everything between two ``'`` is literal, elsewhere ``\\`` makes
the next character literal. Every error knows its position, for the caret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from framefx.errors import ChainSyntaxError, ConfigError

POSITIONAL = ""
"""Key under which a step keeps the option that was given without a name."""

_NAME = re.compile(r"[A-Za-z_][\w-]*(/[A-Za-z_][\w-]*)?")
_KEY = re.compile(r"\s*([A-Za-z_][\w-]*)\s*=")


@dataclass(frozen=True)
class Call:
    """One step as written: a filter's name, its options, and where it stood.

    `options` maps names to what was written (text from a chain, any YAML value from a config file); the filter's
    signature converts and checks it later. `origin` says where the step was written, for error messages; `base`
    is the folder that paths in it are relative to. `changed` names the options that ``--set`` gave it.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    label: str | None = None
    origin: str = field(default="", compare=False)
    base: Path | None = field(default=None, compare=False)
    changed: tuple[str, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        head = self.name + (f"@{self.label}" if self.label else "")
        pairs = [_escape(v) if k == POSITIONAL else f"{k}={_escape(v)}" for k, v in self.options.items()]
        return head + ("=" + ":".join(pairs) if pairs else "")


@dataclass(frozen=True)
class Chain:
    """The ordered steps the user asked for. ``Chain.parse(str(chain)) == chain`` for a chain of text options."""

    calls: tuple[Call, ...] = ()

    @classmethod
    def parse(cls, text: str, origin: str = "--chain", base: Path | None = None) -> Chain:
        """Parse FFmpeg's filterchain syntax.

        Parameters
        ----------
        text : str
            The chain.
        origin : str
            Where it was written, for error messages.
        base : Path, optional
            Folder that paths in it are relative to.

        Raises
        ------
        ChainSyntaxError
            With the position of the first thing that does not fit.
        """
        return cls(tuple(_calls(text, origin, base)))

    @classmethod
    def from_config(
        cls, steps: Sequence[Any], origin: Callable[[int], str] | None = None, base: Path | None = None
    ) -> Chain:
        """Make a chain of a config file's list: names, ``{name: {option: value}}`` or ``{name: first option}``.

        Parameters
        ----------
        steps : sequence
            The list as YAML gives it.
        origin : callable, optional
            Says where step ``i``, counted from 0, was written.
        base : Path, optional
            Folder of the config file.

        Raises
        ------
        ConfigError
            For anything else; the message names the entry.
        """
        where = origin or (lambda i: f"chain: step {i + 1}")
        return cls(tuple(_from_entry(entry, where(i), base) for i, entry in enumerate(steps)))

    def __str__(self) -> str:
        return ",".join(map(str, self.calls))

    def __iter__(self) -> Iterator[Call]:
        return iter(self.calls)

    def __len__(self) -> int:
        return len(self.calls)


def _from_entry(entry: Any, origin: str, base: Path | None) -> Call:
    if isinstance(entry, str):
        entry = {entry: None}
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise ConfigError(f"{origin}: a step is {entry!r}, wanted a filter's name or 'name: {{option: value}}'")
    [(head, options)] = entry.items()
    match = re.fullmatch(rf"({_NAME.pattern})(?:@([\w-]+))?", str(head))
    if not match:
        raise ConfigError(f"{origin}: a step is named {head!r}, wanted NAME or NAME@LABEL")
    if options is None:
        options = {}
    elif not isinstance(options, Mapping):
        options = {POSITIONAL: options}
    return Call(match[1], {str(k): v for k, v in options.items()}, match[3], origin, base)


def _calls(text: str, origin: str, base: Path | None) -> Iterator[Call]:
    if not text.strip():
        raise ChainSyntaxError("the chain is empty: name at least one filter, `framefx filters` lists them", text, 0)
    position = 0
    while True:
        call, position, start = _call(text, position)
        yield replace(call, origin=f"{origin}, column {start + 1}", base=base)
        if position == len(text):
            return
        position += 1  # the comma


def _call(text: str, position: int) -> tuple[Call, int, int]:
    start = _skip_blank(text, position)
    match = _NAME.match(text, start)
    if not match:
        found = f"'{text[start]}'" if start < len(text) else "the end"
        raise ChainSyntaxError(f"a filter's name should stand here, not {found}", text, start)
    name, position = match[0], match.end()
    label = None
    if text[position : position + 1] == "@":
        found_label = re.compile(r"[\w-]+").match(text, position + 1)
        if not found_label:
            raise ChainSyntaxError("a label should follow '@'", text, position + 1)
        label, position = found_label[0], found_label.end()
    position = _skip_blank(text, position)
    options: dict[str, str] = {}
    if text[position : position + 1] == "=":
        options, position = _options(text, position + 1)
    if position < len(text) and text[position] != ",":
        raise ChainSyntaxError(f"',' or '=' should follow {name}, not '{text[position]}'", text, position)
    return Call(name, options, label), position, start


def _options(text: str, position: int) -> tuple[dict[str, str], int]:
    options: dict[str, str] = {}
    while True:
        start = position
        match = _KEY.match(text, position)
        if match:
            key, position = match[1], match.end()
        elif options:
            raise ChainSyntaxError("only the first option may stand without its name: write name=value", text, start)
        else:
            key = POSITIONAL
        if key in options:
            raise ChainSyntaxError(f"option '{key}' is given twice", text, start)
        options[key], position = _value(text, position)
        if position == len(text) or text[position] == ",":
            return options, position
        position += 1  # the colon


def _value(text: str, position: int) -> tuple[str, int]:
    out: list[str] = []
    start = position
    while position < len(text) and text[position] not in ",:":
        if text[position] == "\\":
            if position + 1 == len(text):
                raise ChainSyntaxError("nothing follows the backslash: write \\\\ for a backslash", text, position)
            out.append(text[position + 1])
            position += 2
        elif text[position] == "'":
            end = text.find("'", position + 1)
            if end < 0:
                raise ChainSyntaxError("this quote is never closed", text, position)
            out.append(text[position + 1 : end])
            position = end + 1
        else:
            out.append(text[position])
            position += 1
    value = "".join(out)
    if position == start:
        raise ChainSyntaxError("a value is missing here; write '' for an empty one", text, position)
    return (value if "'" in text[start:position] or "\\" in text[start:position] else value.strip()), position


def _skip_blank(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _escape(value: Any) -> str:
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    if text and re.fullmatch(r"[^\s,:'\\=][^,:'\\=]*(?<!\s)|[^\s,:'\\=]", text):
        return text
    return "'" + text.replace("'", r"'\''") + "'"
