"""What the tests of running pipelines share: a camera that a test plays, a sink that can be waited for, a recorder.

And a model and filters that what is hidden is looked for behind.
"""

import queue
import threading
from contextlib import contextmanager

import numpy as np

from framefx.frame import Frame
from framefx.geometry import Geometry
from framefx.mask import Mask
from framefx.pipeline import Pipeline
from framefx.testing import FaultySink, FaultySource, ListSink, ManualClock

PATIENCE = 60.0
"""Seconds after which a test gives up; nothing waits that long unless something is broken."""


def hide(canvas: Frame) -> Frame:
    canvas.pixels[:] = 90
    return canvas


def touch(frame: Frame) -> Frame:
    frame = frame.make_writable()
    frame.pixels[0, 0] = 1
    return frame


def thin(frame: Frame) -> Frame:
    return frame.with_alpha(np.full(frame.size, 200, np.uint8))


def mirror(frame: Frame) -> Geometry:
    return Geometry([[-1, 0, frame.size[1] - 1], [0, 1, 0]], frame.size)


class Late:
    """Shows the frame before."""

    def __init__(self) -> None:
        self._last: Frame | None = None

    def __call__(self, frame: Frame) -> Frame:
        shown, self._last = self._last or frame, frame
        return shown


class Secret:
    """A model with the layer `secret`; `find(frame)` is what it decodes."""

    layers = {"secret": Mask}  # noqa: RUF012
    inputs = outputs = ()
    buffer = None

    def __init__(self, find):
        self.session, self._find = self, find

    def prepare(self, frame, out): ...

    def outputs_for(self, wanted):
        return ()

    def run(self, array, wanted):
        return {"out": np.zeros((1, 2, 2, 1), np.float32)}

    def decode(self, outputs, wanted, frame):
        return self._find(frame)


class Camera:
    """A source that gives what the test puts in: frames, None for its end, exceptions to raise."""

    def __init__(self, size, *, live=True, rate=1000.0):
        self.size, self.live, self.rate = size, live, rate
        self.items = queue.Queue()
        self.opened = self.closed = self._given = 0

    def open(self):
        self.opened += 1

    def read(self):
        if self._given:
            self.items.task_done()  # whoever asks for the next one is done with the last: see `wait_until_taken`
        self._given += 1
        item = self.items.get(timeout=PATIENCE)
        if isinstance(item, BaseException):
            raise item
        return item

    def close(self):
        self.closed += 1

    def wait_until_taken(self):
        """Wait until the pipeline has taken all that was put in, and asks for more."""
        self.items.join()


class Screen(ListSink):
    """A live sink that a test can wait for."""

    def __init__(self, *, live=True, **rest):
        super().__init__(live=live, **rest)
        self._changed = threading.Condition()

    def send(self, frame):
        super().send(frame)
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, count):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.frames) >= count, PATIENCE), "nothing came"

    def wait_until_shown(self, pixels):
        """Wait until a picture like this one was shown."""
        seen = 0

        def shown():
            nonlocal seen
            new, seen = self.pixels[seen:], len(self.frames)
            return any(np.array_equal(one, pixels) for one in new)

        with self._changed:
            assert self._changed.wait_for(shown, PATIENCE), "it was not shown"


class Recorder:
    """An observer that keeps every event and can be waited for."""

    def __init__(self):
        self.events, self.steps = [], []
        self._changed = threading.Condition()

    def before_step(self, step, frame):
        self.steps.append(("before", step, frame.index))

    def after_step(self, step, frame, seconds):
        self.steps.append(("after", step, frame.index))

    def event(self, name, **facts):
        with self._changed:
            self.events.append((name, facts))
            self._changed.notify_all()

    def count(self, name):
        return sum(event == name for event, _ in self.events)

    def texts(self):
        return [facts["text"] for name, facts in self.events if name == "card"]

    def wait_for_pictures(self, count):
        """Wait until so many frames were sent that are no cards."""
        with self._changed:
            enough = self._changed.wait_for(lambda: self.count("sent") - self.count("card") >= count, PATIENCE)
            assert enough, f"no {count} pictures"

    def wait_for(self, name, count=1):
        with self._changed:
            assert self._changed.wait_for(lambda: self.count(name) >= count, PATIENCE), f"no {count} {name}"


class Show:
    """A pipeline that runs on a thread while the test plays the camera, with a clock that the test moves.

    `faults` are those of the camera and of the screen.
    """

    def __init__(self, plan, size, *, live=True, faults=({}, {}), **rest):
        self.clock = ManualClock()
        self.camera, self.screen, self.recorder = Camera(size, live=live), Screen(live=live), Recorder()
        rest.setdefault("observers", [self.recorder])
        source = FaultySource(self.camera, faults[0], self.clock)
        self.sink = FaultySink(self.screen, faults[1], self.clock)
        self.pipeline = Pipeline(source, plan, self.sink, clock=self.clock.monotonic, wait=self.clock.wait, **rest)
        self.error = self.report = None
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            self.report = self.pipeline.run()
        except BaseException as error:
            self.error = error

    def play(self, *frames):
        """Show one frame after the other, each only when the one before was sent."""
        for frame in frames:
            already = self.recorder.count("sent")
            self.camera.items.put(frame)
            self.recorder.wait_for("sent", already + 1)

    def end(self):
        """Stop, and wait until every thread has ended."""
        self.pipeline.stop()
        self.camera.items.put(None)
        self.join()

    def join(self):
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the pipeline does not end"

    @contextmanager
    def running(self):
        self._thread.start()
        try:
            yield self
        finally:
            self.end()
