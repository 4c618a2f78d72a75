"""JPEG pictures: whole ones, damaged ones, and cameras that never send a clean one."""

import cv2
import numpy as np
import pytest

from framefx import kernels
from framefx.frame import FramePool
from framefx.v4l2 import structs as v4l
from framefx.v4l2.decode import JpegDecoder, _opencv, decoder, planar_decoder
from framefx.v4l2.device import Picture
from framefx.v4l2.pixels import PACKED, Packer
from framefx.v4l2.turbojpeg import library

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


# -- pictures that stay planar ------------------------------------------------------------------------------------

needs_library = pytest.mark.skipif(library() is None, reason="no libturbojpeg: apt install libturbojpeg0")
SAMPLINGS = {"4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420, "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422}


def coloured(sampling=cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420, size=SIZE):
    small = np.random.default_rng(3).integers(64, 192, (3, 4, 3), np.uint8)
    pixels = cv2.resize(small, size[::-1], interpolation=cv2.INTER_CUBIC)
    options = [cv2.IMWRITE_JPEG_QUALITY, 97, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    return cv2.imencode(".jpg", pixels[..., ::-1], options)[1].tobytes(), pixels


def kept(data, format="MJPG", **stated):
    return planar_decoder(Picture(64, 48, format, 0, 0, **stated))(data, FramePool(), 5, 0.5)


@needs_library
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_a_jpeg_stays_planar(sampling):
    data, pixels = coloured(SAMPLINGS[sampling])
    frame = kept(memoryview(data + bytes(64)))
    assert (frame.size, frame.index, frame.time, frame.planes.full_range) == (SIZE, 5, 0.5, True)
    far = frame.pixels.astype(int) - pixels
    assert np.abs(far).mean() < 3
    assert np.abs(far.mean((0, 1))).max() < 0.5  # the fast transform makes it 1.2


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_pixels_have_no_bias_either(decode, sampling):
    data, pixels = coloured(SAMPLINGS[sampling])
    out = np.zeros((*SIZE, 3), np.uint8)
    decode(data, out)
    assert np.abs((out.astype(int) - pixels).mean((0, 1))).max() < 0.5


@needs_library
@pytest.mark.parametrize("damage", ["another size", "4:4:4", "grey", "truncated", "noise", "nothing", "odd marker"])
def test_whatever_is_not_right_is_left_to_the_other_decoder(damage):
    data = coloured()[0]
    place = data.rindex(b"\xff\xda") + 30
    bad = {
        "another size": coloured(size=(24, 32))[0],
        "4:4:4": coloured(cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)[0],
        "grey": cv2.imencode(".jpg", coloured()[1][..., 0])[1].tobytes(),
        "truncated": data[:-40],
        "noise": np.random.default_rng(0).integers(0, 256, 5000, np.uint8).tobytes(),
        "nothing": b"",
        "odd marker": data[:place] + b"\xff\xd0" + data[place:],
    }
    assert kept(bad[damage]) is None


@needs_library
def test_a_camera_whose_pictures_never_fit_is_asked_eight_times(monkeypatch):
    keep, pool = planar_decoder(Picture(64, 48, "MJPG", 0, 0)), FramePool()
    good, bad = coloured()[0], b"no picture"
    for _ in range(7):
        assert keep(bad, pool, 0, 0.0) is None
    assert keep(good, pool, 0, 0.0) is not None
    for _ in range(8):
        assert keep(bad, pool, 0, 0.0) is None
    assert keep(good, pool, 0, 0.0) is None


def test_no_planes_are_kept_for_a_chain_that_reads_pixels():
    data = Packer("YUYV", 64, 48).pack(coloured()[1]).tobytes()
    keep, pool = planar_decoder(Picture(64, 48, "YUYV", 128, 0)), FramePool()
    for use in [lambda frame: frame.pixels] * 7 + [lambda frame: frame.downsampled(4)] * 20:
        use(keep(data, pool, 0, 0.0))
    for use in [lambda frame: frame.pixels, lambda frame: frame.make_writable()] * 4:
        use(keep(data, pool, 0, 0.0))
    assert keep(data, pool, 0, 0.0) is not None  # the eighth that was read is known now
    assert keep(data, pool, 0, 0.0) is None


@pytest.mark.parametrize("format", PACKED)
def test_pictures_of_other_formats_stay_planar(format):
    pixels = coloured()[1]
    data, wanted = Packer(format, 64, 48).pack(pixels).tobytes(), kernels.rgb_to_i420(pixels)
    frame = kept(data + bytes(100), format)
    assert np.abs(frame.planes.data.astype(int) - wanted).max() <= 1 and not frame.planes.full_range
    assert kept(data, format, quantization=v4l.QUANTIZATION_FULL).planes.full_range
    assert kept(data[:-1], format) is None
    assert planar_decoder(Picture(64, 48, format, 0, 0, colorspace=v4l.COLORSPACE_REC709)) is None


def test_other_formats_do_not_stay(monkeypatch):
    assert planar_decoder(Picture(64, 48, "RGB3", 192, 0)) is None
    assert planar_decoder(Picture(64, 47, "YU12", 64, 0)) is None
    monkeypatch.setattr("framefx.v4l2.decode.library", lambda: None)
    assert planar_decoder(Picture(64, 48, "MJPG", 0, 0)) is None
