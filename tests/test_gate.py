"""The motion gate: a still picture costs no inference, and a moved one is looked at, at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from framefx.cli.explain import text
from framefx.cli.settings import mask_options
from framefx.config import Settings
from framefx.frame import Frame
from framefx.gate import MotionGate
from framefx.job import Job
from framefx.mask import Mask
from framefx.maskpipeline import MaskOptions

SIZE = (720, 1280)
ROOM = np.random.default_rng(0).integers(60, 200, (9, 16, 3), np.uint8).repeat(80, axis=0).repeat(80, axis=1)


def noisy(pixels, seed, level=4.0):
    noise = np.random.default_rng(seed).normal(0, level, pixels.shape).astype(np.float32)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


class Camera:
    """Shows pictures to a gate and counts the looks."""

    def __init__(self, every, rate=30.0):
        self.gate, self.rate = MotionGate(every), rate
        self.index, self.looks = 0, []

    def show(self, pixels, time=None):
        frame = Frame.borrow(pixels, index=self.index, time=self.index / self.rate if time is None else time)
        values = self.gate.kept(frame)
        if values is None:
            self.looks.append(self.index)
            values = {"person": Mask(np.full((2, 2), self.index, np.uint8), frame.size, frame.index)}
            self.gate.keep(frame, values)
        self.index += 1
        return values["person"]


def test_a_still_picture_is_looked_at_every_so_many_frames():
    camera = Camera(5)
    masks = [camera.show(ROOM) for _ in range(12)]
    assert camera.looks == [0, 5, 10]
    assert [m.index for m in masks] == list(range(12))
    assert [int(m.values[0, 0]) for m in masks] == [0] * 5 + [5] * 5 + [10] * 2


def test_a_sensors_noise_is_still():
    camera = Camera(10)
    for seed in range(10):
        camera.show(noisy(ROOM, seed))
    assert camera.looks == [0]


@pytest.mark.parametrize("size", [(720, 1280), (480, 640), (2160, 3840), (99, 131), (1, 1)])
def test_any_size(size):
    camera = Camera(4)
    for _ in range(4):
        camera.show(np.full((*size, 3), 90, np.uint8))
    assert camera.looks == [0]
    camera.show(np.full((*size, 3), 95, np.uint8))
    assert camera.looks == [0, 4]


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.integers(0, 639), st.integers(0, 1219), st.integers(-12, 12), st.integers(-12, 12))
def test_a_hand_that_moves_by_a_masks_pixel_is_seen(y, x, down, across):
    hand = np.full((60, 40, 3), 255, np.uint8)
    before, after = ROOM.copy(), ROOM.copy()
    before[y : y + 60, x : x + 40] = hand
    y, x = min(max(y + down, 0), 660), min(max(x + across, 0), 1240)
    after[y : y + 60, x : x + 40] = hand
    camera = Camera(100)
    camera.show(before)
    camera.show(after)
    moved = np.count_nonzero((before != after).any(-1)) > 6 * 40
    assert camera.looks == ([0, 1] if moved else camera.looks)


def test_slow_changes_add_up():
    camera = Camera(300)
    for level in range(40):
        camera.show(np.full((90, 160, 3), 100 + level // 2, np.uint8))
    assert camera.looks == [0, 8, 16, 24, 32]


@pytest.mark.parametrize("time", [0.54, -1.0], ids=["a gap", "backwards"])
def test_looks_anew_after(time):
    camera = Camera(300)
    camera.show(ROOM, 0.0)
    camera.show(ROOM, 0.03)
    camera.show(ROOM, time)
    assert camera.looks == [0, 2]


def test_looks_anew_at_another_size_and_when_told():
    camera = Camera(300)
    camera.show(ROOM)
    camera.show(ROOM[:-16].copy())
    camera.gate.reset()
    camera.show(ROOM[:-16].copy())
    assert camera.looks == [0, 1, 2]


def test_what_was_handed_out_may_be_replaced():
    gate, values = MotionGate(3), {"person": Mask(np.full((2, 2), 7, np.uint8), SIZE)}
    gate.keep(Frame.borrow(ROOM), values)
    values["person"] = Mask(np.zeros((2, 2), np.uint8), SIZE)
    assert gate.kept(Frame.borrow(ROOM, index=1, time=0.03))["person"].values[0, 0] == 7


# -- in a plan --------------------------------------------------------------------------------------


def job(**mask):
    """A job that blurs, with the network that comes along."""
    return Job(Settings(chain="blur", mask=MaskOptions(**mask)))


def counted(plan, pictures):
    """Run a plan on pictures; return how often its network ran up to each."""
    [loaded] = plan.layers.models
    session, runs, counts = loaded.model.session, [], []
    run = session.run

    def counting(array, wanted):
        runs.append(wanted)
        return run(array, wanted)

    session.run = counting
    try:
        for index, pixels in enumerate(pictures):
            plan.run(Frame.borrow(pixels, index=index, time=index / 30))
            counts.append(len(runs))
    finally:
        del session.run
    return counts


def test_the_network_rests_while_the_picture_stands_still():
    small, moved = ROOM[::4, ::4].copy(), ROOM[::4, ::4].copy()
    moved[100:140, 100:140] = 255
    with_gate = job(every=4)
    assert counted(with_gate.plan(), [small] * 6 + [moved] * 2) == [1, 1, 1, 1, 2, 2, 3, 3]
    assert counted(job().plan(), [small] * 3) == [1, 2, 3]


def test_a_still_pictures_mask_goes_on_through_the_pipeline():
    plan = job(every=30, dilate=3).plan()
    pictures = [Frame.borrow(ROOM[::4, ::4].copy(), index=i, time=i / 30) for i in range(3)]
    masks = [plan.compute_layers(frame).values["person"] for frame in pictures]
    assert [m.index for m in masks] == [0, 1, 2]
    np.testing.assert_array_equal(masks[0].values, masks[2].values)


def test_a_new_plan_looks_anew():
    work = job(every=30)
    assert counted(work.plan(), [ROOM[::4, ::4].copy()] * 2) == [1, 1]
    assert counted(work.plan(), [ROOM[::4, ::4].copy()] * 2) == [1, 1]


@pytest.mark.parametrize("bad", [{"every": 0}, {"every": 301}, {"every": 1.5}, {"roi": "maybe"}, {"smoothing": "fast"}])
def test_refuses(bad):
    with pytest.raises(ValidationError):
        MaskOptions(**bad)


def test_as_on_the_command_line():
    options = MaskOptions.model_validate(mask_options("every=10:roi=true:largest=yes:smoothing=exponential:smooth=0.1"))
    assert (options.every, options.roi, options.largest, options.time_constant) == (10, True, True, 0.1)
    [loaded] = job(every=10, roi=True).plan().layers.models
    assert loaded.gate is not None
    assert loaded.region is not None


def test_explain_says_which_frames_and_which_part_the_model_sees():
    work = job(every=3, roi=True)
    said = text(work, work.plan(), (360, 640), {})
    assert "one look serves up to 3 frames" in said
    assert "around the person" in said
    work = job()
    assert "one look" not in text(work, work.plan(), (360, 640), {})
