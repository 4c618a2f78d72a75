"""Which video devices there are, what each is, and what it offers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from framefx.v4l2.device import LINUX, Device, Identity, System
from framefx.v4l2.modes import Mode, list_modes

SYSFS = Path("/sys/class/video4linux")


@dataclass(frozen=True)
class Node:
    """One ``/dev/videoN``.

    Attributes
    ----------
    path, name, driver : str
        As the kernel calls them; `driver` is empty where the device could not be asked.
    is_loopback : bool
        It is v4l2loopback's: what is written to it can be read as a camera.
    is_camera : bool
        It gives pictures and is no loopback.
    problem : str
        Why it could not be asked, or empty.
    """

    path: str
    name: str
    driver: str
    is_loopback: bool
    is_camera: bool
    problem: str = ""


def nodes(sysfs: Path = SYSFS, system: System = LINUX) -> list[Node]:
    """Return the video devices in the order of their numbers."""
    return [_node(entry, system) for entry in sorted(sysfs.glob("video*"), key=_number)]


def cameras(sysfs: Path = SYSFS, system: System = LINUX) -> list[str]:
    """Return the paths of the real cameras."""
    return [node.path for node in nodes(sysfs, system) if node.is_camera]


def loopbacks(sysfs: Path = SYSFS, system: System = LINUX) -> list[str]:
    """Return the paths of the loopback devices."""
    return [node.path for node in nodes(sysfs, system) if node.is_loopback]


def modes(path: str, system: System = LINUX) -> list[Mode]:
    """Return what the camera at `path` offers.

    Raises
    ------
    OSError
        When it cannot be opened.
    """
    device = Device(path, system)
    try:
        return list_modes(device)
    finally:
        device.close()


def _node(entry: Path, system: System) -> Node:
    path = f"/dev/{entry.name}"
    # Only v4l2loopback has this attribute: it tells a loopback also where the device must not be opened.
    loopback = (entry / "max_openers").exists()
    name = _line(entry / "name")
    try:
        identity = _identity(path, system)
    except OSError as error:
        camera = not loopback and _line(entry / "index") in ("", "0")
        return Node(path, name, "", loopback, camera, error.strerror or str(error))
    loopback = identity.is_loopback
    return Node(path, identity.card or name, identity.driver, loopback, identity.captures and not loopback)


def _identity(path: str, system: System) -> Identity:
    device = Device(path, system)
    try:
        return device.identity()
    finally:
        device.close()


def _number(entry: Path) -> int:
    digits = entry.name.removeprefix("video")
    return int(digits) if digits.isdigit() else -1


def _line(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
