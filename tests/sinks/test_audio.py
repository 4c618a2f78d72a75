"""Sound is copied packet by packet and stays in step."""

from __future__ import annotations

import av
import numpy as np
import pytest

from framefx.errors import MediaError
from framefx.sinks.video import VideoFile

from .helpers import pattern_frames, read_back, write

RATE = 30


@pytest.fixture
def talkie(tmp_path):
    """A function that writes a file with 60 frames of picture and two seconds of sound."""

    def make(name="in.mkv", codec="aac", delay=0.0, seconds=2.0, video=True):
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            pictures = (
                container.add_stream("mpeg4" if not name.endswith("webm") else "libvpx", rate=RATE) if video else None
            )
            rate = 48000 if codec == "libopus" else 44100
            sound = container.add_stream(codec, rate=rate, layout="mono")
            if pictures is not None:
                pictures.height, pictures.width = 48, 64
                for index, frame in enumerate(pattern_frames(60)):
                    picture = av.VideoFrame.from_ndarray(frame.pixels, "rgb24")
                    picture.pts = index + round(delay * RATE)
                    container.mux(pictures.encode(picture))
                container.mux(pictures.encode(None))
            wave = (np.sin(np.arange(int(rate * seconds)) / 9) * 9000).astype(np.int16)[None]
            frame = av.AudioFrame.from_ndarray(wave, "s16p", "mono")
            frame.sample_rate, frame.pts = rate, 0
            container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
        return path

    return make


def packets(path):
    """Bytes and times of the sound, in seconds after the first picture."""
    with av.open(str(path)) as container:
        start = next(container.decode(video=0)).time if container.streams.video else 0.0
    with av.open(str(path)) as container:
        return [(bytes(p), float(p.pts * p.time_base) - start) for p in container.demux(audio=0) if p.size]


@pytest.mark.parametrize(
    ("given", "codec", "made"),
    [
        ("in.mkv", "aac", "out.mp4"),
        ("in.mp4", "aac", "out.mkv"),
        ("in.mp4", "aac", "out.mov"),
        ("in.webm", "libopus", "out.webm"),
        ("in.mkv", "pcm_s16le", "out.mkv"),
    ],
)
@pytest.mark.parametrize("delay", [0.0, 0.5])
def test_every_packet_arrives_untouched_and_in_step(tmp_path, talkie, given, codec, made, delay):
    source = talkie(given, codec, delay)
    write(VideoFile(str(tmp_path / made), audio_from=str(source)), pattern_frames(60))
    before, after = packets(source), packets(tmp_path / made)
    assert after and [data for data, _ in after] == [data for data, _ in before]
    assert [time for _, time in after] == pytest.approx([time for _, time in before], abs=1.5e-3)
    assert len(read_back(tmp_path / made)) == 60


def test_ffmpeg_finds_the_same_sound(tmp_path, talkie, ffmpeg):
    source = talkie()
    write(VideoFile(str(tmp_path / "out.mp4"), audio_from=str(source)), pattern_frames(60))
    hashes = {
        ffmpeg("-i", path, "-map", "0:a", "-c", "copy", "-f", "streamhash", "-")
        for path in (source, tmp_path / "out.mp4")
    }
    assert len(hashes) == 1


def test_stops_with_the_picture_when_that_is_cut(tmp_path, talkie):
    source = talkie()
    write(VideoFile(str(tmp_path / "out.mp4"), audio_from=str(source)), pattern_frames(30))
    before, after = packets(source), packets(tmp_path / "out.mp4")
    assert [data for data, _ in after] == [data for data, _ in before[: len(after)]]
    assert 0.9 < after[-1][1] < 1.0


def test_longer_sound_is_kept_whole(tmp_path, talkie):
    source = talkie(seconds=3.0)
    write(VideoFile(str(tmp_path / "out.mp4"), audio_from=str(source)), pattern_frames(60))
    assert packets(tmp_path / "out.mp4")[-1][1] > 2.9


def test_sound_alone(tmp_path, talkie):
    source = talkie("in.m4a", video=False)
    write(VideoFile(str(tmp_path / "out.mp4"), audio_from=str(source)), pattern_frames(60))
    assert [data for data, _ in packets(tmp_path / "out.mp4")] == [data for data, _ in packets(source)]


def test_input_without_sound_adds_none(tmp_path):
    write(VideoFile(str(tmp_path / "in.mp4")), pattern_frames(5))
    write(VideoFile(str(tmp_path / "out.mp4"), audio_from=str(tmp_path / "in.mp4")), pattern_frames(5))
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video"]


def test_gif_has_no_sound(tmp_path, talkie):
    write(VideoFile(str(tmp_path / "out.gif"), audio_from=str(talkie())), pattern_frames(3))
    assert len(read_back(tmp_path / "out.gif")) == 3


def test_sound_that_the_container_cannot_hold(tmp_path, talkie):
    source = talkie()
    sink = VideoFile(str(tmp_path / "out.webm"), audio_from=str(source))
    with pytest.raises(MediaError, match=r"webm cannot hold the aac sound of .*`\.mkv`"):
        sink.open((48, 64), RATE, False)
    sink.abort()
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


def test_missing_input(tmp_path):
    sink = VideoFile(str(tmp_path / "out.mp4"), audio_from=str(tmp_path / "none.mp4"))
    with pytest.raises(MediaError, match=r"audio_from: .*none\.mp4"):
        sink.open((48, 64), RATE, False)
    sink.abort()
    assert list(tmp_path.iterdir()) == []
