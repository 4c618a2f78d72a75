"""Frames and their pool: who may write, who copies, and when memory comes back."""

import gc
import threading

import numpy as np
import pytest

from framefx.errors import PluginError
from framefx.frame import Frame, FramePool
from framefx.testing import make_frame


def picture(height=3, width=5, value=7):
    return np.full((height, width, 3), value, np.uint8)


@pytest.fixture
def pool():
    return FramePool()


@pytest.fixture
def owned(pool):
    """A frame that nobody else reads."""
    frame = pool.frame((3, 5), index=4, time=0.5)
    frame.pixels[:] = 7
    return frame._lend(shared=False)


# Read-only is a wall.


def test_pixels_cannot_be_written(owned):
    with pytest.raises(ValueError, match="read-only"):
        owned.pixels[0, 0] = 1


def test_pixels_cannot_be_made_writable_behind_the_frame_s_back(owned):
    with pytest.raises(ValueError, match="WRITEABLE"):
        owned.pixels.flags.writeable = True


def test_a_borrowed_array_cannot_be_reached_through_its_frame():
    with pytest.raises(ValueError, match="WRITEABLE"):
        Frame.borrow(picture()).pixels.flags.writeable = True


def test_a_borrowed_read_only_view_of_a_writable_array_is_walled_too():
    view = picture()[:]
    view.flags.writeable = False
    with pytest.raises(ValueError, match="WRITEABLE"):
        Frame.borrow(view).pixels.flags.writeable = True


def test_the_base_of_pixels_gives_no_writable_array(owned):
    array = np.asarray(owned.pixels.base)
    assert not array.flags.writeable
    with pytest.raises(ValueError, match="WRITEABLE"):
        array.flags.writeable = True


def test_alpha_cannot_be_written(pool):
    frame = pool.frame((3, 5), alpha=True)._lend(shared=False)
    with pytest.raises(ValueError, match="read-only"):
        frame.alpha[0, 0] = 1


def test_a_view_lives_longer_than_its_frame(pool):
    frame = pool.frame((3, 5))
    frame.pixels[:] = 9
    view = frame._lend(shared=False).pixels[1:]
    del frame
    pool.frame((3, 5)).pixels[:] = 0
    assert (view == 9).all()


# make_writable copies only what somebody else reads.


def test_an_owned_frame_is_not_copied(owned, pool):
    before = owned.pixels.ctypes.data
    assert owned.make_writable().pixels.ctypes.data == before
    assert pool.copies == 0


def test_a_shared_frame_is_copied_once(owned, pool):
    shared = owned._lend(shared=True)
    shared.make_writable().pixels[:] = 0
    assert (owned.pixels == 7).all()
    assert (pool.copies, pool.copied_bytes) == (1, 3 * 5 * 3)


def test_a_borrowed_array_is_never_written(pool):
    array = picture()
    Frame.borrow(array, pool=pool).make_writable().pixels[:] = 0
    assert (array == 7).all()


def test_alpha_is_copied_with_the_pixels(pool):
    alpha = np.full((3, 5), 9, np.uint8)
    frame = Frame.borrow(picture(), alpha, pool=pool).make_writable()
    frame.alpha[:] = 0
    assert (alpha == 9).all()
    assert pool.copied_bytes == 3 * 5 * 4


def test_a_writable_frame_stays_the_same_frame(owned):
    frame = owned.make_writable()
    assert frame.make_writable() is frame
    assert frame.writable


def test_index_time_and_size_survive(owned):
    frame = owned.make_writable()
    assert (frame.index, frame.time, frame.size) == (4, 0.5, (3, 5))


def test_reading_a_consumed_frame_says_what_to_do(owned):
    owned.make_writable()
    with pytest.raises(PluginError, match=r"consumed by make_writable\(\): use the frame that make_writable"):
        _ = owned.pixels


def test_consuming_twice_says_what_to_do(owned):
    owned.make_writable()
    with pytest.raises(PluginError, match="twice on one frame"):
        owned.make_writable()


@pytest.mark.parametrize("method", ["with_alpha", "with_pixels"])
def test_a_consumed_frame_still_knows_what_it_stood_for(owned, method):
    frame = owned.make_writable()
    result = getattr(frame, method)(None if method == "with_alpha" else picture(value=1))
    assert (result.index, result.time) == (4, 0.5)


# Memory comes back when the last view is gone, and only then.


def test_memory_is_lent_again_after_the_last_view(pool):
    view = pool.frame((3, 5)).pixels[0, 0]
    pool.frame((3, 5))
    assert pool.allocations == 2
    del view
    _both = pool.frame((3, 5)), pool.frame((3, 5))
    assert pool.allocations == 2


def test_memory_comes_back_from_another_thread(pool):
    held = [pool.frame((3, 5))]
    thread = threading.Thread(target=held.clear)
    thread.start()
    thread.join()
    pool.frame((3, 5))
    assert pool.allocations == 1


def test_no_memory_is_allocated_after_warm_up(pool):
    counts = []
    for _ in range(50):
        frame = pool.frame((3, 5))._lend(shared=True).make_writable()
        frame.reduced(frame.array((1, 1, 3)), 5)
        counts.append(pool.allocations)
    assert counts[2] == counts[-1]


def test_a_pool_keeps_a_bounded_amount_of_memory(pool):
    frames = [pool.frame((3, 5)) for _ in range(100)]
    del frames
    gc.collect()
    assert sum(map(len, pool._free.values())) <= 12


def test_many_threads_lend_and_return_without_mixing_up_memory(pool):
    wrong = []

    def work(value):
        for _ in range(200):
            array = pool.array((64,))
            array[:] = value
            if (array != value).any():
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# Results made elsewhere.


def test_with_pixels_keeps_index_time_and_alpha():
    frame = Frame.borrow(picture(), np.full((3, 5), 9, np.uint8), index=4, time=0.5)
    result = frame.with_pixels(picture(value=1))
    assert (result.index, result.time, result.alpha[0, 0]) == (4, 0.5, 9)


def test_with_pixels_never_writes_to_a_cached_picture(owned):
    cached = picture(value=1)
    owned.with_pixels(cached).make_writable().pixels[:] = 0
    assert (cached == 1).all()


def test_with_pixels_takes_no_copy_of_a_contiguous_array(owned, pool):
    array = picture()
    assert owned.with_pixels(array).pixels.ctypes.data == array.ctypes.data
    assert pool.copies == 0


def test_a_strided_array_is_copied(owned):
    strided = np.zeros((6, 10, 3), np.uint8)[::2, ::2]
    strided[1, 2] = 5
    result = owned.with_pixels(strided)
    assert result.pixels.flags.c_contiguous
    assert np.array_equal(result.pixels, strided)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((5, 3, 3), np.uint8), r"pixels: got shape \(5, 3, 3\), wanted \(3, 5, 3\)"),
        (np.zeros((3, 5), np.uint8), r"pixels: got shape \(3, 5\)"),
        (np.zeros((3, 5, 4), np.uint8), r"pixels: got shape \(3, 5, 4\)"),
        (np.zeros((3, 5, 3)), "pixels: got float64, wanted a uint8 array"),
        ([[0]], "pixels: got list, wanted a uint8 array"),
        (None, "pixels: got NoneType"),
    ],
)
def test_with_pixels_refuses_another_shape_or_dtype(owned, array, message):
    with pytest.raises(PluginError, match=message):
        owned.with_pixels(array)


@pytest.mark.parametrize("shape", [(0, 5, 3), (3, 0, 3), (3, 5), (3, 5, 1), (1, 3, 5, 3)])
def test_borrow_refuses_what_is_no_picture(shape):
    with pytest.raises(PluginError, match=r"wanted \(height, width, 3\)"):
        Frame.borrow(np.zeros(shape, np.uint8))


def test_borrow_refuses_alpha_of_another_size():
    with pytest.raises(PluginError, match=r"alpha: got shape \(5, 3\), wanted \(3, 5\)"):
        Frame.borrow(picture(), np.zeros((5, 3), np.uint8))


def test_with_alpha_none_is_opaque():
    frame = Frame.borrow(picture(), np.zeros((3, 5), np.uint8))
    assert frame.with_alpha(None).alpha is None


def test_with_alpha_refuses_another_size(owned):
    with pytest.raises(PluginError, match="alpha: got shape"):
        owned.with_alpha(np.zeros((1, 1), np.uint8))


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (4, 6), (7, 2)])
@pytest.mark.parametrize("factor", [1, 2, 3, 4, 64])
def test_a_reduced_frame_is_as_large_as_its_sides_divided_and_rounded_up(size, factor):
    frame = Frame.borrow(picture(*size))
    small = (-(-size[0] // factor), -(-size[1] // factor), 3)
    result = frame.reduced(np.zeros(small, np.uint8), factor)
    assert (result.size, result.factor, result.pixels.shape) == (size, factor, small)


def test_a_reduced_frame_of_another_size_is_refused(owned):
    with pytest.raises(PluginError, match=r"reduced 2 times: got shape \(1, 2, 3\), wanted \(2, 3, 3\)"):
        owned.reduced(np.zeros((1, 2, 3), np.uint8), 2)


@pytest.mark.parametrize("factor", [0, -2])
def test_a_factor_below_one_is_refused(owned, factor):
    with pytest.raises(PluginError, match=f"factor {factor}, wanted 1 or more"):
        owned.reduced(picture(), factor)


def test_a_new_frame_of_a_reduced_one_has_the_full_size(owned):
    reduced = owned.reduced(np.zeros((2, 3, 3), np.uint8), 2)
    assert reduced.new().pixels.shape == (3, 5, 3)
    assert reduced.new(alpha=True).alpha.shape == (3, 5)


def test_a_reduced_alpha_does_not_survive_full_size_pixels(owned):
    reduced = owned.reduced(np.zeros((2, 3, 3), np.uint8), 2, np.zeros((2, 3), np.uint8))
    assert reduced.with_pixels(picture()).alpha is None


def test_the_repr_says_which_frame_it_is(owned):
    assert repr(owned) == "<Frame 4 5x3 at 0.500 s>"


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (24, 40), (23, 41)])
def test_a_smaller_picture_is_the_mean_of_its_blocks_and_made_once(size):
    frame = make_frame(*size)
    first = frame.downsampled(2)
    assert frame._lend(shared=True).downsampled(2) is first
    block = frame.pixels[:2, :2].reshape(-1, 3).mean(0)
    assert np.abs(first[0, 0] - block).max() <= 0.5


def test_a_smaller_picture_of_a_smaller_one_is_within_a_level():
    frame = make_frame(32, 64)
    frame.downsampled(4)
    fresh = Frame.borrow(frame.pixels)
    difference = frame.downsampled(8).astype(int) - fresh.downsampled(8)
    assert np.abs(difference).max() <= 1


def test_writing_makes_a_new_smaller_picture():
    frame = FramePool().frame((8, 8))
    frame.pixels[:] = 10
    handle = frame._lend(shared=False)
    assert (handle.downsampled(2) == 10).all()
    written = handle.make_writable()
    written.pixels[:] = 20
    assert (written.downsampled(2) == 20).all()
    written.pixels[:] = 30
    assert (written.downsampled(2) == 30).all()
