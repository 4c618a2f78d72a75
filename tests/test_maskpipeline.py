import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from framefx.frame import Frame
from framefx.mask import Mask
from framefx.maskpipeline import MaskOptions, MaskPipeline

NEUTRAL = {"range": (0, 1), "smooth": 0}
SIZE = (180, 320)


def frame(time=0.0, size=SIZE, index=0):
    return Frame.borrow(np.zeros((*size, 3), np.uint8), time=time, index=index)


def run(options, mask, times=(0.0,)):
    pipeline = MaskPipeline(MaskOptions(**options))
    for time in times:
        result = pipeline("person", mask, frame(time, mask.size))
    return result


def square(shape=(36, 64), size=SIZE):
    """A mask whose rows 12 to 23 and columns 20 to 43 are inside."""
    values = np.zeros(shape, np.uint8)
    values[12:24, 20:44] = 255
    return Mask(values, size, index=3)


def width_of(mask):
    """How far the square reaches down and across at half strength, in frame pixels, when upsampled."""
    values = mask.values.astype(np.float64) / 255
    scales = mask.size[0] / values.shape[0], mask.size[1] / values.shape[1]
    lines = values[:, 32], values[18]
    reach = []
    for line, scale in zip(lines, scales, strict=True):
        fine = np.interp(np.arange(0, len(line), 0.01), np.arange(len(line)), line)
        reach.append(float(np.sum(fine >= 0.5)) / 100 * scale)
    return reach


# -- options ----------------------------------------------------------------------------------------


def test_neutral_options_return_the_mask_itself():
    mask = square()
    assert run(NEUTRAL, mask) is mask


@pytest.mark.parametrize("text", ["0.2/0.8", "0.2 0.8", " 0.2 / 0.8 "])
def test_range_as_on_the_command_line(text):
    assert MaskOptions.model_validate({"range": text}).range == (0.2, 0.8)


@pytest.mark.parametrize(
    "bad",
    [
        {"range": (0.8, 0.2)}, {"range": (0, 2)}, {"range": "0.5"}, {"range": (0.1, 0.2, 0.3)}, {"dilate": -1},
        {"smooth": math.nan}, {"feather": math.inf}, {"max_age": 0}, {"blur": 3},
    ],
)  # fmt: skip
def test_refuses(bad):
    with pytest.raises(ValidationError):
        MaskOptions(**bad)


def test_every_option_is_described():
    assert all(field.description for field in MaskOptions.model_fields.values())


# -- one mask ---------------------------------------------------------------------------------------


def test_the_result_stands_for_the_same_frame():
    result = run({}, square())
    assert (result.values.shape, result.size, result.index) == ((36, 64), SIZE, 3)


def test_the_models_mask_is_left_alone():
    mask = square()
    before = mask.values.copy()
    run({"dilate": 7, "erode": 3, "feather": 5}, mask)
    np.testing.assert_array_equal(mask.values, before)


def test_the_range_is_stretched():
    ramp = Mask(np.arange(256, dtype=np.uint8)[None], (1, 256))
    got = run({"range": (0.25, 0.75), "smooth": 0}, ramp).values[0]
    wanted = np.clip((np.arange(256) / 255 - 0.25) / 0.5, 0, 1) * 255
    np.testing.assert_allclose(got, wanted, atol=0.51)


def test_a_range_of_no_width_is_a_threshold():
    ramp = Mask(np.arange(256, dtype=np.uint8)[None], (1, 256))
    assert set(run({"range": (0.5, 0.5), "smooth": 0}, ramp).values[0]) == {0, 255}


@pytest.mark.parametrize("length", [0.5, 2.5, 5, 10, 12.5, 15])
@pytest.mark.parametrize("shape", [(36, 64), (48, 64), (36, 96)], ids=["even", "stretched down", "stretched across"])
def test_dilate_and_erode_move_the_edge_by_frame_pixels(length, shape):
    mask = square(shape)
    before = width_of(mask)
    pixel = max(SIZE[0] / shape[0], SIZE[1] / shape[1])
    for name, sign in (("dilate", 2), ("erode", -2)):
        after = width_of(run({**NEUTRAL, name: length}, mask))
        assert after == pytest.approx([max(0.0, side + sign * length) for side in before], abs=0.4 * pixel)


@given(length=st.floats(0.1, 60), seed=st.integers(0, 99))
def test_dilate_only_adds_and_erode_only_takes(length, seed):
    values = np.random.default_rng(seed).integers(0, 256, (9, 14), np.uint8)
    mask = Mask(values, (45, 70))
    assert (run({**NEUTRAL, "dilate": length}, mask).values >= values).all()
    assert (run({**NEUTRAL, "erode": length}, mask).values <= values).all()


@pytest.mark.parametrize("radius", [1, 2, 7])
def test_dilate_by_whole_mask_pixels_is_the_kernels(radius):
    from framefx.kernels import dilate, erode

    mask = Mask(np.random.default_rng(1).integers(0, 256, (30, 41), np.uint8), (90, 123))
    for name, kernel in (("dilate", dilate), ("erode", erode)):
        got = run({**NEUTRAL, name: 3 * radius}, mask).values
        np.testing.assert_array_equal(got, kernel(mask.values, radius))


@pytest.mark.parametrize("full", [0, 255])
def test_everything_and_nothing_stay_what_they_are(full):
    mask = Mask(np.full((9, 16), full, np.uint8), (90, 160))
    options = {"dilate": 20, "erode": 35, "feather": 9, "refine": True}
    assert (run(options, mask).values == full).all()


def test_feather_softens_to_either_side():
    values = run({**NEUTRAL, "feather": 20}, square()).values[18]
    assert values[20 - 5] == 0
    assert 0 < values[20 - 3] < values[20] < values[20 + 2] < 255
    assert values[20 + 4] == 255


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (3, 5)])
def test_tiny_masks(shape):
    mask = Mask(np.full(shape, 200, np.uint8), (3, 5))
    assert run({"dilate": 500, "erode": 500, "feather": 500, "refine": True}, mask).values.shape == shape


def test_refining_follows_the_pictures_edge():
    pixels = np.zeros((180, 320, 3), np.uint8)
    pixels[:, 160:] = 200
    values = np.zeros((36, 64), np.uint8)
    values[:, 33:] = 255
    pipeline = MaskPipeline(MaskOptions(**NEUTRAL, refine=True))
    refined = pipeline("person", Mask(values, (180, 320)), Frame.borrow(pixels)).values
    assert values[18, 32] == 0
    assert refined[18, 32] > 80
    assert refined[18, 31] < 10


# -- time -------------------------------------------------------------------------------------------


def smoothed(times, levels, smooth=0.1, **more):
    """Return the level after each of some masks of one level."""
    pipeline = MaskPipeline(MaskOptions(range=(0, 1), smooth=smooth, smoothing="exponential"))
    for time, level in zip(times, levels, strict=True):
        mask = Mask(np.full((4, 6), level, np.uint8), more.get("size", SIZE))
        yield int(pipeline("person", mask, frame(time)).values[0, 0])


@pytest.mark.parametrize("rate", [10, 30, 60, 144])
@pytest.mark.parametrize("tau", [0.05, 0.1, 0.3])
def test_a_step_follows_the_time_constant_at_any_rate(rate, tau):
    times = np.arange(0, 0.5, 1 / rate)
    got = list(smoothed(times, [0] + [255] * (len(times) - 1), tau))
    np.testing.assert_allclose(got, 255 * (1 - np.exp(-times / tau)), atol=1.5)


def test_no_level_is_out_of_reach():
    times = np.arange(0, 3, 1 / 240)
    assert list(smoothed(times, [0] + [255] * (len(times) - 1)))[-1] == 255


def test_the_first_mask_is_taken_as_it_is():
    assert list(smoothed([5.0], [200])) == [200]


@pytest.mark.parametrize("then", [0.51, 10.0, 0.0, -0.1], ids=["gap", "long gap", "same time", "backwards"])
def test_starts_anew(then):
    assert list(smoothed([0.0, then], [0, 255]))[-1] == 255


def test_does_not_start_anew_just_before():
    assert list(smoothed([0.0, 0.49], [0, 255]))[-1] < 255


@pytest.mark.parametrize(("shape", "size"), [((4, 7), SIZE), ((4, 6), (90, 160))], ids=["mask", "frame"])
def test_starts_anew_at_another_size(shape, size):
    pipeline = MaskPipeline(MaskOptions(range=(0, 1), smoothing="exponential"))
    pipeline("person", Mask(np.zeros((4, 6), np.uint8), SIZE), frame(0.0))
    result = pipeline("person", Mask(np.full(shape, 255, np.uint8), size), frame(0.03, size))
    assert (result.values == 255).all()


def test_reset_forgets():
    pipeline = MaskPipeline(MaskOptions(range=(0, 1), smoothing="exponential"))
    pipeline("person", Mask(np.zeros((4, 6), np.uint8), SIZE), frame(0.0))
    pipeline.reset()
    assert (pipeline("person", Mask(np.full((4, 6), 255, np.uint8), SIZE), frame(0.03)).values == 255).all()


def test_layers_do_not_mix():
    pipeline = MaskPipeline(MaskOptions(range=(0, 1), smoothing="exponential"))
    pipeline("person", Mask(np.zeros((4, 6), np.uint8), SIZE), frame(0.0))
    assert (pipeline("face", Mask(np.full((4, 6), 255, np.uint8), SIZE), frame(0.03)).values == 255).all()


def test_an_earlier_result_is_not_written_again():
    pipeline = MaskPipeline(MaskOptions())
    first = pipeline("person", square(), frame(0.0))
    before = first.values.copy()
    pipeline("person", ~square(), frame(0.03))
    np.testing.assert_array_equal(first.values, before)


def test_who_steps_aside_is_gone_within_150_ms():
    pipeline = MaskPipeline(MaskOptions())
    there, gone = Mask(np.full((4, 6), 255, np.uint8), SIZE), Mask(np.zeros((4, 6), np.uint8), SIZE)
    pipeline("person", there, frame(0.0))
    levels = [pipeline("person", gone, frame(step / 30)).values.max() for step in range(1, 5)]
    assert levels[-1] == 0
