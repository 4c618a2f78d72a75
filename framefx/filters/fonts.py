"""Real letters: a font that has the characters, and a text drawn with it once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from framefx.errors import OptionError
from framefx.filters.colors import parse_color

U8 = npt.NDArray[np.uint8]

# Pillow looks into the system's font folders; the first that has every character is taken.
_NAMES = (
    "Inter-Regular.ttf", "NotoSans-Regular.ttf", "DejaVuSans.ttf", "LiberationSans-Regular.ttf", "Ubuntu-R.ttf",
    "Cantarell-Regular.otf", "arial.ttf", "Arial.ttf", "Helvetica.ttc", "NotoSansCJK-Regular.ttc",
    "wqy-zenhei.ttc", "Arial Unicode.ttf", "Symbola.ttf",
)  # fmt: skip
_NOWHERE = "\U0010ffff"


class Look(NamedTuple):
    """How a text is drawn; lengths in pixels, opacities from 0 to 1."""

    size: int
    color: str
    opacity: float
    background: str | None
    padding: int
    outline: int
    font: Path | None


class Caption(NamedTuple):
    """A drawn text: (h, w, 3) straight pixels and (h, w) coverage."""

    pixels: U8
    cover: U8


@lru_cache(maxsize=32)
def draw(text: str, look: Look) -> Caption:
    """Draw a text, several lines of it centred, into the smallest rectangle that holds it.

    Raises
    ------
    OptionError
        For a font file that is none.
    """
    from PIL import Image, ImageDraw

    font = _font(text, look.size, look.font)
    measure = ImageDraw.Draw(Image.new("L", (1, 1)))
    spacing = max(1, look.size // 4)
    options: dict[str, Any] = {"font": font, "spacing": spacing, "align": "center"}
    box = measure.multiline_textbbox((0, 0), text, stroke_width=look.outline, **options)
    # Lines stand where letters with and without tails would: a clock must not hop.
    ascent, descent = font.getmetrics()
    lines = text.count("\n")
    height = lines * _line_height(measure, options, look) + ascent + descent + 2 * look.outline
    pad = look.padding if look.background is not None else 0
    size = max(1, round(box[2] - box[0])) + 2 * pad, max(1, round(height)) + 2 * pad
    place = pad - box[0], pad + look.outline
    letters, outer = Image.new("L", size), Image.new("L", size)
    ImageDraw.Draw(letters).multiline_text(place, text, fill=255, **options)
    ImageDraw.Draw(outer).multiline_text(place, text, fill=255, stroke_width=look.outline, **options)
    return _composed(np.asarray(letters, np.uint8), np.asarray(outer, np.uint8), look)


def _line_height(measure: Any, options: dict[str, Any], look: Look) -> float:
    one, two = (measure.multiline_textbbox((0, 0), t, stroke_width=look.outline, **options)[3] for t in ("A", "A\nA"))
    return float(two - one)


def _composed(letters: U8, outer: U8, look: Look) -> Caption:
    """Lay letters over their outline over the box behind them."""
    ink, part = np.array(parse_color(look.color), np.float64), letters[..., None] / 255
    edge = np.zeros(3) if ink.mean() > 100 else np.full(3, 255.0)
    drawn = ink * part + edge * (1 - part)
    cover = outer * look.opacity
    if look.background is None:
        return Caption(np.round(drawn).astype(np.uint8), np.round(cover).astype(np.uint8))
    over = outer[..., None] / 255
    drawn = drawn * over + np.array(parse_color(look.background)) * (1 - over)
    # The box lets a little of the picture through; letters do not.
    cover = np.maximum(cover, _rounded(letters.shape, look.padding) * (0.65 * look.opacity))
    return Caption(np.round(drawn).astype(np.uint8), np.round(cover).astype(np.uint8))


def _rounded(shape: tuple[int, ...], radius: float) -> npt.NDArray[np.float64]:
    """Return the coverage, 0 to 255, of a box with round corners."""
    return rounded_box((shape[0], shape[1]), 0, min(radius, min(shape) / 2)) * 255


def rounded_box(size: tuple[int, int], inset: float, radius: float) -> npt.NDArray[np.float64]:
    """Return how much of each pixel is inside a box with round corners, `inset` pixels within the edges."""
    height, width = size
    radius = max(0.0, min(radius, min(height, width) / 2 - inset))
    y = np.abs(np.arange(height) + 0.5 - height / 2)[:, None] - (height / 2 - inset - radius)
    x = np.abs(np.arange(width) + 0.5 - width / 2) - (width / 2 - inset - radius)
    outside = np.hypot(np.maximum(x, 0), np.maximum(y, 0)) + np.minimum(np.maximum(x, y), 0) - radius
    return np.asarray(np.clip(0.5 - outside, 0, 1))


def _font(text: str, size: int, path: Path | None) -> Any:
    from PIL import ImageFont

    if path is not None:
        try:
            return ImageFont.truetype(str(path), size)
        except OSError as error:
            raise OptionError(f"{path} is no font that can be used: {error}") from error
    needed = "".join(sorted(set(text) - set("\n \t")))
    fallback: Any = None
    for font in _installed(size):
        if _has(font, needed):
            return font
        fallback = fallback or font
    return fallback or ImageFont.load_default(size)


def _installed(size: int) -> Iterator[Any]:
    from PIL import ImageFont

    for name in _NAMES:
        try:
            yield ImageFont.truetype(name, size)
        except OSError:
            continue


def _has(font: Any, needed: str) -> bool:
    """Whether no character is drawn as the box that stands for missing ones."""
    missing = bytes(font.getmask(_NOWHERE))
    return all(bytes(font.getmask(c)) != missing for c in needed)
