"""The test kit keeps its word."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import framefx.testing
from framefx import Frame, Sink, Source
from framefx.errors import DeviceError
from framefx.testing import ListSink, ListSource, ManualClock, TestPattern, fixtures, make_frame, read_barcode

frame, pattern, list_sink, manual_clock = fixtures.frame, fixtures.pattern, fixtures.list_sink, fixtures.manual_clock
isolated_plugins = fixtures.isolated_plugins


def test_exports_are_sorted_and_there():
    names = framefx.testing.__all__
    assert names == sorted(names) and set(names) <= set(dir(framefx.testing))
    exported = [getattr(framefx.testing, name) for name in names]
    assert all(one.__doc__ for one in exported if callable(one))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        framefx.testing.Nothing  # noqa: B018


def test_fixtures(frame, pattern, list_sink, manual_clock):
    assert frame.size == (48, 64) and pattern.frames == 30
    assert list_sink.frames == [] and manual_clock.monotonic() == 0


def test_isolated_plugins_are_the_built_in_ones(isolated_plugins):
    from framefx import hookimpl

    class Mirror:
        @hookimpl
        def framefx_register(self, register):
            register.filter(lambda frame: frame, name="mirror")

    assert {origin.name for origin in isolated_plugins.origins} == {"framefx"}
    isolated_plugins.add(Mirror(), "mirrors")
    assert "mirror" in isolated_plugins.registry.filters and "video" in isolated_plugins.registry.sources


def test_list_source_makes_frames_of_arrays():
    arrays = [make_frame(seed=seed).pixels for seed in range(3)]
    source = ListSource(arrays, rate=10, live=True)
    assert isinstance(source, Source) and source.live and source.size == (48, 64)
    source.open()
    frames = [source.read() for _ in range(4)]
    source.close()
    assert frames[3] is None and [f.index for f in frames[:3]] == [0, 1, 2]
    assert [f.time for f in frames[:3]] == pytest.approx([0, 0.1, 0.2])
    assert all(np.array_equal(f.pixels, a) for f, a in zip(frames[:3], arrays, strict=True))
    assert (source.opened, source.closed) == (1, 1)


def test_list_source_keeps_what_frames_say_and_starts_again():
    source = ListSource([make_frame(index=7, time=3.5)])
    for _ in range(2):
        source.open()
        got = source.read()
        assert (got.index, got.time) == (7, 3.5)
        got.make_writable().pixels[:] = 0
    source.open()
    assert source.read().pixels.any()


def test_empty_list_needs_a_size():
    assert ListSource([], size=(2, 3)).size == (2, 3)
    with pytest.raises(ValueError, match="size"):
        ListSource([])


def test_list_sink_records(list_sink):
    assert isinstance(list_sink, Sink)
    list_sink.open((48, 64), 25, True)
    pixels = make_frame().pixels.copy()
    list_sink.send(Frame.borrow(pixels, index=4, time=0.2))
    pixels[:] = 0
    list_sink.finish()
    assert (list_sink.size, list_sink.rate, list_sink.has_alpha) == ((48, 64), 25, True)
    assert list_sink.indices == [4] and list_sink.times == [0.2] and list_sink.pixels[0].any()
    assert list_sink.finished and not list_sink.aborted and list_sink.wanted()


def test_list_sink_can_keep_the_frames_themselves_and_fail():
    sink = ListSink(copy=False, fail_at=1)
    kept = make_frame()
    sink.send(kept)
    assert sink.frames[0] is kept
    with pytest.raises(DeviceError, match="frame 1"):
        sink.send(kept)


def test_make_frame_is_the_same_for_the_same_seed():
    assert np.array_equal(make_frame(5, 7, seed=3).pixels, make_frame(5, 7, seed=3).pixels)
    assert not np.array_equal(make_frame(5, 7, seed=3).pixels, make_frame(5, 7, seed=4).pixels)
    assert make_frame(5, 7).size == (5, 7)


@pytest.mark.parametrize("size", [(1, 16), (9, 17), (96, 160), (361, 641)])
@pytest.mark.parametrize("number", [0, 1, 0x5555, 0xAAAA, 65535])
def test_barcode(size, number):
    from framefx.testing.pattern import draw_barcode

    pixels = np.full((*size, 3), 90, np.uint8)
    draw_barcode(pixels, number)
    assert read_barcode(pixels) == number
    assert read_barcode((pixels * 0.7 + 30).astype(np.uint8)) == number


def test_pattern_mask_is_where_the_disc_is(pattern):
    pattern.open()
    for _ in range(12):
        frame = pattern.read()
        mask = pattern.mask_at(frame.index)
        assert mask.shape == pattern.size and set(np.unique(mask)) == {0, 255}
        body = frame.pixels[: pattern.size[0] * 7 // 8]
        is_disc = (body == pattern.colour).all(axis=2)
        assert np.array_equal(is_disc, mask[: len(body)] > 0)
        assert not mask[len(body) :].any(), "the disc stays clear of the barcode"
        assert read_barcode(frame.pixels) == frame.index


def test_pattern_moves_and_ends():
    pattern = TestPattern((48, 64), frames=3, rate=10)
    assert isinstance(pattern, Source)
    frames = [pattern.read() for _ in range(4)]
    assert frames[3] is None and frames[2].time == pytest.approx(0.2)
    assert not np.array_equal(pattern.mask_at(0), pattern.mask_at(5))


def test_clock_moves_only_when_told():
    clock = ManualClock(5)
    clock.sleep(1.5)
    clock.advance(0.5)
    assert clock.monotonic() == clock.perf_counter() == 7
    assert clock.sleeps == [1.5]
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


def test_clock_waits_for_events():
    clock, event = ManualClock(), threading.Event()
    assert clock.wait(event, 2) is False and clock.monotonic() == 2
    event.set()
    assert clock.wait(event, 2) is True and clock.monotonic() == 2
    assert clock.wait(event) is True


def test_clock_wakes_other_threads():
    clock, woken = ManualClock(), []
    thread = threading.Thread(target=lambda: woken.append(clock.wait_until(1)))
    thread.start()
    clock.advance(1)
    thread.join()
    assert woken == [True]
