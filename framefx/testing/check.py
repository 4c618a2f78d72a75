"""Does a filter keep the rules? What `framefx check-plugin` and a plugin's own test ask."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from framefx.frame import Frame, FramePool, Size
from framefx.geometry import Geometry
from framefx.registry import Register, Registry, Step
from framefx.steps import BoundStep
from framefx.testing.layers import made_up

SIZES: tuple[Size, ...] = ((1, 1), (3, 5), (37, 41), (361, 641))
TIMED: Size = (720, 1280)
_SLOW = 10.0


@dataclass
class Findings:
    """What was found.

    Attributes
    ----------
    problems : list of str
        Rules that are broken; each says what happened, and the fix.
    notes : list of str
        Facts that are no fault: time per frame, copies.
    """

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether no rule is broken."""
        return not self.problems


def check_filter(target: Callable[..., Any] | type, **options: Any) -> Findings:
    """Run a filter over odd sizes, shared and unshared frames, alpha and two threads at once.

    Parameters
    ----------
    target : callable
        The function or class that a plugin registers.
    **options
        As the user would give them; only options without a default are needed.

    Returns
    -------
    Findings
        `Findings.ok` is what a test asserts.

    Examples
    --------
    >>> from framefx import Frame
    >>> def nothing(frame: Frame) -> Frame:
    ...     return frame
    >>> check_filter(nothing).problems
    []
    """
    registry = Registry()
    Register(registry, "checked").filter(target)
    [step] = registry.filters
    return check_step(step, options)


def check_step(step: Step, options: dict[str, Any]) -> Findings:
    """Check a registered filter or geometry, as `check_filter`."""
    found = Findings()
    strange = [n.name for n in step.layers if not n.optional and made_up(n.kind, (1, 1)) is None]
    if strange:
        found.notes.append(f"not run: it needs '{strange[0]}', and such a layer cannot be made up for a check")
        return found
    checked = step.options.check(options)

    def make() -> BoundStep:
        return BoundStep(step.name, step, checked, tuple(need.name for need in step.needs))

    for check in (_sizes, _sharing, _alpha, _closing, _threads, _cost):
        try:
            check(make, found)
        except Exception as error:
            found.problems.append(_explained(error, check.__doc__ or ""))
        if found.problems:
            break  # what follows from a broken rule only hides it
    return found


def _explained(error: Exception, doing: str) -> str:
    text = f"{type(error).__name__}: {error}"
    if "read-only" in str(error) and isinstance(error, ValueError):
        return "it writes to a frame that is not its own: write `frame = frame.make_writable()` first"
    return f"{doing.rstrip('.').lower()}: {text}"


def _frame(size: Size, index: int = 0, *, alpha: bool = False, pool: FramePool | None = None) -> Frame:
    """Return an owned frame of smooth colours and noise, the same for the same arguments."""
    frame = (pool or FramePool()).frame(size, index=index, time=index / 30, alpha=alpha)
    rng = np.random.default_rng(index)
    rows = np.linspace(0, 200, size[0])[:, None, None]
    frame.pixels[:] = (rows + rng.integers(0, 56, (*size, 3))).astype(np.uint8)
    if frame.alpha is not None:
        frame.alpha[:] = rng.integers(0, 256, size, np.uint8)
    return frame._lend(shared=False)


def _values(bound: BoundStep, size: Size) -> dict[str, Any]:
    return {n.name: made_up(n.kind, size) for n in bound.step.needs if n.name not in ("frame", "canvas")}


def _run(bound: BoundStep, frame: Frame) -> Any:
    return bound.call(frame, _values(bound, frame.size))


def _result(bound: BoundStep, frame: Frame) -> Frame | Geometry:
    """Run a step and check what it returned."""
    result = _run(bound, frame)
    wanted = Geometry if bound.step.moves else Frame
    if not isinstance(result, wanted):
        raise TypeError(f"it returned {type(result).__name__}, wanted {wanted.__name__}")
    if isinstance(result, Frame) and result.size != frame.size:
        raise ValueError(f"it returned a frame of {result.size}, wanted {frame.size}")
    return result


def _pixels(bound: BoundStep, frame: Frame) -> bytes:
    result = _result(bound, frame)
    return result.matrix.tobytes() if isinstance(result, Geometry) else result.pixels.tobytes()


def _sizes(make: Callable[[], BoundStep], found: Findings) -> None:
    """Odd sizes."""
    for size in SIZES:
        try:
            _result(make(), _frame(size))
        except Exception as error:
            error.args = (f"{size[1]}x{size[0]}: {error}",)
            raise


def _sharing(make: Callable[[], BoundStep], found: Findings) -> None:
    """Shared frames."""
    size = SIZES[2]
    owned = _pixels(make(), _frame(size))
    frame = _frame(size)
    before = frame.pixels.copy()
    shared = _pixels(make(), frame._lend(shared=True))
    if not np.array_equal(frame.pixels, before):
        found.problems.append("it changed a frame that others still read: only write what make_writable() gave")
    if shared != owned:
        found.problems.append("a frame that others read gives another picture than one of its own")
    if not make().step.stateful and _pixels(make(), _frame(size)) != owned:
        found.problems.append("the same frame gives another picture the second time: take randomness from frame.index")


def _alpha(make: Callable[[], BoundStep], found: Findings) -> None:
    """Frames with alpha."""
    bound, frame = make(), _frame(SIZES[2], alpha=True)
    result = _result(bound, frame)
    if bound.step.reads_frame and isinstance(result, Frame) and result.alpha is None:
        found.notes.append("it drops alpha: harmless unless it is used in a stack")


def _closing(make: Callable[[], BoundStep], found: Findings) -> None:
    """Closing and going on."""
    bound = make()
    _result(bound, _frame(SIZES[1]))
    bound.close()
    _result(bound, _frame(SIZES[1], 1))
    bound.close()


def _threads(make: Callable[[], BoundStep], found: Findings) -> None:
    """Two threads at once."""
    serial = list(_series(make()))
    results: dict[int, list[bytes]] = {}

    def work(number: int) -> None:
        results[number] = list(_series(make()))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if any(results.get(number) != serial for number in range(2)):
        found.problems.append(
            "two threads at once give another picture than one: keep state in a class, not in globals"
        )


def _series(bound: BoundStep) -> Iterator[bytes]:
    for index in range(12):
        yield _pixels(bound, _frame(SIZES[2], index))


def _cost(make: Callable[[], BoundStep], found: Findings) -> None:
    """Time per frame."""
    bound, pool, seconds = make(), FramePool(), []
    for index in range(8):
        frame = _frame(TIMED, index, pool=pool)
        start = time.thread_time()
        _run(bound, frame)
        seconds.append(time.thread_time() - start)
    bound.close()
    median = statistics.median(seconds[2:]) * 1e3
    found.notes.append(f"{median:.2f} ms a frame at {TIMED[1]}x{TIMED[0]}" + (": slow" if median > _SLOW else ""))
    if pool.copies:
        found.notes.append(f"{pool.copies / len(seconds):.1f} copies a frame of frames it could have written")
