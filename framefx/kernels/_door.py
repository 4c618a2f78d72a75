"""What every public kernel function does first: check its arrays once, make outputs, lend scratch memory."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
I16 = npt.NDArray[np.int16]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
F32 = npt.NDArray[np.float32]
Shape = tuple[int | None, ...]

PIXELS: Shape = (None, None, 3)
PLANE: Shape = (None, None)

_workspace = threading.local()
_SHAPES = 8
"""So many shapes of a buffer are remembered: a merge of planes takes two in turn."""


class _Buffer:
    """Memory under one name, and the arrays that were made of it by shape."""

    __slots__ = ("arrays", "memory")

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self.memory: npt.NDArray[Any] = np.empty(0, dtype)
        self.arrays: dict[tuple[int, ...], npt.NDArray[Any]] = {}

    def shaped(self, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        size = math.prod(shape)
        if self.memory.size < size:
            self.memory = np.empty(size, self.memory.dtype)
            self.arrays.clear()
        elif len(self.arrays) == _SHAPES:
            self.arrays.clear()
        array = self.arrays[shape] = self.memory[:size].reshape(shape)
        return array


def scratch(name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Lend this thread's buffer `name`, uninitialised; it only grows, so steady sizes allocate nothing.

    The content is gone at the next call with the same name: a kernel module prefixes its names with its own. A name
    stands for one `dtype`.
    """
    lent: dict[str, _Buffer] = _workspace.__dict__
    buffer = lent.get(name)
    if buffer is None:
        buffer = lent[name] = _Buffer(dtype)
    array = buffer.arrays.get(shape)
    return buffer.shaped(shape) if array is None else array


def _fits(side: int, wanted: int | None) -> bool:
    return wanted is None or side == wanted


def check(name: str, array: Any, shape: Shape, dtype: npt.DTypeLike = np.uint8) -> tuple[int, ...]:
    """Raise unless `array` is a C-contiguous array of `dtype` and `shape` (None: any side ≥ 1); returns its shape."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name}: got {type(array).__name__}, want {_wanted(shape, dtype)}")
    found: tuple[int, ...] = array.shape
    # Several of these run for every kernel of every frame, so what is right is told apart first.
    if (
        array.dtype.type is dtype
        and array.flags.c_contiguous
        and array.size
        and (found == shape or (len(found) == len(shape) and all(map(_fits, found, shape))))
    ):
        return found
    if array.dtype != dtype:
        raise TypeError(f"{name}: got {array.dtype} {array.shape}, want {_wanted(shape, dtype)}")
    if array.ndim != len(shape) or any(
        got != want if want else got < 1 for got, want in zip(array.shape, shape, strict=True)
    ):
        raise ValueError(f"{name}: got shape {array.shape}, want {_wanted(shape, dtype)}")
    if not array.flags.c_contiguous:
        raise ValueError(f"{name}: got strides {array.strides}, want it C-contiguous: numpy.ascontiguousarray")
    return tuple(array.shape)


def output(name: str, out: Any, shape: tuple[int, ...], *apart: Any, dtype: npt.DTypeLike = np.uint8) -> U8:
    """Make the destination, or check the given one: writable and sharing no memory with the arrays in `apart`.

    Only uint8 ones are made; others (`dtype`) are only checked.
    """
    if out is None:
        return np.empty(shape, np.uint8)
    check(name, out, shape, dtype)
    if not out.flags.writeable:
        raise ValueError(f"{name}: got a read-only array, want a writable one")
    for source in apart:
        if source is not None and np.may_share_memory(out, source):
            raise ValueError(f"{name}: got memory that a source of the same call uses, want an array of its own")
    given: U8 = out
    return given


def between(name: str, value: float, low: float, high: float) -> None:
    """Raise unless low ≤ value ≤ high."""
    if not low <= value <= high:
        raise ValueError(f"{name}: got {value}, want {low} to {high}")


def one_of(name: str, value: str, allowed: tuple[str, ...]) -> int:
    """Return the place of `value` in `allowed`, or raise."""
    if value not in allowed:
        raise ValueError(f"{name}: got {value!r}, want {' or '.join(map(repr, allowed))}")
    return allowed.index(value)


def is_same(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> bool:
    """Tell whether two arrays of one shape are the same memory."""
    return a is b or (np.may_share_memory(a, b) and a.ctypes.data == b.ctypes.data)


def others(out: U8 | None, *sources: U8) -> list[U8]:
    """Return the sources that `out` is not: those it must not overlap."""
    return [source for source in sources if out is None or out.shape != source.shape or not is_same(out, source)]


def _wanted(shape: Shape, dtype: npt.DTypeLike) -> str:
    sides = ("height", "width", "channels")
    text = ", ".join(str(want) if want else sides[place] for place, want in enumerate(shape))
    return f"a C-contiguous {np.dtype(dtype)} array ({text})"
