"""``overlay``: a logo, a frame, a second picture over the first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from framefx import kernels
from framefx.errors import OptionError
from framefx.filters.fitting import Plane, fit_picture, read_picture, resize
from framefx.frame import Frame, Size


def _as_pair(value: Any) -> Any:
    """Split ``1280x720`` or ``-20/16``, as they are written in a chain."""
    return value.replace("x", "/").replace(",", "/").split("/") if isinstance(value, str) else value


Side = Annotated[int, Field(ge=1, le=32768)]


class Overlay:
    """Lay a picture over the frame: a logo, a vignette, a foreground.

    Its own transparency counts, a mask beside it as well, and `opacity` on top of both.
    """

    def __init__(
        self,
        *,
        image: Annotated[Path, Field(description="picture file")],
        mask: Annotated[
            Path | None, Field(description="picture that says where it is seen: white seen, black not")
        ] = None,
        opacity: Annotated[float, Field(ge=0, le=1, description="0 invisible to 1")] = 1.0,
        fit: Annotated[
            Literal["none", "cover", "contain", "stretch", "tile"],
            Field(description="how it fills the frame; none: its own size (or size=) at position="),
        ] = "none",
        position: Annotated[
            tuple[int, int],
            BeforeValidator(_as_pair),
            Field(description="pixels, x/y of its top left corner; negative: from right and bottom"),
        ] = (0, 0),
        size: Annotated[
            tuple[Side, Side] | None, BeforeValidator(_as_pair), Field(description="pixels, WIDTHxHEIGHT")
        ] = None,
    ) -> None:
        for path in (image, mask):
            if path is not None and not path.is_file():
                raise OptionError(f"there is no file {path}")
        self._image, self._mask, self._opacity, self._fit = image, mask, opacity, fit
        self._position, self._size = position, size
        self._drawn: tuple[Size, Plane, Plane] | None = None

    def __call__(self, frame: Frame) -> Frame:
        if self._drawn is None or self._drawn[0] != frame.size:
            self._drawn = frame.size, *self._draw(frame.size)
        _, pixels, cover = self._drawn
        x, y = self._place(frame.size, cover.shape)
        frame = frame.make_writable()
        kernels.stamp(frame.pixels, pixels, cover, y, x, alpha=frame.alpha)
        return frame

    def close(self) -> None:
        """Forget the picture; the next call reads it again."""
        self._drawn = None

    def _draw(self, size: Size) -> tuple[Plane, Plane]:
        """Return pixels and alpha, fitted to a frame of `size`."""
        pixels, alpha = self._read()
        wanted, fit = size, self._fit
        if fit == "none":
            if self._size is None:
                return pixels, alpha
            wanted, fit = self._size[::-1], "stretch"
        return fit_picture(pixels, wanted, fit), fit_picture(alpha, wanted, fit)

    def _place(self, size: Size, own: tuple[int, ...]) -> tuple[int, int]:
        """Return the x and y of its top left corner."""
        if self._fit != "none":
            return 0, 0
        x, y = (
            at if at >= 0 else side - length + at
            for at, side, length in zip(self._position, reversed(size), reversed(own), strict=True)
        )
        return x, y

    def _read(self) -> tuple[Plane, Plane]:
        pixels, alpha = read_picture(self._image)
        seen = np.full(pixels.shape[:2], 255.0) if alpha is None else alpha.astype(np.float64)
        if self._mask is not None:
            light = read_picture(self._mask)[0].mean(axis=2).astype(np.uint8)
            fitted = np.empty(pixels.shape[:2], np.uint8)
            resize(light, fitted, "linear")
            seen *= fitted / 255
        return pixels, np.round(seen * self._opacity).astype(np.uint8)
