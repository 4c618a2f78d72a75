"""The table of built-in sinks: which location is whose. Nothing here opens or imports one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from framefx.plugins import hookimpl
from framefx.registry import Register

Entry = tuple[str, str, Callable[[str], bool], str]
"""Name, ``module:Class``, whether a location is its, and one line of help."""

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".ppm"})
"""Endings of files that are written as pictures."""


def is_numbered(location: str) -> bool:
    """Whether a file name has exactly one place for a number, as ``%d`` or ``%04d``."""
    name = Path(location).name
    return len(re.findall(r"%0?\d*d", name)) == 1 and name.count("%") == 1


def is_sequence(location: str) -> bool:
    """Whether `location` is a folder (there, or said by a ``/`` at its end) or a numbered picture name."""
    picture = is_numbered(location) and Path(location).suffix.lower() in PICTURES
    return picture or location.endswith("/") or Path(location).expanduser().is_dir()


def is_image(location: str) -> bool:
    """Whether `location` ends like one picture."""
    return Path(location).suffix.lower() in PICTURES and not is_sequence(location)


def is_video(location: str) -> bool:
    """Whether `location` is a file name with another ending."""
    others = is_y4m(location) or is_image(location) or is_sequence(location)
    return not others and not location.startswith("/dev/") and bool(Path(location).suffix)


def is_y4m(location: str) -> bool:
    """Whether `location` is standard output or ends in ``.y4m``."""
    return location == "-" or Path(location).suffix.lower() == ".y4m"


def is_device(location: str) -> bool:
    """Whether `location` is a Linux video device, or a link to one."""
    return re.match(r"/dev/(video\d+$|v4l/)", location) is not None


def is_named_only(location: str) -> bool:
    """False: for sinks that are only meant when they are called by name, ``kind:LOCATION``."""
    return False


def is_null(location: str) -> bool:
    """Whether `location` is the word ``null``."""
    return location == "null"


SINKS: list[Entry] = [
    ("image", "framefx.sinks.images:ImageFile", is_image, "one picture: the first frame"),
    ("images", "framefx.sinks.images:ImageSequence", is_sequence, "one picture per frame: shots/%04d.png, or a folder"),
    ("null", "framefx.sinks.null:Null", is_null, "nowhere, for measuring"),
    ("pyfakewebcam", "framefx.sinks.pyfakewebcam:FakeWebcam", is_named_only, "pyfakewebcam:/dev/video10"),
    ("pyvirtualcam", "framefx.sinks.pyvirtualcam:VirtualCam", is_named_only, "pyvirtualcam: any system's camera"),
    ("v4l2", "framefx.sinks.v4l2:VirtualCamera", is_device, "a virtual camera on Linux: /dev/video10"),
    ("video", "framefx.sinks.video:VideoFile", is_video, "a video file: MP4, MOV, MKV, WebM, GIF"),
    ("y4m", "framefx.sinks.y4m:Y4MOutput", is_y4m, "a YUV4MPEG2 stream, - for standard output"),
]
"""Built-in sinks, sorted by name; no two take the same location."""


@hookimpl
def framefx_register(register: Register) -> None:
    """Add them."""
    for name, target, accepts, summary in SINKS:
        register.sink(name, target, accepts=accepts, summary=summary)
