"""The table of built-in sources: which location is whose. Nothing here opens or imports one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from framefx.plugins import hookimpl
from framefx.registry import Register

Entry = tuple[str, str, Callable[[str], bool], str]
"""Name, ``module:Class``, whether a location is its, and one line of help."""

PICTURES = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".pnm", ".avif", ".jp2"}
)
"""Endings of files that are taken for stills."""


def is_folder(location: str) -> bool:
    """Whether `location` is a folder, or a pattern (``%04d``, ``*``) of pictures."""
    path = Path(location).expanduser()
    patterned = bool(re.search(r"%0?\d*d|[*?\[]", path.name)) and path.suffix.lower() in PICTURES
    return path.is_dir() or (patterned and not path.exists())


def is_image(location: str) -> bool:
    """Whether `location` ends like a picture."""
    return Path(location).suffix.lower() in PICTURES and "://" not in location and not is_folder(location)


def is_video(location: str) -> bool:
    """Whether `location` is a URL, or an ordinary file (or a name with an ending) that nothing else takes."""
    if "://" in location:
        return True
    path = Path(location)
    others = location == "-" or is_image(location) or is_folder(location) or is_y4m(location)
    return not others and not location.startswith("/dev/") and (path.is_file() or bool(path.suffix))


def is_y4m(location: str) -> bool:
    """Whether `location` is standard input or ends in ``.y4m``."""
    return location == "-" or Path(location).suffix.lower() == ".y4m"


def is_camera(location: str) -> bool:
    """Whether `location` is a number, or ``opencv:`` and a number."""
    return re.fullmatch(r"(opencv:)?[0-9]+", location) is not None


def is_device(location: str) -> bool:
    """Whether `location` is a Linux video device, or a link to one."""
    return re.match(r"/dev/(video\d+$|v4l/)", location) is not None


def is_demo(location: str) -> bool:
    """Whether `location` is the word ``demo``."""
    return location == "demo"


SOURCES: list[Entry] = [
    ("camera", "framefx.sources.camera:OpenCVCamera", is_camera, "a camera by its number, through OpenCV"),
    ("demo", "framefx.sources.demo:Demo", is_demo, "a portrait in front of a hand-held camera, 10 seconds"),
    ("folder", "framefx.sources.image:ImageFolder", is_folder, "a folder or pattern of pictures, one per frame"),
    ("image", "framefx.sources.image:ImageFile", is_image, "one picture, again and again"),
    ("v4l2", "framefx.sources.v4l2:Camera", is_device, "a camera on Linux: /dev/video0"),
    ("video", "framefx.sources.video:VideoFile", is_video, "a video file or animated picture"),
    ("y4m", "framefx.sources.y4m:Y4MInput", is_y4m, "a YUV4MPEG2 stream, - for standard input"),
]
"""Built-in sources, sorted by name; no two take the same location."""


@hookimpl
def framefx_register(register: Register) -> None:
    """Add them."""
    for name, target, accepts, summary in SOURCES:
        register.source(name, target, accepts=accepts, summary=summary)
