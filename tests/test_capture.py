"""Capturing: reconnects, sleep, and a clock that never runs backwards."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from framefx.capture import Capture
from framefx.errors import DeviceError
from framefx.frame import Frame
from framefx.testing import ManualClock


class Camera:
    """A live source that plays a script: a number is a frame's time, an exception is raised, None is the end."""

    live = True
    size = (2, 2)
    rate = 30.0

    def __init__(self, *openings):
        self.openings = [list(opening) for opening in openings]
        self.opened = self.closed = 0

    def open(self):
        self.script = self.openings[self.opened] if self.opened < len(self.openings) else [KeyboardInterrupt()]
        self.opened += 1
        if self.script and isinstance(self.script[0], OSError) and getattr(self.script[0], "at_open", False):
            raise self.script[0]

    def read(self):
        item = self.script.pop(0)
        if isinstance(item, BaseException):
            raise item
        if callable(item):
            return item()
        return None if item is None else Frame.borrow(np.zeros((2, 2, 3), np.uint8), index=99, time=item)

    def close(self):
        self.closed += 1


def capture(camera, clock=None):
    stop, wanted = threading.Event(), threading.Event()
    wanted.set()
    clock = clock or ManualClock()
    made = Capture(camera, stop, wanted, clock.monotonic)
    made.open()
    return made, stop, wanted


def test_index_and_time_go_on_after_a_reconnect():
    clock = ManualClock()
    camera = Camera([0.0, 0.5, DeviceError("unplugged")], [7.0, 7.5, KeyboardInterrupt()])
    made, _, _ = capture(camera, clock)
    frames = made.frames()
    first = [next(frames), next(frames)]
    second = [next(frames), next(frames)]
    assert [f.index for f in first + second] == [0, 1, 2, 3]
    times = [f.time for f in first + second]
    assert times == sorted(times) and times[:2] == [0.0, 0.5] and times[3] - times[2] == pytest.approx(0.5)


def test_a_camera_that_goes_away_is_said_once_and_forgotten_when_it_is_back(caplog):
    camera = Camera([0.0, DeviceError("unplugged")], [0.0, KeyboardInterrupt()])
    made, _, _ = capture(camera)
    frames = made.frames()
    next(frames)
    assert made.away == ""
    next(frames)
    assert made.away == "" and [r.message for r in caplog.records].count("the camera is back") == 1


def test_the_first_opening_may_fail():
    error = DeviceError("busy")
    error.at_open = True
    with pytest.raises(DeviceError, match="busy"):
        capture(Camera([error]))


def test_nobody_looking_closes_the_camera_and_looking_opens_it():
    camera = Camera([0.0, 0.1, 0.2], [0.0, KeyboardInterrupt()])
    made, _, wanted = capture(camera)
    frames = made.frames()
    next(frames)
    wanted.clear()
    seen = []
    thread = threading.Thread(target=lambda: seen.append(next(frames)))
    thread.start()
    while not made.asleep:
        thread.join(0.001)
    assert camera.closed == 1
    wanted.set()
    thread.join(5)
    assert seen[0].index == 1 and camera.opened == 2 and not made.asleep


def test_stopping_closes_the_source():
    camera = Camera([0.0, 0.1, 0.2])
    made, stop, _ = capture(camera)
    frames = made.frames()
    next(frames)
    stop.set()
    assert list(frames) == [] and camera.closed >= 1


def test_a_bug_in_a_source_is_not_taken_for_an_unplugged_camera():
    made, _, _ = capture(Camera([0.0, ZeroDivisionError("bug")]))
    frames = made.frames()
    next(frames)
    with pytest.raises(ZeroDivisionError):
        next(frames)
