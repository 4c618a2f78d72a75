"""DESIGN's promise: every filter sees exactly the pixels that the same chain with full copies everywhere shows it.

Random chains run twice: by the plan, and by a plain interpreter below that copies before and after every call. What
each filter saw must be the same, and what was kept, cached, borrowed or sent must never change afterwards.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framefx import kernels
from framefx.frame import Frame, FramePool
from framefx.geometry import Geometry
from framefx.layers import Layers
from framefx.mask import Mask
from framefx.plan import Plan
from framefx.registry import Register, Registry
from framefx.steps import Group

SIZE = (6, 8)


class Ledger:
    """What every filter of one run saw, and everything that must not change any more."""

    def __init__(self):
        self.seen = []
        self.fixed = []

    def saw(self, who, frame):
        alpha = None if frame.alpha is None else frame.alpha.tobytes()
        self.seen.append((who, frame.index, frame.pixels.tobytes(), alpha))

    def fix(self, what, array):
        self.fixed.append((what, array, array.copy()))

    def check_fixed(self):
        for what, array, copy in self.fixed:
            assert np.array_equal(array, copy), f"{what} was changed afterwards"


def registry_of(ledger):
    """Filters of every manner, which tell `ledger` what they see."""
    register = Register(registry := Registry(), "test")
    for make in (_writers, _makers, _classes):
        for target in make(ledger):
            register.filter(target, name=target.__name__.lower())
    for layer in _layers(ledger):
        register.layer(layer)
    register.geometry(_mirror(ledger), name="mirror")
    return registry


def _writers(ledger):
    def read(frame: Frame) -> Frame:
        ledger.saw("read", frame)
        return frame

    def write(frame: Frame) -> Frame:
        ledger.saw("write", frame)
        frame = frame.make_writable()
        frame.pixels[:] += np.uint8(17)
        return frame

    def corner(frame: Frame) -> Frame:
        ledger.saw("corner", frame)
        frame = frame.make_writable()
        frame.pixels[:3, :4] ^= 255
        return frame

    def fail(frame: Frame) -> Frame:
        ledger.saw("fail", frame)
        frame = frame.make_writable()
        frame.pixels[:] = 1
        if frame.index % 2:
            raise ValueError("asked to")
        return frame

    return read, write, corner, fail


def _makers(ledger):
    cached = np.full((*SIZE, 3), 91, np.uint8)
    ledger.fix("a cached picture", cached)

    def cache(frame: Frame) -> Frame:
        ledger.saw("cache", frame)
        return frame.with_pixels(cached)

    def same(frame: Frame) -> Frame:
        ledger.saw("same", frame)
        return frame.with_pixels(frame.pixels)

    def small(frame: Frame) -> Frame:
        ledger.saw("small", frame)
        return frame.reduced(frame.pixels[::2, ::2], 2)

    def thin(frame: Frame) -> Frame:
        ledger.saw("thin", frame)
        return frame.with_alpha(np.full(SIZE, 100, np.uint8))

    def draw(canvas: Frame) -> Frame:
        canvas.pixels[:] = 33
        return canvas

    return cache, same, small, thin, draw


def _classes(ledger):
    class Keep:
        def __call__(self, frame: Frame) -> Frame:
            ledger.saw("keep", frame)
            ledger.fix("a kept frame", frame.pixels)
            return frame

    class KeepWritten:
        def __call__(self, frame: Frame) -> Frame:
            ledger.saw("keepwritten", frame)
            frame = frame.make_writable()
            frame.pixels[:] += np.uint8(3)
            ledger.fix("a frame that was written and kept", frame.pixels)
            return frame

    class Delay:
        def __init__(self):
            self.last = None

        def __call__(self, frame: Frame) -> Frame:
            ledger.saw("delay", frame)
            shown, self.last = self.last or frame, frame
            return shown

    return Keep, KeepWritten, Delay


def _layers(ledger):
    class Watcher:
        def __call__(self, frame: Frame) -> Mask:
            ledger.saw("watcher", frame)
            ledger.fix("a frame that a layer kept", frame.pixels)
            return Mask(np.array([[0, 255], [255, 128]], np.uint8), frame.size, frame.index)

    return (Watcher,)


def _mirror(ledger):
    class Mirror:
        def __call__(self, frame: Frame) -> Geometry:
            ledger.saw("mirror", frame)
            ledger.fix("a frame that a geometry kept", frame.pixels)
            matrix = [[-1, 0, SIZE[1] - 1], [0, 1, 0]] if frame.index % 2 else np.eye(2, 3)
            return Geometry(matrix, frame.size)

    return Mirror


class CopyingPlan:
    """The slow truth: the same ops, with a fresh copy before and after every call and every merge."""

    def __init__(self, plan):
        self.plan = plan
        self.pool = FramePool()

    def run(self, frame, shared):
        values = dict(self.plan.layers.compute(_copy(frame)).values)
        frame = _copy(frame)
        for op in self.plan.ops:
            frame = self._group(op, frame, values) if isinstance(op, Group) else self._move(op, frame, values)
        return frame

    def _group(self, op, frame, values):
        mask = op.where.mask(values, op.makers) if op.where.terms else None
        branch = frame
        for bound in op.live:
            branch = self._full(branch)
            branch = _copy(bound.call(_copy(branch), {**values, "where": mask}), like=frame)
        if mask is None:
            return self._full(branch)
        if np.array_equal(branch.pixels, frame.pixels) and branch.alpha is None and frame.alpha is None:
            return frame
        return self._merged(frame, self._full(branch), mask)

    def _merged(self, base, top, mask):
        if base.alpha is None and top.alpha is None:
            return base.with_pixels(kernels.masked_merge(base.pixels, top.pixels, mask.values))
        alpha = np.empty(SIZE, np.uint8)
        pixels = kernels.masked_merge(
            base.pixels, top.pixels, mask.values, base_alpha=base.alpha, top_alpha=top.alpha, out_alpha=alpha
        )
        return base.with_pixels(pixels).with_alpha(alpha)

    def _full(self, frame):
        if frame.factor == 1:
            return frame
        full = np.empty((*frame.size, 3), np.uint8)
        kernels.upsample(frame.pixels, out=full, factor=frame.factor)
        return Frame.borrow(full, index=frame.index, time=frame.time)

    def _move(self, op, frame, values):
        [bound] = op.steps
        if bound.call(_copy(frame), values).is_identity(frame.size):
            return frame
        for name in op.later_layers:
            values[name] = Mask(values[name].values[:, ::-1], values[name].size)
        alpha = None if frame.alpha is None else frame.alpha[:, ::-1].copy()
        return Frame.borrow(frame.pixels[:, ::-1].copy(), alpha, index=frame.index, time=frame.time)


def _copy(frame, like=None):
    like = like or frame
    alpha = None if frame.alpha is None else frame.alpha.copy()
    if frame.factor != 1:
        return like.reduced(frame.pixels.copy(), frame.factor)
    return Frame.borrow(frame.pixels.copy(), alpha, index=like.index, time=like.time)


def source_frames(owned, count=4):
    pool = FramePool()
    for index in range(count):
        pixels = np.random.default_rng(index).integers(0, 256, (*SIZE, 3), np.uint8)
        frame = Frame.borrow(pixels, index=index, time=index / 30)
        if owned:
            frame = pool.frame(SIZE, index=index, time=index / 30)
            frame.pixels[:] = pixels
        yield frame


GIVEN = {
    "a": Mask(np.array([[255, 0, 128], [0, 255, 64]], np.uint8), (2, 3)),
    "b": Mask(np.array([[0, 200], [255, 10]], np.uint8), (2, 2)),
}

FILTERS = [target.__name__.lower() for make in (_writers, _makers, _classes) for target in make(Ledger())]
WHERES = st.sampled_from(["all", "all", "a", "a", "not-a", "b", "a+b", "watcher"])


@st.composite
def chains(draw):
    steps = []
    for name in draw(st.lists(st.sampled_from([*FILTERS, "mirror"]), min_size=1, max_size=7)):
        alone = name == "mirror" and not (steps and steps[-1].startswith("mirror"))
        if name == "mirror":
            steps += ["mirror"] * alone
        else:
            steps.append(f"{name}=where={draw(WHERES)}")
    return ",".join(steps)


def run_all(chain, owned, *, shared, copying):
    """Return the ledger of a run of four frames, after a check that nothing fixed was changed."""
    ledger = Ledger()
    plan = Plan(chain, registry_of(ledger), given=GIVEN)
    run = CopyingPlan(plan).run if copying else lambda f, s: plan.apply(f, plan.compute_layers(f), shared=s)
    outputs = []
    for frame in source_frames(owned):
        if shared:
            ledger.fix("the source's frame", frame._lend(shared=True).pixels)
        try:
            result = run(frame, shared)
        except ValueError:
            outputs.append(None)
            continue
        ledger.fix("a finished frame", result.pixels)
        outputs.append((result.pixels.copy(), None if result.alpha is None else result.alpha.copy()))
    ledger.check_fixed()
    return ledger.seen, outputs


@settings(derandomize=True, max_examples=120, deadline=None)
@given(chain=chains(), owned=st.booleans(), shared=st.booleans())
def test_every_filter_sees_what_full_copies_would_show_it(chain, owned, shared):
    seen, outputs = run_all(chain, owned, shared=shared, copying=False)
    expected_seen, expected = run_all(chain, owned, shared=False, copying=True)
    assert seen == expected_seen
    for got, wanted in zip(outputs, expected, strict=True):
        assert (got is None) == (wanted is None)
        if got is not None:
            assert np.array_equal(got[0], wanted[0])


def in_place_plan(steps=3, where="a"):
    register = Register(registry := Registry(), "test")

    def write(frame: Frame) -> Frame:
        frame = frame.make_writable()
        frame.pixels[:] += np.uint8(1)
        return frame

    register.filter(write)
    return Plan(",".join([f"write=where={where}"] * steps), registry, given=GIVEN)


@pytest.mark.parametrize("where", ["all", "a", "a+b"])
@pytest.mark.parametrize("owned", [True, False])
def test_three_in_place_filters_of_one_group_copy_at_most_once(where, owned):
    plan = in_place_plan(where=where)
    for frame in source_frames(owned):
        before = plan.pool.copies
        plan.run(frame)
        assert plan.pool.copies - before <= 1


def test_in_place_filters_on_the_whole_of_an_owned_frame_copy_nothing():
    plan = in_place_plan(where="all")
    for frame in source_frames(owned=True):
        plan.run(frame)
    assert plan.pool.copies == 0


def test_a_frame_that_another_thread_reads_is_not_written():
    plan = in_place_plan(where="all")
    frame = next(source_frames(owned=True))
    before = frame.pixels.copy()
    plan.apply(frame, Layers({}, 0, 0.0), shared=True)
    assert np.array_equal(frame.pixels, before)


@pytest.mark.parametrize("chain", ["write,small,cache", "draw=where=a,write=where=b,thin", "mirror,small,write"])
def test_after_warm_up_nothing_of_a_frame_s_size_is_allocated(chain):
    plan = Plan(chain, registry_of(Ledger()), given=GIVEN)
    counts = []
    for _ in range(5):
        for frame in source_frames(owned=False, count=4):
            plan.run(frame)
        counts.append(plan.pool.allocations)
    assert counts[1] == counts[-1]
