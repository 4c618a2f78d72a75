"""Video files: frames in are frames out, at their times, or nothing at all."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess

import av
import numpy as np
import pytest

from framefx import Frame, Sink
from framefx.errors import MediaError, OptionError
from framefx.sinks.video import VideoFile
from framefx.testing import read_barcode

from .helpers import noise_frames, pattern_frames, psnr, read_back, write

NAMES = ["a.mp4", "a.m4v", "a.mov", "a.mkv", "a.webm", "a.gif"]


def test_is_a_sink():
    sink = VideoFile("x.mp4")
    assert isinstance(sink, Sink) and sink.live is False and sink.wanted()
    assert not sink.takes_alpha and VideoFile("x.webm").takes_alpha


@pytest.mark.parametrize("name", NAMES)
def test_round_trip(tmp_path, name):
    frames = pattern_frames(12, (96, 160))
    write(VideoFile(str(tmp_path / name)), frames)
    back = read_back(tmp_path / name)
    assert [read_barcode(frame.pixels) for frame in back] == list(range(12))
    assert min(psnr(a.pixels, b.pixels) for a, b in zip(frames, back, strict=True)) > 29
    assert np.abs(np.mean([b.pixels.mean() - a.pixels.mean() for a, b in zip(frames, back, strict=True)])) < 2
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(("name", "precision"), [("a.mp4", 1e-4), ("a.mkv", 1e-3), ("a.webm", 1e-3), ("a.gif", 6e-3)])
def test_variable_rate_is_kept(tmp_path, name, precision):
    times = [0.0, 0.033, 0.0511, 0.1303, 0.5004, 0.517, 1.25, 1.2834]
    frames = [Frame.borrow(f.pixels, index=f.index, time=t) for f, t in zip(pattern_frames(8), times, strict=True)]
    write(VideoFile(str(tmp_path / name)), frames)
    assert [frame.time for frame in read_back(tmp_path / name)] == pytest.approx(times, abs=precision)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm", "a.gif"])
def test_frames_with_one_time_are_all_kept(tmp_path, name):
    frames = [Frame.borrow(f.pixels, index=f.index, time=0.2) for f in pattern_frames(5)]
    write(VideoFile(str(tmp_path / name)), frames)
    assert len(read_back(tmp_path / name)) == 5


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm", "a.gif"])
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (2, 2), (361, 641)])
def test_odd_and_tiny_sizes(tmp_path, name, size):
    frames = pattern_frames(3, size)
    write(VideoFile(str(tmp_path / name)), frames)
    back = read_back(tmp_path / name)
    assert [frame.size for frame in back] == [size] * 3


@pytest.mark.parametrize("name", ["a.webm", "a.gif"])
def test_alpha_is_kept(tmp_path, name):
    frames = pattern_frames(4, (96, 160), alpha=True)
    write(VideoFile(str(tmp_path / name)), frames)
    for sent, got in zip(frames, read_back(tmp_path / name), strict=True):
        assert np.abs(sent.alpha.astype(int) - got.alpha).mean() < 1
        # One pixel inside the edge, where half-size colour does not mix with what is hidden.
        inside = sent.alpha & np.roll(sent.alpha, 3, 0) & np.roll(sent.alpha, -3, 0)
        inside &= np.roll(sent.alpha, 3, 1) & np.roll(sent.alpha, -3, 1)
        assert psnr(sent.pixels[inside > 0], got.pixels[inside > 0]) > 25


def test_lossless_codec_changes_nothing(tmp_path):
    frames = noise_frames(3)
    write(VideoFile(str(tmp_path / "a.mkv"), codec="ffv1"), frames)
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(frames, read_back(tmp_path / "a.mkv"), strict=True))


@pytest.mark.parametrize("codec", ["mpeg4", "libx265", "libx264rgb", "mjpeg"])
def test_other_codecs(tmp_path, codec):
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no {codec}")
    write(VideoFile(str(tmp_path / "a.mkv"), codec=codec), pattern_frames(5))
    assert [read_barcode(frame.pixels) for frame in read_back(tmp_path / "a.mkv")] == list(range(5))


def test_quality_costs_bytes(tmp_path):
    sizes = []
    for quality in (10, 40):
        write(VideoFile(str(tmp_path / "a.mp4"), quality=quality), noise_frames(4))
        sizes.append((tmp_path / "a.mp4").stat().st_size)
    assert sizes[0] > 2 * sizes[1]


@pytest.mark.parametrize(("size", "matrix"), [((720, 64), "bt709"), ((480, 64), "smpte170m"), ((481, 63), "smpte170m")])
def test_tags_say_what_the_samples_are(tmp_path, size, matrix):
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed")
    write(VideoFile(str(tmp_path / "a.mp4")), pattern_frames(2, size))
    entries = "stream=color_space,color_range,color_primaries,color_transfer"
    command = ["ffprobe", "-v", "error", "-show_entries", entries, "-of", "json", str(tmp_path / "a.mp4")]
    stream = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["streams"][0]
    assert (stream["color_space"], stream["color_primaries"], stream["color_transfer"]) == (matrix,) * 3
    assert stream["color_range"] == "tv"


@pytest.mark.parametrize("size", [(720, 64), (480, 64)])
def test_ffmpeg_reads_the_same_colours(tmp_path, ffmpeg, size):
    colour = (200, 60, 30)
    write(VideoFile(str(tmp_path / "a.mp4")), [Frame.borrow(np.full((*size, 3), colour, np.uint8))])
    raw = ffmpeg("-i", tmp_path / "a.mp4", "-pix_fmt", "rgb24", "-f", "rawvideo", "-")
    assert np.frombuffer(raw, np.uint8).reshape(-1, 3).mean(0) == pytest.approx(colour, abs=3)


def test_nothing_under_the_final_name_before_the_end(tmp_path):
    sink = VideoFile(str(tmp_path / "a.mp4"))
    sink.open((48, 64), 30, False)
    for frame in pattern_frames(3):
        sink.send(frame)
    assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
    assert next(tmp_path.iterdir()).name.startswith(".a.mp4.")
    sink.abort()
    assert list(tmp_path.iterdir()) == []


def test_abort_keeps_what_was_there(tmp_path):
    (tmp_path / "a.mp4").write_text("older")
    sink = VideoFile(str(tmp_path / "a.mp4"))
    sink.open((48, 64), 30, False)
    sink.abort()
    sink.abort()
    assert (tmp_path / "a.mp4").read_text() == "older"


def test_replaces_its_own_input(tmp_path):
    write(VideoFile(str(tmp_path / "a.mkv"), codec="ffv1"), pattern_frames(3))
    frames = read_back(tmp_path / "a.mkv")
    write(VideoFile(str(tmp_path / "a.mkv"), audio_from=str(tmp_path / "a.mkv")), frames)
    assert len(read_back(tmp_path / "a.mkv")) == 3


def test_abort_without_open():
    VideoFile("x.mp4").abort()
    VideoFile("x.mp4").finish()


def test_no_frame_is_no_video(tmp_path):
    sink = VideoFile(str(tmp_path / "a.mp4"))
    sink.open((48, 64), 30, False)
    with pytest.raises(MediaError, match="no frame"):
        sink.finish()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a", "a.xyz", "a.txt"])
def test_unknown_ending(name):
    with pytest.raises(OptionError, match=r"\.mp4"):
        VideoFile(name)


def test_unknown_codec():
    with pytest.raises(OptionError, match="Did you mean 'libx264'"):
        VideoFile("a.mp4", codec="libx2644")


def test_codec_that_the_container_cannot_hold(tmp_path):
    sink = VideoFile(str(tmp_path / "a.webm"), codec="libx264")
    with pytest.raises(MediaError, match="webm cannot hold"):
        sink.open((48, 64), 30, False)
    sink.abort()
    assert list(tmp_path.iterdir()) == []


def test_missing_folder(tmp_path):
    with pytest.raises(MediaError, match="mkdir -p"):
        VideoFile(str(tmp_path / "none" / "a.mp4")).open((48, 64), 30, False)


@pytest.mark.fault(
    "the disk is full",
    "nothing: it is a file",
    "one line; exit code 1, and nothing under the final name",
)
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm", "a.gif"])
def test_full_disk(small_disk, name):
    sink = VideoFile(str(small_disk / name), quality=1)
    with pytest.raises(MediaError, match="disk is full") as caught:
        write(sink, noise_frames(20))
    sink.abort()
    assert "\n" not in str(caught.value) and caught.value.exit_code == 1
    assert list(small_disk.iterdir()) == []


def test_file_size_limit(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    sink = VideoFile(str(tmp_path / "a.mp4"), quality=1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, hard))
    try:
        with pytest.raises(MediaError, match="ulimit"):
            write(sink, noise_frames(20))
        sink.abort()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("alpha", [False, True])
def test_takes_no_new_memory_after_the_first_frames(tmp_path, pattern_source, alpha):
    source, pool = pattern_source
    sink = VideoFile(str(tmp_path / "a.webm"))
    sink.open(source.size, 30, alpha)
    for index in range(12):
        frame = source.read()
        sink.send(frame.with_alpha(source.mask_at(index)) if alpha else frame)
    sink.finish()
    assert pool.allocations <= 3


@pytest.fixture
def pattern_source():
    from framefx.testing import TestPattern

    source = TestPattern((48, 64), 12)
    source.open()
    return source, source._pool
