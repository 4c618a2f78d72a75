"""Frames that a camera gave as planes: what every step sees of them, and that RGB is made for nobody who needs none."""

import numpy as np
import pytest
from framefx_test_live import Secret, hide, mirror, thin, touch
from hypothesis import given, settings
from hypothesis import strategies as st

from framefx import kernels
from framefx.config import Settings
from framefx.errors import PluginError
from framefx.frame import Frame, FramePool
from framefx.job import Job
from framefx.layers import LoadedModel
from framefx.mask import Mask
from framefx.plan import Plan
from framefx.planar import PlanarFrame
from framefx.planes import Planes
from framefx.plugins import PluginManager
from framefx.registry import Register, Registry
from framefx.testing import Watermark

SIZE = (48, 64)
MARK = Watermark(SIZE)
BUILT_IN = PluginManager(discover=False).registry


def planes(number=0, size=SIZE, full_range=True):
    pixels = 64 + np.random.default_rng(number).integers(0, 128, (*size, 3), np.uint8)
    if size == SIZE:
        MARK.draw(pixels)
    return Planes(kernels.rgb_to_i420(pixels, full_range=full_range), size, full_range)


def planar(number=0, *, owned=True, **options):
    return PlanarFrame(planes(number, **options), number, number / 30, FramePool(), owned=owned)


def rgb(frame):
    return kernels.i420_to_rgb(frame.planes.data, frame.size, full_range=frame.planes.full_range)


def plan_of(chain):
    register = Register(registry := Registry(), "test")
    for name in ("flip", "invert", "color", "blur", "replace", "zoom"):
        registry.filters.add(BUILT_IN.filters.find(name))
    for target in (hide, touch, thin):
        register.filter(target)
    register.geometry(mirror)
    model = Secret(lambda frame: {"secret": Mask(MARK.mask().values[::4, ::4].copy(), frame.size, frame.index)})
    return Plan(chain, registry, load_models=lambda: [LoadedModel("secret", model)])


@pytest.fixture
def no_rgb(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("pixels were made in RGB")

    monkeypatch.setattr(kernels, "i420_to_rgb", refuse)


@pytest.mark.parametrize("full_range", [True, False])
def test_pixels_are_the_planes_in_rgb_made_once_for_all_handles(full_range):
    frame = planar(full_range=full_range)
    other = frame._lend(shared=True)
    assert np.array_equal(frame.pixels, rgb(frame))
    assert np.shares_memory(frame.pixels, other.pixels)
    assert not frame.pixels.flags.writeable and not frame.planes.data.flags.writeable
    assert (frame.size, frame.factor, frame.alpha, frame.writable) == (SIZE, 1, None, False)


def test_writing_leaves_the_planes_and_other_handles_alone():
    frame = planar()
    other, before = frame._lend(shared=True), frame.planes.data.copy()
    pixels = other.pixels.copy()
    mine = frame.make_writable()
    mine.pixels[:] = 7
    assert mine.writable and mine.index == frame.index and mine.planes is None
    assert np.array_equal(other.planes.data, before) and np.array_equal(other.pixels, pixels)
    for use in (lambda: frame.pixels, frame.make_writable, lambda: frame._lend(shared=False)):
        with pytest.raises(PluginError):
            use()


@pytest.mark.parametrize("chain", ["replace=color=blue:where=secret", "touch", "invert=where=secret", "thin"])
def test_rgb_is_made_once_for_a_chain_that_needs_it(chain, monkeypatch):
    made, convert = [], kernels.i420_to_rgb
    monkeypatch.setattr(kernels, "i420_to_rgb", lambda *a, **k: (made.append(1), convert(*a, **k))[1])
    plan_of(chain).run(planar())
    assert len(made) == 1


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 8])
def test_the_smaller_picture_is_that_of_the_pixels(factor):
    frame = planar()
    wanted = kernels.downsample(rgb(frame), factor)
    assert np.abs(frame.downsampled(factor).astype(int) - wanted).max() <= 4
    assert frame.downsampled(factor) is frame._lend(shared=True).downsampled(factor)


@pytest.mark.usefixtures("no_rgb")
@pytest.mark.parametrize("full_range", [True, False])
def test_hiding_behind_a_blur_needs_no_rgb(full_range):
    frame = planar(full_range=full_range)
    shown = plan_of("blur=8:where=secret").run(frame)
    assert (shown.index, shown.time) == (frame.index, frame.time)
    assert not shown.planes.full_range  # as readers of cameras want it
    # Written in place: nobody else reads the camera's picture.
    assert np.shares_memory(shown.planes.data, frame.planes.data) == (not full_range)


@pytest.mark.usefixtures("no_rgb")
@pytest.mark.parametrize("size", [(360, 640), (480, 640), (720, 1280)])
def test_the_shipped_network_needs_no_rgb_either(size):
    plan = Job(Settings.model_validate({"chain": "blur"})).plan()
    assert plan.run(planar(size=size)).planes is not None


@pytest.mark.parametrize("full_range", [True, False])
def test_what_others_read_is_not_written(full_range):
    frame = planar(owned=False, full_range=full_range)
    before = frame.planes.data.copy()
    shown = plan_of("blur=8:where=secret").run(frame)
    assert not np.shares_memory(shown.planes.data, frame.planes.data)
    assert np.array_equal(frame.planes.data, before)


@pytest.mark.parametrize("chain", ["blur=8:where=secret", "blur=8:where=not-secret", "blur=4:where=secret,flip"])
@pytest.mark.parametrize("full_range", [True, False])
def test_a_blur_over_planes_shows_what_a_blur_over_pixels_shows(chain, full_range):
    frame = planar(owned=False, full_range=full_range)
    wanted = plan_of(chain).run(Frame.borrow(rgb(frame))).pixels.astype(float)
    shown = plan_of(chain).run(frame).pixels.astype(float)
    # Noise is the worst picture for chroma at half the resolution: along the mask's edge it is another average.
    assert np.abs(shown - wanted).mean() < 2
    assert MARK.is_in(shown.astype(np.uint8)) == MARK.is_in(wanted.astype(np.uint8))


STEPS = ["touch", "thin", "invert", "flip", "mirror", "zoom=1.5", "color=saturation=0.2:where=all", "blur=1:where=all"]
STEPS += ["touch=where=secret", "replace=color=blue:where=not-secret", "invert=where=secret", "hide=where=secret"]


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(STEPS), min_size=1, max_size=5), st.booleans())
def test_any_other_chain_shows_exactly_what_it_shows_of_the_pixels(steps, owned):
    frame = planar(owned=owned)
    wanted = plan_of(",".join(steps)).run(Frame.borrow(rgb(frame)))
    shown = plan_of(",".join(steps)).run(frame)
    assert np.array_equal(shown.pixels, wanted.pixels)
    assert np.array_equal(shown.alpha, wanted.alpha) if wanted.alpha is not None else shown.alpha is None


def test_sizes_with_a_rest_go_by_way_of_pixels():
    frame = planar(size=(50, 62))
    wanted = plan_of("blur=8:where=secret").run(Frame.borrow(rgb(frame))).pixels
    shown = plan_of("blur=8:where=secret").run(frame)
    assert shown.planes is None and np.array_equal(shown.pixels, wanted)
