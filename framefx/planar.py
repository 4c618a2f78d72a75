"""Frames as cameras send them and call programs read them: planar, RGB only for who asks for it.

A chain that hides the background behind a blur reads a smaller picture and merges; neither needs pixels in RGB.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from framefx import kernels
from framefx.errors import PluginError
from framefx.frame import Frame, FramePool, Image
from framefx.mask import Mask
from framefx.memory import read_only
from framefx.planes import Plane, Planes

_NOT_MADE = np.empty((0, 0, 3), np.uint8)


class PlanarFrame(Frame):
    """A frame held as planar 4:2:0; `pixels` are computed when they are read, once for all handles.

    Parameters
    ----------
    planes : Planes
        The picture, of even sides.
    index, time, pool
        As on `Frame`.
    owned : bool
        Whether nobody else reads the planes, so that a merge may write to them.
    """

    __slots__ = ("_planes",)

    def __init__(self, planes: Planes, index: int, time: float, pool: FramePool, *, owned: bool) -> None:
        self._planes: Planes | None = planes
        super().__init__(_NOT_MADE, None, index, time, pool, owned=owned, size=planes.size)

    @property
    def _pixels(self) -> Image | None:
        if self._planes is None:
            return None
        seen = self._small.get(1)
        if seen is None:
            seen = self._small[1] = read_only(self._planes.rgb(self._pool))
        return seen

    @_pixels.setter
    def _pixels(self, pixels: Image | None) -> None:
        """Ignore the base class: there are none yet."""

    @property
    def planes(self) -> Planes | None:
        mine = self._planes
        return None if mine is None else Planes(read_only(mine.data), mine.size, mine.full_range)

    @property
    def _is_consumed(self) -> bool:
        return self._planes is None

    @property
    def _memory(self) -> Plane | None:
        return None if self._planes is None else self._planes.data

    def _shows(self, other: Frame) -> bool:
        return isinstance(other, PlanarFrame) and self._planes is not None and self._planes is other._planes

    def make_writable(self) -> Frame:
        if self._owned and 1 not in self._small:
            pixels = self._taken().rgb(self._pool)
        else:  # pixels that others read, or will
            pixels = self._pool._copy(self.pixels)
            self._taken()
        return Frame(pixels, None, self.index, self.time, self._pool, owned=True, writable=True)

    def downsampled(self, factor: int) -> Image:
        planes, known = self._planes, self._small
        if planes is None or factor in known or factor // 2 in known or 1 in known:
            return super().downsampled(factor)
        if kernels.fits_i420(self._size, factor):
            small = self._pool.array((self._size[0] // factor, self._size[1] // factor, 3))
            kernels.downsample_i420(planes.data, self._size, factor, full_range=planes.full_range, out=small)
            known[factor] = read_only(small)
        return super().downsampled(factor)

    def _taken(self) -> Planes:
        """Return the planes and give this handle up."""
        if self._planes is None:
            raise PluginError("make_writable() was called twice on one frame: use the frame the first call returned")
        planes, self._planes, self._small = self._planes, None, {}
        return planes

    def _with(
        self,
        pixels: Image,
        alpha: npt.NDArray[np.uint8] | None,
        *,
        owned: bool,
        writable: bool = False,
        factor: int = 1,
    ) -> Frame:
        return Frame(
            pixels, alpha, self._index, self._time, self._pool,
            owned=owned, writable=writable, size=self._size, factor=factor,
        )  # fmt: skip

    def _lend(self, *, shared: bool) -> Frame:
        if self._planes is None:
            raise PluginError("a consumed frame came back: return the frame that make_writable() gave")
        frame = PlanarFrame(self._planes, self._index, self._time, self._pool, owned=self._owned and not shared)
        frame._small = self._small
        return frame


def merged(base: Frame, top: Frame, mask: Mask, pool: FramePool) -> Frame | None:
    """Return a reduced `top` over a planar `base` where `mask` says so, as `framefx.steps.merge`; else None."""
    planes = base._planes if isinstance(base, PlanarFrame) else None
    if planes is None or top.alpha is not None or not kernels.fits_i420(base.size, top.factor, merging=True):
        return None
    # Full range is limited on the way, as the virtual camera wants it: in place, it would be another pass.
    in_place = base._owned and not planes.full_range
    out = planes if in_place else Planes(pool.array(planes.data.shape), planes.size, full_range=False)
    kernels.merge_i420(
        planes.data,
        planes.size,
        top.pixels,
        mask.values,
        top.factor,
        full_range=planes.full_range,
        limited=True,
        out=out.data,
    )
    return PlanarFrame(out, base.index, base.time, pool, owned=True)
