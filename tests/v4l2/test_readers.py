"""Whether somebody looks, from what /proc and inotify say."""

import os

import pytest
from v4l2_fake import Clock

from framefx.v4l2.holders import Holder, holders, named
from framefx.v4l2.inotify import IN_CLOSE, IN_OPEN, Watch
from framefx.v4l2.readers import ProcReaders


class Scene:
    """A device with processes around it; counts how often all of them are looked at."""

    def __init__(self):
        self.clock = Clock()
        self.there: list[Holder] = []
        self.masks: list[int] = []
        self.looks = 0
        self.readers = ProcReaders("/dev/video10", watch=self, look=self.look, clock=self.clock)

    def events(self):
        masks, self.masks = self.masks, []
        return masks

    def close(self):
        pass

    def look(self, path, pids=None):
        self.looks += pids is None
        return [h for h in self.there if pids is None or h.pid in pids]

    def opens(self, pid, streams=False):
        self.there.append(Holder(pid, "program", streams))
        self.masks.append(IN_OPEN)

    def closes(self, pid):
        self.there = [h for h in self.there if h.pid != pid]
        self.masks.append(IN_CLOSE)

    def streams(self, pid):
        self.there = [Holder(h.pid, h.name, h.streams or h.pid == pid) for h in self.there]

    def after(self, seconds):
        self.clock.now += seconds
        return self.readers.present()


@pytest.fixture
def scene():
    scene = Scene()
    scene.readers.present()
    return scene


def test_a_program_that_only_probes_is_no_reader(scene):
    scene.opens(1)
    assert not scene.after(0.1)
    scene.closes(1)
    assert not scene.after(0.1)


def test_a_program_that_streams_is_one_within_a_quarter_of_a_second(scene):
    scene.opens(1)
    assert not scene.after(0.05)
    scene.streams(1)
    assert scene.after(0.25)
    scene.closes(1)
    assert not scene.after(0.05)


def test_a_program_that_streams_is_not_looked_at_all_the_time(scene):
    scene.opens(1, streams=True)
    assert scene.after(0)
    scene.there = [Holder(1, "program", False)]
    assert scene.after(0.9)
    assert scene.after(1.2)  # it holds the device for more than a second
    scene.closes(1)
    assert not scene.after(0.1)


def test_a_program_that_holds_on_without_streaming_reads_in_the_old_way(scene):
    scene.opens(1)
    scene.after(0)
    assert scene.after(1.0)


def test_of_two_readers_one_stays(scene):
    scene.opens(1, streams=True)
    scene.opens(2, streams=True)
    scene.masks = [IN_OPEN]  # the kernel joins equal events
    assert scene.after(0.1)
    scene.closes(1)
    assert scene.after(0.1)
    scene.closes(2)
    assert not scene.after(0.1)


def test_nothing_is_looked_at_while_nothing_happens(scene):
    before = scene.looks
    for _ in range(50):
        scene.after(0.1)
    assert scene.looks == before


def test_a_program_of_another_user_cannot_be_seen_and_counts_after_a_second(scene):
    scene.masks = [IN_OPEN]
    assert not scene.after(0)
    assert scene.after(1.0)
    scene.masks = [IN_CLOSE]
    assert not scene.after(0.1)


def test_inotify_notices_opening_and_closing(tmp_path):
    file = tmp_path / "device"
    file.touch()
    watch = Watch(str(file))
    assert watch.events() == []
    with file.open():
        assert any(mask & IN_OPEN for mask in watch.events())
    assert any(mask & IN_CLOSE for mask in watch.events())
    watch.close()
    watch.close()


def test_watching_what_is_not_there(tmp_path):
    with pytest.raises(OSError, match="inotify_add_watch"):
        Watch(str(tmp_path / "nothing"))


def proc(tmp_path, device, processes):
    """Make a /proc: pid to (name, open files, mapped files)."""
    for pid, (name, files, mapped) in processes.items():
        folder = tmp_path / str(pid) / "fd"
        folder.mkdir(parents=True)
        for number, target in enumerate(files):
            (folder / str(number)).symlink_to(target)
        (folder.parent / "comm").write_text(f"{name}\n")
        lines = [f"7f00-7f01 rw-s 00000000 00:05 123                  {target}\n" for target in mapped]
        (folder.parent / "maps").write_text("".join(lines))
    (tmp_path / "version").write_text("no process")
    return tmp_path


def test_holders_are_found_with_what_they_do(tmp_path):
    device = str(tmp_path / "video10")
    processes = {
        11: ("firefox", ["/dev/null", device], [device]),
        12: ("obs", [device], []),
        13: ("bash", ["/dev/null"], []),
        os.getpid(): ("python", [device], []),
    }
    found = holders(device, proc=proc(tmp_path / "proc", device, processes))
    assert found == [Holder(11, "firefox", True), Holder(12, "obs", False)]
    assert named(found) == "firefox (process 11), obs (process 12)"
    assert "another program" in named([])


def test_a_process_that_ends_meanwhile_is_nobody(tmp_path):
    assert holders("/dev/video10", [99], tmp_path) == []
