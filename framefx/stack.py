"""Pictures over pictures: what the user asked for (`Stack`), and the parts that run (`Branch`).

What ``chain`` says is a stack of one. Frames carry straight alpha; blending is premultiplied (Porter and Duff
1984), blend modes are those of W3C's Compositing and Blending, level 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from framefx.chain import Chain
from framefx.frame import Frame, FramePool, Image, Size
from framefx.geometry import Part, middle, overlap
from framefx.mask import Mask
from framefx.steps import Move, Op, Watch, resized
from framefx.where import Where

if TYPE_CHECKING:
    from framefx.feed import Feed

Blend = Literal["normal", "multiply", "screen", "overlay", "add"]
BLENDS: tuple[str, ...] = get_args(Blend)


@dataclass(frozen=True)
class Entry:
    """One picture of a stack, from the bottom up.

    Parameters
    ----------
    source : str
        ``frame``; ``empty`` (transparent); ``previous`` (what lies below so far); a layer or union of layers, for
        the frame cut out by it; or a picture, video or camera, as ``--source`` takes it.
    chain : Chain
        Filters of this picture alone.
    opacity : float
        0 invisible to 1.
    blend : str
        How its colours meet what lies below.
    position : (int, int)
        x and y in pixels of its top left corner; negative ones count from the right and bottom edges.
    size : (int, int), "frame" or None
        Height and width in pixels to scale it to; ``frame`` covers the source's frame. None leaves it as it is, and
        makes the bottom picture cover the frame.
    """

    source: str = "frame"
    chain: Chain = field(default_factory=Chain)
    opacity: float = 1.0
    blend: Blend = "normal"
    position: tuple[int, int] = (0, 0)
    size: Size | Literal["frame"] | None = None
    origin: str = field(default="", compare=False)


@dataclass(frozen=True)
class Stack:
    """Pictures over pictures, from the bottom up."""

    entries: tuple[Entry, ...]

    @classmethod
    def of(cls, chain: Chain) -> Stack:
        """Return the stack that a chain alone means."""
        return cls((Entry(chain=chain),))

    def __str__(self) -> str:
        if len(self.entries) == 1:
            return str(self.entries[0].chain)
        return " + ".join(f"{e.source}[{e.chain}]" if e.chain else e.source for e in self.entries)


@dataclass
class Branch:
    """An entry of a stack, resolved: where its picture comes from, and the ops that run on it."""

    entry: Entry
    ops: list[Op]
    cut: Where | None
    makers: Mapping[str, object]
    feed: Feed | None = None
    _scaled: tuple[Image | None, Frame] | None = field(default=None, init=False, repr=False)

    @property
    def reads_frame(self) -> bool:
        """Whether its picture is made of the source's frame."""
        return self.feed is None and self.entry.source not in ("empty", "previous")

    def output_size(self, size: Size) -> Size:
        """Return the (height, width) of this picture for frames of `size`."""
        for op in self.ops:
            if isinstance(op, Move):
                for bound in op.steps:
                    size = resized(bound, size)
        return self.entry.size if isinstance(self.entry.size, tuple) else size

    def run(self, frame: Frame, below: Frame | None, values: Mapping[str, Any], pool: FramePool, watch: Watch) -> Frame:
        """Return this picture: its source, after its chain, at its size."""
        picture = self._begin(frame, below, values, pool)
        own = dict(values)
        for op in self.ops:
            picture = op.run(picture, own, pool, watch)
        if isinstance(self.entry.size, tuple) and self.entry.size != picture.size:
            picture = scaled(picture, self.entry.size, pool)
        return picture

    def _begin(self, frame: Frame, below: Frame | None, values: Mapping[str, Any], pool: FramePool) -> Frame:
        source = self.entry.source
        if self.feed is not None:
            picture = self.feed.at(frame)
            fits = picture.size == frame.size or not (self.entry.size == "frame" or below is None)
            return picture if fits or isinstance(self.entry.size, tuple) else self._covering(picture, frame.size, pool)
        if source == "previous" and below is not None:
            return below._lend(shared=True)
        if source in ("empty", "previous"):
            return empty(frame, pool)
        if self.cut is not None:
            return cut_out(frame, self.cut.mask(values, self.makers), pool)
        return frame

    def _covering(self, picture: Frame, size: Size, pool: FramePool) -> Frame:
        """Return `picture` covering `size`; a still is scaled once."""
        if self._scaled is None or self._scaled[0] is not picture._pixels or self._scaled[1].size != size:
            self._scaled = picture._pixels, scaled(picture, size, pool, cover=True)
        return self._scaled[1]._lend(shared=True)._stamped(picture.index, picture.time)

    def close(self) -> None:
        """Close the picture, video or camera it takes its frames from."""
        if self.feed is not None:
            self.feed.close()


def empty(frame: Frame, pool: FramePool) -> Frame:
    """Return a transparent black frame of the size, index and time of `frame`."""
    result = pool.frame(frame.size, index=frame.index, time=frame.time, alpha=True)
    result.pixels.fill(0)
    if result.alpha is not None:
        result.alpha.fill(0)
    return result._lend(shared=False)


def cut_out(frame: Frame, mask: Mask, pool: FramePool) -> Frame:
    """Return `frame` with `mask` as its alpha, times the alpha it had."""
    from framefx.kernels import upsample_mask

    alpha = pool.array(frame.size)
    upsample_mask(mask.values, alpha)
    if frame.alpha is not None:
        import cv2

        cv2.multiply(alpha, frame.alpha, dst=alpha, scale=1 / 255)
    return frame.with_alpha(alpha)


def scaled(frame: Frame, size: Size, pool: FramePool, *, cover: bool = False) -> Frame:
    """Return `frame` at another size, distorted or, with `cover`, cropped: area mean to shrink, bilinear to grow."""
    import cv2

    part = middle(frame.size, size) if cover else (slice(None), slice(None))
    result = pool.frame(size, index=frame.index, time=frame.time, alpha=frame.alpha is not None)
    method = cv2.INTER_AREA if size[0] < frame.size[0] else cv2.INTER_LINEAR
    cv2.resize(frame.pixels[part], (size[1], size[0]), dst=result.pixels, interpolation=method)
    if frame.alpha is not None:
        cv2.resize(frame.alpha[part], (size[1], size[0]), dst=result.alpha, interpolation=method)
    return result._lend(shared=False)


def place(below: Frame | None, top: Frame, entry: Entry, pool: FramePool) -> Frame:
    """Return `top` over `below` at the entry's position, in its blend mode, at its opacity."""
    if below is None and entry.opacity == 1 and entry.position == (0, 0):
        return top
    if below is None:
        below = empty(top, pool)
    whole = entry.position == (0, 0) and top.size == below.size
    if whole and entry.opacity == 1 and entry.blend == "normal" and top.alpha is None:
        return top
    covered, seen = overlap(below.size, top.size, entry.position)
    if any(part.start == part.stop for part in covered) or entry.opacity == 0:
        return below
    # `previous` was handed what lies below: a step of its chain may have kept it.
    if below._owned and entry.source != "previous":
        out = below._lend(shared=False).make_writable()
        base = out
    else:
        out = pool.frame(below.size, index=below.index, time=below.time, alpha=below.alpha is not None)
        base = below
    if whole:
        _lay((base.pixels, base.alpha), (top.pixels, top.alpha), (out.pixels, out.alpha), entry)
        return out._lend(shared=False)
    if out is not base:
        _copy(base, out)
    lower, upper = _part(out, covered, pool), _part(top, seen, pool)
    _lay(lower, upper, lower, entry)
    out.pixels[covered] = lower[0]
    if out.alpha is not None and lower[1] is not None:
        out.alpha[covered] = lower[1]
    return out._lend(shared=False)


Layer = tuple[Image, Image | None]
"""Pixels and alpha, both C-contiguous."""


def _lay(base: Layer, top: Layer, out: Layer, entry: Entry) -> None:
    from framefx import kernels

    opacity = round(255 * entry.opacity)
    if entry.blend == "normal":
        kernels.over(*base, *top, opacity=opacity, out=out[0], out_alpha=out[1])
    else:
        kernels.blend(*base, *top, mode=entry.blend, opacity=opacity, out=out[0], out_alpha=out[1])


def _part(frame: Frame, place: Part, pool: FramePool) -> Layer:
    """Return a copy of a part of a frame, in memory of the pool: kernels want it in one piece."""
    part = frame.pixels[place]
    pixels = pool.array(part.shape)
    np.copyto(pixels, part)
    if frame.alpha is None:
        return pixels, None
    alpha = pool.array(part.shape[:2])
    np.copyto(alpha, frame.alpha[place])
    return pixels, alpha


def _copy(frame: Frame, out: Frame) -> None:
    np.copyto(out.pixels, frame.pixels)
    if out.alpha is not None and frame.alpha is not None:
        np.copyto(out.alpha, frame.alpha)
