"""The zoo: published networks that `framefx models pull` fetches, and where those lie that were fetched.

`zoo.toml` names them. Only networks with a licence that its publisher states, at an address whose content does not
change, are in it; the hash decides, wherever the bytes came from.
"""

from __future__ import annotations

import functools
import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("zoo.toml")


@dataclass(frozen=True)
class Figures:
    """What was measured of a network.

    Attributes
    ----------
    layers : tuple of str
        What it gives.
    iou : float or None
        Mean overlap of its person with the truth on the evaluation pictures, 0 to 1; None where it finds no person.
    milliseconds : float or None
        Least processor time of one run on one thread.
    """

    layers: tuple[str, ...] = ()
    iou: float | None = None
    milliseconds: float | None = None


@dataclass(frozen=True)
class ZooModel:
    """A network that can be fetched.

    Attributes
    ----------
    name : str
        As users write it.
    file : str
        What its file is called here and on a mirror.
    summary : str
        What it is, in a few words.
    licence : str
        SPDX name.
    publisher : str
        Whose repository states that licence.
    source : str
        Where its publisher has it.
    sha256 : str
        Of the file, 64 hexadecimal digits.
    size : int
        Of the file, bytes.
    figures : Figures
    """

    name: str
    file: str
    summary: str
    licence: str
    publisher: str
    source: str
    sha256: str
    size: int
    figures: Figures

    @property
    def place(self) -> Path:
        """Where its file lies, or would."""
        return folder() / self.file


@functools.cache
def zoo() -> Mapping[str, ZooModel]:
    """Return the networks that can be fetched, by name."""
    return {
        one["name"]: ZooModel(**{key: one[key] for key in one.keys() - _MEASURED}, figures=_figures(one))
        for one in _registry()["model"]
    }


@functools.cache
def shipped() -> Mapping[str, Figures]:
    """Return what was measured of the networks that come with framefx, by name."""
    return {one["name"]: _figures(one) for one in _registry()["shipped"]}


def evaluated_on() -> str:
    """Return on what the registry's figures were measured, in words."""
    return str(_registry()["measured"])


def folder() -> Path:
    """Return the folder of fetched networks: ``$FRAMEFX_MODELS_DIR``, or where this system keeps a user's data."""
    if chosen := os.environ.get("FRAMEFX_MODELS_DIR"):
        return Path(chosen)
    if sys.platform == "win32":
        data = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        data = Path.home() / "Library" / "Application Support"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return data / "framefx" / "models"


_MEASURED = {"layers", "iou", "ms"}


def _figures(one: Mapping[str, object]) -> Figures:
    layers, iou, milliseconds = one.get("layers", ()), one.get("iou"), one.get("ms")
    return Figures(
        tuple(map(str, layers)) if isinstance(layers, list) else (),
        float(iou) if isinstance(iou, float | int) else None,
        float(milliseconds) if isinstance(milliseconds, float | int) else None,
    )


@functools.cache
def _registry() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))
