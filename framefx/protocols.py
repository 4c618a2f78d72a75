"""What sources, sinks, runtimes and models owe the core, and what they may rely on.

Written as obligations, so that a plugin can be judged against them. Subclassing is not needed: an object with
these members is one.

Errors. `open`, `load` and `prepare` raise a `FramefxError` whose message has the fix as a command. After any
error from `open` the core calls `close`/`abort` and nothing else. Exceptions of other types are bugs and show
their traceback; in a live pipeline the viewer sees the card meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from framefx.frame import Frame, Size


@runtime_checkable
class Source(Protocol):
    """Where frames come from.

    The constructor checks options and opens nothing. `open`, then `read` until it returns None, raises, or the
    pipeline stops, then `close`, also after a failed `open`. All are called on one thread, the reader's. A live
    source is opened again after `close`: when the device comes back, or when somebody looks again.

    A frame returned by `read` is the core's: the source does not touch its memory again. Take it from a
    `FramePool` of your own (`pool.frame(size)`) and nothing is allocated per frame, or `Frame.borrow` an array.
    """

    live: bool
    """True for a device: its frames are lost when nobody takes them. Known before `open`."""

    @property
    def size(self) -> Size:
        """(height, width) in pixels of every frame; valid after `open`."""

    @property
    def rate(self) -> float:
        """Nominal frames per second; valid after `open`. `Frame.time` says when each frame really was."""

    def open(self) -> None:
        """Acquire the file or device.

        Raises
        ------
        MediaError, DeviceError
            When it cannot be had.
        """

    def read(self) -> Frame | None:
        """Return the next frame, or None at the end.

        `Frame.index` counts from 0 without gaps that the source made itself; `Frame.time` is in seconds from the
        first frame and never runs backwards; the pipeline carries both on after a reopening. A live source waits
        for the next frame, two seconds at most, and raises `DeviceError` when the device is gone or frozen: the
        viewer sees the card until it opens again.
        """

    def close(self) -> None:
        """Release everything. Never raises; may be called without `open`."""


@runtime_checkable
class Sink(Protocol):
    """Where finished frames go.

    The constructor checks options and opens nothing. `open` once, `send` per frame, then exactly one of
    `finish` or `abort`. All are called on one thread, the writer's.

    Frames are finished: every step of the plan ran on them. `send` may read the frame until it returns, and
    keep it longer by keeping the frame object; it never writes to it.
    """

    live: bool
    """True for a device: frames matter when they are new, and losing one beats being late."""

    def open(self, size: Size, rate: float, has_alpha: bool) -> None:
        """Get ready for frames of `size` (height, width) at `rate` frames per second.

        A sink that cannot carry alpha says so by `takes_alpha = False` and gets frames composited over black.

        Raises
        ------
        MediaError, DeviceError
            When it cannot be had.
        """

    def send(self, frame: Frame) -> None:
        """Take one frame."""

    def wanted(self) -> bool:
        """Whether anybody looks at the moment; a sink that cannot know says True."""

    def finish(self) -> None:
        """Commit what was sent: flush, close, rename to the final name."""

    def abort(self) -> None:
        """Close and leave nothing behind under the final name. Never raises; may be called without `open`."""


@dataclass(frozen=True)
class Tensor:
    """One input or output of a network: `shape` as the runtime gives it, batch included; `scale` and
    `zero_point` say what a quantised value means: ``(value - zero_point) * scale``."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: float = 0.0
    zero_point: int = 0


class Session(Protocol):
    """A loaded network. One session is used by one thread at a time.

    A session may have a method ``only(wanted: Sequence[str]) -> Session``: the same network without the outputs that
    are not in `wanted`, and without what only they need. It is called when a plan is made, possibly on another thread
    than the one that runs the session, which stays as it is; the same names give the same session again.
    """

    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]

    @property
    def buffer(self) -> npt.NDArray[Any]:
        """The array to prepare a frame into, of the first input's shape and dtype; `run` of it copies nothing."""

    def run(self, array: npt.NDArray[Any], wanted: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        """Run the network on `array`, of the first input's shape and dtype, and return the outputs named in `wanted`.

        The arrays belong to the session and are valid until the next `run`.
        """


class Backend(Protocol):
    """A runtime that executes networks."""

    def load(self, path: Path, threads: int) -> Session:
        """Load a network.

        Raises
        ------
        BackendUnavailableError
            When the runtime is not installed; the message has the command that installs it.
        ModelError
            When the file is no network of this runtime, is damaged, or has operators it lacks.
        """


class Model(Protocol):
    """What a network means: which layers it gives, and how.

    Made by a family's recogniser from the look of a session's tensors. Used by one thread.
    """

    session: Session
    layers: Mapping[str, type]
    """Names it can give, each with the class of its value (`Mask`, …)."""

    def prepare(self, frame: Frame, out: npt.NDArray[Any]) -> None:
        """Write `frame` into `out`, an array of the first input's shape and dtype, in one pass."""

    def outputs_for(self, wanted: Sequence[str]) -> Sequence[str]:
        """Names of the outputs that decoding the layers `wanted` needs."""

    def decode(self, outputs: Mapping[str, npt.NDArray[Any]], wanted: Sequence[str], frame: Frame) -> dict[str, Any]:
        """Return the value of each layer in `wanted` and of no other.

        Values own their memory: `outputs` are overwritten by the next run.
        """


class Observer(Protocol):
    """Watches a pipeline (trio's Instrument): every method is optional in spirit and cheap in practice.

    Called on the thread where it happens. An observer may read frames and never keeps or writes them.
    """

    def before_step(self, step: str, frame: Frame) -> None:
        """`step` is about to run on `frame`."""

    def after_step(self, step: str, frame: Frame, seconds: float) -> None:
        """`step` ran for `seconds` and made `frame`."""

    def event(self, name: str, **facts: Any) -> None:
        """Something else happened: ``"sent"``, ``"dropped"``, ``"card"``, ``"repeated"``, ``"finished"``."""
