"""Facts about a run, for tables and tests."""

import numpy as np
import pytest

from framefx.frame import Frame
from framefx.timing import Timings

FRAME = Frame.borrow(np.zeros((1, 1, 3), np.uint8))


def timings(*milliseconds, step="blur"):
    result = Timings()
    for value in milliseconds:
        result.after_step(step, FRAME, value / 1e3)
    return result


def test_a_step_has_median_and_p99():
    [step] = timings(*range(1, 101)).steps()
    assert (step.step, step.count) == ("blur", 100)
    assert step.median == pytest.approx(50.5)
    assert step.p99 == pytest.approx(100)


def test_only_the_last_frames_count_for_the_median_and_all_for_the_count():
    [step] = timings(*[1000] * 50, *[1] * 300).steps()
    assert step.p99 == pytest.approx(1)
    assert step.count == 350


def test_steps_come_in_the_order_in_which_they_first_ran():
    result = timings(1, step="b")
    result.after_step("a", FRAME, 0.0)
    assert [step.step for step in result.steps()] == ["b", "a"]


def test_events_are_counted():
    result = Timings()
    result.event("sent", index=0)
    result.event("dropped", count=3)
    assert result.counts == {"sent": 1, "dropped": 3}


def test_without_two_frames_there_is_no_rate():
    result = Timings()
    assert result.rate == 0
    result.event("sent")
    assert result.rate == 0
