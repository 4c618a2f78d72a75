"""Stills and folders of stills."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from framefx import Source
from framefx.errors import MediaError
from framefx.sources.image import ImageFile, ImageFolder
from framefx.testing import TestPattern, read_barcode


def save(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


def picture(index=0, size=(24, 32)):
    return TestPattern(size).pixels_at(index)


def still(path, **options):
    source = ImageFile(str(path), **options)
    source.open()
    frame = source.read()
    source.close()
    return frame


def frames_of(source):
    source.open()
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    source.close()
    return frames


def test_are_sources():
    assert isinstance(ImageFile("x.png"), Source) and isinstance(ImageFolder("x"), Source)


def test_repeats_for_ever_without_copies(tmp_path):
    source = ImageFile(str(save(tmp_path / "a.png", picture())), rate=10)
    source.open()
    frames = [source.read() for _ in range(4)]
    assert source.frames is None and source.size == (24, 32) and source.rate == 10
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert [frame.time for frame in frames] == pytest.approx([0, 0.1, 0.2, 0.3])
    assert all(np.array_equal(frame.pixels, picture()) for frame in frames)
    assert source._pool.copies == source._pool.allocations == 0


def test_can_be_one_frame(tmp_path):
    assert len(frames_of(ImageFile(str(save(tmp_path / "a.png", picture())), repeat=False))) == 1


def test_colours_are_not_swapped(tmp_path):
    red = np.full((8, 8, 3), (250, 20, 30), np.uint8)
    for name in ("a.png", "a.jpg", "a.webp", "a.bmp", "a.tif"):
        assert still(save(tmp_path / name, red)).pixels[4, 4].tolist() == pytest.approx((250, 20, 30), abs=6)


def test_alpha_of_png_is_kept(tmp_path):
    alpha = np.arange(24 * 32, dtype=np.uint8).reshape(24, 32)
    source = ImageFile(str(save(tmp_path / "a.png", np.dstack([picture(), alpha]))))
    source.open()
    frame = source.read()
    assert source.has_alpha
    assert np.array_equal(frame.alpha, alpha) and np.array_equal(frame.pixels, picture())


def test_alpha_that_hides_nothing_is_none(tmp_path):
    opaque = np.full((24, 32), 255, np.uint8)
    assert still(save(tmp_path / "a.png", np.dstack([picture(), opaque]))).alpha is None


def test_transparent_palette(tmp_path):
    image = Image.new("P", (2, 2))
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putdata([0, 1, 1, 0])
    image.save(tmp_path / "a.png", transparency=1)
    frame = still(tmp_path / "a.png")
    assert frame.alpha.tolist() == [[255, 0], [0, 255]] and frame.pixels[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("mode", ["L", "1", "P"])
def test_grey_and_palette_become_rgb(tmp_path, mode):
    Image.fromarray(picture()).convert(mode).save(tmp_path / "a.png")
    assert still(tmp_path / "a.png").pixels.shape == (24, 32, 3)


def test_sixteen_bits_become_eight(tmp_path):
    import cv2

    deep = picture()[..., ::-1].astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "a.png"), deep)
    assert np.abs(still(tmp_path / "a.png").pixels.astype(int) - picture()).max() <= 1
    cv2.imwrite(str(tmp_path / "b.png"), np.dstack([deep, np.full((24, 32), 32768, np.uint16)]))
    frame = still(tmp_path / "b.png")
    assert np.array_equal(frame.pixels, picture()) and abs(int(frame.alpha[0, 0]) - 128) <= 1


@pytest.mark.parametrize(("orientation", "upright"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_exif_orientation(tmp_path, orientation, upright):
    exif = Image.Exif()
    exif[0x0112] = orientation
    save(tmp_path / "a.jpg", picture(), exif=exif, quality=95, subsampling=0)
    expected = np.rot90(picture(), upright)
    frame = still(tmp_path / "a.jpg")
    assert frame.size == expected.shape[:2]
    assert np.abs(frame.pixels.astype(int) - expected).mean() < 6


def error(path):
    source = ImageFile(str(path))
    with pytest.raises(MediaError) as caught:
        source.open()
    source.close()
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.gif"])
def test_truncated_picture(tmp_path, name):
    path = save(tmp_path / name, picture(0, (120, 160)))
    path.write_bytes(path.read_bytes()[:-40])
    assert "truncated" in error(path)


def test_bad_pictures(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("no picture")
    assert "0 bytes" in error(tmp_path / "empty.png")
    assert "no picture" in error(tmp_path / "text.png")
    assert "no such file" in error(tmp_path / "none.png")


def test_folder_in_natural_order(tmp_path):
    for index in (10, 9, 1, 2):
        save(tmp_path / f"shot {index}.png", picture(index))
    (tmp_path / "notes.txt").write_text("not a picture")
    source = ImageFolder(str(tmp_path), rate=5)
    frames = frames_of(source)
    assert [read_barcode(frame.pixels) for frame in frames] == [1, 2, 9, 10]
    assert [frame.time for frame in frames] == pytest.approx([0, 0.2, 0.4, 0.6])
    assert source.size == (24, 32)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("s%03d.png", [1, 2]), ("*.png", [1, 2, 4]), ("s00[24].png", [2, 4]), ("../*/s*.png", [1, 2, 4])],
)
def test_patterns(tmp_path, pattern, expected):
    folder = tmp_path / "in"
    folder.mkdir()
    for index in (1, 2, 4):
        save(folder / f"s{index:03}.png", picture(index))
    assert [read_barcode(frame.pixels) for frame in frames_of(ImageFolder(f"{folder}/{pattern}"))] == expected


def test_first_picture_gives_the_size(tmp_path):
    save(tmp_path / "a.png", picture(1))
    save(tmp_path / "b.png", picture(2, (96, 128)))
    save(tmp_path / "c.png", np.dstack([picture(3, (12, 16)), np.full((12, 16), 90, np.uint8)]))
    frames = frames_of(ImageFolder(str(tmp_path)))
    assert [frame.size for frame in frames] == [(24, 32)] * 3
    assert [read_barcode(frame.pixels) for frame in frames] == [1, 2, 3]
    assert frames[2].alpha.shape == (24, 32)


def test_empty_folder(tmp_path):
    with pytest.raises(MediaError, match="no picture"):
        ImageFolder(str(tmp_path)).open()


def test_broken_picture_in_a_folder_is_named(tmp_path):
    save(tmp_path / "a.png", picture())
    (tmp_path / "b.png").write_text("no picture")
    source = ImageFolder(str(tmp_path))
    source.open()
    source.read()
    with pytest.raises(MediaError, match=r"b\.png"):
        source.read()
    source.close()
