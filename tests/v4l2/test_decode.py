"""JPEG pictures: whole ones, damaged ones, and cameras that never send a clean one."""

import cv2
import numpy as np
import pytest

from framefx.v4l2.decode import JpegDecoder, _opencv, decoder
from framefx.v4l2.device import Picture

SIZE = (48, 64)


def jpeg(size=SIZE, level=90):
    pixels = np.zeros((*size, 3), np.uint8)
    pixels[..., 0] = level
    pixels[: size[0] // 2, :, 1] = 200
    return cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes(), pixels


@pytest.fixture(params=["simplejpeg", "opencv"])
def decode(request):
    decode = JpegDecoder()
    if request.param == "simplejpeg":
        pytest.importorskip("simplejpeg")
    else:
        decode._decode = _opencv
    return decode


def test_a_picture_is_decoded_into_the_given_memory(decode):
    data, pixels = jpeg()
    out = np.zeros((*SIZE, 3), np.uint8)
    decode(memoryview(data), out)
    assert np.abs(out.astype(int) - pixels).mean() < 2


def test_padding_after_the_end_is_no_damage(decode):
    decode(jpeg()[0] + bytes(500), np.zeros((*SIZE, 3), np.uint8))


@pytest.mark.parametrize("kept", [0, 1, 2, 100, -2, -40])
def test_a_truncated_picture_is_damaged(decode, kept):
    with pytest.raises(ValueError):
        decode(jpeg()[0][:kept], np.zeros((*SIZE, 3), np.uint8))


def test_noise_is_damaged(decode):
    noise = np.random.default_rng(0).integers(0, 256, 5000, np.uint8).tobytes()
    with pytest.raises(ValueError):
        decode(noise, np.zeros((*SIZE, 3), np.uint8))


def test_another_size_is_damaged(decode):
    with pytest.raises(ValueError):
        decode(jpeg((24, 32))[0], np.zeros((*SIZE, 3), np.uint8))


@pytest.mark.fault(
    "a camera never sends a clean JPEG",
    "the picture, from the ninth on",
    "believes it after eight whole ones",
)
def test_a_camera_that_never_sends_a_clean_picture_is_believed_after_eight():
    pytest.importorskip("simplejpeg")
    data, _ = jpeg()
    place = data.rindex(b"\xff\xda") + 30
    odd = data[:place] + b"\xff\xd0" + data[place:]  # a warning of libjpeg, and a picture all the same
    decode, out = JpegDecoder(), np.zeros((*SIZE, 3), np.uint8)
    for _ in range(8):
        with pytest.raises(ValueError):
            decode(odd, out)
    decode(odd, out)
    assert out.any()
    with pytest.raises(ValueError, match="no end"):
        decode(odd[:-40], out)


def test_formats_get_their_decoders():
    assert isinstance(decoder(Picture(64, 48, "MJPG", 0, 0)), JpegDecoder)
    out = np.zeros((*SIZE, 3), np.uint8)
    decoder(Picture(64, 48, "YUYV", 128, 0))(bytes([235, 128]) * (64 * 48), out)
    assert out.min() == 255
