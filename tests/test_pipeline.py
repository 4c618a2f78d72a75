"""The pipeline: order, drops, ends, and threads that all go home."""

import threading

import numpy as np
import pytest

from framefx.errors import DeviceError, MediaError
from framefx.frame import Frame
from framefx.mask import Mask
from framefx.pipeline import Pipeline
from framefx.plan import Plan
from framefx.registry import Register, Registry
from framefx.testing import ListSink, ListSource, TestPattern, read_barcode

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


# Files: everything, in order.


def test_a_file_comes_out_whole_and_in_order():
    sink = ListSink()
    report = run(TestPattern(frames=60), sink)
    assert [read_barcode(pixels) for pixels in sink.pixels] == list(range(60))
    assert sink.times == [i / 30 for i in range(60)]
    assert (report.read, report.sent, report.dropped, report.cards) == (60, 60, 0, 0)
    assert sink.finished
    assert not sink.aborted


def test_a_slow_filter_drops_nothing_from_a_file():
    seen = []

    def slow(frame: Frame) -> Frame:
        seen.append(frame.index)
        np.sort(np.random.default_rng(0).random(20000))
        return frame

    run(TestPattern(frames=30), ListSink(), plan_of(slow))
    assert seen == list(range(30))


def test_frames_ends_a_file_after_so_many():
    sink = ListSink()
    report = run(TestPattern(frames=60), sink, frames=7)
    assert sink.indices == list(range(7))
    assert (report.read, report.sent) == (7, 7)
    assert sink.finished


def test_the_sink_is_told_size_rate_and_alpha():
    sink = ListSink()
    run(ListSource([frame(0)], rate=25), sink)
    assert (sink.size, sink.rate, sink.has_alpha) == (SIZE, 25, False)


def test_a_chain_with_alpha_tells_the_sink():
    def thin(frame: Frame) -> Frame:
        return frame.with_alpha(np.full(frame.size, 100, np.uint8))

    sink = ListSink()
    run(ListSource([frame(9)]), sink, plan_of(thin))
    assert sink.has_alpha
    assert sink.frames[0].alpha[0, 0] == 100


def test_a_sink_without_alpha_gets_frames_over_black():
    def thin(frame: Frame) -> Frame:
        return frame.with_alpha(np.zeros(frame.size, np.uint8))

    sink = ListSink()
    sink.takes_alpha = False
    run(ListSource([frame(200)]), sink, plan_of(thin))
    assert sink.frames[0].alpha is None
    assert (sink.pixels[0] == 0).all()


def test_alpha_that_comes_late_is_not_sent_to_a_sink_that_was_told_there_is_none():
    def thin_later(frame: Frame) -> Frame:
        return frame.with_alpha(np.zeros(frame.size, np.uint8)) if frame.index else frame

    sink = ListSink()
    run(ListSource([frame(200), frame(201)]), sink, plan_of(thin_later))
    assert sink.frames[1].alpha is None
    assert (sink.pixels[1] == 0).all()


def test_what_a_sink_keeps_never_changes():
    def brighten(frame: Frame) -> Frame:
        frame = frame.make_writable()
        frame.pixels[:] = frame.index + 100
        return frame

    sink = ListSink(copy=False)
    run(TestPattern(frames=40), sink, plan_of(brighten))
    assert [int(pixels[0, 0, 0]) for pixels in sink.pixels] == list(range(100, 140))


def test_after_warm_up_a_run_allocates_nothing_of_a_frame_s_size():
    counts = []

    class Watch:
        def send(self, frame):
            counts.append(plan.pool.allocations)

    def brighten(frame: Frame) -> Frame:
        frame = frame.make_writable()
        frame.pixels[:] = 1
        return frame

    plan = plan_of(brighten)
    sink = ListSink()
    sink.send = Watch().send
    run(TestPattern(frames=80), sink, plan)
    assert counts[-1] <= 12
    assert counts[40] == counts[-1]


# What goes wrong with a file ends the run and leaves nothing.


class Failing(ListSource):
    """A source that fails at a frame, or at opening."""

    def __init__(self, at, error=MediaError("the file ends in mid-frame"), **rest):  # noqa: B008
        super().__init__(map(frame, range(20)), **rest)
        self.at, self.error = at, error

    def open(self):
        super().open()
        if self.at == "open":
            raise self.error

    def read(self):
        got = super().read()
        if got is not None and got.index == self.at:
            raise self.error
        return got


@pytest.mark.parametrize("at", ["open", 0, 5])
def test_a_source_that_fails_aborts_the_sink(at):
    source, sink = Failing(at), ListSink()
    with pytest.raises(MediaError, match="ends in mid-frame"):
        run(source, sink)
    assert (sink.aborted, sink.finished) == (True, False)
    assert (source.opened, source.closed) == (1, 1)


@pytest.mark.parametrize("at", [0, 5])
def test_a_sink_that_fails_is_aborted(at):
    source, sink = ListSource(map(frame, range(20))), ListSink(fail_at=at)
    with pytest.raises(DeviceError, match=f"fail at frame {at}"):
        run(source, sink)
    assert (sink.aborted, sink.finished) == (True, False)
    assert source.closed == 1


class BadSink(ListSink):
    def __init__(self, at):
        super().__init__()
        self.at = at

    def open(self, *args):
        if self.at == "open":
            raise MediaError("no room")

    def finish(self):
        if self.at == "finish":
            raise MediaError("the disk is full")
        super().finish()


@pytest.mark.parametrize("at", ["open", "finish"])
def test_a_sink_that_cannot_begin_or_end_is_aborted(at):
    sink = BadSink(at)
    with pytest.raises(MediaError):
        run(ListSource([frame(0)]), sink)
    assert (sink.aborted, sink.finished) == (True, False)


def test_a_filter_that_fails_aborts_the_sink_and_says_where():
    def boom(frame: Frame) -> Frame:
        if frame.index == 3:
            raise ZeroDivisionError("asked to")
        return frame

    sink = ListSink()
    with pytest.raises(ZeroDivisionError) as caught:
        run(ListSource(map(frame, range(20))), sink, plan_of(boom))
    assert caught.value.__notes__ == ["in step 'boom' of plugin 'test', frame 3"]
    assert sink.indices == [0, 1, 2][: len(sink.indices)]
    assert (sink.aborted, sink.finished) == (True, False)


def test_a_filter_that_exits_the_program_ends_the_run_too():
    def leave(frame: Frame) -> Frame:
        raise SystemExit(3)

    sink = ListSink()
    with pytest.raises(SystemExit):
        run(ListSource([frame(0)]), sink, plan_of(leave))
    assert sink.aborted


def test_a_source_without_a_frame_is_an_error_and_leaves_nothing():
    sink = ListSink()
    with pytest.raises(MediaError, match="the source gave no frame"):
        run(ListSource([], size=SIZE), sink)
    assert sink.aborted


def test_a_file_that_a_live_source_writes_is_committed_at_the_stop(live):
    with live.Show(plan_of(), SIZE).running() as show:
        show.play(frame(0), frame(1))
    assert show.screen.finished
    assert show.report.stopped


def test_stopping_a_file_in_the_middle_commits_what_is_done(live):
    with live.Show(plan_of(), SIZE, live=False).running() as show:
        show.play(frame(0), frame(1), frame(2))
        show.pipeline.stop()
    assert show.screen.indices[:3] == [0, 1, 2]
    assert show.screen.finished
    assert not show.screen.aborted


def test_stopping_before_the_first_frame_is_no_error(live):
    with live.Show(plan_of(), SIZE, live=False).running() as show:
        show.pipeline.stop()
    assert show.error is None
    assert show.screen.aborted


def test_a_pipeline_closes_its_stateful_steps():
    closed = []

    class Trail:
        def __call__(self, frame: Frame) -> Frame:
            return frame

        def close(self):
            closed.append(threading.current_thread().name)

    run(ListSource([frame(0)]), ListSink(), plan_of(Trail))
    assert len(closed) == 1


def test_a_file_run_is_always_sync():
    plan = plan_of(chain="pass", person=Mask(np.zeros((2, 2), np.uint8), (2, 2)))
    assert Pipeline(TestPattern(), plan, ListSink(), masks="async").masks == "sync"
