"""``framefx devices``: cameras and virtual cameras, what they offer, and who uses them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from framefx.errors import DeviceError


def main(argv: Sequence[str]) -> int:
    """Print the devices, or one of them with its modes and controls."""
    parser = argparse.ArgumentParser(prog=f"framefx {argv[0]}", allow_abbrev=False, description=__doc__)
    parser.add_argument("device", nargs="?", metavar="/dev/videoN", help="show its modes and controls")
    options = parser.parse_args(argv[1:])
    lines = _one(options.device) if options.device else _all()
    for line in lines:
        sys.stdout.write(f"{line}\n")
    return 0


def _all() -> Iterator[str]:
    from framefx.v4l2.listing import Node, nodes

    if sys.platform != "linux":
        yield "cameras are known by their numbers here: --source 0; virtual cameras: --sink pyvirtualcam:"
        return
    found = nodes()
    groups: list[tuple[str, list[Node]]] = [
        ("cameras", [node for node in found if node.is_camera]),
        ("virtual cameras", [node for node in found if node.is_loopback]),
        ("other video devices", [node for node in found if not node.is_camera and not node.is_loopback]),
    ]
    for title, members in groups:
        if members:
            yield f"{title}:"
        for node in members:
            yield f"  {node.path}  {node.name}" + (f" (driver {node.driver})" if node.driver else "")
            yield from (f"      {fact}" for fact in _facts(node.path, node.problem, camera=node.is_camera))
    if not groups[0][1]:
        yield "no camera: plug one in"
    if not groups[1][1]:
        yield "no virtual camera: `framefx setup --print` says how to make one"


def _facts(path: str, problem: str, *, camera: bool) -> Iterator[str]:
    from framefx.v4l2.holders import holders

    if problem:
        yield f"cannot be asked: {problem}: `framefx doctor` says why"
    elif camera:
        yield from _modes(path)
    else:
        format = Path(f"/sys/class/video4linux/{Path(path).name}/format")
        if format.exists() and (text := format.read_text(errors="replace").strip()):
            yield f"format {text}"
    found = holders(path)
    if found:
        yield "used by " + ", ".join(map(str, found))


def _modes(path: str, *, every: bool = False) -> Iterator[str]:
    """Yield one line for each format: its sizes with their highest rates, or all of them."""
    from framefx.v4l2.listing import modes
    from framefx.v4l2.modes import COST

    try:
        found = modes(path)
    except OSError as error:
        yield f"modes unknown: {error.strerror}"
        return
    formats = list(dict.fromkeys(mode.format for mode in found))
    for format in formats if every else [name for name in formats if name in COST]:
        rates: dict[str, list[float]] = {}
        for mode in found:
            if mode.format == format:
                rates.setdefault(f"{mode.width}x{mode.height}", []).append(mode.rate)
        yield f"{format}: " + ", ".join(f"{size} at {_said(known, every=every)}" for size, known in rates.items())


def _said(rates: list[float], *, every: bool) -> str:
    ordered = sorted(rates, reverse=True)
    return "/".join(f"{rate:g}" for rate in (ordered if every else ordered[:1]))


def _one(path: str) -> Iterator[str]:
    from framefx.v4l2.controls import list_controls
    from framefx.v4l2.device import Device
    from framefx.v4l2.problems import explain

    try:
        device = Device(path)
    except OSError as error:
        raise explain(error, path, "look at the device") from error
    try:
        identity = device.identity()
        controls = list_controls(device)
    except OSError as error:
        raise DeviceError(f"{path} is no video device: `framefx devices` lists what is there") from error
    finally:
        device.close()
    yield f"{path}  {identity.card} (driver {identity.driver}, {identity.bus})"
    camera = identity.captures and not identity.is_loopback
    yield from (f"  {line}" for line in _modes(path, every=True) if camera)
    yield from (f"  {line}" for line in _facts(path, "", camera=False))
    if controls:
        yield "  controls (--source-option controls=NAME=VALUE,…):"
        yield from (f"    {control}" for control in controls)
