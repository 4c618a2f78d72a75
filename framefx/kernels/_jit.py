"""The one jit policy of framefx's kernels: how they compile, and where compiled code is kept.

A kernel is a plain function over C-contiguous arrays with one explicit signature per dtype it
serves. Sources are `const`: the signature then takes read-only and writable arrays with a single
compilation and refuses a read-only destination, so the type system enforces copy on write.
Nothing here imports numba before a kernel runs.

Compiled code is kept in a directory named after a hash of *all* kernel sources. numba alone looks
at the file of the outermost function only: a changed helper in another file would leave old code.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import logging
import os
import re
import shutil
import stat
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar

_Wrapper = TypeVar("_Wrapper", bound=Callable[..., Any])
_log = logging.getLogger(__name__)
_lock = threading.RLock()

_POLICY: dict[str, Any] = {
    "_nrt": False,  # nothing is allocated, so views need no counting of references: two atomic steps for each
    "nogil": True,  # stages of the pipeline overlap
    "error_model": "numpy",  # no branch for division by zero
    "boundscheck": False,  # the wrappers check shapes once
    "fastmath": {"contract", "nsz", "reassoc"},  # fused multiply-add; NaN and infinity keep their meaning
}
_HELPER = {**_POLICY, "forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_KERNEL = {**_POLICY, "no_cfunc_wrapper": True}
_SCALARS = {
    "u8": "uint8", "u16": "uint16", "i16": "int16", "i32": "int32", "i64": "int64", "u64": "uint64", "f32": "float32",
    "f64": "float64",
}  # fmt: skip
_KEEP = 3  # cache directories of other versions that survive: a second environment, a downgrade


class Helper:
    """A scalar step shared by kernels, always inlined into them; in Python it is the plain function."""

    def __init__(self, py_func: Callable[..., Any]) -> None:
        self.py_func = py_func
        functools.update_wrapper(self, py_func)

    def __call__(self, *args: Any) -> Any:
        """Run the plain Python function."""
        return self.py_func(*args)

    @functools.cached_property
    def dispatcher(self) -> Any:
        """The function as numba sees it inside a kernel."""
        import numba

        return numba.njit(**_HELPER)(_linked(self.py_func))


class Kernel:
    """A function compiled at its first call (or by `compile`) for explicit signatures.

    Attributes
    ----------
    py_func : callable
        The plain Python function, for tests and debuggers.
    """

    def __init__(self, py_func: Callable[..., Any], signatures: tuple[str, ...]) -> None:
        self.py_func = py_func
        self.signatures = signatures
        self._compiled: Any = None
        functools.update_wrapper(self, py_func)

    def __call__(self, *args: Any) -> Any:
        """Run the compiled code, compiling it first if nobody did."""
        return (self._compiled or self.compile())(*args)

    def compile(self) -> Any:
        """Load the machine code from the cache, or compile it; returns numba's dispatcher."""
        with _lock:
            if self._compiled is None:
                directory = cache_directory()
                if _listeners and not self.is_cached():
                    for listener in _listeners:
                        listener(self.py_func.__name__.strip("_"))
                try:
                    self._compiled = self._dispatcher(directory)
                except OSError as error:  # the disk filled up, or the directory went away
                    _warn_uncached(str(error))
                    self._compiled = self._dispatcher(None)
            return self._compiled

    def is_cached(self) -> bool:
        """Tell whether `compile` would load instead of compiling."""
        directory = cache_directory()
        name = f"*.{self.py_func.__qualname__}-*.nbi"
        return self._compiled is not None or (directory is not None and any(directory.rglob(name)))

    def _dispatcher(self, directory: Path | None) -> Any:
        import numba

        signatures = [_signature(text) for text in self.signatures]
        with _numba_cache_in(directory):
            return numba.njit(signatures, cache=directory is not None, **_KERNEL)(_linked(self.py_func))


def kernel(*signatures: str) -> Callable[[Callable[..., Any]], Kernel]:
    """Make a function a kernel.

    Parameters
    ----------
    *signatures : str
        Arguments in C's manner, `"const u8[:,:,:], u8[:,:], i64"`: arrays are C-contiguous, `const`
        ones may be read-only. Nothing is returned: kernels write into their destinations.
    """
    return lambda py_func: Kernel(py_func, signatures)


def uses(*kernels: Kernel, **variants: Kernel) -> Callable[[_Wrapper], _Wrapper]:
    """Note on a public wrapper which kernels it runs, for `warm`; variants are named `wrapper.variant`."""

    def note(wrapper: _Wrapper) -> _Wrapper:
        wrapper.__dict__.update(kernels=kernels, variants=variants)
        return wrapper

    return note


_listeners: list[Callable[[str], None]] = []


@contextmanager
def on_compile(listener: Callable[[str], None]) -> Iterator[None]:
    """Call `listener(kernel)` before each kernel that is compiled meanwhile because no cache has it."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def warm(names: Iterable[str], progress: Callable[[str, int, int], None] | None = None) -> None:
    """Compile (or load from the cache) the kernels behind some of the public functions.

    Parameters
    ----------
    names : iterable of str
        Public names of `framefx.kernels`; `"masked_merge.alpha"` is a variant, see each function's notes.
    progress : callable, optional
        Called as `progress(kernel, done, total)` before each kernel that has to be compiled, and as
        `progress("", total, total)` at the end if there was one. Not called when all were cached.

    Raises
    ------
    LookupError
        A name or variant that does not exist.
    """
    todo = list(dict.fromkeys(k for name in names for k in _kernels_of(name)))
    missing = [k for k in todo if not k.is_cached()]
    for done, item in enumerate(missing):
        if progress:
            progress(item.py_func.__name__.strip("_"), done, len(missing))
        item.compile()
    if progress and missing:
        progress("", len(missing), len(missing))
    for item in todo:
        item.compile()


def _kernels_of(name: str) -> tuple[Kernel, ...]:
    public, _, variant = name.partition(".")
    try:
        wrapper: Any = getattr(importlib.import_module("framefx.kernels"), public)
        return (*wrapper.kernels, *((wrapper.variants[variant],) if variant else ()))
    except (AttributeError, KeyError):
        raise LookupError(f"no kernel named {name!r} in framefx.kernels") from None


def _linked(py_func: Any) -> FunctionType:
    """Copy a function with each `Helper` among its globals replaced by what numba can call."""
    world = {k: v.dispatcher if isinstance(v, Helper) else v for k, v in py_func.__globals__.items()
             if k in py_func.__code__.co_names or k.startswith("__")}  # fmt: skip
    copy = FunctionType(py_func.__code__, world, py_func.__name__, py_func.__defaults__)
    copy.__module__, copy.__qualname__ = py_func.__module__, py_func.__qualname__
    return copy


def _signature(text: str) -> Any:
    from numba import types

    def one(argument: str) -> Any:
        const, kind, dimensions = _ARGUMENT.fullmatch(argument.strip()).groups()  # type: ignore[union-attr]
        scalar = getattr(types, _SCALARS[kind])
        count = dimensions.count(":") if dimensions else 0
        return types.Array(scalar, count, "C", readonly=bool(const)) if dimensions else scalar

    return types.void(*(one(argument) for argument in re.split(r",(?![:\]])", text)))


_ARGUMENT = re.compile(r"(const )?(\w+)(\[[:,]+\])?")


# -- where compiled code is kept ------------------------------------------------------------------


@contextmanager
def _numba_cache_in(directory: Path | None) -> Iterator[None]:
    """Point numba's cache at `directory` while a dispatcher is made, and only then (under `_lock`)."""
    import numba

    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(directory or before)
    try:
        yield
    finally:
        config.CACHE_DIR = before


def source_key(folder: Path | None = None) -> str:
    """Hash the sources of all kernels with the versions of what compiles them."""
    from importlib.metadata import version

    digest = hashlib.sha256(f"{sys.version} numba {version('numba')} numpy {version('numpy')}".encode())
    for path in sorted((folder or Path(__file__).parent).glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def cache_directory() -> Path | None:
    """Make and return the directory for this version's machine code; None if nothing can be written."""
    for root in _roots():
        directory = root / "kernels" / source_key()
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=directory):
                os.utime(directory)
        except OSError:
            continue
        if _is_ours(root):
            _prune(directory)
            return directory
    _warn_uncached("set FRAMEFX_CACHE_DIR to a directory that can be written")
    return None


def _roots() -> Iterator[Path]:
    if chosen := os.environ.get("FRAMEFX_CACHE_DIR"):
        yield Path(chosen)
        return
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        yield Path(xdg, "framefx")
    else:
        with suppress(RuntimeError):  # a user without a home
            yield Path.home() / ".cache" / "framefx"
    yield Path(tempfile.gettempdir(), f"framefx-{os.getuid() if hasattr(os, 'getuid') else os.getlogin()}")


def _is_ours(root: Path) -> bool:
    """Refuse a directory that another user made: cached code is executed."""
    status = root.stat()
    return not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & stat.S_IWOTH)


def _prune(current: Path) -> None:
    others = sorted((p for p in current.parent.iterdir() if p != current), key=lambda p: p.stat().st_mtime)
    for old in others[:-_KEEP]:
        shutil.rmtree(old, ignore_errors=True)


@functools.cache
def _warn_uncached(reason: str) -> None:
    _log.warning("kernels are compiled in memory at every start: %s", reason)
