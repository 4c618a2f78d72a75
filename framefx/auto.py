"""What ``auto`` means: the first real camera to the first loopback device; without a camera, the demo clip."""

from __future__ import annotations

import platform
from pathlib import Path

from framefx.errors import UsageError
from framefx.v4l2.problems import MODPROBE

DEMO_FILE = "framefx-demo.mp4"
_SYSFS = Path("/sys/class/video4linux")


def choose(source: str, sink: str, sysfs: Path = _SYSFS) -> tuple[str, str, list[str]]:
    """Return the locations to use for `source` and `sink`, and what to tell the user.

    Raises
    ------
    UsageError
        When a camera is there and no loopback device: nothing is recorded unasked.
    """
    notes: list[str] = []
    cameras, loopbacks = devices(sysfs)
    if source == "auto" and not cameras:
        source = "demo"
        if sink == "auto" and not loopbacks:
            sink = DEMO_FILE
        notes.append(f"no camera found: the demo clip is used, 10 seconds, to {sink}")
    elif source == "auto":
        source = cameras[0]
    if sink == "auto":
        if not loopbacks:
            raise UsageError(
                f"there is no virtual camera to write to: run `{MODPROBE}`, or name a file with --sink out.mp4"
            )
        sink = loopbacks[0]
    return source, sink, notes


def devices(sysfs: Path = _SYSFS) -> tuple[list[str], list[str]]:
    """Return the real cameras and the loopback devices, in the order of their numbers."""
    if platform.system() != "Linux":
        return ["camera:0"], []
    cameras, loopbacks = [], []
    for entry in sorted(sysfs.glob("video*"), key=lambda p: int(p.name[5:]) if p.name[5:].isdigit() else 0):
        device = f"/dev/{entry.name}"
        if "/virtual/" in str(entry.resolve()) + "/":
            loopbacks.append(device)
        elif _first_node(entry):
            cameras.append(device)
    return cameras, loopbacks


def _first_node(entry: Path) -> bool:
    # A camera has further nodes for metadata; the kernel numbers the nodes of one device in `index`.
    try:
        return (entry / "index").read_text().strip() == "0"
    except OSError:
        return True
