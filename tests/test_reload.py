"""Saving the config file of a running stream: nothing is lost, nothing broken is shown, nothing leaks."""

import gc
import itertools
import logging
import threading
import time

import numpy as np
import pytest

from framefx.config import Config
from framefx.errors import ConfigError
from framefx.frame import Frame, FramePool
from framefx.job import Job
from framefx.plan import Plan
from framefx.plugins import PluginManager
from framefx.registry import Register
from framefx.reload import reload, reloading

SIZE = (36, 64)
GOOD = "chain:\n  - replace: {{color: '#{0:02x}{0:02x}{0:02x}', where: all}}\n  - counter\n"
BROKEN = [
    "chain: [replase]\n",
    "chain: [\n",
    "chain:\n  - replace: {color: nocolour}\n",
    "chain: [blur: {radius: -1}]\n",
    "",
    "\x00",
]


class Counter:
    """Writes how many frames it has seen into the first pixel; kept over a reload that does not change it."""

    made = closed = 0

    def __init__(self, *, start: int = 0) -> None:
        type(self).made += 1
        self.count = start

    def __call__(self, frame: Frame) -> Frame:
        self.count += 1
        frame = frame.make_writable()
        frame.pixels[0, 0] = (*divmod(self.count, 256), 0)
        return frame

    def close(self) -> None:
        type(self).closed += 1


@pytest.fixture
def counter():
    Counter.made = Counter.closed = 0
    return Counter


class Stream:
    """A config file, a job made from it, and a show that runs its plan."""

    def __init__(self, live, path, text):
        self.path = path
        path.write_text(text)
        self.plugins = PluginManager()
        Register(self.plugins.registry, "test").filter(Counter)
        config = Config(path)
        self.job = Job(config.settings, self.plugins, config)
        self.show = live.Show(self.job.plan(), SIZE)
        self.number = 0

    def read(self):
        config = Config(self.path)
        return self.job.replan(config.settings, config)

    def save(self, text):
        self.path.write_text(text)
        return reload(self.show.pipeline, self.path, self.read)

    def play(self, count=1):
        """Show frames and return what the last one became."""
        for _ in range(count):
            pixels = np.full((*SIZE, 3), 250, np.uint8)
            self.show.play(Frame.borrow(pixels, index=self.number, time=self.number / 30))
            self.number += 1
        return self.show.screen.frames[-1].pixels

    @property
    def counts(self):
        """What the counter wrote into each frame shown: the first one says "starting", and in silence they repeat."""
        counts = [int(p[0, 0, 0]) * 256 + int(p[0, 0, 1]) for p in self.show.screen.pixels[1:]]
        return [count for count, _ in itertools.groupby(counts)]


@pytest.fixture
def stream(live, tmp_path, counter):
    return Stream(live, tmp_path / "framefx.yaml", GOOD.format(0))


def test_the_next_frame_is_made_by_the_new_chain(stream):
    with stream.show.running():
        assert stream.play()[5, 5, 0] == 0
        assert stream.save(GOOD.format(77))
        assert stream.play()[5, 5, 0] == 77


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_file_keeps_the_old_chain(stream, text, caplog):
    with stream.show.running():
        stream.play()
        assert not stream.save(text)
        assert "the running chain is kept" in caplog.text
        assert stream.play()[5, 5, 0] == 0
        assert not stream.show.recorder.texts()


def test_what_did_not_change_keeps_its_state(stream):
    with stream.show.running():
        stream.play(3)
        stream.save(GOOD.format(1))
        stream.play(2)
        assert stream.counts == [1, 2, 3, 4, 5]


def test_what_changed_begins_anew(stream):
    with stream.show.running():
        stream.play(3)
        stream.save(GOOD.format(0).replace("counter", "counter: {start: 100}"))
        stream.play(2)
        assert stream.counts == [1, 2, 3, 101, 102]


def test_another_size_is_refused(stream, caplog):
    with stream.show.running():
        stream.play()
        assert not stream.save("stack:\n  - {source: frame, size: 10x10}\n")
        assert "changes the size of the picture" in caplog.text
        stream.play()


def test_200_reloads_in_20_seconds(stream, caplog):
    caplog.set_level(logging.CRITICAL)  # pytest keeps what is logged, and errors keep what was being made
    texts = [GOOD.format(number) for number in range(200)]
    with stream.show.running():
        stream.play(4)
        threads = threading.active_count()
        begin = time.monotonic()
        for number, text in enumerate(texts):
            assert stream.save(text)
            if number % 4 == 3:
                assert not stream.save(BROKEN[number // 4 % len(BROKEN)])
            assert stream.play()[5, 5, 0] == number
        seconds = time.monotonic() - begin
        gc.collect()
        assert threading.active_count() == threads
        assert sum(type(item) is Plan for item in gc.get_objects()) <= 4
    assert seconds <= 20
    report = stream.show.report
    assert (report.read, report.sent, report.cards) == (204, 204, 0)
    assert stream.counts == list(range(1, 205))
    assert Counter.closed <= 1  # the one that lives on is closed once, at the end
    assert stream.show.error is None


def test_memory_does_not_grow(stream):
    with stream.show.running():
        held = []
        for number in range(40):
            stream.save(GOOD.format(number))
            stream.play()
            del stream.show.screen.frames[:-1]
            stream.show.recorder.steps.clear()
            gc.collect()
            held.append(sum(type(item) in (Frame, FramePool) for item in gc.get_objects()))
    assert max(held[20:]) <= max(held[:20]) + 2


def test_a_closed_video_is_closed(stream, tmp_path):
    """What the new chain does not go on with is released."""
    with stream.show.running():
        stream.play()
        stream.save("chain:\n  - replace: {color: red, where: all}\n")
        stream.play(2)
        assert Counter.closed == 1


def test_saving_is_noticed(stream):
    """Through the watcher, as editors save: a new file renamed over the old one."""
    swapped = threading.Event()

    def read():
        try:
            return stream.read()
        finally:
            swapped.set()

    with stream.show.running(), reloading(stream.show.pipeline, stream.path, read):
        stream.play()
        deadline = time.monotonic() + 30
        while not swapped.wait(0.5):
            assert time.monotonic() < deadline, "the save was never noticed"
            new = stream.path.with_suffix(".new")  # again and again: the watcher may not have begun
            new.write_text(GOOD.format(99))
            new.replace(stream.path)
        while stream.play()[5, 5, 0] != 99:
            assert time.monotonic() < deadline


def test_replan_leaves_the_job_alone_when_the_file_is_broken(stream):
    before = stream.job.settings
    stream.path.write_text("chain: [nothing_like_it]\n")
    with pytest.raises(Exception, match="nothing_like_it"):
        stream.read()
    stream.path.write_text("chain: [\n")
    with pytest.raises(ConfigError):
        stream.read()
    assert stream.job.settings is before
