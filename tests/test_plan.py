"""The plan: which steps run, on what, in which groups, and every error before a camera opens."""

from typing import Annotated

import numpy as np
import pytest
from framefx_test_live import mirror
from pydantic import Field

from framefx.errors import MissingLayerError, OptionError, PlanError, PluginError, UnknownNameError
from framefx.frame import Frame, FramePool
from framefx.geometry import Geometry
from framefx.mask import Mask
from framefx.plan import Plan
from framefx.registry import Register, Registry

HALF = Mask(np.full((2, 2), 128, np.uint8), (2, 2))
LEFT = Mask(np.repeat([[255, 0]], 4, axis=1).astype(np.uint8), (1, 8))


def fill(canvas: Frame, *, level: Annotated[int, Field(ge=0, le=255, description="level")] = 200) -> Frame:
    canvas.pixels[:] = level
    return canvas


def paint(frame: Frame, *, level: int = 200) -> Frame:
    frame = frame.make_writable()
    frame.pixels[:] = level
    return frame


def invert(frame: Frame) -> Frame:
    frame = frame.make_writable()
    np.subtract(255, frame.pixels, out=frame.pixels)
    return frame


def shrink(frame: Frame) -> Frame:
    return frame.reduced(frame.pixels[::2, ::2], 2)


def half_size(size, factor=2):
    return size[0] // factor, size[1] // factor


def smaller(frame: Frame, *, factor: int = 2) -> Geometry:
    return Geometry([[factor, 0, 0], [0, factor, 0]], half_size(frame.size, factor), "edge")


def background(person: Mask) -> Mask:
    return ~person


class Boxes:
    """A layer kind that is no mask."""


def boxes(frame: Frame) -> Boxes:
    return Boxes()


def wants_boxes(frame: Frame, boxes: Boxes) -> Frame:
    return frame


def wants_person_as_boxes(frame: Frame, person: Boxes) -> Frame:
    return frame


def maybe_hair(frame: Frame, hair: Mask | None = None) -> Frame:
    return paint(frame, level=10 if hair is None else 20)


def maybe_background(frame: Frame, background: Mask | None = None) -> Frame:
    return paint(frame, level=10 if background is None else 20)


def a(b: Mask) -> Mask:
    return b


def b(a: Mask) -> Mask:
    return a


@pytest.fixture
def registry():
    register = Register(registry := Registry(), "test")
    filters = fill, paint, invert, shrink, wants_boxes, wants_person_as_boxes, maybe_hair, maybe_background
    for target in filters:
        register.filter(target)
    register.filter(paint, name="hide", where="background")
    register.geometry(mirror)
    register.geometry(smaller, size=half_size)
    register.geometry(smaller, name="liar")
    for target in (background, boxes, a, b):
        register.layer(target)
    return registry


@pytest.fixture
def make(registry):
    def make(chain, **given):
        return Plan(chain, registry, given=given)

    return make


def frame(height=4, width=8, level=0):
    return Frame.borrow(np.full((height, width, 3), level, np.uint8), index=3, time=0.1)


def labels(plan):
    return [step.label for step in plan.steps]


# Groups.


def test_a_frame_in_borrowed_memory_is_made_smaller_once_for_all_steps(registry):
    seen = []

    def look(frame: Frame) -> Frame:
        seen.append(frame.downsampled(4))
        return frame

    def looked(frame: Frame) -> Mask:
        seen.append(frame.downsampled(4))
        return Mask(np.zeros((2, 2), np.uint8), frame.size)

    register = Register(registry, "more")
    register.filter(look, where="looked")
    register.layer(looked)
    read = FramePool().frame((16, 24))  # as sources lend them: it may be written
    read.pixels[:] = 7
    Plan("look", registry).run(read)
    assert seen[0] is seen[1]


def test_a_soft_border_stays_as_soft_after_three_steps(make):
    once = make("paint=where=m", m=HALF).run(frame())
    thrice = make("paint=where=m,paint=where=m,paint=where=m", m=HALF).run(frame())
    assert abs(int(once.pixels[0, 0, 0]) - 100) <= 1
    assert np.array_equal(once.pixels, thrice.pixels)


def test_steps_of_another_where_are_another_group(make):
    plan = make("paint=where=m,invert,paint=where=m", m=HALF)
    assert [len(op.steps) for op in plan.ops] == [1, 1, 1]


def test_the_default_where_is_the_registration_s(make):
    result = make("hide", person=LEFT).run(frame())
    assert (result.pixels[:, :3] == 0).all()
    assert (result.pixels[:, 5:] == 200).all()


def test_the_user_s_where_wins(make):
    assert (make("hide=where=all").run(frame()).pixels == 200).all()


def test_everything_else_is_not(make):
    result = make("paint=where=not-person", person=LEFT).run(frame())
    assert (result.pixels[:, 5:] == 200).all()
    assert (result.pixels[:, :3] == 0).all()


def test_a_reduced_frame_is_as_large_as_the_others_with_and_without_where(make):
    source = Frame.borrow(np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8))
    for chain in ("shrink", "shrink=where=m", "shrink,invert", "shrink=where=m,invert=where=m"):
        assert make(chain, m=HALF).run(source).pixels.shape == (5, 7, 3)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (1, 9), (64, 1)])
def test_tiny_frames_go_through_everything(make, size):
    plan = make("shrink=where=m,mirror,paint=where=not-m,invert", m=HALF)
    assert plan.run(frame(*size)).pixels.shape == (*size, 3)


# Dead steps.


def test_a_filter_that_ignores_its_input_kills_the_earlier_ones_of_its_group(make):
    plan = make("paint=where=m,invert=where=m,fill=where=m,invert=where=m", m=HALF)
    assert [step.dead for step in plan.steps] == [True, True, False, False]


def test_dead_steps_do_not_run_and_need_nothing(make):
    plan = make("wants_boxes,fill")
    assert not plan.needs_layers
    assert (plan.run(frame()).pixels == 200).all()


def test_a_step_of_another_group_is_not_dead(make):
    assert not any(step.dead for step in make("paint,fill=where=m", m=HALF).steps)


# Layers.


def test_a_missing_layer_says_how_to_get_it(make):
    with pytest.raises(MissingLayerError) as caught:
        make("paint=where=persn", person=LEFT)
    text = str(caught.value)
    assert "where=persn of 'paint' needs the layer 'persn'" in text
    assert "Did you mean 'person'?" in text
    assert "--model FILE" in text
    assert "--layer persn=FILE.png" in text


def test_a_derived_layer_that_lacks_something_names_both(make):
    with pytest.raises(MissingLayerError, match="layer 'background' needs the layer 'person'"):
        make("hide")


@pytest.mark.parametrize(("given", "level"), [({}, 10), ({"hair": LEFT}, 20)])
def test_an_optional_need_is_taken_if_it_is_there(make, given, level):
    assert (make("maybe_hair", **given).run(frame()).pixels == level).all()


@pytest.mark.parametrize(("given", "level"), [({}, 10), ({"person": LEFT}, 20)])
def test_an_optional_need_of_a_derived_layer_may_be_missing_too(make, given, level):
    plan = make("maybe_background", **given)
    assert (plan.run(frame()).pixels == level).all()
    assert plan.needs_layers == bool(given)


def test_layers_in_a_circle_are_an_error(make):
    with pytest.raises(PlanError, match="in a circle: a → b → a"):
        make("paint=where=a")


def test_a_layer_of_another_kind_is_an_error(make):
    with pytest.raises(PlanError, match=r"filter 'wants_person_as_boxes' needs .* 'person' as Boxes, and it is Mask"):
        make("wants_person_as_boxes", person=LEFT)


def test_where_takes_only_masks(make):
    with pytest.raises(PlanError, match="where=boxes of 'paint' needs the layer 'boxes' as Mask, and it is Boxes"):
        make("paint=where=boxes")


# Geometry.


def test_flip_then_limit_limits_the_right_pixels(make):
    result = make("mirror,paint=where=person", person=LEFT).run(frame())
    assert (result.pixels[:, 5:] == 200).all()
    assert (result.pixels[:, :3] == 0).all()


def test_limit_then_flip_moves_what_was_limited(make):
    result = make("paint=where=person,mirror", person=LEFT).run(frame())
    assert (result.pixels[:, 5:] == 200).all()


def test_two_flips_are_none(make):
    source = Frame.borrow(np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8))
    result = make("mirror,mirror").run(source)
    assert np.shares_memory(result.pixels, source.pixels)


def test_neighbouring_geometries_are_one_resampling(make):
    plan = make("mirror,smaller,paint,mirror")
    assert [len(op.steps) for op in plan.ops] == [2, 1, 1]


def test_the_plan_knows_the_output_s_size(make):
    plan = make("smaller,invert,smaller=factor=3")
    assert plan.output_size((36, 60)) == (6, 10)
    assert plan.run(frame(36, 60)).pixels.shape == (6, 10, 3)


def test_masks_follow_a_resize(make):
    result = make("smaller,paint=where=person", person=LEFT).run(frame(8, 16))
    assert (result.pixels[:, :3] == 200).all()
    assert (result.pixels[:, 5:] == 0).all()


def test_a_geometry_that_changes_the_size_unannounced_is_a_plugin_error(make):
    with pytest.raises(PluginError, match=r"plugin 'test', filter 'liar': .*register it with `size=`"):
        make("liar").run(frame())


def test_a_geometry_takes_no_where(make):
    with pytest.raises(PlanError, match="mirror moves the whole picture and takes no where"):
        make("mirror=where=m", m=HALF)


# Names, labels and options.


def test_an_unknown_filter_gets_the_nearest_name(make):
    with pytest.raises(UnknownNameError, match=r"--chain, column 7: there is no filter 'piant'. Did you mean 'paint'"):
        make("paint,piant")


def test_labels_are_names_numbers_or_the_user_s(make):
    plan = make("paint,invert,paint,paint@last")
    assert labels(plan) == ["paint#1", "invert", "paint#2", "paint@last"]


def test_two_steps_cannot_have_one_label(make):
    with pytest.raises(PlanError, match="two steps are labelled '@x'"):
        make("paint@x,invert@x")


def test_the_first_option_may_be_positional(make):
    assert (make("fill=7").run(frame()).pixels == 7).all()


@pytest.mark.parametrize(
    ("chain", "message"),
    [
        ("fill=300", "--chain, column 1: fill: level is '300', wanted less than or equal to 255"),
        ("fill=7:level=8", "--chain, column 1: fill: option 'level' is given twice"),
        ("paint,invert=3", "--chain, column 7: invert has no options, got '3'"),
        ("fill=lvl=3", "--chain, column 1: fill has no option 'lvl'. Did you mean 'level'"),
    ],
)
def test_wrong_options_are_found_with_the_plan(make, chain, message):
    with pytest.raises(OptionError, match=message):
        make(chain)


# What a filter may return.


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (lambda frame: None, "it returned NoneType, wanted Frame"),
        (lambda frame: frame.pixels, "it returned ndarray, wanted Frame"),
        (
            lambda frame: Frame.borrow(np.zeros((2, 2, 3), np.uint8)),
            r"it returned a frame of \(2, 2\), wanted \(4, 8\)",
        ),
        (lambda frame: (frame.make_writable(), frame)[1], r"it returned a frame that make_writable\(\) consumed"),
    ],
)
def test_nonsense_from_a_filter_names_it(registry, result, message):
    Register(registry, "odd").filter(result, name="nonsense")
    with pytest.raises(PluginError, match=rf"plugin 'odd', filter 'nonsense': frame 3: {message}"):
        Plan("nonsense", registry).run(frame())


def test_a_frame_of_another_time_gets_this_one_s(registry):
    other = np.zeros((4, 8, 3), np.uint8)
    Register(registry, "odd").filter(lambda frame: Frame.borrow(other, index=99, time=9.0), name="late")
    result = Plan("late", registry).run(frame())
    assert (result.index, result.time) == (3, 0.1)


def test_an_error_says_where_it_happened(registry):
    def boom(frame: Frame) -> Frame:
        raise ZeroDivisionError

    Register(registry, "odd").filter(boom)
    with pytest.raises(ZeroDivisionError) as caught:
        Plan("paint,boom@x", registry).run(frame())
    assert caught.value.__notes__ == ["in step 'boom@x' of plugin 'odd', frame 3"]


def test_an_empty_chain_changes_nothing(registry):
    from framefx.chain import Chain

    source = frame()
    assert np.shares_memory(Plan(Chain(), registry).run(source).pixels, source.pixels)
