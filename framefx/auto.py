"""What ``auto`` means: the first real camera to the first loopback device; without a camera, the demo clip."""

from __future__ import annotations

import platform

from framefx.errors import UsageError
from framefx.v4l2.problems import MODPROBE

DEMO_FILE = "framefx-demo.mp4"


def choose(source: str, sink: str) -> tuple[str, str, list[str]]:
    """Return the locations to use for `source` and `sink`, and what to tell the user.

    Raises
    ------
    UsageError
        When a camera is there and no loopback device: nothing is recorded unasked.
    """
    notes: list[str] = []
    if "auto" not in (source, sink):
        return source, sink, notes
    cameras, loopbacks = devices()
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


def devices() -> tuple[list[str], list[str]]:
    """Return the real cameras and the loopback devices, in the order of their numbers; their drivers are asked."""
    if platform.system() != "Linux":
        return ["camera:0"], []
    from framefx.v4l2.listing import nodes

    found = nodes()
    return [node.path for node in found if node.is_camera], [node.path for node in found if node.is_loopback]
