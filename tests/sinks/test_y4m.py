"""YUV4MPEG2, out and in."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import numpy as np
import pytest

from framefx import Sink, Source
from framefx.errors import MediaError
from framefx.sinks.y4m import PipeClosedError, Y4MOutput
from framefx.sources.y4m import Y4MInput
from framefx.testing import read_barcode

from .helpers import noise_frames, pattern_frames, psnr, write


def stream_of(frames, rate=30.0, **options):
    file = io.BytesIO()
    write(Y4MOutput(file, **options), frames, rate)
    return file.getvalue()


def frames_of(data, **options):
    source = Y4MInput(io.BytesIO(data), **options)
    source.open()
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    source.close()
    return frames


def test_are_ports():
    assert isinstance(Y4MInput(), Source) and isinstance(Y4MOutput(), Sink)
    assert not Y4MInput.live and not Y4MOutput.live and not Y4MOutput.takes_alpha


@pytest.mark.parametrize("matrix", ["bt601", "bt709"])
@pytest.mark.parametrize("size", [(48, 64), (96, 160), (361, 641)])
def test_round_trip(size, matrix):
    frames = pattern_frames(4, size)
    back = frames_of(stream_of(frames, matrix=matrix), matrix=matrix)
    assert [read_barcode(frame.pixels) for frame in back] == [0, 1, 2, 3]
    assert [frame.time for frame in back] == pytest.approx([index / 30 for index in range(4)])
    assert min(psnr(a.pixels, b.pixels) for a, b in zip(frames, back, strict=True)) > 27


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (3, 5), (2, 1)])
def test_odd_and_tiny_sizes(size):
    data = stream_of(pattern_frames(3, size))
    samples = size[0] * size[1] + 2 * (-(-size[0] // 2) * -(-size[1] // 2))
    assert len(data) == data.index(b"\n") + 1 + 3 * (6 + samples)
    assert [frame.size for frame in frames_of(data)] == [size] * 3


def test_rate_of_television():
    data = stream_of(pattern_frames(1), 30000 / 1001)
    assert b" F30000:1001 " in data
    source = Y4MInput(io.BytesIO(data))
    source.open()
    assert source.rate == pytest.approx(29.97, abs=1e-3)


def test_ffmpeg_reads_what_is_written(ffmpeg):
    frames = pattern_frames(3, (361, 641))
    raw = ffmpeg("-i", "-", "-pix_fmt", "rgb24", "-f", "rawvideo", "-", input=stream_of(frames))
    theirs = np.frombuffer(raw, np.uint8).reshape(3, 361, 641, 3)
    assert min(psnr(a.pixels, b) for a, b in zip(frames, theirs, strict=True)) > 30


@pytest.mark.parametrize(
    "pix_fmt", ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "gray", "yuv411p", "yuv420p10le", "yuva444p"]
)
@pytest.mark.parametrize("size", [(48, 64), (37, 53)])
def test_reads_what_ffmpeg_writes(ffmpeg, pix_fmt, size):
    if "10" in pix_fmt and size[1] % 2:
        pytest.skip("ffmpeg up to 5.1 writes one byte too few per row of deep odd colour planes")
    frame = pattern_frames(1, size)[0]
    given = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[1]}x{size[0]}", "-i", "-"]
    made = ["-pix_fmt", pix_fmt, "-strict", "-1", "-f", "yuv4mpegpipe", "-"]
    got = frames_of(ffmpeg(*given, *made, input=frame.pixels.tobytes()))
    if pix_fmt == "gray":
        grey = frame.pixels @ np.array([0.299, 0.587, 0.114])
        assert np.abs(got[0].pixels[..., 1] - grey).mean() < 3
    else:
        assert psnr(got[0].pixels, frame.pixels) > 20
        assert np.abs(got[0].pixels.mean((0, 1)) - frame.pixels.mean((0, 1))).max() < 4


def test_full_range_is_honoured():
    white = b"YUV4MPEG2 W2 H2 F25:1 C444 XCOLORRANGE=FULL\nFRAME\n" + bytes([235] * 4 + [128] * 8)
    assert frames_of(white)[0].pixels[0, 0].tolist() == [235] * 3
    assert frames_of(white.replace(b"FULL", b"LIMITED"))[0].pixels[0, 0].tolist() == pytest.approx([255] * 3, abs=1)


def test_frame_parameters_are_passed_over():
    data = b"YUV4MPEG2 W2 H2 C444 F0:0\nFRAME Ip\n" + bytes([128] * 12)
    source = Y4MInput(io.BytesIO(data))
    source.open()
    assert source.rate == 25 and source.read() is not None and source.read() is None


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "nothing came"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "begins with"),
        (b"hello world\n", "begins with"),
        (b"YUV4MPEG2 W8" + b"8" * 2000, "begins with"),
        (b"YUV4MPEG2 H4 F25:1\n", "damaged"),
        (b"YUV4MPEG2 Wx H4\n", "damaged"),
        (b"YUV4MPEG2 W0 H4\n", "0x4"),
        (b"YUV4MPEG2 W999999 H4\n", "999999x4"),
        (b"YUV4MPEG2 W4 H4 C999\n", "not known"),
    ],
)
def test_garbage(data, why):
    source = Y4MInput(io.BytesIO(data))
    with pytest.raises(MediaError, match=why) as caught:
        source.open()
    source.close()
    assert "\n" not in str(caught.value)


def test_stream_that_breaks_off():
    data = stream_of(pattern_frames(3))
    source = Y4MInput(io.BytesIO(data[:-9]))
    source.open()
    assert source.read() is not None and source.read() is not None
    with pytest.raises(MediaError, match="inside frame 2"):
        source.read()


def test_stream_with_other_things_between_frames():
    data = stream_of(pattern_frames(1)) + b"warning: something\n"
    source = Y4MInput(io.BytesIO(data))
    source.open()
    source.read()
    with pytest.raises(MediaError, match="does not begin with FRAME"):
        source.read()


def test_files(tmp_path):
    write(Y4MOutput(str(tmp_path / "a.y4m")), pattern_frames(2))
    assert [path.name for path in tmp_path.iterdir()] == ["a.y4m"]
    source = Y4MInput(str(tmp_path / "a.y4m"))
    source.open()
    assert read_barcode(source.read().pixels) == 0
    source.close()
    sink = Y4MOutput(str(tmp_path / "b.y4m"))
    sink.open((48, 64), 30, False)
    sink.abort()
    assert [path.name for path in tmp_path.iterdir()] == ["a.y4m"]


def test_missing_file(tmp_path):
    with pytest.raises(MediaError, match="no such file"):
        Y4MInput(str(tmp_path / "a.y4m")).open()


@pytest.mark.fault(
    "the reader of a pipe goes away",
    "nothing",
    "ends the run",
)
def test_reader_that_went_away():
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb", buffering=0) as pipe:
        sink = Y4MOutput(pipe)
        with pytest.raises(PipeClosedError) as caught:
            sink.open((48, 64), 30, False)
        assert caught.value.exit_code == 0 and sink.closed and not sink.wanted()
        sink.abort()


def test_full_disk(small_disk):
    sink = Y4MOutput(str(small_disk / "a.y4m"))
    with pytest.raises(MediaError, match="disk is full"):
        write(sink, noise_frames(9))
    sink.abort()
    assert list(small_disk.iterdir()) == []


PASS_ON = """
import os, sys
from framefx.sources.y4m import Y4MInput
from framefx.sinks.y4m import Y4MOutput
source, sink = Y4MInput("-"), Y4MOutput("-")
source.open()
sink.open(source.size, source.rate, False)
while (frame := source.read()) is not None:
    print("a stray print", flush=True)
    os.write(1, b"a stray write")
    sink.send(frame)
sink.finish()
print("done")
"""


def test_standard_streams_and_stray_prints():
    data = stream_of(pattern_frames(3))
    result = subprocess.run([sys.executable, "-c", PASS_ON], input=data, capture_output=True, check=True)
    assert result.stderr.count(b"a stray print") == result.stderr.count(b"a stray write") == 3
    stream, _, after = result.stdout.rpartition(b"done")
    assert after.strip() == b"" and [read_barcode(frame.pixels) for frame in frames_of(stream)] == [0, 1, 2]


def test_takes_no_new_memory_after_the_first_frames():
    data = stream_of(pattern_frames(9))
    source = Y4MInput(io.BytesIO(data))
    source.open()
    while source.read() is not None:
        pass
    assert source._pool.allocations <= 2
