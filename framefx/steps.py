"""The parts of a plan that run on every frame: bound steps, groups that are merged once, and geometries."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from framefx import kernels
from framefx.errors import PluginError
from framefx.frame import Frame, FramePool, Image, Size
from framefx.geometry import Geometry, warp_frame, warp_mask
from framefx.mask import Mask
from framefx.planar import merged
from framefx.protocols import Observer
from framefx.registry import Step
from framefx.stamps import Stamp, stamp
from framefx.where import Where

log = logging.getLogger(__name__)

Value = TypeVar("Value")


class Watch:
    """Tells a plan's observers about each step, and remembers which step each thread is at."""

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self.observers = observers
        self._running: dict[int, str] = {}

    def running_on(self, thread: int) -> str:
        """Return the name of the step that the thread with this ident began last."""
        return self._running.get(thread, "")

    def step(self, name: str, function: Callable[[], Value], frame: Frame) -> Value:
        """Run one step between the observers' two calls."""
        self._running[threading.get_ident()] = name
        if not self.observers:
            return function()
        for observer in self.observers:
            observer.before_step(name, frame)
        start = time.perf_counter()
        result = function()
        seconds = time.perf_counter() - start
        after = result if isinstance(result, Frame) else frame
        for observer in self.observers:
            observer.after_step(name, after, seconds)
        return result


@dataclass
class BoundStep:
    """A registered step with checked options, ready to be called; a class is made once and keeps its state."""

    label: str
    step: Step
    options: dict[str, Any]
    needs: tuple[str, ...]
    instance: Callable[..., Any] = field(init=False)
    dead: bool = False
    given_away: bool = False
    origin: str = ""
    files: dict[Path, Stamp] = field(init=False)

    def __post_init__(self) -> None:
        self.files = {value: stamp(value) for value in self.options.values() if isinstance(value, Path)}
        self.instance = self.step.target
        if self.step.stateful:
            self.instance = self.step.target(**self.options)

    def call(self, frame: Frame, values: Mapping[str, Any]) -> Any:
        """Call the filter with its needs; errors are marked with plugin, step and frame."""
        arguments = [self._need(name, frame, values) for name in self.needs]
        try:
            if self.step.stateful:
                return self.instance(*arguments)
            return self.instance(*arguments, **self.options)
        except Exception as error:
            error.add_note(f"in step '{self.label}' of plugin '{self.step.plugin}', frame {frame.index}")
            raise

    @staticmethod
    def _need(name: str, frame: Frame, values: Mapping[str, Any]) -> Any:
        if name == "frame":
            return frame
        return frame.new() if name == "canvas" else values.get(name)

    def warm(self, frame: Frame, values: Mapping[str, Any]) -> Any:
        """Call a function filter and return its result, or call a stateful one's own `warm`."""
        try:
            if not self.step.stateful:
                return self.call(frame._lend(shared=True), values)
            if hasattr(self.instance, "warm"):
                self.instance.warm()
        except Exception as error:  # the first real frame tells, with everything known by then
            log.debug("step '%s' cannot be tried beforehand: %s", self.label, error)
        return None

    def take_over(self, others: Sequence[BoundStep]) -> None:
        """Go on with the state of the step of another plan that has this label and these options, if there is one.

        A step one of whose files was changed on disk begins anew.
        """
        for other in others:
            same = other.label == self.label and other.step.target is self.step.target
            if self.step.stateful and same and (other.options, other.files) == (self.options, self.files):
                self.instance = other.instance
                other.given_away = True

    def close(self) -> None:
        """Release what a stateful step holds, unless another plan goes on with it."""
        close = getattr(self.instance, "close", None)
        if self.step.stateful and close is not None and not self.given_away:
            close()


class Op(Protocol):
    """Part of a plan: a group of filters, or neighbouring geometries."""

    steps: list[BoundStep]

    def run(self, frame: Frame, values: dict[str, Any], pool: FramePool, watch: Watch) -> Frame:
        """Return what `frame` becomes; a geometry also moves the layers in `values`."""

    def warm(self, frame: Frame, values: Mapping[str, Any], pool: FramePool) -> None:
        """Try what can be tried without changing any state."""


@dataclass
class Group:
    """Consecutive filters with one ``where``: they run on one branch, merged over the group's input once."""

    where: Where
    steps: list[BoundStep]
    makers: Mapping[str, object]

    @property
    def live(self) -> list[BoundStep]:
        return [step for step in self.steps if not step.dead]

    def run(self, frame: Frame, values: dict[str, Any], pool: FramePool, watch: Watch) -> Frame:
        limited = bool(self.where.terms)
        mask = self.where.mask(values, self.makers) if limited else None
        seen = {**values, "where": mask}
        if any(bound.step.keeps_frames for bound in self.live):
            frame = frame._lend(shared=True)
        branch = frame
        for bound in self.live:
            if branch.factor != 1:
                branch = expand(branch, pool)
            branch = self._step(bound, branch, limited and branch is frame, seen, watch)
        if mask is None:
            return branch if branch.factor == 1 else expand(branch, pool)
        if frame._shows(branch):
            return frame
        return watch.step("merge", lambda: merge(frame, branch, mask, pool), frame)

    def warm(self, frame: Frame, values: Mapping[str, Any], pool: FramePool) -> None:
        mask = self.where.mask(values, self.makers) if self.where.terms else None
        branch = frame
        for bound in self.live:
            result = bound.warm(branch, {**values, "where": mask})
            # What a step gives, full-size or reduced, decides which kernel takes it.
            usable = isinstance(result, Frame) and not result._is_consumed and result.size == frame.size
            branch = result if usable else frame.new()
            if branch.factor != 1 and (mask is None or bound is not self.live[-1]):
                branch = expand(branch, pool)
        if mask is not None:
            merge(frame, branch._lend(shared=False), mask, pool)

    def _step(
        self, bound: BoundStep, branch: Frame, needed_later: bool, values: Mapping[str, Any], watch: Watch
    ) -> Frame:
        shared = needed_later or bound.step.stateful
        handle = branch._lend(shared=shared)
        result = watch.step(bound.label, lambda: bound.call(handle, values), handle)
        checked = _checked(result, branch, bound)
        return checked._lend(shared=True) if bound.step.stateful else checked


@dataclass
class Move:
    """Neighbouring geometries: one resampling of the frame and of every layer that a later step needs.

    Two where one would show something else (see `Geometry.then`).
    """

    steps: list[BoundStep]
    later_layers: frozenset[str] = frozenset()

    def run(self, frame: Frame, values: dict[str, Any], pool: FramePool, watch: Watch) -> Frame:
        total: Geometry | None = None
        if any(bound.step.keeps_frames for bound in self.steps):
            frame = frame._lend(shared=True)
        for bound in self.steps:
            geometry = self._ask(bound, frame, total, values, pool, watch)
            joined = geometry if total is None else total.then(geometry, frame.size)
            if joined is None and total is not None:
                frame = self._move(frame, total, values, pool, watch)
                joined = geometry
            total = joined
        return frame if total is None else self._move(frame, total, values, pool, watch)

    def _ask(
        self,
        bound: BoundStep,
        frame: Frame,
        total: Geometry | None,
        values: Mapping[str, Any],
        pool: FramePool,
        watch: Watch,
    ) -> Geometry:
        view = frame._lend(shared=True) if total is None else PendingFrame(frame, total, pool)
        seen = values if total is None else {n: _moved(values[n], total) for n in bound.needs if n in values}
        geometry = watch.step(bound.label, lambda: bound.call(view, seen), view)
        if not isinstance(geometry, Geometry):
            raise PluginError(f"{_who(bound)}: it returned {type(geometry).__name__}, wanted Geometry")
        wanted = resized(bound, view.size)
        if tuple(geometry.size) != wanted:
            raise PluginError(
                f"{_who(bound)}: its output is {geometry.size}, and the plan was told {wanted}: "
                "register it with `size=` when it changes the size"
            )
        return geometry

    def _move(self, frame: Frame, total: Geometry, values: dict[str, Any], pool: FramePool, watch: Watch) -> Frame:
        if total.is_identity(frame.size):
            return frame
        later = {name for bound in self.steps for name in bound.needs} | self.later_layers
        for name in later & values.keys():
            values[name] = _moved(values[name], total)
        return watch.step("warp", lambda: warp_frame(frame, total, pool), frame)

    def warm(self, frame: Frame, values: Mapping[str, Any], pool: FramePool) -> None:
        """Nothing here is compiled."""


class PendingFrame(Frame):
    """What a geometry behind another sees: size and time at once, pixels only if it asks for them."""

    __slots__ = ("_geometry", "_source")

    def __init__(self, source: Frame, geometry: Geometry, pool: FramePool) -> None:
        super().__init__(source.pixels, source.alpha, source.index, source.time, pool, owned=False, size=geometry.size)
        self._source = source
        self._geometry: Geometry | None = geometry

    @property
    def pixels(self) -> Image:
        self._settle()
        return super().pixels

    @property
    def alpha(self) -> Any:
        self._settle()
        return super().alpha

    def _settle(self) -> None:
        if self._geometry is not None:
            moved = warp_frame(self._source, self._geometry, self._pool)
            self._pixels, self._alpha, self._geometry = moved._pixels, moved._alpha, None


def resized(bound: BoundStep, size: Size) -> Size:
    """Return the size after a geometry, known before any frame."""
    if bound.step.resize is None:
        return size
    height, width = bound.step.resize(size, **bound.options)
    return int(height), int(width)


def _moved(value: Any, geometry: Geometry) -> Any:
    if isinstance(value, Mask):
        return warp_mask(value, geometry)
    return value.moved(geometry) if hasattr(value, "moved") else value


def _who(bound: BoundStep) -> str:
    return f"plugin '{bound.step.plugin}', filter '{bound.label}'"


def _checked(result: Any, frame: Frame, bound: BoundStep) -> Frame:
    if not isinstance(result, Frame):
        raise PluginError(f"{_who(bound)}: frame {frame.index}: it returned {type(result).__name__}, wanted Frame")
    if result._is_consumed:
        raise PluginError(
            f"{_who(bound)}: frame {frame.index}: it returned a frame that make_writable() consumed: "
            "return the frame that make_writable() gave"
        )
    if result.size != frame.size:
        raise PluginError(
            f"{_who(bound)}: frame {frame.index}: it returned a frame of {result.size}, wanted {frame.size}: "
            "register it with register.geometry to change the size"
        )
    if result.index != frame.index or result.time != frame.time:
        return result._stamped(frame.index, frame.time)
    return result._lend(shared=False) if result.writable else result


def expand(frame: Frame, pool: FramePool) -> Frame:
    """Return a reduced frame at its full size."""
    result = pool.frame(frame.size, index=frame.index, time=frame.time, alpha=frame.alpha is not None)
    kernels.upsample(frame.pixels, out=result.pixels, factor=frame.factor)
    if frame.alpha is not None and result.alpha is not None:
        kernels.upsample_mask(frame.alpha, result.alpha)
    return result._lend(shared=False)


def merge(base: Frame, top: Frame, mask: Mask, pool: FramePool) -> Frame:
    """Return `top` over `base` where `mask` says so; in place where nobody else reads `base`."""
    planar = merged(base, top, mask, pool)
    if planar is not None:
        return planar
    if base.alpha is not None or top.alpha is not None:
        if top.factor != 1:
            top = expand(top, pool)
        out = pool.frame(base.size, index=base.index, time=base.time, alpha=True)
        kernels.masked_merge(
            base.pixels,
            top.pixels,
            mask.values,
            base_alpha=base.alpha,
            top_alpha=top.alpha,
            out=out.pixels,
            out_alpha=out.alpha,
        )
        return out._lend(shared=False)
    in_place = base._owned and not np.may_share_memory(base._memory, top._memory)
    if in_place:
        out = base._lend(shared=False).make_writable()
    else:
        out = pool.frame(base.size, index=base.index, time=base.time)
    source = out.pixels if in_place else base.pixels
    kernels.masked_merge(source, top.pixels, mask.values, factor=top.factor, out=out.pixels)
    return out._lend(shared=False)
