"""``replace``: another picture, a video or a colour instead of the background."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from framefx.errors import OptionError
from framefx.frame import Frame, Image, Size

if TYPE_CHECKING:
    from framefx.protocols import Source

Fit = Literal["cover", "contain", "stretch", "tile"]


class Replace:
    """Show a picture, a video or a colour instead of the background.

    With none of the three, a quiet generated picture is shown. A video is looped and plays by the clock.
    """

    def __init__(
        self,
        *,
        image: Annotated[Path | None, Field(description="picture file")] = None,
        video: Annotated[Path | None, Field(description="video file, looped")] = None,
        color: Annotated[str | None, Field(description="colour, #rrggbb or a name such as green")] = None,
        fit: Annotated[
            Fit, Field(description="cover crops, contain leaves borders, stretch distorts, tile repeats")
        ] = "cover",
    ) -> None:
        given = [name for name, value in (("image", image), ("video", video), ("color", color)) if value is not None]
        if len(given) > 1:
            raise OptionError(f"{given[0]} and {given[1]} are both given: choose one of image, video and color")
        for path in (image, video):
            if path is not None and not path.is_file():
                raise OptionError(f"there is no file {path}")
        self._image, self._video, self._fit = image, video, fit
        self._color = None if color is None else parse_color(color)
        self._still: Image | None = None
        self._movie: _Movie | None = None

    def __call__(self, canvas: Frame) -> Frame:
        if self._video is not None:
            if self._movie is None:
                self._movie = _Movie(self._video, self._fit)
            return canvas.with_pixels(self._movie.at(canvas.time, canvas.size))
        if self._still is None or self._still.shape[:2] != canvas.size:
            self._still = self._draw(canvas.size)
        return canvas.with_pixels(self._still)

    def close(self) -> None:
        """Close the video and forget the picture; the next call opens it again."""
        if self._movie is not None:
            self._movie.close()
        self._movie = self._still = None

    def _draw(self, size: Size) -> Image:
        if self._color is not None:
            return np.full((*size, 3), self._color, np.uint8)
        if self._image is not None:
            from framefx.sources.image import ImageFile

            source = ImageFile(str(self._image))
            source.open()
            frame = source.read()
            source.close()
            if frame is None:
                raise OptionError(f"{self._image} holds no picture")
            return fit_picture(frame.pixels, size, self._fit)
        return default_picture(size)


class _Movie:
    """A looping video that shows the picture of a given time."""

    def __init__(self, path: Path, fit: Fit) -> None:
        from framefx.sources.video import VideoFile

        self._source: Source = VideoFile(str(path), loop=True)
        self._source.open()
        self._fit = fit
        self._started: float | None = None
        self._next: Frame | None = self._source.read()
        self._shown: Image | None = None

    def at(self, time: float, size: Size) -> Image:
        """Return the picture at `time` seconds of the chain's clock, fitted to `size`."""
        if self._started is None:
            self._started = time
        current: Frame | None = None
        while self._next is not None and self._next.time <= time - self._started:
            current, self._next = self._next, self._source.read()
        if current is not None or self._shown is None or self._shown.shape[:2] != size:
            frame = current or self._next
            if frame is not None:
                self._shown = fit_picture(frame.pixels, size, self._fit)
        if self._shown is None:
            raise OptionError("the video has no picture")
        return self._shown

    def close(self) -> None:
        """Close the file."""
        self._source.close()


def fit_picture(pixels: Image, size: Size, fit: Fit) -> Image:
    """Return `pixels` fitted to `size`: cover crops, contain leaves black borders, stretch distorts, tile repeats."""
    import cv2

    height, width = size
    rows, columns = pixels.shape[:2]
    if fit == "tile":
        tiles = (-(-height // rows), -(-width // columns), 1)
        return np.ascontiguousarray(np.tile(pixels, tiles)[:height, :width])
    choose = max if fit == "cover" else min
    scale = choose(height / rows, width / columns)
    inner = (height, width) if fit == "stretch" else (max(1, round(rows * scale)), max(1, round(columns * scale)))
    method = cv2.INTER_AREA if inner[0] < rows else cv2.INTER_CUBIC
    scaled = np.asarray(cv2.resize(pixels, (inner[1], inner[0]), interpolation=method), np.uint8)
    if inner == (height, width):
        return scaled
    if fit == "cover":
        top, left = (inner[0] - height) // 2, (inner[1] - width) // 2
        return np.ascontiguousarray(scaled[top : top + height, left : left + width])
    result = np.zeros((height, width, 3), np.uint8)
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    result[top : top + inner[0], left : left + inner[1]] = scaled
    return result


def parse_color(text: str) -> tuple[int, int, int]:
    """Return the (red, green, blue) of ``#rrggbb``, ``#rgb``, ``r,g,b`` or a common name.

    Raises
    ------
    OptionError
        For anything else.
    """
    named = _COLORS.get(text.strip().lower(), text.strip())
    digits = named.removeprefix("#")
    try:
        if "," in named:
            red, green, blue = (int(part) for part in named.split(","))
        elif len(digits) in (3, 6):
            wide = digits if len(digits) == 6 else "".join(c * 2 for c in digits)
            red, green, blue = bytes.fromhex(wide)
        else:
            raise ValueError
        if not all(0 <= channel <= 255 for channel in (red, green, blue)):
            raise ValueError
    except ValueError:
        raise OptionError(f"{text!r} is no colour: write #rrggbb or one of {', '.join(_COLORS)}") from None
    return red, green, blue


_COLORS = {
    "black": "#000000",
    "white": "#ffffff",
    "gray": "#808080",
    "red": "#ff0000",
    "green": "#00ff00",
    "blue": "#0000ff",
    "yellow": "#ffff00",
    "cyan": "#00ffff",
    "magenta": "#ff00ff",
    "orange": "#ff8000",
}


def default_picture(size: Size) -> Image:
    """Return a quiet evening sky over hills, drawn for `size`: nobody has to find a picture first."""
    height, width = size
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    stops = np.array([[52, 78, 128], [126, 140, 178], [226, 178, 152], [250, 214, 168]], np.float32)
    position = np.broadcast_to(np.clip(y / 0.75, 0, 1) * (len(stops) - 1), (height, width))
    picture = np.stack([np.interp(position, np.arange(len(stops)), stops[:, c]) for c in range(3)], axis=2)
    glow = np.exp(-((x - 0.68) ** 2 / 0.03 + (y - 0.52) ** 2 / 0.02))[..., None]
    picture = picture * (1 - 0.5 * glow) + np.array([255, 236, 196], np.float32) * 0.5 * glow
    edge = 1.5 / max(height, 2)
    for level, swing, speed, phase, tone in _HILLS:
        line = level + swing * (np.sin(x * speed + phase) + 0.4 * np.sin(2.3 * x * speed + 2 * phase))
        inside: npt.NDArray[np.float32] = np.clip((y - line) / edge, 0, 1)[..., None]
        picture = picture * (1 - inside) + np.array(tone, np.float32) * inside
    return np.ascontiguousarray(np.clip(picture + 0.5, 0, 255).astype(np.uint8))


_HILLS = (
    (0.62, 0.035, 7.0, 0.4, (128, 132, 158)),
    (0.71, 0.045, 5.0, 2.1, (88, 100, 128)),
    (0.82, 0.050, 3.6, 4.0, (52, 66, 90)),
)
