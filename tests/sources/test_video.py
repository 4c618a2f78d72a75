"""Video files: the right pixels, upright, at the right times."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest

from framefx import Source
from framefx.errors import MediaError
from framefx.sources.video import VideoFile
from framefx.testing import TestPattern, read_barcode


def opened(path, **options):
    source = VideoFile(str(path), **options)
    source.open()
    return source


def frames_of(source):
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    source.close()
    return frames


def pictures(count=6, size=(48, 64)):
    pattern = TestPattern(size, count)
    return [pattern.pixels_at(index) for index in range(count)]


def test_is_a_source():
    assert isinstance(VideoFile("x.mp4"), Source)


@pytest.mark.parametrize("clip", ["clips/asl_eat.mkv", "clips/headpose_female.gif", "backgrounds/retrowave.webm"])
def test_decodes_as_ffmpeg_does(shared, ffmpeg, clip):
    path = shared(clip)
    source = opened(path)
    height, width = source.size
    raw = ffmpeg("-i", path, "-frames:v", 5, "-pix_fmt", "rgb24", "-vsync", "0", "-f", "rawvideo", "-")
    for theirs in np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3):
        assert np.abs(source.read().pixels.astype(int) - theirs).mean() < 1
    source.close()


def test_says_what_is_in_the_file(shared):
    source = opened(shared("clips/asl_eat.mkv"))
    assert (source.size, source.rate, source.frames, source.audio) == ((480, 640), 30, 47, False)
    assert source.live is False and source.has_alpha is False
    frames = frames_of(source)
    assert [frame.index for frame in frames] == list(range(47))
    assert frames[0].time == 0 and frames[-1].time == pytest.approx(46 / 30, abs=1e-3)


def test_first_frame_is_time_zero_wherever_the_file_begins(shared):
    path = shared("clips/asl_again.mkv")
    with av.open(str(path)) as container:
        stamps = [frame.time for frame in container.decode(video=0)]
    assert stamps[0] > 0
    assert [frame.time for frame in frames_of(opened(path))] == pytest.approx([s - stamps[0] for s in stamps])


def test_frames_come_in_order_and_unchanged(encode):
    expected = pictures()
    frames = frames_of(opened(encode("a.mkv", expected)))
    assert [read_barcode(frame.pixels) for frame in frames] == list(range(6))
    assert all(np.array_equal(frame.pixels, pixels) for frame, pixels in zip(frames, expected, strict=True))


def test_gif_delays_are_kept(tmp_path):
    from PIL import Image

    stills = [Image.fromarray(pixels) for pixels in pictures(4)]
    stills[0].save(tmp_path / "a.gif", save_all=True, append_images=stills[1:], duration=[50, 200, 20, 70])
    source = opened(tmp_path / "a.gif")
    assert source.has_alpha is False and source.frames == 4
    assert [frame.time for frame in frames_of(source)] == pytest.approx([0, 0.05, 0.25, 0.27])


@pytest.mark.parametrize(
    ("turn", "upright"),
    [
        ((0,), lambda p: p),
        ((90,), lambda p: np.rot90(p, 1)),
        ((180,), lambda p: np.rot90(p, 2)),
        ((-90,), lambda p: np.rot90(p, 3)),
        ((0, True), np.fliplr),
        ((0, False, True), np.flipud),
        ((90, True), lambda p: np.fliplr(np.rot90(p, 1))),
        ((-90, True), lambda p: np.fliplr(np.rot90(p, 3))),
    ],
)
def test_rotation_is_applied(encode, turn, upright):
    if not hasattr(av.VideoStream, "set_display_rotation"):
        pytest.skip("this PyAV cannot write a display matrix")
    expected = pictures(2)
    path = encode("a.mp4", expected, turn=turn, codec="libx264", coded="yuv444p")
    frames = frames_of(opened(path))
    turned = upright(expected[1])
    assert frames[1].size == turned.shape[:2]
    assert np.abs(frames[1].pixels.astype(int) - turned).mean() < 12


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("space", "red", "blue"), [(1, 0.2126, 0.0722), (6, 0.299, 0.114), (2, 0.299, 0.114)])
@pytest.mark.parametrize("rgb", [(200, 60, 30), (20, 180, 90), (40, 50, 220)])
def test_matrix_and_range_are_those_of_the_file(encode, full, space, red, blue, rgb):
    r, g, b = (value / 255 for value in rgb)
    luma = red * r + (1 - red - blue) * g + blue * b
    chroma = ((b - luma) / (2 - 2 * blue), (r - luma) / (2 - 2 * red))
    low, high, half = (0, 255, 255) if full else (16, 219, 224)
    samples = [low + high * luma, 128 + half * chroma[0], 128 + half * chroma[1]]
    planes = np.stack([np.full((16, 32), round(s), np.uint8) for s in samples])
    tags = {"colorspace": space, "color_range": 2 if full else 1}
    path = encode("a.mkv", [planes], format="yuv444p", coded="yuv444p", tags=tags)
    assert frames_of(opened(path))[0].pixels[8, 16].tolist() == pytest.approx(rgb, abs=3)


@pytest.mark.parametrize("coded", ["yuvj420p", "yuv420p10le", "yuv422p", "gray", "bgr0"])
def test_pixel_formats(encode, coded):
    codec = "mjpeg" if coded == "yuvj420p" else "ffv1"
    frame = frames_of(opened(encode("a.mkv", pictures(1), codec=codec, coded=coded)))[0]
    assert read_barcode(frame.pixels) == 0
    expected = pictures(1)[0] @ (np.array([0.299, 0.587, 0.114]) if coded == "gray" else np.eye(3))
    assert frame.pixels.mean() == pytest.approx(expected.mean(), abs=4)
    assert frame.alpha is None


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (361, 641)])
def test_odd_and_tiny_sizes(encode, size):
    source = opened(encode("a.mkv", pictures(2, size)))
    assert source.size == size
    assert np.array_equal(frames_of(source)[1].pixels, pictures(2, size)[1])


def test_alpha_of_webm(ffmpeg, tmp_path):
    alpha = "format=yuva420p,geq=lum=120:cb=100:cr=200:a='255*lt(X,32)'"
    ffmpeg("-f", "lavfi", "-i", "color=s=64x48:r=10:d=0.5", "-vf", alpha, "-c:v", "libvpx-vp9", tmp_path / "a.webm")
    source = opened(tmp_path / "a.webm")
    assert source.has_alpha
    frames = frames_of(source)
    assert len(frames) == 5
    assert frames[4].alpha[:, :28].min() > 250 and frames[4].alpha[:, 36:].max() < 5


def test_loop_goes_on_in_time(encode):
    source = opened(encode("a.mkv", pictures(3)), loop=True)
    assert source.frames is None
    frames = [source.read() for _ in range(8)]
    source.close()
    assert [frame.index for frame in frames] == list(range(8))
    assert [read_barcode(frame.pixels) for frame in frames] == [0, 1, 2, 0, 1, 2, 0, 1]
    assert [frame.time for frame in frames] == pytest.approx([index / 10 for index in range(8)], abs=2e-3)


def test_a_file_that_is_opened_again_begins_again(encode):
    source = VideoFile(str(encode("a.mkv", pictures(3))))
    runs = []
    for _ in range(2):
        source.open()
        runs.append([(frame.index, frame.time) for frame in iter(source.read, None)])
        source.close()
    assert runs[0] == runs[1]


def test_takes_no_new_memory_after_the_first_frames(shared):
    source = opened(shared("clips/asl_eat.mkv"))
    while source.read() is not None:
        pass
    source.close()
    assert source._pool.allocations <= 3


def test_picture_whose_size_changes_is_scaled_to_the_first(tmp_path):
    path = tmp_path / "a.ts"
    for size in ((48, 64), (96, 128)):
        with av.open(str(path) + ".part", "w", format="mpegts") as container:
            stream = container.add_stream("mpeg2video", rate=25)
            stream.height, stream.width = size
            stream.pix_fmt = "yuv420p"
            for index in range(3):
                frame = av.VideoFrame.from_ndarray(pictures(1, size)[0], "rgb24")
                frame.pts, frame.time_base = index + size[0], Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        path.write_bytes((path.read_bytes() if path.exists() else b"") + (tmp_path / "a.ts.part").read_bytes())
    assert {frame.size for frame in frames_of(opened(path))} == {(48, 64)}


def test_close_without_open_and_twice():
    source = VideoFile("x.mp4")
    source.close()
    source.close()
    assert source.read() is None


def test_imports_nothing_heavy():
    names = [
        *(f"sources.{name}" for name in ("video", "image", "demo", "camera", "y4m", "builtin")),
        *(f"sinks.{name}" for name in ("video", "images", "y4m", "null", "builtin")),
        "testing.fixtures",
    ]
    code = f"import sys, importlib; [importlib.import_module('framefx.' + name) for name in {names}]; "
    code += "assert not {'av', 'cv2', 'skimage', 'numba'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def message(path):
    source = VideoFile(str(path))
    with pytest.raises(MediaError) as caught:
        source.open()
    source.close()
    text = str(caught.value)
    assert "\n" not in text and str(path) in text and ("`" in text or "again" in text)
    assert caught.value.exit_code == 1
    return text


def test_missing_file(tmp_path):
    assert "no such file" in message(tmp_path / "none.mp4")


def test_empty_file(tmp_path):
    (tmp_path / "a.mp4").touch()
    assert "0 bytes" in message(tmp_path / "a.mp4")


def test_folder(tmp_path):
    assert "folder" in message(tmp_path)


@pytest.mark.parametrize("name", ["a.mp4", "a.txt", "a.mkv", "a.gif"])
def test_other_content(tmp_path, name):
    (tmp_path / name).write_text("This is no video.\n" * 99)
    message(tmp_path / name)


def test_sound_without_pictures(tmp_path):
    with av.open(str(tmp_path / "a.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    assert "no picture" in message(tmp_path / "a.wav")


def test_file_cut_before_its_index(encode):
    path = encode("a.mp4", pictures(), codec="libx264", coded="yuv420p")
    path.write_bytes(path.read_bytes()[:-600])
    assert "truncated" in message(path)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mkv", {}),
        ("a.mp4", {"codec": "libx264", "coded": "yuv420p", "options": {"movflags": "faststart"}}),
        ("a.avi", {"codec": "mjpeg", "coded": "yuvj420p"}),
        ("a.gif", {"codec": "gif", "coded": "rgb8"}),
    ],
)
def test_truncated_file_gives_what_is_there_and_then_an_error(encode, name, options):
    path = encode(name, pictures(40), **options)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    source = opened(path)
    count = 0
    with pytest.raises(MediaError, match="truncated"):
        while source.read() is not None:
            count += 1
    source.close()
    assert 5 < count < 40


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.mov", "a.avi", "a.webm"])
def test_whole_file_is_not_called_truncated(encode, name):
    codec = "libvpx" if name == "a.webm" else "mpeg4"
    assert len(frames_of(opened(encode(name, pictures(), codec=codec, coded="yuv420p")))) == 6
