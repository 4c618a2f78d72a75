"""Conversions agree with the definition of BT.601 in limited range."""

import numpy as np
import pytest

from framefx.frame import Frame, FramePool
from framefx.kernels import rgb_to_i420
from framefx.planar import PlanarFrame
from framefx.planes import Planes
from framefx.v4l2 import structs as v4l
from framefx.v4l2.device import Picture
from framefx.v4l2.pixels import PACKED, Packer, fit, packed_size, unpack

BARS = [(255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0)]


def bars(height=48, width=128):
    pixels = np.zeros((height, width, 3), np.uint8)
    for i, colour in enumerate(BARS):
        pixels[:, i * width // 8 : (i + 1) * width // 8] = colour
    return pixels


def smooth(height, width, seed=0):
    import cv2

    small = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def picture(format, width, height, line=0):
    return Picture(width, height, format, line, 0)


@pytest.mark.parametrize("format", PACKED)
def test_a_colour_bar_comes_back_within_three_levels(format):
    pixels = bars()
    data = Packer(format, 128, 48).pack(pixels)
    assert data.size == packed_size(format, 128, 48)
    back = np.zeros_like(pixels)
    unpack(data.tobytes(), picture(format, 128, 48), back)
    inside = np.abs(back.astype(int) - pixels).reshape(48, 8, 16, 3)[:, :, 2:-2]
    assert inside.max() <= 3


@pytest.mark.parametrize("format", PACKED)
@pytest.mark.parametrize("size", [(2, 2), (6, 10), (180, 322)])
def test_luma_is_that_of_the_standard(format, size):
    height, width = size
    pixels = smooth(height, width)
    data = Packer(format, width, height).pack(pixels)
    luma = data.reshape(height, width, 2)[..., 0] if format == "YUYV" else data[: height * width].reshape(size)
    wanted = 16 + pixels.astype(float) @ np.array([65.481, 128.553, 24.966]) / 255
    assert np.abs(luma - wanted).max() <= 1.01


@pytest.mark.parametrize("format", ["YUYV", "NV12", "YU12", "RGB3"])
def test_padding_at_the_ends_of_rows_is_left_out(format):
    pixels = smooth(8, 16)
    tight = pixels.tobytes() if format == "RGB3" else Packer(format, 16, 8).pack(pixels).tobytes()
    line = {"RGB3": 48, "YUYV": 32}.get(format, 16)
    rows = np.frombuffer(tight, np.uint8)
    if format == "YU12":
        luma = np.pad(rows[:128].reshape(8, 16), ((0, 0), (0, 8)), constant_values=99).reshape(-1)
        chroma = np.pad(rows[128:].reshape(8, 8), ((0, 0), (0, 4)), constant_values=99).reshape(-1)
        padded = np.concatenate([luma, chroma])
    else:
        padded = np.pad(rows.reshape(-1, line), ((0, 0), (0, 8)), constant_values=99)
    with_padding, without = np.zeros_like(pixels), np.zeros_like(pixels)
    unpack(padded.tobytes(), picture(format, 16, 8, line + 8), with_padding)
    unpack(tight, picture(format, 16, 8, line), without)
    assert np.array_equal(with_padding, without)


@pytest.mark.parametrize("format", ["YUYV", "NV12", "YU12", "RGB3"])
def test_a_short_picture_is_refused(format):
    with pytest.raises(ValueError, match="got 100 bytes"):
        unpack(bytes(100), picture(format, 16, 8), np.zeros((8, 16, 3), np.uint8))


def test_packing_uses_its_memory_again():
    packer = Packer("YU12", 16, 8)
    assert packer.pack(smooth(8, 16)) is packer.pack(smooth(8, 16, seed=1))


@pytest.mark.parametrize("full_range", [True, False])
@pytest.mark.parametrize("format", PACKED)
def test_a_planar_frame_is_packed_like_its_pixels(format, full_range):
    planes = Planes(rgb_to_i420(bars(), full_range=full_range), (48, 128), full_range)
    frame = PlanarFrame(planes, 0, 0.0, FramePool(), owned=True)
    packer = Packer(format, 128, 48)
    wanted = packer.pack(frame.pixels).copy()
    assert np.abs(packer.pack_frame(frame).astype(int) - wanted).max() <= 2
    assert np.array_equal(packer.pack_frame(Frame.borrow(frame.pixels)), wanted)


def test_fitting_keeps_the_shape_of_things():
    out = np.full((90, 160, 3), 7, np.uint8)
    fit(np.full((100, 100, 3), 200, np.uint8), out)
    assert (out[:, :35] == 0).all() and (out[:, 125:] == 0).all() and (out[:, 35:125] == 200).all()


@pytest.mark.parametrize(
    ("stated", "matrix", "full"),
    [
        ({}, "bt601", False),
        ({"colorspace": v4l.COLORSPACE_SRGB}, "bt601", False),
        ({"colorspace": v4l.COLORSPACE_REC709}, "bt709", False),
        ({"colorspace": v4l.COLORSPACE_SRGB, "encoding": v4l.YCBCR_ENC_709}, "bt709", False),
        ({"colorspace": v4l.COLORSPACE_JPEG}, "bt601", True),
        ({"colorspace": v4l.COLORSPACE_JPEG, "quantization": v4l.QUANTIZATION_LIMITED}, "bt601", False),
        ({"quantization": v4l.QUANTIZATION_FULL}, "bt601", True),
    ],
)
def test_colours_are_read_as_the_driver_states_them(stated, matrix, full):
    pixels = bars()
    data = rgb_to_i420(pixels, matrix=matrix, full_range=full)
    back = np.zeros_like(pixels)
    unpack(data, Picture(128, 48, "YU12", 128, 0, **stated), back)
    assert np.abs(back.astype(int) - pixels).reshape(48, 8, 16, 3)[:, :, 2:-2].max() <= 3
