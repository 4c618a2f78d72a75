"""Pictures over pictures: what the user asked for (`Stack`), and the parts that run (`Branch`).

What ``chain`` says is a stack of one. Frames carry straight alpha; blending is premultiplied (Porter and Duff
1984), blend modes are those of W3C's Compositing and Blending, level 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from framefx import kernels
from framefx.chain import Chain
from framefx.frame import Frame, FramePool, Image, Size
from framefx.geometry import Part, middle, overlap
from framefx.mask import Mask
from framefx.stamps import Stamp, stamp
from framefx.steps import Move, Op, Watch, resized
from framefx.where import Where

if TYPE_CHECKING:
    from framefx.feed import Feed

Plane = npt.NDArray[np.uint8]
"""An alpha: (height, width) uint8."""

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
    rate : float, optional
        Pictures per second: asked of a folder or a camera, at most of a video.
    """

    source: str = "frame"
    chain: Chain = field(default_factory=Chain)
    opacity: float = 1.0
    blend: Blend = "normal"
    position: tuple[int, int] = (0, 0)
    size: Size | Literal["frame"] | None = None
    rate: float | None = None
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
        if len(self.entries) == 1 and self.entries[0].source == "frame":
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
    given_away: bool = False
    files: dict[Path, Stamp] = field(init=False)
    _scaled: tuple[Image | None, Frame] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        path = Path(self.entry.source)
        is_read = self.feed is not None and (path.is_file() or path.is_dir())
        self.files = {path: stamp(path)} if is_read else {}

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

    def take_over(self, others: Sequence[Branch]) -> None:
        """Go on with the video or camera of another plan's entry of the same source and rate, if there is one.

        Not with that of a file that was changed on disk.
        """
        for other in others:
            free = self.feed is not None and other.feed is not None and not other.given_away
            same = (other.entry.source, other.entry.rate) == (self.entry.source, self.entry.rate)
            if free and same and other.files == self.files:
                self.feed, other.given_away = other.feed, True
                return

    def close(self) -> None:
        """Close the picture, video or camera it takes its frames from, unless another plan goes on with it."""
        if self.feed is not None and not self.given_away:
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
    else:
        out = _copied(below, pool)
    if entry.blend == "normal":
        rows, columns = (part.start - inner.start for part, inner in zip(covered, seen, strict=True))
        cover = _cover(top, entry.opacity, pool)
        kernels.stamp(out.pixels, top.pixels, cover, rows, columns, alpha=out.alpha)
    else:
        _blend(out, top, covered, seen, entry, pool)
    return out._lend(shared=False)


def _cover(top: Frame, opacity: float, pool: FramePool) -> Plane:
    """Return how much of `top` is seen, place by place."""
    if top.alpha is not None and opacity == 1:
        return top.alpha
    cover = pool.array(top.size)
    if top.alpha is None:
        cover.fill(round(255 * opacity))
    else:
        import cv2

        cv2.convertScaleAbs(top.alpha, dst=cover, alpha=opacity)
    return cover


def _blend(out: Frame, top: Frame, covered: Part, seen: Part, entry: Entry, pool: FramePool) -> None:
    opacity = round(255 * entry.opacity)
    if top.size == out.size == (covered[0].stop, covered[1].stop):
        lower, upper = (out.pixels, out.alpha), (top.pixels, top.alpha)
    else:
        lower, upper = _part(out, covered, pool), _part(top, seen, pool)
    kernels.blend(*lower, *upper, mode=entry.blend, opacity=opacity, out=lower[0], out_alpha=lower[1])
    if lower[0] is not out.pixels:
        out.pixels[covered] = lower[0]
        if out.alpha is not None and lower[1] is not None:
            out.alpha[covered] = lower[1]


def _part(frame: Frame, place: Part, pool: FramePool) -> tuple[Image, Plane | None]:
    """Return a copy of a part of a frame, in memory of the pool: kernels want it in one piece."""
    part = frame.pixels[place]
    pixels = pool.array(part.shape)
    np.copyto(pixels, part)
    if frame.alpha is None:
        return pixels, None
    alpha = pool.array(part.shape[:2])
    np.copyto(alpha, frame.alpha[place])
    return pixels, alpha


def _copied(frame: Frame, pool: FramePool) -> Frame:
    out = pool.frame(frame.size, index=frame.index, time=frame.time, alpha=frame.alpha is not None)
    np.copyto(out.pixels, frame.pixels)
    if out.alpha is not None and frame.alpha is not None:
        np.copyto(out.alpha, frame.alpha)
    return out
