"""Running from Python: locations or objects, and what a run will not overwrite."""

import numpy as np
import pytest

import framefx
from framefx.config import Settings
from framefx.errors import FramefxError, OptionError, UsageError
from framefx.job import Job
from framefx.plugins import PluginManager
from framefx.testing import ListSink, ListSource, TestPattern


@pytest.fixture(scope="module")
def plugins():
    return PluginManager(discover=False)


@pytest.fixture(autouse=True)
def no_devices(monkeypatch):
    """No camera and no loopback device, whatever machine this is."""
    monkeypatch.setattr("framefx.auto.devices", lambda *_: ([], []))


@pytest.fixture
def clip(tmp_path, plugins):
    path = tmp_path / "clip.y4m"
    framefx.run(TestPattern(frames=3), path, "flip", plugins=plugins)
    return path


def test_objects_need_no_devices_and_are_not_cut_short(plugins):
    sink = ListSink()
    report = framefx.run(TestPattern(frames=310), sink, "flip", plugins=plugins)
    assert report.sent == 310


def test_a_source_object_goes_to_a_file(clip):
    assert clip.stat().st_size > 0


def test_a_file_goes_to_a_sink_object(clip, plugins):
    sink = ListSink()
    framefx.run(clip, sink, "flip,flip", plugins=plugins)
    assert len(sink.frames) == 3


def test_a_chain_object_is_taken(plugins):
    sink = ListSink()
    source = ListSource([np.full((4, 6, 3), 100, np.uint8)])
    framefx.run(source, sink, framefx.Chain.parse("color=saturation=0"), plugins=plugins)
    assert abs(int(sink.pixels[0].mean()) - 100) <= 1


def test_settings_are_the_config_s_keys(plugins):
    sink = ListSink()
    framefx.run(TestPattern(frames=9), sink, "flip", plugins=plugins, frames=2)
    assert len(sink.frames) == 2


@pytest.mark.parametrize("settings", [{"frames": 0}, {"framse": 3}, {"mask": {"feather": "x"}}])
def test_wrong_settings_are_usage_errors(plugins, settings):
    with pytest.raises(UsageError):
        framefx.run(TestPattern(), ListSink(), "flip", plugins=plugins, **settings)


@pytest.mark.parametrize("source", ["{}", "y4m:{}"])
@pytest.mark.parametrize("sink", ["{}", "y4m:{}"])
def test_the_source_is_never_overwritten(clip, plugins, source, sink):
    before = clip.read_bytes()
    with pytest.raises(UsageError, match="is the --source: give the output another name, nothing was touched"):
        framefx.run(source.format(clip), sink.format(clip), "flip", plugins=plugins)
    assert clip.read_bytes() == before
    assert [path.name for path in clip.parent.iterdir()] == ["clip.y4m"]


def test_a_link_to_the_source_is_the_source(clip, plugins, tmp_path):
    (tmp_path / "link.y4m").symlink_to(clip)
    with pytest.raises(UsageError, match="nothing was touched"):
        framefx.run(clip, tmp_path / "link.y4m", "flip", plugins=plugins)


def test_a_failure_leaves_the_file_of_that_name_as_it_was(clip, plugins, tmp_path):
    out = tmp_path / "out.y4m"
    out.write_text("mine")

    class Broken(TestPattern):
        def read(self):
            if self._position == 2:
                raise FramefxError("asked to")
            return super().read()

    with pytest.raises(FramefxError, match="asked to"):
        framefx.run(Broken(), out, "flip", plugins=plugins)
    assert out.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.y4m", "out.y4m"]


def test_a_sink_that_nothing_writes_says_what_is_written(plugins):
    with pytest.raises(UsageError, match=r"'.unknown' is no video format, wanted one of .*mp4"):
        framefx.run(TestPattern(), "x.unknown", "flip", plugins=plugins)


def test_options_that_a_source_does_not_have_are_named(plugins, clip):
    settings = {"source": {"file": str(clip), "sise": 3}, "sink": "null", "chain": "flip"}
    with pytest.raises(OptionError, match="has no option 'sise'"):
        Job(Settings.model_validate(settings), plugins).source()


def test_without_a_camera_the_demo_is_ten_seconds_and_said_in_a_line(plugins):
    settings = Settings.model_validate({"chain": "flip", "sink": "null"})
    job = Job(settings, plugins)
    job.source()
    assert job.frames == 300
    assert job.notes == ["no camera found: the demo clip is used, 10 seconds, to null"]


def test_a_camera_without_a_loopback_device_says_how_to_make_one(plugins, monkeypatch):
    monkeypatch.setattr("framefx.auto.devices", lambda *_: (["/dev/video0"], []))
    settings = Settings.model_validate({"chain": "flip"})
    with pytest.raises(UsageError, match=r"run `sudo modprobe v4l2loopback.*or name a file with --sink out.mp4"):
        Job(settings, plugins).sink()
