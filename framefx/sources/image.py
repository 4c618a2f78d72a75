"""Stills and folders of stills."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from framefx.errors import MediaError
from framefx.frame import Frame, FramePool, Size
from framefx.sources._pictures import Picture, natural, read_picture
from framefx.sources.builtin import PICTURES

Rate = Annotated[float, Field(gt=0, le=1000, description="frames per second")]


class ImageFile:
    """One picture, shown again and again; its alpha is kept and its EXIF orientation applied.

    Parameters
    ----------
    location : str
        Path of a PNG, JPEG, WebP, TIFF, BMP, …
    rate : float
        Frames per second; frame n is at n / rate seconds.
    repeat : bool
        Go on for ever; otherwise it is one frame.

    Attributes
    ----------
    frames : int or None
        1, or None when it repeats.
    has_alpha : bool
        Whether the picture is transparent somewhere.
    """

    live = False

    def __init__(
        self,
        location: str,
        *,
        rate: Rate = 30.0,
        repeat: Annotated[bool, Field(description="go on for ever")] = True,
    ) -> None:
        self.location = location
        self.rate = rate
        self.frames: int | None = None if repeat else 1
        self.has_alpha = False
        self._pool = FramePool()
        self._picture: Picture | None = None
        self._index = 0

    @property
    def size(self) -> Size:
        return (0, 0) if self._picture is None else self._picture[0].shape[:2]

    def open(self) -> None:
        """Read the picture.

        Raises
        ------
        MediaError
            For a file that is missing, empty, truncated or no picture.
        """
        self._picture = read_picture(self.location)
        self.has_alpha = self._picture[1] is not None
        self._index = 0

    def read(self) -> Frame | None:
        """Return the picture; every frame borrows the same memory."""
        if self._picture is None or (self.frames is not None and self._index >= self.frames):
            return None
        frame = Frame.borrow(*self._picture, index=self._index, time=self._index / self.rate, pool=self._pool)
        self._index += 1
        return frame

    def close(self) -> None:
        self._picture = None


class ImageFolder:
    """The pictures of a folder or of a pattern, each one frame.

    A folder's pictures come in natural order (``shot 9`` before ``shot 10``); other files are left out. Patterns are
    FFmpeg's: ``shots/%04d.png`` begins at the first number from 0 to 4 and ends at the first gap; ``shots/*.jpg`` takes
    what fits. The first picture gives the size, and the others are scaled to it, as FFmpeg does.

    Parameters
    ----------
    location : str
        Folder or pattern.
    rate : float
        Frames per second.

    Attributes
    ----------
    frames : int
        How many pictures there are.
    has_alpha : bool
        Whether the first picture is transparent somewhere.
    """

    live = False

    def __init__(self, location: str, *, rate: Rate = 30.0) -> None:
        self.location = location
        self.rate = rate
        self.frames: int | None = None
        self.has_alpha = False
        self._pool = FramePool()
        self._paths: list[Path] = []
        self._first: Picture | None = None
        self._index = 0
        self._size: Size = (0, 0)

    @property
    def size(self) -> Size:
        return self._size

    def open(self) -> None:
        """List the pictures and read the first.

        Raises
        ------
        MediaError
            When there is none, or the first cannot be read.
        """
        self._paths = pictures_of(self.location)
        self._first = read_picture(str(self._paths[0]))
        self._size = self._first[0].shape[:2]
        self.frames = len(self._paths)
        self.has_alpha = self._first[1] is not None
        self._index = 0

    def read(self) -> Frame | None:
        """Return the next picture.

        Raises
        ------
        MediaError
            For a file that cannot be read; the message names it.
        """
        if self._index >= len(self._paths):
            return None
        picture, self._first = self._first, None
        picture = picture or self._scaled(read_picture(str(self._paths[self._index])))
        frame = Frame.borrow(*picture, index=self._index, time=self._index / self.rate, pool=self._pool)
        self._index += 1
        return frame

    def close(self) -> None:
        self._paths, self._first = [], None

    def _scaled(self, picture: Picture) -> Picture:
        pixels, alpha = picture
        if pixels.shape[:2] == self._size:
            return picture
        import cv2

        height, width = self._size
        shrinks = pixels.shape[0] > height and pixels.shape[1] > width
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        smooth = None if alpha is None else np.asarray(cv2.resize(alpha, (width, height), interpolation=how), np.uint8)
        return np.asarray(cv2.resize(pixels, (width, height), interpolation=how), np.uint8), smooth


def pictures_of(location: str) -> list[Path]:
    """Return the files that a folder or pattern means, in order.

    Raises
    ------
    MediaError
        When there is none.
    """
    path = Path(location).expanduser()
    if path.is_dir():
        found = sorted((p for p in path.iterdir() if p.suffix.lower() in PICTURES), key=lambda p: natural(p.name))
    elif re.search(r"%0?\d*d", path.name):
        found = _numbered(path)
    else:
        found = sorted(_matching(path), key=natural)
    found = [p for p in found if p.is_file()]
    if not found:
        raise MediaError(
            f"{location}: there is no picture: `ls {path if path.is_dir() else path.parent}` shows what is there"
        )
    return found


def _matching(path: Path) -> Iterator[Path]:
    plain = next((i for i, part in enumerate(path.parts) if set(part) & set("*?[")), len(path.parts) - 1)
    return Path(*path.parts[:plain]).glob(str(Path(*path.parts[plain:])))


def _numbered(path: Path) -> list[Path]:
    def name(number: int) -> Path:
        return path.with_name(path.name % number)

    # FFmpeg looks for the first number in the same range.
    start = next((number for number in range(5) if name(number).is_file()), None)
    found: list[Path] = []
    while start is not None and name(start + len(found)).is_file():
        found.append(name(start + len(found)))
    return found
