"""The pipeline: source → plan → sink, on three threads.

*Live* (the source or the sink is a device): between the threads stand mailboxes, the newest frame wins and the
drop is counted; nothing queues up, so nothing is late. *File*: the same threads with small bounded queues,
nothing is dropped and frames stay in order.

Fail closed: a frame reaches the sink only from `Plan.run` or `Plan.apply`, which return after every step ran.
Whatever else the viewer sees is the card or a repetition of such a frame. There is no path from the source to
the sink around the plan, and there must never be one.

A step that does not return cannot be stopped from outside: its thread is left behind, the viewer gets the card
with the step's name, and a new plan starts on a new thread (`swap`). Native code that holds the GIL stops the
whole process; no thread can help there.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from framefx.capture import Capture, Wait
from framefx.channel import Channel, ChannelClosed
from framefx.errors import FramefxError, MediaError, PlanError
from framefx.frame import Frame
from framefx.layers import Layers
from framefx.plan import Plan
from framefx.presenter import Card, Presenter
from framefx.protocols import Observer, Sink, Source
from framefx.threads import start
from framefx.turn import Turn

log = logging.getLogger(__name__)

Policy = Literal["live", "file"]
MaskMode = Literal["sync", "async"]

_QUEUE = 4
_GRACE = 2.0
_LOOK = 0.25
"""Seconds between looks whether anybody still looks, while frames come: each is a system call or two."""


@dataclass
class Report:
    """What a run did."""

    read: int = 0
    sent: int = 0
    dropped: int = 0
    cards: int = 0
    repeated: int = 0
    stopped: bool = False


class Pipeline:
    """Runs a plan from a source to a sink.

    Parameters
    ----------
    source, plan, sink
        As their protocols say; the pipeline opens and closes them.
    masks : str
        ``sync``: each frame with its own masks. ``async``: the frame never waits; it gets the newest masks, and
        the card when they are older than `max_age` seconds. File runs are always sync.
    mask_rate : float
        In async mode, at most this many masks a second; 0 for as many as can be.
    frames : int, optional
        Stop after this many frames.
    on_demand : bool
        Close a live source while nobody looks at a live sink.
    linger : float
        Seconds for which it stays open after the last look, so that a program that only probes does not switch the
        camera's light on and off.
    observers : sequence of Observer
        Told about steps, drops, cards and repetitions.
    clock, wait : callable
        Monotonic seconds, and `threading.Event.wait`; tests give their own.
    """

    def __init__(
        self,
        source: Source,
        plan: Plan,
        sink: Sink,
        *,
        masks: MaskMode = "sync",
        mask_rate: float = 0.0,
        max_age: float = 0.1,
        frames: int | None = None,
        on_demand: bool = True,
        linger: float = 3.0,
        observers: Sequence[Observer] = (),
        clock: Callable[[], float] = time.monotonic,
        wait: Wait = threading.Event.wait,
    ) -> None:
        self.source, self.plan, self.sink = source, plan, sink
        self.policy: Policy = "live" if source.live or sink.live else "file"
        self.masks: MaskMode = masks if self.policy == "live" and plan.needs_layers else "sync"
        self.report = Report()
        self._mask_rate, self._max_age, self._frames = mask_rate, max_age, frames
        self._observers = tuple(observers)
        self._clock, self._wait = clock, wait
        live = self.policy == "live"
        self._inbox: Channel[Frame] = Channel(1 if live else _QUEUE, newest_wins=live)
        self._outbox: Channel[Frame | Card] = Channel(1 if live else _QUEUE, newest_wins=live)
        self._mask_box: Channel[Frame] = Channel(1, newest_wins=True)
        self._stop = threading.Event()
        self._opened = threading.Event()
        self._wanted = threading.Event()
        self._wanted.set()
        self._on_demand = on_demand and source.live and sink.live
        self._linger = linger
        self._looked = clock()
        self._frames_until_look = 0
        self._capture = Capture(source, self._stop, self._wanted, clock, wait)
        self._lock = threading.Lock()
        self._error: BaseException | None = None
        self._latest: Layers | None = None
        self._size, self._rate = (0, 0), 30.0
        self._turn, self._mask_turn = Turn(clock), Turn(clock)
        self._runner: threading.Thread | None = None
        self._masker: threading.Thread | None = None
        self._presenter = Presenter(sink, self._outbox, self)
        self._told: set[str] = set()
        self._retired: list[Plan] = []

    @property
    def dropped(self) -> int:
        """Frames that were dropped so far because a newer one had come."""
        return self._inbox.dropped + self._outbox.dropped

    @property
    def frames_expected(self) -> int | None:
        """How many frames the run will have, where that is known."""
        known: int | None = getattr(self.source, "frames", None)
        return min(n for n in (known, self._frames) if n is not None) if known or self._frames else None

    def run(self) -> Report:
        """Run to the end of the source, or until `stop`; return what was done.

        Raises
        ------
        FramefxError
            What ended the run: nothing is left under the final name then.
        """
        self.plan.observe(self._observers)
        writer = self._thread("writer", self._write)
        reader = self._thread("reader", self._read)
        self._runner = self._thread("runner", self._work)
        if self.masks == "async":
            self._masker = self._thread("masks", self._compute_masks)
        writer.join()
        self._stop_threads()
        self._outbox.close()
        for thread in (reader, self._runner, self._masker):
            if thread is not None:
                thread.join(_GRACE)
        if not self._turn.hangs() and not self._mask_turn.hangs():
            self._newest_plan().close()
        self._finish_report()
        if self._error is not None:
            raise self._error
        return self.report

    def stop(self) -> None:
        """Ask the run to end: what was read is finished, the sink is committed. Safe in a signal handler's thread."""
        self.report.stopped = True
        self._stop_threads()

    def swap(self, plan: Plan) -> None:
        """Change to `plan` between two frames; steps that did not change keep their state.

        A step that hangs in the old plan is left behind on its thread.

        Raises
        ------
        PlanError
            When the new plan's output has another size than the sink was opened with; the old plan goes on.
        """
        if self._opened.is_set() and plan.output_size(self._size) != self.plan.output_size(self._size):
            raise PlanError("the new chain changes the size of the picture: restart framefx to change it")
        plan.observe(self._observers)
        with self._lock:
            hung = self._turn.hangs(), self._mask_turn.hangs()
            if not any(hung):
                plan.take_over(self.plan)
                self._retired.append(self.plan)
            self.plan = plan
            self._latest = None
            if hung[0]:
                self._turn.left_behind, self._turn = True, Turn(self._clock)
            if hung[1]:
                self._mask_turn.left_behind, self._mask_turn = True, Turn(self._clock)
        self._told.clear()
        if hung[0]:
            self._runner = self._thread("runner", self._work)
        if hung[1]:
            self._masker = self._thread("masks", self._compute_masks)

    def _thread(self, name: str, target: Callable[[], None]) -> threading.Thread:
        return start(f"framefx-{name}", lambda: self._guarded(target))

    def _guarded(self, target: Callable[[], None]) -> None:
        try:
            target()
        except BaseException as error:  # kept for run(), which raises it on the caller's thread
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            if self._error is None:
                self._error = error
        self._stop_threads()

    def _stop_threads(self) -> None:
        self._stop.set()
        self._opened.set()
        self._wanted.set()
        for box in (self._inbox, self._mask_box):
            box.close()

    # The reader's thread.

    def _read(self) -> None:
        frames = self._capture.frames()
        try:
            self._capture.open()
            self._size, self._rate = self.source.size, self.source.rate
            self._opened.set()
            start = self._clock()
            for read in frames:
                # The source writes it no more: all who read it share its smaller pictures.
                frame = read._lend(shared=False)
                self.report.read += 1
                if self.policy == "live" and not self.source.live:
                    self._wait(self._stop, max(0.0, start + frame.time - self._clock()))
                if self.masks == "async" and frame.size == self._size:
                    self._mask_box.put(frame._lend(shared=True))
                if not self._inbox.put(frame) or self._enough():
                    break
        except BaseException as error:
            if not self.report.stopped:  # whoever ends the run need not hear that the source ended with it
                self._fail(error)
        finally:
            frames.close()
            self._capture.close()
            self._opened.set()
            self._inbox.close()
            self._mask_box.close()

    def _enough(self) -> bool:
        # In file mode nothing is dropped, so what is read is what is sent; live counts what was sent.
        return self._frames is not None and self.policy == "file" and self.report.read >= self._frames

    # The masks' thread.

    def _compute_masks(self) -> None:
        turn = self._mask_turn
        period = 1 / self._mask_rate if self._mask_rate else 0.0
        due = self._clock()
        while not turn.left_behind:
            try:
                frame = self._mask_box.get()
            except ChannelClosed:
                return
            plan, layers = self.plan, None
            try:
                with turn.busy(plan):
                    layers = plan.compute_layers(frame)
            except Exception as error:
                if not turn.left_behind:
                    self._fault(error, frame, plan)
            with self._lock:
                if plan is self.plan and not turn.left_behind:
                    self._latest = layers
            due = max(due + period, self._clock())
            self._wait(self._stop, max(0.0, due - self._clock()))

    # The runner's thread.

    def _work(self) -> None:
        turn, plan = self._turn, self.plan
        while self._error is None:
            try:
                frame = self._inbox.get()
            except ChannelClosed:
                break
            if plan is not self.plan:
                plan = self._newest_plan()
            result = self._finished(plan, frame, turn)
            if turn.left_behind:
                plan.close()
                return  # a new thread runs the new plan
            if result is not None:
                self._outbox.put(result)
        self._outbox.close()

    def _newest_plan(self) -> Plan:
        """Return the plan to run now, and close those it replaced: several, if swaps came between two frames."""
        with self._lock:
            newest, retired, self._retired = self.plan, self._retired, []
        for plan in retired:
            plan.close()
        return newest

    def _finished(self, plan: Plan, frame: Frame, turn: Turn) -> Frame | Card | None:
        if frame.size != self._size:
            odd = MediaError(f"frame {frame.index} is {frame.size}, and the source said {self._size}")
            return self._fault(odd, frame, plan, "the camera changed its size")
        try:
            with turn.busy(plan):
                return plan.run(frame) if self.masks == "sync" else self._with_newest_masks(plan, frame)
        except Exception as error:
            return None if turn.left_behind else self._fault(error, frame, plan)

    def _with_newest_masks(self, plan: Plan, frame: Frame) -> Frame | Card:
        with self._lock:
            layers = self._latest if plan is self.plan else None
        if layers is None:
            return Card(self._mask_turn.hangs() or "waiting for the first mask", frame.index, frame.time)
        age = frame.time - layers.time
        self.tell("mask", age=age)
        if age > self._max_age:
            text = self._mask_turn.hangs() or f"the mask is {age * 1e3:.0f} ms old"
            return Card(text, frame.index, frame.time)
        return plan.apply(frame, layers, shared=True)

    def _fault(self, error: Exception, frame: Frame, plan: Plan, what: str = "") -> Card | None:
        """A file run ends with the first fault; a live one shows the card, which says what it was, and goes on."""
        if self.policy == "file":
            self._fail(error)
            return None
        first_line = str(error).partition("\n")[0]
        text = first_line if isinstance(error, FramefxError) else f"{type(error).__name__}: {first_line}"
        what = what or f"step '{plan.running_on(threading.get_ident())}' failed"
        self._once(f"{what} {type(error)}", f"{what}: {text}", error)
        return Card(what, frame.index, frame.time)

    def _once(self, key: str, text: str, error: Exception | None = None) -> None:
        if key not in self._told:
            self._told.add(key)
            bug = error is not None and not isinstance(error, FramefxError)
            log.error("%s; the card is shown meanwhile", text, exc_info=error if bug else None)

    # The writer's thread.

    def _write(self) -> None:
        committed = False
        try:
            self._opened.wait()
            if self._size != (0, 0):
                self._presenter.show_all(self.plan.output_size(self._size), self._rate)
            if self._error is None and self._presenter.is_open:
                self.sink.finish()
                committed = True
            elif self._error is None and not self.report.stopped:
                self._fail(MediaError("the source gave no frame: check the file with `ffprobe FILE`"))
        finally:
            if not committed:
                self.sink.abort()

    def ended(self) -> bool:
        """Whether nothing more is to be shown (the presenter asks)."""
        return self._error is not None or (self.policy == "live" and self._presenter.sent == self._frames)

    def abandoned(self) -> bool:
        """Whether the run was stopped and the runner will not come back (the presenter asks)."""
        return self._stop.is_set() and (self._error is not None or bool(self._turn.hangs()))

    def asleep(self) -> bool:
        """Whether the source is closed because nobody looks."""
        return self._capture.asleep

    def trouble(self) -> str:
        """Why no frames come at the moment, or ""."""
        text = self._turn.hangs()
        if text:
            self._once(text, text)
        return text or self._capture.away

    def look(self) -> None:
        """Notice whether anybody looks at the sink; the reader opens and closes the source by it."""
        self._frames_until_look -= 1
        if not self._on_demand or (self._frames_until_look > 0 and self._wanted.is_set()):
            return
        self._frames_until_look = max(1, round(self._rate * _LOOK))
        if self.sink.wanted():
            self._looked = self._clock()
            self._wanted.set()
        elif self._clock() - self._looked > self._linger and not self._stop.is_set():
            self._wanted.clear()

    def tell(self, name: str, **facts: Any) -> None:
        """Tell the observers that something happened."""
        for observer in self._observers:
            observer.event(name, **facts)

    def _finish_report(self) -> None:
        shown = self._presenter
        self.report.sent, self.report.cards, self.report.repeated = shown.sent, shown.cards, shown.repeated
        self.report.dropped = self.dropped
        if self.report.dropped:
            self.tell("dropped", count=self.report.dropped)
