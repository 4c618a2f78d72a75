"""Pictures: one, or one per frame."""

from __future__ import annotations

import os

import numpy as np
import pytest

from framefx import Frame, Sink
from framefx.errors import MediaError, OptionError
from framefx.sinks.images import ImageFile, ImageSequence
from framefx.sources._pictures import read_picture

from .helpers import noise_frames, pattern_frames, psnr, write


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_are_sinks():
    assert isinstance(ImageFile("a.png"), Sink) and isinstance(ImageSequence("a"), Sink)
    assert ImageFile("a.png").takes_alpha and not ImageFile("a.jpg").takes_alpha


def test_numbers_are_those_of_the_frames(tmp_path):
    frames = [f for f in pattern_frames(6) if f.index != 2]
    write(ImageSequence(str(tmp_path / "new" / "%03d.png")), frames)
    assert names(tmp_path / "new") == ["000.png", "001.png", "003.png", "004.png", "005.png"]
    for frame in frames:
        pixels, alpha = read_picture(str(tmp_path / "new" / f"{frame.index:03}.png"))
        assert np.array_equal(pixels, frame.pixels) and alpha is None


def test_folder(tmp_path):
    write(ImageSequence(str(tmp_path / "a")), pattern_frames(2))
    assert names(tmp_path / "a") == ["000000.png", "000001.png"]


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (361, 641)])
def test_odd_and_tiny_sizes(tmp_path, size):
    frame = noise_frames(1, size)[0]
    write(ImageFile(str(tmp_path / "a.png")), [frame])
    assert np.array_equal(read_picture(str(tmp_path / "a.png"))[0], frame.pixels)


def test_alpha_of_png_is_kept(tmp_path):
    frame = pattern_frames(1, alpha=True)[0]
    write(ImageFile(str(tmp_path / "a.png")), [frame])
    pixels, alpha = read_picture(str(tmp_path / "a.png"))
    assert np.array_equal(pixels, frame.pixels) and np.array_equal(alpha, frame.alpha)


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG", "a.webp", "a.bmp", "a.tif", "a.ppm"])
def test_other_formats(tmp_path, name):
    frame = pattern_frames(1, (96, 160))[0]
    write(ImageFile(str(tmp_path / name)), [frame])
    assert psnr(read_picture(str(tmp_path / name))[0], frame.pixels) > 28


def test_one_picture_is_the_first_frame(tmp_path):
    sink = ImageFile(str(tmp_path / "a.png"))
    sink.open((48, 64), 30, False)
    assert sink.wanted()
    frames = pattern_frames(3)
    for frame in frames:
        sink.send(frame)
    assert not sink.wanted()
    sink.finish()
    assert np.array_equal(read_picture(str(tmp_path / "a.png"))[0], frames[0].pixels)


def test_abort_removes_this_run_and_nothing_else(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    sequence, single = ImageSequence(f"{tmp_path}/%d.png"), ImageFile(str(tmp_path / "a.png"))
    for sink in (sequence, single, ImageSequence(str(tmp_path / "new"))):
        sink.open((48, 64), 30, False)
        for frame in pattern_frames(3):
            sink.send(frame)
        sink.abort()
        sink.abort()
    assert names(tmp_path) == ["notes.txt"]


def test_no_frame_is_no_picture(tmp_path):
    sink = ImageFile(str(tmp_path / "a.png"))
    sink.open((48, 64), 30, False)
    with pytest.raises(MediaError, match="no frame"):
        sink.finish()
    assert names(tmp_path) == []


@pytest.mark.parametrize("make", [lambda: ImageFile("a.txt"), lambda: ImageSequence("%d.mp4")])
def test_unknown_ending(make):
    with pytest.raises(OptionError, match=r"\.png"):
        make()


def test_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MediaError):
        ImageSequence(str(tmp_path / "file" / "%d.png")).open((48, 64), 30, False)


def test_devices_are_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(MediaError, match="no ordinary file"):
        ImageFile(str(tmp_path / "a.png")).open((48, 64), 30, False)


def test_link_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "a.png").symlink_to(tmp_path / "real" / "b.png")
    write(ImageFile(str(tmp_path / "a.png")), pattern_frames(1))
    assert (tmp_path / "a.png").is_symlink() and names(tmp_path / "real") == ["b.png"]


def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write(ImageFile(str(tmp_path / "a.png")), pattern_frames(1))
    finally:
        os.umask(before)
    assert (tmp_path / "a.png").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    "make", [lambda folder: ImageSequence(f"{folder}/%d.png"), lambda folder: ImageFile(f"{folder}/a.png")]
)
def test_full_disk(small_disk, make):
    sink = make(small_disk)
    with pytest.raises(MediaError, match="disk is full"):
        write(sink, noise_frames(9, (240, 320)))
    sink.abort()
    assert names(small_disk) == []


def test_a_run_borrows_its_scratch_memory(tmp_path):
    from framefx.frame import FramePool

    pool = FramePool()
    for index in range(5):
        frame = pattern_frames(1)[0]
        write(ImageFile(str(tmp_path / "a.png")), [Frame.borrow(frame.pixels, index=index, pool=pool)])
    assert pool.allocations == 1
