"""A thousand bad days: random chains, faults and moments, and what the chain hides is never seen.

Every picture of the camera has a watermark where the chain hides it, whatever else the chain does. Masks cover it and
more, so that an old mask hides it too.
"""

import logging
import threading
from collections import Counter
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from framefx_test_live import Late, Secret, hide, thin, touch
from hypothesis import HealthCheck, Phase, example, given, note, settings
from hypothesis import strategies as st

from framefx.frame import Frame, FramePool
from framefx.kernels import rgb_to_i420
from framefx.layers import LoadedModel
from framefx.mask import Mask
from framefx.pipeline import Pipeline
from framefx.plan import Plan
from framefx.planar import PlanarFrame
from framefx.planes import Planes
from framefx.plugins import PluginManager
from framefx.registry import Register, Registry
from framefx.testing import (
    FAULTS,
    FaultyFilter,
    FaultyModel,
    FaultySink,
    FaultySource,
    ListSink,
    ManualClock,
    Watermark,
)

SIZE = (24, 32)
MARK = Watermark(SIZE)
POOL = FramePool()
FRAMES = 8
MOMENT = 0.01
"""Real seconds that a hang lasts."""
LOST = {"unplugged", "busy", "frozen", "ended", "damaged", "crash"}
"""Faults after which there is no picture to wait for."""

PHASES = [Phase.explicit, Phase.generate]
"""A day that shows something need not show it again: there is no use in looking for a shorter one."""

pytestmark = pytest.mark.usefixtures("no_thread_stays")


def picture(number):
    pixels = np.random.default_rng(number).integers(0, 256, (*SIZE, 3), np.uint8)
    MARK.draw(pixels)
    return pixels


def frame_of(pixels, planar=False, **stamp):
    """Return a frame as a camera gives it: of pixels, or of planes."""
    if not planar:
        return Frame.borrow(pixels, **stamp)
    planes = Planes(rgb_to_i420(pixels, full_range=True), SIZE, full_range=True)
    return PlanarFrame(planes, stamp.get("index", 0), stamp.get("time", 0.0), POOL, owned=True)


class Room(ListSink):
    """The camera, and the eyes at the other end."""

    patience = 0.25
    """Real seconds to wait until a picture is shown: some never are."""

    def __init__(self, day, clock):
        super().__init__(live=day.live)
        self.rate, self.day, self.clock = 1000.0, day, clock
        self.ended, self.over, self.shown = threading.Event(), threading.Event(), threading.Semaphore(0)
        self.number, self.newest = 0, 0.0
        self.moments = {}

    def open(self, *whatever):
        self.size = SIZE

    def close(self): ...

    def read(self):
        lost = self.day.faults["source"].get(self.number - 1) in LOST
        if self.number and not self.day.rushes and not lost:
            self.shown.acquire(timeout=self.patience)
        self.moments.get(self.number, lambda: None)()
        if self.number == FRAMES:
            self.ended.set()
            if self.day.live:
                self.over.wait(60)
            return None
        self.clock.advance(1 / 30)
        self.number += 1
        stamp = {"index": self.number - 1, "time": self.clock.monotonic()}
        return frame_of(picture(self.number), self.day.planar, **stamp)

    def send(self, frame):
        super().send(frame)
        if frame.time > self.newest:  # no repetition, nor the very first card
            self.newest = frame.time
            self.shown.release()


def find(frame):
    """Return the watermark's mask, and at each frame something else besides."""
    values = MARK.mask().values.copy()
    values[: frame.index % 7] = 255
    return {"secret": Mask(values, frame.size, frame.index)}


STEPS = ["touch", "late", "thin", "invert", "flip", "flip=horizontal=no:vertical=yes"]
STEPS += ["touch=where=secret", "touch=where=not-secret", "blur=3:where=not-secret"]
STEPS += ["replace=color=blue:where=not-secret", "color=saturation=0.2:where=all", "blur=8:where=not-secret"]
HIDING = ["hide", "cover", "replace=color=cyan:where=secret", "blur=9:where=secret"]
BUILT_IN = PluginManager(discover=False).registry


def make_plan(chain, step_faults, model_faults, clock):
    register = Register(registry := Registry(), "test")
    for name in ("flip", "invert", "color", "blur", "replace"):
        registry.filters.add(BUILT_IN.filters.find(name))
    register.filter(hide, where="secret")
    faulty = FaultyFilter(step_faults, clock, patience=MOMENT)
    register.filter(faulty.apply, name="faulty")

    def cover(frame: Frame) -> Frame:
        """Hide it, where nothing goes wrong."""
        result = faulty.apply(frame)
        return frame.with_pixels(np.full_like(frame.pixels, 70)) if result is frame else result

    register.filter(cover, where="secret")
    for target in (touch, thin, Late):
        register.filter(target)
    model = FaultyModel(Secret(find), model_faults, clock, patience=MOMENT)
    return Plan(chain, registry, load_models=lambda: [LoadedModel("secret", model)])


@dataclass(frozen=True)
class Day:
    """A run: what is asked for, what goes wrong, and what is done at which frame of the camera."""

    chains: list[str]
    faults: dict[str, dict[int, str]]
    moments: dict[int, str]
    masks: str = "sync"
    live: bool = True
    rushes: bool = False
    planar: bool = False


@st.composite
def chains(draw):
    steps = draw(st.lists(st.sampled_from(STEPS), max_size=4))
    for step in (draw(st.sampled_from(HIDING)), "faulty"):
        steps.insert(draw(st.integers(0, len(steps))), step)
    return ",".join(steps)


@st.composite
def days(draw):
    def bad(place, *, most=3):
        return st.dictionaries(st.integers(0, FRAMES), st.sampled_from(sorted(FAULTS[place])), max_size=most)

    moments = st.dictionaries(st.integers(0, FRAMES), st.sampled_from(["swap", "swap", "away", "stop"]), max_size=3)
    return Day(
        draw(st.lists(chains(), min_size=2, max_size=4)),
        {place: draw(bad(place, most=1 if place == "sink" else 3)) for place in FAULTS},
        draw(moments),
        draw(st.sampled_from(["sync", "async"])),
        draw(st.sampled_from([True, True, True, False])),
        draw(st.sampled_from([False, False, False, True])),
        draw(st.booleans()),
    )


def live_through(day):
    """Return the pictures that were shown, and what was reported (None when a fault ended the run)."""
    clock = ManualClock()
    room = Room(day, clock)
    plans = iter([make_plan(chain, day.faults["filter"], day.faults["model"], clock) for chain in day.chains])
    last = next(plans)
    source = FaultySource(room, day.faults["source"], clock)
    sink = FaultySink(room, day.faults["sink"], clock, patience=MOMENT)
    pipeline = Pipeline(source, last, sink, masks=day.masks, linger=0, clock=clock.monotonic, wait=clock.wait)

    def swap():
        plan = next(plans, None)
        if plan is not None:
            pipeline.swap(plan)

    def away():
        room.is_wanted = False

    room.moments = {n: {"swap": swap, "stop": pipeline.stop, "away": away}[what] for n, what in day.moments.items()}
    reports, errors = [], []

    def run():
        try:
            reports.append(pipeline.run())
        except Exception as error:  # faults raise all kinds
            errors.append(error)
        room.ended.set()

    thread = threading.Thread(target=run)
    thread.start()
    while not room.ended.wait(MOMENT):
        room.is_wanted = True
    pipeline.stop()
    room.over.set()
    thread.join(60)
    assert not thread.is_alive()
    if errors and not any(day.faults.values()):
        raise errors[0]
    return room.pixels, reports[0] if reports else None


@pytest.fixture(autouse=True)
def quiet(caplog):
    """Faults are logged with their tracebacks; the tests look at the sink."""
    caplog.set_level(logging.CRITICAL)


@pytest.fixture(scope="module", autouse=True)
def warm():
    """Kernels are compiled before any clock runs."""
    for chain in ("flip,invert,color=saturation=0.2:where=all,blur=3:where=not-secret,hide,thin", *HIDING):
        for planar in (False, True):
            make_plan(chain, {}, {}, None).run(frame_of(picture(0), planar))


def day_of(*chains, live=True, planar=False, **rest):
    faults = {place: rest.get(place, {}) for place in FAULTS}
    return Day([*chains], faults, rest.get("moments", {}), rest.get("masks", "sync"), live, planar=planar)


def check(day, seen):
    pictures, report = live_through(day)
    leaks = [number for number, pixels in enumerate(pictures) if MARK.is_in(pixels)]
    note(f"{day}: pictures {leaks} of {len(pictures)} show what is hidden")
    finished = report.sent - report.cards if report else 0
    seen.update(runs=1, shown=len(pictures), finished=finished, failed=report is None, unprocessed=len(leaks))
    assert not leaks


@pytest.fixture
def patient(monkeypatch):
    """The camera waits for every picture to be shown."""
    monkeypatch.setattr(Room, "patience", 60)


@pytest.mark.usefixtures("patient")
def test_the_watermark_is_seen_where_nothing_hides_it():
    for live, planar in product((True, False), repeat=2):
        pictures, _ = live_through(day_of("touch,flip,invert", "touch", live=live, planar=planar))
        assert sum(map(MARK.is_in, pictures)) >= FRAMES


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("hiding", HIDING)
def test_a_good_day_shows_every_picture(hiding, planar):
    pictures, report = live_through(day_of(f"{hiding},faulty", planar=planar))
    assert report.sent - report.cards == FRAMES
    assert not any(map(MARK.is_in, pictures))


@settings(derandomize=True, max_examples=25, deadline=None, database=None, phases=PHASES)
@given(day=days())
@example(day=day_of("faulty,hide", "hide", source={1: "another mode", 3: "unplugged"}, moments={4: "swap"}))
@example(day=day_of("late,hide", "hide,late", moments={3: "swap", 6: "stop"}))
@example(day=day_of("cover,flip", filter={1: "raises", 3: "None", 5: "hangs"}, model={2: "NaN", 4: "raises"}))
@example(day=day_of("blur=9:where=secret", "faulty,blur=9:where=secret,flip", planar=True, filter={2: "raises"}))
@example(day=day_of("hide", "cover", masks="async", model={0: "slow", 2: "hangs", 4: "None"}, moments={5: "away"}))
def test_no_bad_day_shows_what_is_hidden(day):
    check(day, Counter())


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_thousand_bad_days_show_nothing_that_is_hidden():
    seen = Counter()

    @settings(max_examples=1000, deadline=None, database=None, phases=PHASES, suppress_health_check=list(HealthCheck))
    @given(day=days())
    def check_all(day):
        check(day, seen)

    check_all()
    print(f"\n{dict(seen)}")
    assert seen["runs"] >= 1000
    assert seen["finished"] > 1000
