"""Stacks: pictures over pictures, and nobody sees what another one writes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framefx.chain import Chain
from framefx.errors import PlanError
from framefx.frame import Frame, FramePool
from framefx.geometry import Geometry
from framefx.mask import Mask
from framefx.plan import Plan
from framefx.registry import Register, Registry
from framefx.stack import Entry, Stack

SIZE = (4, 8)
LEFT = Mask(np.repeat([[255, 0]], 4, axis=1).astype(np.uint8), (1, 8))


def write(frame: Frame, *, level: int = 200) -> Frame:
    frame = frame.make_writable()
    frame.pixels[:] = level
    return frame


def invert(frame: Frame) -> Frame:
    frame = frame.make_writable()
    np.subtract(255, frame.pixels, out=frame.pixels)
    return frame


def look(frame: Frame) -> Frame:
    return frame


def thin(frame: Frame) -> Frame:
    return frame.with_alpha(np.full(frame.size, 128, np.uint8))


def mirror(frame: Frame) -> Geometry:
    return Geometry([[-1, 0, frame.size[1] - 1], [0, 1, 0]], frame.size)


class Keep:
    """Keeps every frame, and knows when one was changed afterwards."""

    kept = []  # noqa: RUF012

    def __call__(self, frame: Frame) -> Frame:
        Keep.kept.append((frame.pixels, frame.pixels.copy()))
        return frame


@pytest.fixture(scope="module")
def registry():
    register = Register(registry := Registry(), "test")
    for target in (write, invert, look, thin, Keep):
        register.filter(target)
    register.geometry(mirror)
    return registry


def source_frame(owned, index=0):
    pixels = np.random.default_rng(index).integers(0, 256, (*SIZE, 3), np.uint8)
    if not owned:
        return Frame.borrow(pixels, index=index)
    frame = FramePool().frame(SIZE, index=index)
    frame.pixels[:] = pixels
    return frame


def entry(source="frame", chain="", **rest):
    return Entry(source, Chain.parse(chain) if chain else Chain(), **rest)


def run(registry, *entries, owned=True):
    return Plan(Stack(entries), registry, given={"person": LEFT}).run(source_frame(owned))


def level(registry, *entries, **rest):
    return run(registry, entry(chain="write=100"), *entries, **rest).pixels[1]


@pytest.mark.parametrize("first", ["", "look", "keep", "mirror,mirror"])
@pytest.mark.parametrize("owned", [True, False])
def test_what_one_picture_writes_the_one_below_does_not_show(registry, first, owned):
    result = run(registry, entry(chain=first), entry(chain="write=200", opacity=0.5), owned=owned)
    expected = (source_frame(False).pixels.astype(int) + 200) / 2
    assert np.abs(result.pixels - expected).max() <= 1


ENTRIES = st.builds(
    entry,
    st.sampled_from(["frame", "frame", "person", "previous", "empty"]),
    st.lists(
        st.sampled_from(["write=9", "invert", "look", "thin", "mirror", "keep", "invert=where=person"]), max_size=3
    ).map(",".join),
    opacity=st.sampled_from([1.0, 0.5]),
    blend=st.sampled_from(["normal", "normal", "multiply"]),
    position=st.sampled_from([(0, 0), (0, 0), (2, -1), (-3, 1)]),
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(ENTRIES, min_size=1, max_size=4))
def test_a_stack_on_memory_of_its_own_shows_what_it_shows_on_copies(registry, entries):
    Keep.kept.clear()
    outputs = []
    for owned in (True, False):
        plan = Plan(Stack(tuple(entries)), registry, given={"person": LEFT})
        frames = [source_frame(owned, index) for index in range(3)]
        results = [plan.apply(f, plan.compute_layers(f), shared=not owned) for f in frames]
        outputs.append([(r.pixels, None if r.alpha is None else r.alpha.tobytes()) for r in results])
    for (got, alpha), (wanted, wanted_alpha) in zip(*outputs, strict=True):
        assert np.array_equal(got, wanted)
        assert alpha == wanted_alpha
    assert all(np.array_equal(now, then) for now, then in Keep.kept)


def test_opacity_mixes(registry):
    assert np.abs(level(registry, entry(chain="write=200", opacity=0.25)).astype(int) - 125).max() <= 1


def test_opacity_zero_is_invisible(registry):
    assert (level(registry, entry(chain="write=200", opacity=0)) == 100).all()


def test_a_layer_cuts_the_frame_out(registry):
    shown = level(registry, entry("person", "write=200"))
    assert (shown[:3] == 200).all()
    assert (shown[5:] == 100).all()


def test_a_cut_out_moves_with_its_picture(registry):
    shown = level(registry, entry("person", "write=200,mirror"))
    assert (shown[5:] == 200).all()
    assert (shown[:3] == 100).all()


def test_previous_is_what_lies_below(registry):
    assert (level(registry, entry("previous", "invert")) == 155).all()


def test_empty_is_transparent(registry):
    assert (level(registry, entry("empty")) == 100).all()


@pytest.mark.parametrize(
    ("position", "columns"), [((3, 0), slice(3, 8)), ((-2, 0), slice(0, 6)), ((100, 0), slice(0, 0))]
)
def test_a_position_moves_a_picture_and_a_negative_one_counts_from_the_far_edge(registry, position, columns):
    expected = np.full(8, 100)
    expected[columns] = 200
    assert (level(registry, entry(chain="write=200", position=position))[:, 0] == expected).all()


def test_a_chain_alone_is_a_stack_of_one(registry):
    chain = Plan("invert,mirror", registry).run(source_frame(True))
    stack = Plan(Stack((entry(chain="invert,mirror"),)), registry).run(source_frame(True))
    assert np.array_equal(chain.pixels, stack.pixels)


def test_labels_are_unique_over_the_whole_stack(registry):
    plan = Plan(Stack((entry(chain="look"), entry(chain="look,invert"))), registry)
    assert [step.label for step in plan.steps] == ["look#1", "look#2", "invert"]
    with pytest.raises(PlanError, match="two steps are labelled '@x'"):
        Plan(Stack((entry(chain="look@x"), entry(chain="invert@x"))), registry)
