"""``freeze`` and ``card``: a picture that stands still."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from framefx import kernels
from framefx.filters.colors import Color, parse_color
from framefx.filters.fonts import Look, draw
from framefx.frame import Frame, Image


class Freeze:
    """Hold the first picture that comes to this step, until it is taken out of the chain.

    It shows what the steps before it made of that picture, and nothing newer; steps after it still run. What it
    holds is forgotten when the step goes.
    """

    def __init__(
        self,
        *,
        after: Annotated[float, Field(ge=0, le=86400, description="seconds that still move, from its first")] = 0.0,
    ) -> None:
        self._after = after
        self._start: float | None = None
        self._held: Frame | None = None

    def __call__(self, frame: Frame) -> Frame:
        if self._start is None:
            self._start = frame.time
        if self._held is not None and self._held.size == frame.size:
            return self._held
        if frame.time - self._start >= self._after:
            self._held = frame
        return frame

    def close(self) -> None:
        """Forget the picture; the next call holds a new one."""
        self._held, self._start = None, None


class Card:
    """Show a card with a line of text instead of the picture: a break that nobody takes for a fault."""

    def __init__(
        self,
        *,
        text: Annotated[str, Field(max_length=500, description="what it says; \\n begins a new line")] = "Back soon",
        color: Color = "#22262e",
        text_color: Color = "#ebebeb",
        size: Annotated[int, Field(ge=4, le=1000, description="pixels, of the letters, at 720 lines")] = 64,
    ) -> None:
        self._text, self._color = text.replace("\\n", "\n"), color
        self._text_color, self._size = text_color, size
        self._drawn: Image | None = None

    def __call__(self, canvas: Frame) -> Frame:
        if self._drawn is None or self._drawn.shape[:2] != canvas.size:
            frame = canvas.make_writable()
            self._draw(frame)
            self._drawn = frame.pixels.copy()
        return canvas.with_pixels(self._drawn)

    def close(self) -> None:
        """Forget the card; the next call draws it again."""
        self._drawn = None

    def _draw(self, frame: Frame) -> None:
        frame.pixels[:] = parse_color(self._color)
        height, width = frame.size
        size = self._size * height / 720
        if not self._text.strip() or size < 4:
            return
        look = Look(round(size), self._text_color, 1.0, None, 0, 0, None)
        wide = draw(self._text, look).cover.shape[1]
        if wide > 0.9 * width:
            look = look._replace(size=max(4, int(look.size * 0.9 * width / wide)))
        pixels, cover = draw(self._text, look)
        top, left = (height - cover.shape[0]) // 2, (width - cover.shape[1]) // 2
        kernels.stamp(frame.pixels, pixels, cover, top, left)
