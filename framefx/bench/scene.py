"""The pictures that are measured on: some frames of a clip at every size, and a person's mask of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import numpy.typing as npt

from framefx.config import Settings
from framefx.errors import MediaError, UsageError
from framefx.filters.fitting import fit_picture
from framefx.frame import Size
from framefx.job import Job

U8 = npt.NDArray[np.uint8]

_COUNT = 8
NAMED_SIZES: dict[str, Size] = {"720p": (720, 1280), "1080p": (1080, 1920), "4K": (2160, 3840)}


def load_frames(location: str, count: int = _COUNT) -> list[U8]:
    """Return the first `count` pictures of a source, (height, width, 3) uint8 RGB, as it gives them.

    Raises
    ------
    MediaError
        When it gives none.
    """
    source = Job(Settings.model_validate({"source": location, "sink": "null"})).source()
    source.open()
    try:
        frames: list[U8] = []
        while len(frames) < count and (frame := source.read()) is not None:
            frames.append(frame.pixels.copy())
    finally:
        source.close()
    if not frames:
        raise MediaError(f"--input {location}: it holds no picture")
    return frames


@dataclass(frozen=True)
class Scene:
    """Frames of one size: `pictures` are (height, width, 3) uint8 RGB; `size` is (height, width)."""

    size: Size
    pictures: Sequence[U8]

    @classmethod
    def of(cls, frames: Sequence[U8], size: Size) -> Scene:
        """Scale `frames` to `size`, cropped to its proportions."""
        return cls(size, [fit_picture(frame, size, "cover") for frame in frames])

    @property
    def label(self) -> str:
        height, width = self.size
        return f"{width}x{height}"

    def feed(self) -> Feed:
        """Return an endless supply of these pictures in BGR, each a fresh copy that may be written to."""
        return Feed(self)


class Feed:
    """Hands out the pictures of a scene in turn, in BGR, in memory that the next call uses again.

    That is how a peer's decoder delivers frames, and copying is less than decoding does: it is not measured.
    """

    def __init__(self, scene: Scene) -> None:
        self._pictures = cycle([np.ascontiguousarray(picture[..., ::-1]) for picture in scene.pictures])
        self._buffer = np.empty((*scene.size, 3), np.uint8)

    def __call__(self) -> U8:
        np.copyto(self._buffer, next(self._pictures))
        return self._buffer


def size_of(text: str) -> Size:
    """Return (height, width) of ``720p``, ``1080p``, ``4K`` or ``WIDTHxHEIGHT``.

    Raises
    ------
    UsageError
        For anything else.
    """
    from framefx.options import parse_size

    named = {name.lower(): size for name, size in NAMED_SIZES.items()}
    if text.lower() in named:
        return named[text.lower()]
    try:
        size = parse_size(text)
    except ValueError as error:
        raise UsageError(f"--size {text}: wanted {', '.join(NAMED_SIZES)} or {error}") from error
    return int(size[0]), int(size[1])
