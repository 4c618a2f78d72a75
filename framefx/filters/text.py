"""``text`` and ``clock``: captions in real fonts."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from framefx import kernels
from framefx.errors import OptionError
from framefx.filters.colors import Color
from framefx.filters.fonts import Caption, Look, draw
from framefx.filters.moves import Anchor
from framefx.frame import Frame, Size

now = datetime.now
"""Where the clock takes the time from; tests put their own here."""


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise OptionError(f"there is no font file {path}")
    return path


Position = Annotated[Anchor, Field(description="where in the picture")]
Height = Annotated[int, Field(ge=4, le=1000, description="pixels, of the letters")]
Opacity = Annotated[float, Field(ge=0, le=1, description="0 invisible to 1")]
Box = Annotated[Color | None, Field(description="colour of a box behind the text; none without")]
Margin = Annotated[int, Field(ge=0, le=2000, description="pixels to the picture's edge")]
Padding = Annotated[int, Field(ge=0, le=500, description="pixels of the box around the text")]
Outline = Annotated[int, Field(ge=0, le=50, description="pixels, edge around the letters; 0 without")]
Font = Annotated[
    Annotated[Path, AfterValidator(_existing)] | None,
    Field(description="font file, TrueType or OpenType; one of the system's by default"),
]


def text(
    frame: Frame,
    *,
    text: Annotated[str, Field(max_length=2000, description="what is written; \\n begins a new line")],
    position: Position = "bottom",
    size: Height = 40,
    color: Color = "white",
    opacity: Opacity = 1.0,
    background: Box = None,
    margin: Margin = 32,
    padding: Padding = 12,
    outline: Outline = 2,
    font: Font = None,
) -> Frame:
    """Write a caption: any characters that a font of the system has, smooth, in one or several lines.

    Drawn once by FreeType, through Pillow; each frame only blends its rectangle.
    """
    look = Look(size, color, opacity, background, padding, outline, font)
    return _write(frame, text.replace("\\n", "\n"), position, margin, look)


def clock(
    frame: Frame,
    *,
    format: Annotated[str, Field(max_length=200, description="as strftime takes it")] = "%H:%M",
    position: Position = "top-right",
    size: Height = 40,
    color: Color = "white",
    opacity: Opacity = 1.0,
    background: Box = None,
    margin: Margin = 32,
    padding: Padding = 12,
    outline: Outline = 2,
    font: Font = None,
) -> Frame:
    """Show the time of day, or the date, as `strftime` writes it; drawn as `text` is, once per change."""
    look = Look(size, color, opacity, background, padding, outline, font)
    return _write(frame, now().strftime(format), position, margin, look)


def _write(frame: Frame, text: str, position: str, margin: int, look: Look) -> Frame:
    if not text.strip() or look.opacity == 0:
        return frame
    caption = draw(text, look)
    top, left = _place(frame.size, caption, position, margin)
    frame = frame.make_writable()
    kernels.stamp(frame.pixels, caption.pixels, caption.cover, top, left, alpha=frame.alpha)
    return frame


def _place(size: Size, caption: Caption, position: str, margin: int) -> tuple[int, int]:
    """Return the caption's top left corner."""
    (height, width), (rows, columns) = size, caption.cover.shape
    top, left = (height - rows) // 2, (width - columns) // 2
    if "top" in position:
        top = margin
    elif "bottom" in position:
        top = height - rows - margin
    if "left" in position:
        left = margin
    elif "right" in position:
        left = width - columns - margin
    return top, left
