"""``overlay``: a logo, a frame, a second picture over the first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from framefx.errors import OptionError
from framefx.filters.fitting import Plane, fit_picture, read_picture, resize
from framefx.frame import Frame, Size
from framefx.geometry import overlap


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
        self._drawn: tuple[Plane, Plane] | None = None

    def __call__(self, frame: Frame) -> Frame:
        from framefx import kernels

        if self._drawn is None or self._drawn[0].shape[:2] != frame.size:
            self._drawn = self._draw(frame.size)
        pixels, alpha = self._drawn
        out = frame.new(alpha=frame.alpha is not None)
        if frame.alpha is None:
            kernels.masked_merge(frame.pixels, pixels, alpha, out=out.pixels)
        else:
            kernels.over(frame.pixels, frame.alpha, pixels, alpha, out=out.pixels, out_alpha=out.alpha)
        return out

    def close(self) -> None:
        """Forget the picture; the next call reads it again."""
        self._drawn = None

    def _draw(self, size: Size) -> tuple[Plane, Plane]:
        """Return pixels and alpha of the frame's size."""
        pixels, alpha = self._read()
        if self._fit != "none":
            return fit_picture(pixels, size, self._fit), fit_picture(alpha, size, self._fit)
        drawn, seen = np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8)
        covered, inner = overlap(size, pixels.shape[:2], self._position)
        drawn[covered], seen[covered] = pixels[inner], alpha[inner]
        return drawn, seen

    def _read(self) -> tuple[Plane, Plane]:
        pixels, alpha = read_picture(self._image)
        seen = np.full(pixels.shape[:2], 255.0) if alpha is None else alpha.astype(np.float64)
        if self._mask is not None:
            light = read_picture(self._mask)[0].mean(axis=2).astype(np.uint8)
            fitted = np.empty(pixels.shape[:2], np.uint8)
            resize(light, fitted, "linear")
            seen *= fitted / 255
        final = np.round(seen * self._opacity).astype(np.uint8)
        if self._size is not None and self._fit == "none":
            size = self._size[::-1]
            return fit_picture(pixels, size, "stretch"), fit_picture(final, size, "stretch")
        return pixels, final
