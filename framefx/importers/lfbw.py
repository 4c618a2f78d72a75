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

_OVERLAY, _OVERLAY_MASK = "foreground.jpg", "foreground-mask.png"
_EFFECTS = {*_FLAGS, *_ORDER, "file", "mask-update-speed", "foreground", "mask-file", "opacity"}


def looks_like(path: Path) -> bool:
    """Whether a file has at least one of its keys, written as INI."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return any(re.search(rf"(?m)^\s*{key}\s*=", text) for key in _KNOWN)


class _File:
    """The file's values, and errors that know where they stand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        parser = configparser.ConfigParser(interpolation=None, comment_prefixes=(";", "#"), delimiters=("=", ":"))
        try:
            self._text = path.read_text(encoding="utf-8")
            # configargparse's files need no section.
            sectioned = bool(re.search(r"(?m)^\s*\[", self._text))
            parser.read_string(self._text if sectioned else "[framefx]\n" + self._text)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: cannot be read: {error}") from error
        except configparser.Error as error:
            raise ConfigError(f"{path}: this is no INI file: {str(error).partition(chr(10))[0]}") from error
        given = {key: value for section in parser.sections() for key, value in parser.items(section)}
        for key in given:
            if key not in _KNOWN:
                raise self.error(key, f"unknown key '{key}'.{did_you_mean(key, _KNOWN)}")
        self.values = {**_KNOWN, **given}

    def error(self, key: str, message: str) -> ConfigError:
        """Return an error about a key."""
        match = re.search(rf"(?m)^\s*{re.escape(key)}\s*[=:]", self._text)
        line = self._text.count("\n", 0, match.end()) + 1 if match else 1
        return ConfigError(f"{self.path}:{line}: {message}")

    def whole(self, key: str) -> int:
        """Return a whole number above 0."""
        try:
            number = int(self.values[key])
        except ValueError:
            number = 0
        if not 0 < number <= 99999:
            raise self.error(key, f"{key} is {self.values[key]!r}, wanted a whole number above 0")
        return number

    def is_on(self, key: str) -> bool:
        """Whether a flag is set."""
        return self.values[key].lower() in ("true", "yes", "1", "on")


def translate(path: Path) -> Imported:
    """Translate a file.

    Raises
    ------
    ConfigError
        With file and line, for keys and effects that it does not know either.
    """
    file = _File(path)
    values = file.values
    result = Imported()
    size = f"{file.whole('width')}x{file.whole('height')}"
    source = {"device": values["webcam-path"], "size": size, "rate": file.whole("fps"), "format": values["codec"]}
    result.put("source", source)
    result.put("sink", {"device": values["v4l2loopback-path"]})
    result.put("model", "blazeseg", "framefx's own network; select-model did nothing there")
    if file.is_on("no-ondemand"):
        result.put("always_on", True, "was no-ondemand")
    background, selfie, mask = (_Effects(file, key) for key in ("background", "selfie", "mask"))
    result.put("mask", _mask(file, background), "smooth: seconds, for mask-update-speed")
    over, effects = _overlay(mask, path.parent), mask.steps("all")
    if selfie.number("opacity", 100) < 100:
        stack = [*_seen_through(background, selfie), *_on_top(over, effects)]
        result.put("stack", stack, "the person is seen through: a picture of its own")
        return result
    chain = _background(background, "background") + selfie.steps("person")
    if over and effects:
        stack = [{"source": "frame", "chain": chain or ["blur"]}, *_on_top(over, effects)]
        result.put("stack", stack, "the overlay has effects of its own: a picture of its own")
        return result
    result.put("chain", chain + over or ["blur"], "effects in the order in which they were applied there")
    return result


def _seen_through(background: _Effects, selfie: _Effects) -> list[dict[str, Any]]:
    person = {"source": "person", "chain": selfie.steps("all"), "opacity": selfie.number("opacity", 100) / 100}
    return [{"source": "frame", "chain": _background(background, "all") or ["blur"]}, person]


def _on_top(over: list[Any], effects: list[Any]) -> list[dict[str, Any]]:
    """Return the overlay as an entry of a stack: its effects change its own picture only."""
    if not over:
        return []
    return [{"source": "empty" if effects else "previous", "chain": [*over, *effects]}]


class _Effects:
    """An option's effects: ``file=a.jpg,blur=20,hologram``.

    A comma belongs to a value until the next word with ``=`` or a flag.
    """

    def __init__(self, file: _File, key: str) -> None:
        self._file, self._key = file, key
        self.values: dict[str, str] = {}
        last = ""
        for part in filter(None, (p.strip() for p in file.values[key].split(","))):
            name, equals, value = part.partition("=")
            if equals or part in _FLAGS:
                self.values[name], last = value, name
            elif last == "solid":
                self.values[last] += f",{part}"
            else:
                raise self._error(f"unknown effect '{part}'.{did_you_mean(part, (*_FLAGS, *_ORDER))}")
        for name in self.values:
            if name not in _EFFECTS:
                raise self._error(f"unknown effect '{name}'.{did_you_mean(name, _EFFECTS)}")

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def number(self, name: str, default: int) -> int:
        """Return an effect's percentage, 0 to 200."""
        try:
            return min(200, max(0, int(self.values.get(name) or default)))
        except ValueError:
            raise self._error(f"{name} is {self.values[name]!r}, wanted a whole number") from None

    def steps(self, where: str) -> list[Any]:
        """Return its steps in the order in which they were applied, which is not that in which they are written."""
        made = [_MAKE[name](self) for name in _ORDER if name in self.values]
        return [{name: {**options, "where": where}} for name, options in made]

    def color(self) -> str:
        """Return the colour of ``solid``."""
        try:
            blue, green, red = (int(part) for part in self.values["solid"].split(","))
            return "#" + bytes((red, green, blue)).hex()
        except ValueError:
            raise self._error(f"solid is {self.values['solid']!r}, wanted blue,green,red from 0 to 255") from None

    def _error(self, message: str) -> ConfigError:
        return self._file.error(self._key, f"{self._key}: {message}")


def _mask(file: _File, background: _Effects) -> dict[str, Any]:
    threshold = file.whole("threshold") / 100
    # Its mask is cut, blurred, and cut again at the threshold; the last cut is what counts.
    low, high = max(0.0, min(1.0, threshold - 0.2)), min(1.0, threshold + 0.2)
    mask: dict[str, Any] = {"range": (round(low, 2), round(high, 2))}
    speed = min(99, max(1, background.number("mask-update-speed", 50))) / 100
    mask["smooth"] = round(-1 / file.whole("fps") / math.log(1 - speed), 4)
    if not file.is_on("no-postprocess"):
        # Its sigmoid is as steep in the middle as a ramp that is two and a half times shorter.
        mask.update(dilate=2.5, feather=2 if file.is_on("use-sigmoid") else 5)
    return mask


def _background(effects: _Effects, where: str) -> list[Any]:
    steps: list[Any] = []
    if "no" not in effects and "file" in effects:
        fit = "tile" if "tile" in effects else "cover" if "crop" in effects else "stretch"
        kind = "video" if Path(effects["file"]).suffix.lower() in _VIDEOS else "image"
        steps.append({"replace": {kind: effects["file"], "fit": fit, "where": where}})
    return steps + effects.steps(where)


_VIDEOS = {".mp4", ".mkv", ".mov", ".webm", ".avi", ".gif", ".m4v"}


def _gaussian(effects: _Effects) -> tuple[str, dict[str, Any]]:
    kernel = int(min(100, effects.number("blur", 90)) / 100 * 99) + 1
    kernel += 1 - kernel % 2
    return "blur", {"radius": round(max(0.0, 0.3 * ((kernel - 1) * 0.5 - 1) + 0.8), 2)}


_MAKE: dict[str, Callable[[_Effects], tuple[str, dict[str, Any]]]] = {
    "hologram": lambda effects: ("hologram", {}),
    "blur": _gaussian,
    "solid": lambda effects: ("replace", {"color": effects.color()}),
    "cmap": lambda effects: ("color_map", {"map": effects["cmap"].lower()}),
    "brightness": lambda effects: ("brightness", {"gain": effects.number("brightness", 100) / 100}),
}


def _overlay(effects: _Effects, folder: Path) -> list[Any]:
    picture, mask = effects.values.get("foreground") or effects.values.get("file"), effects.values.get("mask-file")
    if not picture and (folder / _OVERLAY).exists():
        # Without a word about it, these are what it loaded.
        picture, mask = _OVERLAY, mask or (_OVERLAY_MASK if (folder / _OVERLAY_MASK).exists() else None)
    if not picture or "no" in effects:
        return []
    options: dict[str, Any] = {"image": picture, "fit": "stretch"}
    if mask:
        options["mask"] = mask
    if "opacity" in effects:
        options["opacity"] = min(100, effects.number("opacity", 100)) / 100
    return [{"overlay": options}]
