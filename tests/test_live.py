"""Live pipelines: the newest frame wins, plans change between frames, and threads all go home."""

import threading

import numpy as np
import pytest

from framefx.errors import DeviceError, FramefxError
from framefx.frame import Frame
from framefx.mask import Mask
from framefx.pipeline import Pipeline
from framefx.plan import Plan
from framefx.registry import Register, Registry
from framefx.testing import ListSink, ListSource, TestPattern

SIZE = (12, 16)

pytestmark = pytest.mark.usefixtures("no_thread_stays")


def frame(index, time=None):
    pixels = np.full((*SIZE, 3), index, np.uint8)
    return Frame.borrow(pixels, index=index, time=index / 1000 if time is None else time)


def plan_of(*targets, chain=None, **given):
    register = Register(registry := Registry(), "test")
    for target in targets:
        register.filter(target)
    names = [t.__name__.lower() for t in targets] or ["pass"]
    if not targets:
        register.filter(lambda frame: frame, name="pass")
    return Plan(chain or ",".join(names), registry, given=given)


def run(source, sink, plan=None, **rest):
    return Pipeline(source, plan or plan_of(), sink, **rest).run()


# Live: the newest frame wins.


def test_the_newest_frame_wins_and_drops_are_counted(live):
    begun, go_on = threading.Event(), threading.Event()

    seen = []

    def slow(frame: Frame) -> Frame:
        seen.append(frame.index)
        if frame.index == 0:
            begun.set()
            go_on.wait(60)
        return frame

    with live.Show(plan_of(slow), SIZE).running() as show:
        show.camera.items.put(frame(0))
        begun.wait(60)
        for index in range(1, 6):
            show.camera.items.put(frame(index))
        show.camera.wait_until_taken()
        go_on.set()
        show.recorder.wait_for("sent", 1)
        show.play(frame(6))
    assert seen == [0, 5, 6]
    assert show.report.dropped == 7 - show.report.sent
    assert ("dropped", {"count": show.report.dropped}) in show.recorder.events


def test_the_first_thing_on_a_device_is_the_card(live):
    with live.Show(plan_of(), SIZE).running() as show:
        show.play(frame(7))
    assert not np.array_equal(show.screen.pixels[0], frame(7).pixels)
    assert show.screen.pixels[0].shape == (*SIZE, 3)


def test_silence_repeats_the_last_frame(live):
    with live.Show(plan_of(), SIZE).running() as show:
        show.play(frame(7))
        show.recorder.wait_for("repeated", 3)
    assert (show.screen.pixels[-1] == 7).all()
    assert show.report.repeated >= 3
    assert show.report.sent == 1


def test_frames_counts_what_was_sent_live(live):
    show = live.Show(plan_of(), SIZE, frames=2)
    with show.running():
        show.play(frame(0), frame(1))
        show.camera.items.put(None)
        show.join()
    assert show.report.sent == 2
    assert show.screen.finished


def test_async_masks_are_never_older_than_allowed(live):
    def hidden(frame: Frame, person: Mask) -> Frame:
        return frame

    plan = plan_of(hidden, person=Mask(np.zeros((2, 2), np.uint8), (2, 2)))
    with live.Show(plan, SIZE, masks="async").running() as show:
        show.play(*(frame(i) for i in range(20)))
    ages = [facts["age"] for name, facts in show.recorder.events if name == "mask"]
    assert all(0 <= age <= 0.1 for age in ages)


def test_a_sink_that_fails_while_live_ends_the_run():
    # A camera whose stream ends is opened again, so this one never ends by itself.
    camera, sink = ListSource(map(frame, range(50)), live=True), ListSink(live=True, fail_at=2)
    with pytest.raises(DeviceError, match="fail at frame 2"):
        run(camera, sink)
    assert sink.aborted
    assert camera.opened == camera.closed


def test_a_blocked_sink_keeps_no_other_thread():
    blocked, free = threading.Event(), threading.Event()

    class Blocked(ListSink):
        def send(self, frame):
            blocked.set()
            free.wait(60)
            super().send(frame)

    pipeline = Pipeline(TestPattern(frames=50), plan_of(), sink := Blocked())
    thread = threading.Thread(target=pipeline.run)
    thread.start()
    assert blocked.wait(60)
    pipeline.stop()
    free.set()
    thread.join(60)
    assert not thread.is_alive()
    assert sink.finished


# Swaps and observers.


@pytest.mark.parametrize(("chain", "number"), [("count=10", 13), ("count=20", 21), ("count@other=10", 11)])
def test_a_swap_keeps_the_state_of_steps_that_did_not_change(live, chain, number):
    class Count:
        def __init__(self, *, start: int = 0) -> None:
            self.number = start

        def __call__(self, frame: Frame) -> Frame:
            self.number += 1
            return frame.with_pixels(np.full((*SIZE, 3), self.number, np.uint8))

    with live.Show(plan_of(Count, chain="count=10"), SIZE).running() as show:
        show.play(frame(0), frame(1))
        show.pipeline.swap(plan_of(Count, chain=chain))
        show.play(frame(2))
        assert show.screen.pixels[-1][0, 0, 0] == number


def test_the_old_plan_is_closed_between_frames_by_the_thread_that_ran_it(live):
    closed = []

    class Movie:
        def __call__(self, frame: Frame) -> Frame:
            return frame

        def close(self):
            closed.append(threading.current_thread().name)

    with live.Show(plan_of(Movie), SIZE).running() as show:
        show.play(frame(0))
        show.pipeline.swap(plan_of())
        show.play(frame(1))
        assert closed == ["framefx-runner"]


def test_observers_see_every_step_of_every_frame(live):
    def first(frame: Frame) -> Frame:
        return frame

    def second(frame: Frame) -> Frame:
        return frame

    recorder = live.Recorder()
    run(ListSource(map(frame, range(3))), ListSink(), plan_of(first, second), observers=[recorder])
    expected = [(when, step, i) for i in range(3) for step in ("first", "second") for when in ("before", "after")]
    assert recorder.steps == expected
    assert recorder.count("sent") == 3


def test_an_observer_that_fails_never_lets_a_raw_frame_out():
    class Rude:
        def before_step(self, step, frame):
            raise FramefxError("no")

        def after_step(self, step, frame, seconds): ...
        def event(self, name, **facts): ...

    sink = ListSink()
    with pytest.raises(FramefxError):
        run(ListSource([frame(0)]), sink, observers=[Rude()])
    assert not sink.frames
