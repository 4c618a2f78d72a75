"""A camera's controls: exposure, gain, focus and whatever else it has, by the names that ``v4l2-ctl`` shows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from framefx.errors import OptionError, did_you_mean
from framefx.v4l2 import structs as v4l
from framefx.v4l2.device import Device

_KINDS = {v4l.CTRL_INTEGER: "int", v4l.CTRL_BOOLEAN: "bool", v4l.CTRL_MENU: "menu", v4l.CTRL_INTEGER_MENU: "menu"}


@dataclass(frozen=True)
class ControlInfo:
    """One control; `menu` maps a menu's values to their names, `value` is None where it cannot be read."""

    id: int
    name: str
    kind: str
    low: int
    high: int
    step: int
    default: int
    value: int | None
    menu: Mapping[int, str]

    def __str__(self) -> str:
        choices = ", ".join(f"{value} {name}" for value, name in self.menu.items())
        bounds = choices if self.menu else f"{self.low} to {self.high}, step {self.step}"
        return f"{self.name} = {self.value} ({bounds}; default {self.default})"


def list_controls(device: Device) -> list[ControlInfo]:
    """Return the controls of a device that can be set, in its own order."""
    return list(_controls(device))


def _controls(device: Device) -> Iterator[ControlInfo]:
    last = 0
    for _ in range(1024):
        try:
            answer = device.ask(v4l.QUERYCTRL, v4l.ControlDescription(id=last | v4l.CTRL_NEXT))
        except OSError:
            return
        last = int(answer.id)
        if answer.type in _KINDS and not answer.flags & (v4l.CTRL_DISABLED | v4l.CTRL_READ_ONLY):
            yield _info(device, answer)


def _info(device: Device, answer: v4l.ControlDescription) -> ControlInfo:
    kind = _KINDS[answer.type]
    name = re.sub(r"[^a-z0-9]+", "_", answer.name.decode("utf-8", "replace").lower()).strip("_")
    bounds = (int(answer.minimum), int(answer.maximum), int(answer.step), int(answer.default_value))
    menu = _menu(device, answer) if kind == "menu" else {}
    return ControlInfo(int(answer.id), name, kind, *bounds, _value(device, int(answer.id)), menu)


def _value(device: Device, number: int) -> int | None:
    try:
        return int(device.ask(v4l.G_CTRL, v4l.Control(id=number)).value)
    except OSError:
        return None


def _menu(device: Device, control: v4l.ControlDescription) -> dict[int, str]:
    items = {}
    for index in range(int(control.minimum), min(int(control.maximum), int(control.minimum) + 256) + 1):
        try:
            item = device.ask(v4l.QUERYMENU, v4l.MenuItem(id=control.id, index=index))
        except OSError:
            continue  # menus have holes
        numbers = control.type == v4l.CTRL_INTEGER_MENU
        items[index] = str(item.u.value) if numbers else item.u.name.decode("utf-8", "replace")
    return items


def set_controls(device: Device, wanted: Mapping[str, int | str]) -> None:
    """Set controls by name, in the given order; a menu takes its value's name too.

    Raises
    ------
    OptionError
        For a control that the device has not, or a value beyond its range.
    OSError
        When the driver refuses, as for an exposure time while exposure is automatic.
    """
    known = {control.name: control for control in list_controls(device)} if wanted else {}
    for name, value in wanted.items():
        control = known.get(name) or _by_ending(known, name)
        if control is None:
            raise OptionError(
                f"{device.path} has no control '{name}'.{did_you_mean(name, known)} "
                f"`framefx devices {device.path}` lists them with their ranges"
            )
        device.ask(v4l.S_CTRL, v4l.Control(id=control.id, value=_number(control, value)))


def _by_ending(known: Mapping[str, ControlInfo], name: str) -> ControlInfo | None:
    """Return the only control whose name has all words of `name`: ``exposure`` for ``exposure_time_absolute``."""
    words = set(name.split("_"))
    matches = [control for control in known.values() if words <= set(control.name.split("_"))]
    return matches[0] if len(matches) == 1 else None


def _number(control: ControlInfo, value: int | str) -> int:
    text = str(value).strip()
    by_name = {label.lower(): number for number, label in control.menu.items()}
    if text.lower() in by_name:
        return by_name[text.lower()]
    words = {"true": 1, "on": 1, "yes": 1, "false": 0, "off": 0, "no": 0}
    number = words.get(text.lower()) if control.kind == "bool" else None
    if number is None and re.fullmatch(r"-?\d+", text):
        number = int(text)
    if number is None or not control.low <= number <= control.high:
        raise OptionError(f"control {control.name}: got {value!r}, wanted {control}")
    return number


def parse_controls(text: str) -> dict[str, str]:
    """Return ``name=value`` pairs separated by commas as a mapping.

    >>> parse_controls("brightness=10,auto_exposure=Manual Mode")
    {'brightness': '10', 'auto_exposure': 'Manual Mode'}

    Raises
    ------
    OptionError
        For a part without ``=``.
    """
    pairs = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise OptionError(f"controls: got {part!r}, wanted NAME=VALUE,NAME=VALUE")
        pairs[name.strip()] = value.strip()
    return pairs
