"""Saving the config file of a running stream: nothing is lost, nothing broken is shown, nothing leaks."""

import gc
import itertools
import logging
import threading
import time

import cv2
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
from framefx.stamps import stamp

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
    # The least: while it is quiet the last frame is sent again, and each of those counts for a moment.
    assert min(held[30:]) <= min(held[:10]) + 2


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


# -- files that the config names ------------------------------------------------------------------------------


PICTURES = "chain:\n  - replace: {image: back.png, where: all}\n  - overlay: {image: logo.png}\n  - counter\n"


def paint(path, level, size=SIZE):
    """Save a picture as editors do, all at once."""
    new = path.with_suffix(".new.png")
    cv2.imwrite(str(new), np.full((*size, 3), level, np.uint8))
    new.replace(path)


@pytest.fixture
def album(live, tmp_path, counter):
    """A stream with a background of level 10 and a logo of level 20."""
    paint(tmp_path / "back.png", 10)
    paint(tmp_path / "logo.png", 20, (4, 6))
    return Stream(live, tmp_path / "framefx.yaml", PICTURES)


def test_a_picture_that_was_changed_is_read_again(album):
    with album.show.running():
        steps = [step.instance for step in album.show.pipeline.plan.steps]
        assert album.play(2)[20, 30, 0] == 10
        paint(album.path.with_name("back.png"), 99)
        assert reload(album.show.pipeline, album.path, album.read, [album.path.with_name("back.png")])
        shown = album.play(2)
        assert (shown[20, 30, 0], shown[2, 2, 0]) == (99, 20)
        kept = [step.instance for step in album.show.pipeline.plan.steps]
        assert [one is other for one, other in zip(steps, kept, strict=True)] == [False, True, True]
        assert album.counts == [1, 2, 3, 4]


def test_pictures_that_stay_are_not_read_again(album):
    with album.show.running():
        album.play()
        steps = [step.instance for step in album.show.pipeline.plan.steps]
        assert album.save(PICTURES)
        album.play()
        assert all(a.instance is b for a, b in zip(album.show.pipeline.plan.steps, steps, strict=True))


@pytest.mark.parametrize("kept", [0.6, 0.0])
def test_a_picture_that_is_still_being_written_waits(album, kept, caplog):
    back = album.path.with_name("back.png")
    with album.show.running():
        album.play()
        data = back.read_bytes()
        back.write_bytes(data[: int(kept * len(data))])
        assert not reload(album.show.pipeline, album.path, album.read, [back])
        assert "back.png is " in caplog.text
        assert "the running chain is kept" in caplog.text
        assert album.play()[20, 30, 0] == 10
        assert not album.show.recorder.texts()


def test_a_picture_that_is_gone_stays(album, caplog):
    back = album.path.with_name("back.png")
    with album.show.running():
        album.play()
        back.unlink()
        assert not reload(album.show.pipeline, album.path, album.read, [back])
        assert "there is no file" in caplog.text
        assert album.play()[20, 30, 0] == 10


def test_the_pictures_of_a_stack_too(album):
    back = album.path.with_name("back.png")
    with album.show.running():
        album.play()
        assert album.save("stack: [{source: back.png}]\n")
        assert album.play()[20, 30, 0] == 10
        assert back in album.job.files(album.show.pipeline.plan)
        feed = album.show.pipeline.plan.branches[0].feed
        assert album.save("stack: [{source: back.png}]\n")
        assert album.show.pipeline.plan.branches[0].feed is feed
        paint(back, 99)
        assert reload(album.show.pipeline, album.path, album.read, [back])
        assert album.play()[20, 30, 0] == 99


def test_every_file_that_is_named_is_watched(album, tmp_path):
    """Those of steps, of entries and of layers; a folder as well, and with it whatever comes into it."""
    (tmp_path / "slides").mkdir()
    paint(tmp_path / "slides" / "1.png", 1)
    paint(tmp_path / "mask.png", 255)
    album.path.write_text(
        "layers: {person: {image: mask.png}}\n"
        "stack:\n"
        "  - {source: slides/}\n"
        "  - {source: person, chain: [overlay: {image: logo.png, mask: back.png}]}\n"
    )
    files = album.job.files(album.read())
    assert {path.name for path in files} == {"mask.png", "slides", "logo.png", "back.png"}
    for path, change in (
        (tmp_path / "mask.png", lambda: paint(tmp_path / "mask.png", 0)),
        (tmp_path / "slides", lambda: paint(tmp_path / "slides" / "2.png", 2)),
        (tmp_path / "back.png", (tmp_path / "back.png").unlink),
    ):
        assert stamp(path) == files[path]
        change()
        assert stamp(path) != files[path]


def test_a_changed_picture_is_noticed(album, tmp_path):
    """Through the watcher: a picture in another folder, which only a later version of the config names."""
    (tmp_path / "pictures").mkdir()
    paint(tmp_path / "pictures" / "new.png", 50)
    show = album.show
    with (
        show.running(),
        reloading(show.pipeline, album.path, album.read, lambda: album.job.files(show.pipeline.plan)),
    ):
        album.play()
        album.path.write_text(PICTURES.replace("back.png", "pictures/new.png"))
        deadline = time.monotonic() + 30
        while album.play()[20, 30, 0] != 50:
            assert time.monotonic() < deadline, "the config was never read"
        paint(tmp_path / "pictures" / "new.png", 60)
        while album.play()[20, 30, 0] != 60:
            assert time.monotonic() < deadline, "the picture was never noticed"
        counts = album.counts
    assert counts == list(range(1, len(counts) + 1))
    assert not show.recorder.texts()


def test_replan_leaves_the_job_alone_when_the_file_is_broken(stream):
    before = stream.job.settings
    stream.path.write_text("chain: [nothing_like_it]\n")
    with pytest.raises(Exception, match="nothing_like_it"):
        stream.read()
    stream.path.write_text("chain: [\n")
    with pytest.raises(ConfigError):
        stream.read()
    assert stream.job.settings is before
