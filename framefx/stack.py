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
from framefx.frame import Frame, FramePool, Size
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
    size : (int, int) or None
        Height and width in pixels to scale it to.
    """

    source: str = "frame"
    chain: Chain = field(default_factory=Chain)
    opacity: float = 1.0
    blend: Blend = "normal"
    position: tuple[int, int] = (0, 0)
    size: Size | None = None
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
        return self.entry.size or size

    def run(self, frame: Frame, below: Frame | None, values: Mapping[str, Any], pool: FramePool, watch: Watch) -> Frame:
        """Return this picture: its source, after its chain, at its size."""
        picture = self._begin(frame, below, values, pool)
        own = dict(values)
        for op in self.ops:
            picture = op.run(picture, own, pool, watch)
        if self.entry.size is not None and self.entry.size != picture.size:
            picture = scaled(picture, self.entry.size, pool)
        return picture

    def _begin(self, frame: Frame, below: Frame | None, values: Mapping[str, Any], pool: FramePool) -> Frame:
        source = self.entry.source
        if self.feed is not None:
            return self.feed.at(frame)
        if source == "previous" and below is not None:
            return below._lend(shared=True)
        if source in ("empty", "previous"):
            return empty(frame, pool)
        if self.cut is not None:
            return cut_out(frame, self.cut.mask(values, self.makers), pool)
        return frame

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
        np.copyto(alpha, (alpha.astype(np.uint16) * frame.alpha + 127) // 255, casting="unsafe")
    return frame.with_alpha(alpha)


def scaled(frame: Frame, size: Size, pool: FramePool) -> Frame:
    """Return `frame` at another size: area mean where it shrinks, bilinear where it grows."""
    import cv2

    result = pool.frame(size, index=frame.index, time=frame.time, alpha=frame.alpha is not None)
    method = cv2.INTER_AREA if size[0] < frame.size[0] else cv2.INTER_LINEAR
    cv2.resize(frame.pixels, (size[1], size[0]), dst=result.pixels, interpolation=method)
    if frame.alpha is not None:
        cv2.resize(frame.alpha, (size[1], size[0]), dst=result.alpha, interpolation=method)
    return result._lend(shared=False)


def place(below: Frame | None, top: Frame, entry: Entry, pool: FramePool) -> Frame:
    """Return `top` over `below` at the entry's position, in its blend mode, at its opacity."""
    from framefx import kernels

    whole = below is None or (entry.position == (0, 0) and top.size == below.size)
    plain = entry.opacity == 1 and entry.blend == "normal"
    if below is None and entry.opacity == 1:
        return top
    if below is None:
        below = empty(top, pool)
    if whole and plain and top.alpha is None:
        return top
    rows, columns, inner = _overlap(below.size, top.size, entry.position)
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return below
    out = below._lend(shared=False).make_writable() if below._owned else _copied(below, pool)
    part, cut = (rows, columns), inner
    base_alpha = None if out.alpha is None else np.ascontiguousarray(out.alpha[part])
    top_alpha = None if top.alpha is None else np.ascontiguousarray(top.alpha[cut])
    pixels, alpha = kernels.over(
        np.ascontiguousarray(out.pixels[part]),
        np.ascontiguousarray(top.pixels[cut]),
        base_alpha=base_alpha,
        top_alpha=top_alpha,
        opacity=round(255 * entry.opacity),
        mode=entry.blend,
    )
    out.pixels[part] = pixels
    if out.alpha is not None:
        out.alpha[part] = alpha
    return out._lend(shared=False)


def _copied(frame: Frame, pool: FramePool) -> Frame:
    out = pool.frame(frame.size, index=frame.index, time=frame.time, alpha=frame.alpha is not None)
    np.copyto(out.pixels, frame.pixels)
    if out.alpha is not None and frame.alpha is not None:
        np.copyto(out.alpha, frame.alpha)
    return out


def _overlap(below: Size, top: Size, position: tuple[int, int]) -> tuple[slice, slice, tuple[slice, slice]]:
    """Return rows and columns of the lower picture that the upper one covers, and where they are in the upper."""
    outer, inner = [], []
    for side, length, start in zip(below, top, reversed(position), strict=True):
        start = start if start >= 0 else side - length + start
        first, last = max(0, start), min(side, start + length)
        outer.append(slice(first, max(first, last)))
        inner.append(slice(first - start, max(first, last) - start))
    return outer[0], outer[1], (inner[0], inner[1])
