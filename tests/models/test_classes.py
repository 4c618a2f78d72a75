"""Masks of classes against plain NumPy, for both layouts and every way to read them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from framefx.models.classes import ClassDecoder, activation_of
from framefx.models.planes import planes
from framefx.protocols import Tensor

reproducible = settings(derandomize=True, deadline=None, max_examples=60)
CHANNELS = {"first": (0,), "last": (-1,), "some": (0, 2), "all": None}


def seen(values, layout):
    """Return a tensor and its planes for (rows, columns, channels) in `layout`."""
    array = np.ascontiguousarray(values[None] if layout == "nhwc" else values.transpose(2, 0, 1)[None])
    tensor = Tensor("out", array.shape, array.dtype)
    return array, planes(tensor, values.shape[:2], layout, layout)


def chosen(count):
    return {name: [c % count for c in of] if of else list(range(count)) for name, of in CHANNELS.items()}


def wanted(values, activation, channels):
    shares = {"softmax": lambda v: special.softmax(v, axis=-1), "sigmoid": special.expit, "none": lambda v: v}
    found = shares[activation](values.astype(np.float64))[..., list(dict.fromkeys(channels))].sum(axis=-1)
    return 255 * np.clip(found, 0, 1)


@reproducible
@given(
    st.integers(4, 30), st.integers(4, 30), st.integers(1, 21), st.sampled_from(["nhwc", "nchw"]),
    st.sampled_from(["softmax", "sigmoid", "none"]), st.sampled_from([0.3, 5, 30]), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_is_what_numpy_gives(rows, columns, count, layout, activation, spread, seed):
    values = np.random.default_rng(seed).normal(0, spread, (rows, columns, count)).astype(np.float32)
    array, found = seen(values, layout)
    channels = {name: tuple(dict.fromkeys(of)) for name, of in chosen(count).items()}
    masks = ClassDecoder(found, activation, channels)(array, list(channels))
    assert list(masks) == list(channels)
    for name, mask in masks.items():
        assert (mask.shape, mask.dtype) == ((rows, columns), np.uint8)
        np.testing.assert_allclose(mask, wanted(values, activation, channels[name]), atol=0.51)


@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "none"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30, -1e30])
def test_no_value_is_too_large_and_none_makes_noise(layout, activation, bad):
    values = np.zeros((5, 6, 3), np.float32)
    values[2, 3, 1] = bad
    array, found = seen(values, layout)
    mask = ClassDecoder(found, activation, {"it": (1,)})(array, ["it"])["it"]
    assert mask[2, 3] == (255 if bad > 0 else 0)
    values[2, 3, 0] = -bad
    array, found = seen(values, layout)
    both = ClassDecoder(found, activation, {"it": (1,)})(array, ["it"])["it"][2, 3]
    assert both in (0, 255) and (both == 0 or bad > 0)


def test_masks_own_their_memory():
    array, found = seen(np.full((4, 5, 2), 0.5, np.float32), "nhwc")
    mask = ClassDecoder(found, "none", {"it": (0,)})(array, ["it"])["it"]
    array[:] = 0
    assert (mask == 128).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
@pytest.mark.parametrize("scale", [0.1, 1.5])
def test_softmax_of_bytes(dtype, scale):
    raw = np.random.default_rng(1).integers(0, 256, (1, 9, 7, 4), np.uint8).view(dtype)
    tensor = Tensor("out", raw.shape, raw.dtype, scale, 12)
    decoder = ClassDecoder(planes(tensor, (9, 7), "nhwc"), "softmax", {"it": (2,)})
    logits = (raw[0].astype(float) - 12) * scale
    np.testing.assert_allclose(decoder(raw, ["it"])["it"], wanted(logits, "softmax", [2]), atol=0.51)


def test_numbers_of_classes_in_bytes():
    raw = np.random.default_rng(1).integers(0, 5, (1, 9, 7, 1), np.uint8)
    decoder = ClassDecoder(planes(Tensor("out", raw.shape, raw.dtype), (9, 7), "nhwc"), "labels", {"it": (2, 3)})
    np.testing.assert_array_equal(decoder(raw, ["it"])["it"], np.isin(raw[0, ..., 0], (2, 3)) * 255)


@pytest.mark.parametrize(
    ("values", "activation"),
    [
        (np.full((4, 4, 1), 0.4), "none"),
        (np.full((4, 4, 1), 1.1), "sigmoid"),
        (np.full((4, 4, 2), 0.5), "none"),
        (np.full((4, 4, 2), 0.4), "softmax"),
        (np.full((4, 4, 3), 0.9), "none"),
        (np.full((4, 4, 3), -0.9), "softmax"),
        (np.full((4, 4, 1), 3, np.int64), "labels"),
    ],
)
def test_told_by_looking(values, activation):
    array, found = seen(values.astype(np.float32) if values.dtype == np.float64 else values, "nhwc")
    assert activation_of(found, [array]) == activation


@pytest.mark.parametrize(
    ("shape", "size", "layout", "wanted"),
    [
        ((1, 33, 33, 1), (257, 257), "nhwc", ((33, 33), 1, False)),
        ((1, 2, 320, 320), (320, 320), "nchw", ((320, 320), 2, True)),
        ((1, 256, 256, 6), (256, 256), "nchw", ((256, 256), 6, False)),
        ((1, 81, 46, 24), (1280, 720), "nhwc", ((81, 46), 24, False)),
        ((1, 144, 256), (144, 256), "nhwc", ((144, 256), 1, True)),
        ((144, 256), (144, 256), "nchw", ((144, 256), 1, True)),
        ((21, 65, 65), (513, 513), "nchw", ((65, 65), 21, True)),
        ((1, 1000), (224, 224), "nchw", None),
        ((1, 1, 1, 1000), (224, 224), "nchw", None),
        ((1, 896, 16), (128, 128), "nhwc", None),
        ((1, 256, 144, 1), (144, 256), "nhwc", None),
        ((), (144, 256), "nhwc", None),
    ],
)
def test_which_output_is_a_picture(shape, size, layout, wanted):
    found = planes(Tensor("out", shape, np.dtype(np.float32)), size, layout)
    assert (found and (found.size, found.channels, found.planar)) == wanted
