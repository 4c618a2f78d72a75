"""Linux-Fake-Background-Webcam's INI file: its keys are its long options, its effects are comma lists."""

from __future__ import annotations

import configparser
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from framefx.errors import ConfigError, did_you_mean
from framefx.importers import Imported

_KNOWN = {
    "width": "1280", "height": "720", "fps": "30", "codec": "MJPG", "webcam-path": "/dev/video0",
    "v4l2loopback-path": "/dev/video2", "selfie": "", "background": "file=background.jpg", "mask": "",
    "no-ondemand": "false", "use-sigmoid": "false", "threshold": "75", "no-postprocess": "false",
    "select-model": "1", "dump": "false", "config": "",
}  # fmt: skip
_FLAGS = ("no", "hologram", "tile", "crop")
_ORDER = ("hologram", "blur", "solid", "cmap", "brightness")
"""It applies effects in this order, whatever the order in which they are written."""


def looks_like(path: Path) -> bool:
    """Whether a file has at least one of its keys, written as INI."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return any(re.search(rf"(?m)^\s*{key}\s*=", text) for key in _KNOWN)


def translate(path: Path) -> Imported:
    """Translate a file.

    Raises
    ------
    ConfigError
        With file and line, for keys and effects that it does not know either.
    """
    values = {**_KNOWN, **_read(path)}
    result = Imported()
    size = f"{_whole(path, values, 'width')}x{_whole(path, values, 'height')}"
    source = {"device": values["webcam-path"], "size": size, "rate": _whole(path, values, "fps")}
    result.put("source", {**source, "format": values["codec"]})
    result.put("sink", {"device": values["v4l2loopback-path"]})
    result.put("model", "blazeseg", "framefx's own network; select-model did nothing there")
    background = _effects(path, "background", values["background"])
    result.put("mask", _mask(path, values, background), "smooth: seconds, for mask-update-speed")
    chain = _background(background) + _steps(_effects(path, "selfie", values["selfie"]), "person")
    selfie = _effects(path, "selfie", values["selfie"])
    if "opacity" in selfie:
        result.notes.append("selfie opacity: write a stack with `source: person` and `opacity`, see docs")
    chain += _overlay(_effects(path, "mask", values["mask"]))
    result.put("chain", chain or ["blur"], "effects in the order in which they were applied there")
    return result


def _read(path: Path) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None, comment_prefixes=(";", "#"), delimiters=("=", ":"))
    try:
        text = path.read_text(encoding="utf-8")
        # configargparse's files need no section.
        parser.read_string(text if re.search(r"(?m)^\s*\[", text) else "[framefx]\n" + text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except configparser.Error as error:
        raise ConfigError(f"{path}: this is no INI file: {str(error).partition(chr(10))[0]}") from error
    values = {key: value for section in parser.sections() for key, value in parser.items(section)}
    for key in values:
        if key not in _KNOWN:
            raise ConfigError(f"{path}:{_line(text, key)}: unknown key '{key}'.{did_you_mean(key, _KNOWN)}")
    return values


def _line(text: str, key: str) -> int:
    match = re.search(rf"(?m)^\s*{re.escape(key)}\s*[=:]", text)
    return text.count("\n", 0, match.end()) + 1 if match else 1


def _whole(path: Path, values: dict[str, str], key: str) -> int:
    try:
        return int(values[key])
    except ValueError:
        raise ConfigError(f"{path}: {key} is {values[key]!r}, wanted a whole number") from None


def _effects(path: Path, key: str, text: str) -> dict[str, str]:
    """Split ``file=a.jpg,blur=20,hologram``; a comma belongs to a value until the next word with ``=`` or a flag."""
    effects: dict[str, str] = {}
    last = ""
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, equals, value = part.partition("=")
        if equals:
            effects[name], last = value, name
        elif part in _FLAGS:
            effects[part], last = "", part
        elif last == "solid":
            effects[last] += f",{part}"
        else:
            raise ConfigError(f"{path}: {key}: unknown effect '{part}'.{did_you_mean(part, (*_FLAGS, *_ORDER))}")
    known = {*_FLAGS, *_ORDER, "file", "mask-update-speed", "foreground", "mask-file", "opacity"}
    unknown = [name for name in effects if name not in known]
    if unknown:
        raise ConfigError(f"{path}: {key}: unknown effect '{unknown[0]}'.{did_you_mean(unknown[0], known)}")
    return effects


def _mask(path: Path, values: dict[str, str], background: dict[str, str]) -> dict[str, Any]:
    threshold = _whole(path, values, "threshold") / 100
    # Its mask is cut, blurred, and cut again at the threshold; the last cut is what counts.
    mask: dict[str, Any] = {"range": [max(0.0, threshold - 0.2), min(1.0, threshold + 0.2)]}
    speed = min(99, max(1, int(background.get("mask-update-speed", "50")))) / 100
    mask["smooth"] = round(-1 / max(1, _whole(path, values, "fps")) / math.log(1 - speed), 4)
    if values["no-postprocess"].lower() not in ("true", "yes", "1"):
        mask.update(dilate=2.5, feather=5)
    return mask


def _background(effects: dict[str, str]) -> list[Any]:
    steps: list[Any] = []
    if "no" not in effects and "file" in effects:
        fit = "tile" if "tile" in effects else "cover" if "crop" in effects else "stretch"
        kind = "video" if Path(effects["file"]).suffix.lower() in _VIDEOS else "image"
        steps.append({"replace": {kind: effects["file"], "fit": fit}})
    return steps + _steps(effects, "background")


_VIDEOS = {".mp4", ".mkv", ".mov", ".webm", ".avi", ".gif", ".m4v"}


def _steps(effects: dict[str, str], where: str) -> list[Any]:
    return [{name: {**options, "where": where}} for name, options in _plain(effects)]


def _plain(effects: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
    return [_MAKE[name](effects[name]) for name in _ORDER if name in effects]


def _gaussian(value: str) -> tuple[str, dict[str, Any]]:
    kernel = int(min(100, max(0, int(value or 90))) / 100 * 99) + 1
    kernel += 1 - kernel % 2
    return "blur", {"radius": round(0.3 * ((kernel - 1) * 0.5 - 1) + 0.8, 2)}


def _solid(value: str) -> tuple[str, dict[str, Any]]:
    blue, green, red = (int(part) for part in value.split(","))
    return "replace", {"color": f"#{red:02x}{green:02x}{blue:02x}"}


_MAKE: dict[str, Callable[[str], tuple[str, dict[str, Any]]]] = {
    "hologram": lambda value: ("hologram", {}),
    "blur": _gaussian,
    "solid": _solid,
    "cmap": lambda value: ("color_map", {"map": value}),
    "brightness": lambda value: ("brightness", {"gain": min(200, max(0, int(value or 100))) / 100}),
}


def _overlay(effects: dict[str, str]) -> list[Any]:
    picture = effects.get("foreground") or effects.get("file")
    if not picture or "no" in effects:
        return []
    options: dict[str, Any] = {"image": picture, "fit": "stretch"}
    if "mask-file" in effects:
        options["mask"] = effects["mask-file"]
    if "opacity" in effects:
        options["opacity"] = min(100, max(0, int(effects["opacity"]))) / 100
    return [{"overlay": options}]
