"""Masks stay at the model's resolution until somebody asks for more."""

import numpy as np
import pytest

from framefx.errors import PluginError
from framefx.kernels import upsample_mask
from framefx.mask import Mask

SMALL = np.array([[0, 128, 255], [255, 64, 0]], np.uint8)


def test_as_an_array_it_has_the_frame_s_size():
    mask = Mask(SMALL, (7, 11))
    assert np.array_equal(np.asarray(mask), upsample_mask(SMALL, (7, 11)))


def test_the_full_size_is_computed_once():
    mask = Mask(SMALL, (7, 11))
    assert np.asarray(mask) is np.asarray(mask)


def test_a_full_size_mask_is_handed_out_as_it_is():
    assert np.shares_memory(np.asarray(Mask(SMALL, (2, 3))), SMALL)


def test_a_copy_is_a_copy_and_a_dtype_is_converted():
    mask = Mask(SMALL, (2, 3))
    copy = np.array(mask)
    copy[:] = 0
    assert np.array_equal(mask.values, SMALL)
    assert np.asarray(mask, np.float32).dtype == np.float32


@pytest.mark.parametrize("size", [(2, 3), (7, 11)])
def test_nobody_writes_to_a_mask(size):
    mask = Mask(SMALL.copy(), size)
    for array in (mask.values, np.asarray(mask)):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


def test_inverting_keeps_size_and_index():
    inverse = ~Mask(SMALL, (7, 11), index=5)
    assert np.array_equal(inverse.values, 255 - SMALL)
    assert (inverse.size, inverse.index) == ((7, 11), 5)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (641, 361)])
def test_any_size_can_be_stood_for(size):
    assert np.asarray(Mask(SMALL, size)).shape == size


@pytest.mark.parametrize("values", [np.zeros((2, 2)), np.zeros((2, 2, 1), np.uint8), np.zeros((0, 2), np.uint8)])
def test_what_is_no_mask_is_refused(values):
    with pytest.raises(PluginError, match=r"wanted uint8 \(rows, columns\)"):
        Mask(values, (2, 2))
