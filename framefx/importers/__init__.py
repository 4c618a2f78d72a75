"""Configs of framefx's ancestors, turned into framefx configs with comments that explain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from framefx.errors import ConfigError


class _Plain(yaml.SafeDumper):
    """Writes what stands twice twice: nobody wants to read anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Plain.add_representer(tuple, lambda dumper, data: dumper.represent_sequence("tag:yaml.org,2002:seq", data, True))


@dataclass
class Imported:
    """A translated config: its values in order, a comment for some of them, and what could not be translated.

    `lines` says in which lines of the old file the parts of the new one stand.
    """

    values: dict[str, Any] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    lines: dict[tuple[str | int, ...], int] = field(default_factory=dict)

    def put(self, key: str, value: Any, comment: str = "") -> None:
        """Set a value and say why."""
        self.values[key] = value
        if comment:
            self.comments[key] = comment

    def text(self, origin: str) -> str:
        """Return the config as YAML with its comments."""
        lines = [f"# Made from {origin} by `framefx import`."]
        lines += [f"# Note: {note}" for note in self.notes]
        for key, value in self.values.items():
            lines += [f"# {line}" for line in self.comments.get(key, "").splitlines()]
            lines.append(
                yaml.dump({key: value}, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100).rstrip()
            )
        return "\n".join(lines) + "\n"


INI = frozenset({".ini", ".cfg", ".conf"})
"""Endings of Linux-Fake-Background-Webcam's configs."""


def is_foreign(values: Any) -> bool:
    """Whether a YAML document is a config of virtual_webcam_background."""
    keys = {"real_video_device", "virtual_video_device"}
    return isinstance(values, Mapping) and (bool(keys & values.keys()) or isinstance(values.get("layers"), list))


def import_file(path: Path) -> Imported:
    """Translate a config file of virtual_webcam_background (YAML) or Linux-Fake-Background-Webcam (INI).

    Raises
    ------
    ConfigError
        When it is neither.
    """
    from framefx.config import Document
    from framefx.importers import lfbw, vwb

    if path.suffix.lower() in INI:
        return lfbw.translate(path)
    try:
        document = Document(path)
    except ConfigError:
        if lfbw.looks_like(path):
            return lfbw.translate(path)
        raise
    if not is_foreign(document.values):
        if lfbw.looks_like(path):
            return lfbw.translate(path)
        raise ConfigError(
            f"{path}:1: this is no config of virtual_webcam_background (it has no real_video_device and no list of "
            "layers) nor of Linux-Fake-Background-Webcam: a framefx config needs no import, use --config"
        )
    return vwb.translate(document)
