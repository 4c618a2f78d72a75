"""``replace``: another picture, a slide show, a video or a colour instead of the background."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from framefx.errors import OptionError
from framefx.feed import EARLY, Pace
from framefx.filters.colors import Color, parse_color
from framefx.filters.fitting import Fit, FitName, Picture, Sampling, SamplingName, fit_picture, read_picture
from framefx.filters.scenery import default_picture
from framefx.frame import Frame, Size

if TYPE_CHECKING:
    from framefx.protocols import Source

_KEPT_SLIDES = 32
_SLIDES_PER_SECOND = 10.0


class Replace:
    """Show a picture, a slide show, a video or a colour instead of the background.

    With none of them, a quiet generated picture is shown. Slide shows and videos are looped and play by the clock.
    Transparent places of a picture stay transparent: what lies below in a stack is seen there.
    """

    def __init__(
        self,
        *,
        image: Annotated[Path | None, Field(description="picture file")] = None,
        video: Annotated[Path | None, Field(description="video file, looped")] = None,
        color: Color | None = None,
        folder: Annotated[Path | None, Field(description="folder of pictures, shown in the order of names")] = None,
        fit: Fit = "cover",
        sampling: Sampling = "smooth",
        rate: Annotated[
            float | None,
            Field(gt=0, le=1000, description="pictures per second: of a folder, else 10; of a video at most, else all"),
        ] = None,
    ) -> None:
        choices = {"image": image, "video": video, "color": color, "folder": folder}
        given = [name for name, value in choices.items() if value is not None]
        if len(given) > 1:
            raise OptionError(f"{given[0]} and {given[1]} are both given: choose one of image, video, color and folder")
        for path in (image, video):
            if path is not None and not path.is_file():
                raise OptionError(f"there is no file {path}")
        self._image, self._video, self._rate = image, video, rate
        self._fit: FitName = fit
        self._sampling: SamplingName = sampling
        self._color = None if color is None else parse_color(color)
        self._paths = [] if folder is None else _listed(folder)
        self._slides: OrderedDict[tuple[int, Size], Picture] = OrderedDict()
        self._still: Picture | None = None
        self._movie: _Movie | None = None

    def __call__(self, canvas: Frame) -> Frame:
        pixels, alpha = self._picture(canvas)
        result = canvas.with_pixels(pixels)
        return result if alpha is None else result.with_alpha(alpha)

    def close(self) -> None:
        """Close the video and forget the pictures; the next call opens them again."""
        if self._movie is not None:
            self._movie.close()
        self._movie = self._still = None
        self._slides.clear()

    def _picture(self, canvas: Frame) -> Picture:
        if self._video is not None:
            if self._movie is None:
                self._movie = _Movie(self._video, self._fit, self._sampling, self._rate)
            return self._movie.at(canvas)
        if self._paths:
            return self._slide(canvas)
        if self._still is None or self._still[0].shape[:2] != canvas.size:
            self._still = self._draw(canvas.size)
        return self._still

    def _slide(self, canvas: Frame) -> Picture:
        # The small part more is for times like 0.3, which are a little less than three tenths.
        number = int(canvas.time * (self._rate or _SLIDES_PER_SECOND) + 1e-6) % len(self._paths)
        key = number, canvas.size
        if key not in self._slides:
            self._slides[key] = self._read(self._paths[number], canvas.size)
            if len(self._slides) > _KEPT_SLIDES:
                self._slides.popitem(last=False)
        return self._slides[key]

    def _draw(self, size: Size) -> Picture:
        if self._color is not None:
            return np.full((*size, 3), self._color, np.uint8), None
        if self._image is not None:
            return self._read(self._image, size)
        return default_picture(size), None

    def _read(self, path: Path, size: Size) -> Picture:
        return _fitted(read_picture(path), size, self._fit, self._sampling)


def _listed(folder: Path) -> list[Path]:
    from framefx.errors import MediaError
    from framefx.sources.image import pictures_of

    try:
        return pictures_of(str(folder))
    except MediaError as error:
        raise OptionError(str(error)) from error


def _fitted(picture: Picture, size: Size, fit: FitName, sampling: SamplingName) -> Picture:
    pixels, alpha = picture
    smooth = None if alpha is None else fit_picture(alpha, size, fit, sampling)
    return fit_picture(pixels, size, fit, sampling), smooth


class _Movie:
    """A looping video that shows the picture of a given time, or the last one that its pace took."""

    def __init__(self, path: Path, fit: FitName, sampling: SamplingName, rate: float | None) -> None:
        from framefx.sources.video import VideoFile

        self._source: Source = VideoFile(str(path), loop=True)
        self._source.open()
        self._fit, self._sampling, self._pace = fit, sampling, Pace(rate)
        self._started: float | None = None
        self._current: Frame | None = None
        self._next: Frame | None = self._source.read()
        self._shown: Picture | None = None

    def at(self, canvas: Frame) -> Picture:
        """Return the picture at the canvas's time by the chain's clock, fitted to it."""
        if self._started is None:
            self._started = canvas.time
        changed = self._shown is None or self._shown[0].shape[:2] != canvas.size
        while self._next is not None and self._next.time <= canvas.time - self._started + EARLY:
            if self._pace.takes(self._next.time):
                self._current, changed = self._next, True
            self._next = self._source.read()
        if changed and self._current is not None:
            self._shown = self._fitted(self._current, canvas)
        if self._shown is None:
            raise OptionError("the video has no picture")
        return self._shown

    def _fitted(self, frame: Frame, canvas: Frame) -> Picture:
        pixels = canvas.array((*canvas.size, 3))
        fit_picture(frame.pixels, canvas.size, self._fit, self._sampling, pixels)
        if frame.alpha is None:
            return pixels, None
        alpha = canvas.array(canvas.size)
        return pixels, fit_picture(frame.alpha, canvas.size, self._fit, self._sampling, alpha)

    def close(self) -> None:
        """Close the file."""
        self._source.close()
