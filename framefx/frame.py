"""Frames, and the pool that lends their memory.

Copy on write, in three rules:

1. A frame's arrays are read-only until `make_writable()`, which copies only if somebody else still reads them.
2. The plan says who still reads them (`Frame._lend`); nothing counts references. ``sys.getrefcount`` is no
   answer: Python 3.14 borrows references on the stack and counts fewer than there are.
3. Memory is lent through a `framefx.memory.Loan`, an exporter object that every NumPy view of it keeps alive as its
   base. When the last view is gone the loan is finalised and the memory returns to the pool: a filter that keeps a
   view keeps its memory, and cannot see it written by a later frame.

VapourSynth (`getWritePtr`), FFmpeg and GStreamer (`make_writable`) have the same rule.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from framefx import kernels
from framefx.errors import PluginError
from framefx.memory import Buffer, Loan, read_only

if TYPE_CHECKING:
    from framefx.planes import Planes

Image = npt.NDArray[np.uint8]
"""Pixels: (height, width, 3) uint8 RGB, C-contiguous."""

Size = tuple[int, int]
"""(height, width) in pixels."""

_KEPT_PER_SIZE = 12


class FramePool:
    """Lends frame-sized memory and counts what happens to it.

    Attributes
    ----------
    allocations : int
        Buffers taken from the system so far; constant after warm-up.
    copies : int
        Frames copied by `Frame.make_writable` or to make them contiguous.
    copied_bytes : int
        Bytes of those copies.
    """

    def __init__(self) -> None:
        self.allocations = 0
        self.copies = 0
        self.copied_bytes = 0
        self._free: defaultdict[int, deque[Buffer]] = defaultdict(deque)
        self._lock = threading.Lock()

    def array(self, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
        """Lend an uninitialised, writable, C-contiguous uint8 array; it returns when its last view is gone."""
        count = 1
        for side in shape:
            count *= side
        try:
            buffer = self._free[count].pop()
        except IndexError:
            buffer = Buffer(count)
            with self._lock:
                self.allocations += 1
        return np.asarray(Loan(buffer, shape, self._take_back))

    def frame(self, size: Size, *, index: int = 0, time: float = 0.0, alpha: bool = False) -> Frame:
        """Lend a writable frame of `size` whose pixels (and alpha) are uninitialised."""
        height, width = size
        pixels = self.array((height, width, 3))
        return Frame(pixels, self.array(size) if alpha else None, index, time, self, owned=True, writable=True)

    def _copy(self, array: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        result = self.array(array.shape)
        np.copyto(result, array)
        with self._lock:
            self.copies += array.ndim == 3
            self.copied_bytes += array.nbytes
        return result

    def _take_back(self, buffer: Buffer) -> None:
        free = self._free[buffer.memory.size]
        if len(free) < _KEPT_PER_SIZE:
            free.append(buffer)


_shared_pool = FramePool()


class Frame:
    """One picture on its way through a chain.

    Make one with `Frame.borrow`, `FramePool.frame`, or from another frame with `with_pixels`, `with_alpha`,
    `reduced` and `new`.

    Attributes
    ----------
    pixels : (height, width, 3) uint8 RGB
        C-contiguous; read-only until `make_writable`. Smaller than `size` on a reduced frame.
    alpha : (height, width) uint8 or None
        Straight alpha, 0 transparent to 255 opaque; None means opaque everywhere.
    size : (int, int)
        Height and width in pixels of the picture this frame stands for.
    factor : int
        1, or how many times smaller than `size` the arrays of a reduced frame are.
    index : int
        Number of the frame in its source, from 0.
    time : float
        Seconds since the pipeline's first frame, by the capture clock; never runs backwards.
    """

    __slots__ = ("_alpha", "_index", "_owned", "_pixels", "_pool", "_size", "_small", "_time", "_writable", "factor")

    def __init__(
        self,
        pixels: Image,
        alpha: npt.NDArray[np.uint8] | None,
        index: int,
        time: float,
        pool: FramePool,
        *,
        owned: bool,
        writable: bool = False,
        size: Size | None = None,
        factor: int = 1,
    ) -> None:
        self._pixels: Image | None = pixels
        self._alpha = alpha
        self._index = index
        self._time = time
        self._pool = pool
        self._owned = owned
        self._writable = writable
        self._size: Size = size or (pixels.shape[0], pixels.shape[1])
        # The picture by factor, read-only: shared by all handles of the same content; a handle that may be written
        # starts a new one.
        self._small: dict[int, Image] = {}
        self.factor = factor

    @classmethod
    def borrow(
        cls,
        pixels: Image,
        alpha: npt.NDArray[np.uint8] | None = None,
        *,
        index: int = 0,
        time: float = 0.0,
        pool: FramePool | None = None,
    ) -> Frame:
        """Make a frame of arrays that stay the caller's: framefx reads them and never writes to them.

        Parameters
        ----------
        pixels : (height, width, 3) uint8 RGB
            Strided arrays are copied, contiguous ones are not.
        alpha : (height, width) uint8, optional
            Straight alpha; None is opaque.
        index, time
            As on `Frame`.
        pool : FramePool, optional
            Where copies of this frame are made.

        Raises
        ------
        PluginError
            For another shape or dtype.
        """
        pool = pool or _shared_pool
        pixels = _checked(pixels, None, "pixels", pool)
        if alpha is not None:
            alpha = _checked(alpha, pixels.shape[:2], "alpha", pool)
        return cls(pixels, alpha, index, time, pool, owned=False)

    @property
    def pixels(self) -> Image:
        if self._pixels is None:
            raise PluginError(
                "this frame was consumed by make_writable(): use the frame that make_writable() returned, "
                "and read what you need of the old one before the call"
            )
        if self._writable:
            return self._pixels
        seen = self._small.get(1)
        if seen is None:
            seen = self._small[1] = read_only(self._pixels)
        return seen

    @property
    def alpha(self) -> npt.NDArray[np.uint8] | None:
        if self._alpha is None or self._writable:
            return self._alpha
        return read_only(self._alpha)

    @property
    def index(self) -> int:
        return self._index

    @property
    def time(self) -> float:
        return self._time

    @property
    def size(self) -> Size:
        return self._size

    @property
    def planes(self) -> Planes | None:
        """The same picture as planes, read-only, where this frame is made of them (`framefx.planar`), else None."""
        return None

    @property
    def writable(self) -> bool:
        """Whether `pixels` and `alpha` may be written."""
        return self._writable

    def make_writable(self) -> Frame:
        """Return a frame with the same content that may be written, copying only if somebody else reads this one.

        Consumes this handle: read what you need of the old pixels first.
        """
        if self._writable:
            return self
        if self._pixels is None:
            raise PluginError("make_writable() was called twice on one frame: use the frame the first call returned")
        pixels, alpha = self._pixels, self._alpha
        if not self._owned:
            pixels = self._pool._copy(pixels)
            alpha = None if alpha is None else self._pool._copy(alpha)
        self._pixels = self._alpha = None
        self._small = {}
        return self._with(pixels, alpha, owned=True, writable=True)

    def with_pixels(self, pixels: Image) -> Frame:
        """Return a frame of this index, time and alpha with pixels made elsewhere.

        The array stays the caller's own: framefx never writes to it, so handing out a cached picture is safe. Whoever
        draws the next picture draws it into another array (`new` and `array` lend them): sinks still read this one.

        Parameters
        ----------
        pixels : (height, width, 3) uint8 RGB
            Of this frame's size. A strided array is copied.

        Raises
        ------
        PluginError
            For another shape or dtype.
        """
        pixels = _checked(pixels, (*self._size, 3), "pixels", self._pool)
        return self._with(pixels, self._full_alpha(), owned=False)

    def with_alpha(self, alpha: npt.NDArray[np.uint8] | None) -> Frame:
        """Return this frame with another straight alpha, (height, width) uint8, or None for opaque."""
        if alpha is not None:
            alpha = _checked(alpha, self.pixels.shape[:2], "alpha", self._pool)
        return self._with(self.pixels, alpha, owned=False, factor=self.factor)

    def reduced(self, pixels: Image, factor: int, alpha: npt.NDArray[np.uint8] | None = None) -> Frame:
        """Return a frame of this size given by fewer pixels; the core upsamples it where it is merged.

        Parameters
        ----------
        pixels : (ceil(height / factor), ceil(width / factor), 3) uint8 RGB
            Each pixel stands for a block of factor × factor; bilinear, half-pixel centres.
        factor : int
            How many times smaller, at least 1.
        alpha : uint8, optional
            Straight alpha of the reduced size; None is opaque.

        Raises
        ------
        PluginError
            For another shape or dtype.
        """
        if factor < 1:
            raise PluginError(f"reduced() got factor {factor}, wanted 1 or more")
        height, width = self._size
        small = (-(-height // factor), -(-width // factor))
        pixels = _checked(pixels, (*small, 3), f"pixels reduced {factor} times", self._pool)
        if alpha is not None:
            alpha = _checked(alpha, small, f"alpha reduced {factor} times", self._pool)
        return self._with(pixels, alpha, owned=False, factor=factor)

    def new(self, *, alpha: bool = False) -> Frame:
        """Return a writable frame of this size, index and time whose pixels (and alpha) are uninitialised."""
        return self._pool.frame(self._size, index=self._index, time=self._time, alpha=alpha)

    def array(self, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
        """Lend an uninitialised uint8 array from this frame's pool: scratch memory without allocation."""
        return self._pool.array(shape)

    def downsampled(self, factor: int) -> Image:
        """Return the picture averaged down by `factor`, computed once for all who ask: the model, a blur, a plugin.

        Parameters
        ----------
        factor : int
            1 to 64.

        Returns
        -------
        (ceil(height / factor), ceil(width / factor), 3) uint8
            Read-only. Blocks at the right and bottom edges average what exists.
        """
        found = self._small.get(factor)
        if found is not None and not self._writable:
            return found
        half = None if self._writable or factor % 2 else self._small.get(factor // 2)
        if half is not None and not any(side % (factor // 2) for side in self._size):
            source, step = half, 2  # a mean of means, as its blocks are all full
        else:
            source, step = self.pixels, factor
        rows, columns = (-(-side // factor) for side in self._size)
        small = kernels.downsample(source, step, out=self._pool.array((rows, columns, 3)))
        self._small[factor] = read_only(small)
        return self._small[factor]

    def _full_alpha(self) -> npt.NDArray[np.uint8] | None:
        # A reduced alpha does not fit full-size pixels; such a frame is opaque unless the filter says otherwise.
        return self._alpha if self.factor == 1 else None

    def _with(
        self,
        pixels: Image,
        alpha: npt.NDArray[np.uint8] | None,
        *,
        owned: bool,
        writable: bool = False,
        factor: int = 1,
    ) -> Frame:
        frame = Frame(
            pixels,
            alpha,
            self._index,
            self._time,
            self._pool,
            owned=owned,
            writable=writable,
            size=self._size,
            factor=factor,
        )
        if pixels is self._pixels and not self._writable and not writable:
            frame._small = self._small
        return frame

    def _lend(self, *, shared: bool) -> Frame:
        """Return a fresh read-only handle for one reader; the core alone knows whether others read too."""
        if self._pixels is None:
            raise PluginError("a consumed frame came back: return the frame that make_writable() gave")
        return self._with(self._pixels, self._alpha, owned=self._owned and not shared, factor=self.factor)

    @property
    def _is_consumed(self) -> bool:
        """Whether `make_writable` gave this handle's picture to another one."""
        return self._pixels is None

    @property
    def _memory(self) -> npt.NDArray[np.uint8] | None:
        """What this handle's picture lies in, None once it is consumed."""
        return self._pixels

    def _shows(self, other: Frame) -> bool:
        """Whether both handles are of one picture, in one place."""
        return other.planes is None and other._pixels is self._pixels and other._alpha is self._alpha

    def _stamped(self, index: int, time: float) -> Frame:
        """Return the same picture under another index and time."""
        frame = self._lend(shared=False)
        frame._index, frame._time = index, time
        return frame

    def __repr__(self) -> str:
        height, width = self._size
        return f"<Frame {self._index} {width}x{height} at {self._time:.3f} s>"


def _checked(
    array: npt.NDArray[np.uint8], shape: tuple[int, ...] | None, what: str, pool: FramePool
) -> npt.NDArray[np.uint8]:
    """Check an array from outside once, at the door."""
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8:
        got = f"{array.dtype}" if isinstance(array, np.ndarray) else type(array).__name__
        raise PluginError(f"{what}: got {got}, wanted a uint8 array")
    if shape is None:
        if array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
            raise PluginError(f"{what}: got shape {array.shape}, wanted (height, width, 3)")
    elif array.shape != shape:
        raise PluginError(f"{what}: got shape {array.shape}, wanted {tuple(shape)}")
    return array if array.flags.c_contiguous else pool._copy(array)
