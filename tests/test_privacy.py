"""DESIGN 8: a frame leaves framefx only if every step of the plan ran on it, whatever goes wrong.

Every frame of the camera carries a watermark where the chain hides it. Nothing that reaches the sink may show it.
"""

import logging
import threading

import numpy as np
import pytest
from framefx_test_live import Late, Secret, hide, mirror, thin, touch
from hypothesis import given, settings
from hypothesis import strategies as st

from framefx.frame import Frame
from framefx.geometry import Geometry
from framefx.layers import LoadedModel
from framefx.mask import Mask
from framefx.plan import Plan
from framefx.registry import Register, Registry

SIZE = (12, 16)
WATERMARK = (251, 3, 247)
SECRET = np.repeat([[0, 255]], 8, axis=1).astype(np.uint8)


def camera_frame(index):
    pixels = np.random.default_rng(index).integers(0, 128, (*SIZE, 3), np.uint8)
    pixels[:, 8:] = WATERMARK
    return Frame.borrow(pixels, index=index, time=index / 1000)


def shows_watermark(pixels):
    return bool((pixels == WATERMARK).all(axis=2).any())


def model(faults):
    """Return a model that gives the mask of the secret, or does what the test says."""

    def find(frame):
        return faults.get(frame.index, lambda: {"secret": Mask(SECRET, frame.size, frame.index)})()

    return Secret(find)


def boom():
    raise RuntimeError("asked to")


MODEL_FAULTS = {
    "raises": boom,
    "gives nothing": dict,
    "gives None": lambda: {"secret": None},
    "gives no mask": lambda: {"secret": SECRET},
    "gives another size": lambda: {"secret": Mask(SECRET, (3, 3))},
    "gives another layer": lambda: {"hair": Mask(SECRET, SIZE)},
}

FILTER_FAULTS = {
    "raises": lambda frame: boom(),
    "returns nothing": lambda frame: None,
    "returns pixels": lambda frame: frame.pixels,
    "returns another size": lambda frame: Frame.borrow(np.zeros((3, 3, 3), np.uint8)),
    "returns another dtype": lambda frame: frame.with_pixels(np.zeros((*SIZE, 3))),
    "returns a consumed frame": lambda frame: (frame.make_writable(), frame)[1],
    "writes without asking": lambda frame: frame.pixels.fill(0),
    "keeps what it wrote to": lambda frame: (frame.make_writable().pixels.fill(9), boom()),
}


def look(frame: Frame) -> Frame:
    return frame


def make_plan(chain, faults=None, model_faults=None, extra=()):
    """A plan whose step `faulty` does at some frames what it should not."""
    faults = faults or {}

    def faulty(frame: Frame) -> Frame:
        return faults[frame.index](frame) if frame.index in faults else frame

    register = Register(registry := Registry(), "test")
    register.filter(hide, where="secret")
    for target in (touch, look, Late, faulty, thin, *extra):
        register.filter(target)
    register.geometry(mirror)
    return Plan(chain, registry, load_models=lambda: [LoadedModel("fake", model(model_faults or {}))])


@pytest.fixture(autouse=True, scope="module")
def warm():
    """Kernels are compiled before any clock runs."""
    make_plan("hide,thin,hide,mirror").run(camera_frame(0))


@pytest.fixture(autouse=True)
def quiet(caplog):
    """Faults are logged with their tracebacks; the tests look at the sink."""
    caplog.set_level(logging.CRITICAL)


STEPS = st.sampled_from(["touch", "look", "late", "mirror", "thin", "touch=where=secret", "look=where=not-secret"])


@st.composite
def chains(draw):
    steps = draw(st.lists(STEPS, max_size=4))
    for step in ("hide", "faulty"):
        steps.insert(draw(st.integers(0, len(steps))), step)
    return ",".join(steps)


FRAMES = 5
FAULTS = st.dictionaries(st.integers(0, FRAMES - 1), st.sampled_from(sorted(FILTER_FAULTS)), max_size=3)
MODELS = st.dictionaries(st.integers(0, FRAMES - 1), st.sampled_from(sorted(MODEL_FAULTS)), max_size=2)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(chain=chains(), faults=FAULTS, models=MODELS, masks=st.sampled_from(["sync", "async"]))
def test_no_chain_and_no_fault_lets_the_watermark_through(live, chain, faults, models, masks):
    plan = make_plan(
        chain, {i: FILTER_FAULTS[f] for i, f in faults.items()}, {i: MODEL_FAULTS[m] for i, m in models.items()}
    )
    with live.Show(plan, SIZE, masks=masks, max_age=10.0).running() as show:
        show.play(*map(camera_frame, range(FRAMES)))
    assert show.error is None
    assert not any(map(shows_watermark, show.screen.pixels))
    if masks == "sync":
        assert show.report.cards == len({*models} | ({*faults} if steps_run(chain) else set()))


def steps_run(chain):
    """Whether `faulty` is no dead step: nothing in its group that ignores its input follows it."""
    return not any(step.dead for step in make_plan(chain).steps if step.label == "faulty")


@pytest.mark.parametrize("fault", FILTER_FAULTS)
def test_a_file_run_ends_with_the_first_fault(live, fault):
    from framefx.pipeline import Pipeline
    from framefx.testing import ListSink, ListSource

    plan = make_plan("faulty,hide", {2: FILTER_FAULTS[fault]})
    sink = ListSink()
    with pytest.raises(Exception):  # noqa: B017 - whatever the filter did
        Pipeline(ListSource(map(camera_frame, range(6))), plan, sink).run()
    assert sink.aborted
    assert not sink.finished
    assert not any(map(shows_watermark, sink.pixels))


@pytest.mark.parametrize("fault", MODEL_FAULTS)
def test_a_model_that_fails_shows_the_card_and_then_the_picture_again(live, fault):
    with live.Show(make_plan("hide", model_faults={1: MODEL_FAULTS[fault]}), SIZE).running() as show:
        show.play(*map(camera_frame, range(3)))
        assert (show.screen.pixels[-1][:, 9:] == 90).all()
    assert show.recorder.texts() == ["step 'layers' failed"]
    assert not any(map(shows_watermark, show.screen.pixels))


def test_a_frame_of_another_size_than_the_source_said_shows_the_card(live):
    odd = Frame.borrow(np.full((5, 5, 3), WATERMARK, np.uint8), index=1, time=0.001)
    with live.Show(make_plan("hide"), SIZE).running() as show:
        show.play(camera_frame(0), odd, camera_frame(2))
    assert show.report.cards == 1
    assert {pixels.shape for pixels in show.screen.pixels} == {(*SIZE, 3)}


def test_nothing_is_shown_before_the_first_mask(live):
    may_answer = threading.Event()

    def wait():
        may_answer.wait(live.PATIENCE)
        return {"secret": Mask(SECRET, SIZE)}

    with live.Show(make_plan("hide", model_faults={0: wait}), SIZE, masks="async").running() as show:
        show.play(*map(camera_frame, range(3)))
        assert set(show.recorder.texts()) == {"waiting for the first mask"}
        may_answer.set()
    assert not any(map(shows_watermark, show.screen.pixels))


def test_a_mask_that_is_too_old_shows_the_card(live):
    may_answer = threading.Event()

    def wait():
        may_answer.wait(live.PATIENCE)
        return {"secret": Mask(SECRET, SIZE)}

    first_mask = threading.Event()

    def first():
        first_mask.set()
        return {"secret": Mask(SECRET, SIZE)}

    with live.Show(make_plan("hide", model_faults={0: first, 1: wait}), SIZE, masks="async").running() as show:
        show.play(camera_frame(0))
        first_mask.wait(live.PATIENCE)
        show.play(camera_frame(1))
        late = Frame.borrow(camera_frame(2).pixels, index=2, time=0.2)
        show.play(late)
        assert show.recorder.texts()[-1] == "the mask is 200 ms old"
        may_answer.set()


class Hang:
    """A filter that does not return until the test lets it."""

    def __init__(self):
        self.begun, self.let_go = threading.Event(), threading.Event()

    def filter(self):
        def hang(frame: Frame) -> Frame:
            if frame.index == 1:
                self.begun.set()
                self.let_go.wait(60)
            return frame

        return hang


@pytest.fixture
def hang():
    hang = Hang()
    yield hang
    hang.let_go.set()


def hang_until_card(show, hang):
    """Play a frame that hangs, let time pass, and wait for the card."""
    show.play(camera_frame(0))
    show.camera.items.put(camera_frame(1))
    assert hang.begun.wait(60)
    show.clock.advance(2)
    while not (show.screen.pixels[-1][0, 0] < 60).all() or (show.screen.pixels[-1][:, 9:] == 90).any():
        show.screen.wait_for(len(show.screen.frames) + 1)


@pytest.mark.parametrize("chain", ["hang,hide", "hide,hang"])
def test_a_step_that_hangs_shows_the_card_and_a_swap_goes_on(live, hang, chain, caplog):
    caplog.set_level(logging.ERROR)
    plan = make_plan(chain, extra=[hang.filter()])
    with live.Show(plan, SIZE).running() as show:
        hang_until_card(show, hang)
        assert "step 'hang' does not return" in caplog.text
        show.pipeline.swap(make_plan("hide,touch"))
        show.play(camera_frame(2))
        assert (show.screen.pixels[-1][:, 9:] == 90).all()
    assert not any(map(shows_watermark, show.screen.pixels))


def test_a_step_that_comes_back_after_the_swap_shows_nothing_and_stops_nothing(live, hang):
    with live.Show(make_plan("hide,hang", extra=[hang.filter()]), SIZE).running() as show:
        hang_until_card(show, hang)
        abandoned = show.pipeline._runner
        show.pipeline.swap(make_plan("hide"))
        show.play(camera_frame(2))
        hang.let_go.set()
        abandoned.join(live.PATIENCE)
        show.play(camera_frame(3))
    indices = [facts["index"] for name, facts in show.recorder.events if name == "sent"]
    assert indices == [0, 2, 3]


def test_a_step_that_comes_back_goes_on_by_itself(live, hang):
    with live.Show(make_plan("hide,hang", extra=[hang.filter()]), SIZE).running() as show:
        hang_until_card(show, hang)
        hang.let_go.set()
        show.recorder.wait_for("sent", 2)
        show.play(camera_frame(2))
    assert not any(map(shows_watermark, show.screen.pixels))


def test_a_model_that_hangs_shows_the_card_and_a_swap_goes_on(live, hang):
    def wait():
        hang.begun.set()
        hang.let_go.wait(60)
        return {"secret": Mask(SECRET, SIZE)}

    plan = make_plan("hide", model_faults={1: wait})
    with live.Show(plan, SIZE, masks="async").running() as show:
        show.play(camera_frame(0), camera_frame(1))
        assert hang.begun.wait(60)
        show.clock.advance(2)
        show.play(Frame.borrow(camera_frame(2).pixels, index=2, time=0.5))
        assert show.recorder.texts()[-1] == "step 'layers' does not return"
        show.pipeline.swap(make_plan("hide"))
        for index in range(3, 200):
            show.play(camera_frame(index + 600))
            if (show.screen.pixels[-1][:, 9:] == 90).all():
                break
        else:
            pytest.fail("no picture came after the swap")
    assert not any(map(shows_watermark, show.screen.pixels))


@settings(derandomize=True, max_examples=15, deadline=None)
@given(swaps=st.lists(chains(), min_size=1, max_size=4), masks=st.sampled_from(["sync", "async"]))
def test_a_swap_never_shows_a_frame_that_a_step_did_not_run_on(live, swaps, masks):
    with live.Show(make_plan("hide"), SIZE, masks=masks, max_age=10.0).running() as show:
        for number, chain in enumerate(swaps):
            show.camera.items.put(camera_frame(2 * number))
            show.pipeline.swap(make_plan(chain))
            show.play(camera_frame(2 * number + 1))
    assert show.error is None
    assert not any(map(shows_watermark, show.screen.pixels))


@pytest.mark.parametrize(
    ("before", "after"), [("late", "hide,late"), ("late,hide", "hide,late"), ("late", "hide,touch,late")]
)
def test_a_frame_that_a_step_kept_is_not_shown_behind_steps_that_did_not_run_on_it(live, before, after):
    with live.Show(make_plan(before + ",hide"), SIZE).running() as show:
        show.play(camera_frame(0))
        show.pipeline.swap(make_plan(after))
        show.play(camera_frame(1))
    assert not any(map(shows_watermark, show.screen.pixels))


def test_a_frame_that_a_step_kept_is_shown_behind_the_steps_that_ran_on_it(live):
    with live.Show(make_plan("touch,hide,late"), SIZE).running() as show:
        show.play(camera_frame(0), camera_frame(1))
        show.pipeline.swap(make_plan("hide,late,look"))
        show.play(camera_frame(2))
    assert np.array_equal(show.screen.pixels[-1][1:, :8], camera_frame(1).pixels[1:, :8])


def test_a_swap_to_another_size_keeps_the_old_chain(live):
    from framefx.errors import PlanError

    def crop(frame: Frame) -> Geometry:
        return Geometry(np.eye(2, 3), (6, 8))

    register = Register(registry := Registry(), "test")
    register.geometry(crop, size=lambda size: (6, 8))
    with live.Show(make_plan("hide"), SIZE).running() as show:
        show.play(camera_frame(0))
        with pytest.raises(PlanError, match="changes the size of the picture: restart"):
            show.pipeline.swap(Plan("crop", registry))
        show.play(camera_frame(1))
        assert (show.screen.pixels[-1][:, 9:] == 90).all()


def test_stopping_in_mid_frame_shows_nothing_unfinished(live, hang):
    with live.Show(make_plan("hang,hide", extra=[hang.filter()]), SIZE).running() as show:
        show.play(camera_frame(0))
        show.camera.items.put(camera_frame(1))
        assert hang.begun.wait(60)
        show.pipeline.stop()
        hang.let_go.set()
    assert not any(map(shows_watermark, show.screen.pixels))
    assert show.screen.finished
