"""``framefx devices``, ``setup`` and ``service``."""

import pytest
from v4l2_fake import FakeCamera, FakeSystem

from framefx.cli import devices, service, setup
from framefx.errors import DeviceError, UsageError
from framefx.v4l2 import listing
from framefx.v4l2.device import Device
from framefx.v4l2.holders import Holder
from framefx.v4l2.listing import Node
from framefx.v4l2.modes import Mode

NODES = [Node("/dev/video0", "Cam", "uvcvideo", False, True), Node("/dev/video10", "fx", "v4l2 loopback", True, False)]
MODES = [Mode("YUYV", 640, 480, 30.0), Mode("YUYV", 640, 480, 15.0), Mode("H264", 1920, 1080, 30.0)]


@pytest.fixture
def desk(monkeypatch):
    monkeypatch.setattr("framefx.v4l2.listing.nodes", lambda: NODES)
    monkeypatch.setattr("framefx.v4l2.listing.modes", lambda path: MODES)
    monkeypatch.setattr("framefx.v4l2.holders.holders", lambda path: [Holder(7, "zoom", True)])


def test_devices_are_listed_with_modes_and_users(desk, capsys):
    assert devices.main(["devices"]) == 0
    printed = capsys.readouterr().out
    assert "cameras:\n  /dev/video0  Cam (driver uvcvideo)\n      YUYV: 640x480 at 30\n" in printed
    assert "used by zoom (process 7)" in printed
    assert "virtual cameras:\n  /dev/video10  fx" in printed


def test_no_devices_say_what_to_do(monkeypatch, capsys):
    monkeypatch.setattr("framefx.v4l2.listing.nodes", list)
    devices.main(["devices"])
    assert "`framefx setup --print`" in capsys.readouterr().out


def test_one_device_shows_all_modes_and_its_controls(desk, monkeypatch, capsys):
    system = FakeSystem({"/dev/video0": FakeCamera()})
    monkeypatch.setattr(Device.__init__, "__defaults__", (system,))
    devices.main(["devices", "/dev/video0"])
    printed = capsys.readouterr().out
    assert "YUYV: 640x480 at 30/15" in printed and "H264" in printed
    assert "brightness = 0 (-64 to 64, step 1; default 0)" in printed
    assert "exposure_auto = 3 (1 Manual Mode, 3 Aperture Priority Mode; default 3)" in printed


def test_a_device_that_is_not_there():
    with pytest.raises(DeviceError, match="/dev/video77 is not there"):
        devices.main(["devices", "/dev/video77"])


def test_loopbacks_are_known_by_their_driver_and_not_by_their_number(tmp_path):
    from v4l2_fake import FakeLoopback

    for name in ("video10", "video2", "video0"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "name").write_text(f"{name}\n")
    (tmp_path / "video3").mkdir()
    (tmp_path / "video3" / "max_openers").write_text("10")
    made = {"/dev/video0": FakeCamera(), "/dev/video2": FakeLoopback(), "/dev/video10": FakeCamera(capabilities=0)}
    system = FakeSystem(made)
    found = listing.nodes(tmp_path, system)
    assert [node.path for node in found] == ["/dev/video0", "/dev/video2", "/dev/video3", "/dev/video10"]
    assert listing.loopbacks(tmp_path, system) == ["/dev/video2", "/dev/video3"]
    assert listing.cameras(tmp_path, system) == ["/dev/video0"]
    assert found[2].problem == "No such file or directory"


def test_setup_prints_commands_and_runs_nothing(capsys):
    assert setup.main(["setup", "--print", "--number", "10", "--label", "My Camera"]) == 0
    printed = capsys.readouterr().out
    assert 'exclusive_caps=1 card_label="My Camera" video_nr=10\' | sudo tee /etc/modprobe.d/framefx.conf' in printed
    assert "/etc/modules-load.d/framefx.conf" in printed


def test_a_label_that_does_not_survive_is_refused():
    with pytest.raises(UsageError, match="--label"):
        setup.main(["setup", "--label", 'a"b'])


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    calls = []
    monkeypatch.setattr(service.shutil, "which", lambda name: "/bin/systemctl")
    monkeypatch.setattr(service, "_systemctl", lambda *words: calls.append(words) or 0)
    return tmp_path, calls


def test_the_service_is_installed_and_removed(home):
    folder, calls = home
    config = folder / "my config.yaml"
    config.touch()
    assert service.main(["service", "install", "--config", str(config)]) == 0
    text = service.unit_path().read_text()
    assert f'-m framefx --config "{config}"' in text and "RestartPreventExitStatus=2" in text
    assert calls == [("daemon-reload",), ("enable", "framefx.service"), ("restart", "framefx.service")]
    assert service.main(["service", "status"]) == 0
    assert service.main(["service", "remove"]) == 0
    assert not service.unit_path().exists()
    assert service.main(["service", "status"]) == 1


def test_a_service_without_its_config(home):
    with pytest.raises(UsageError, match="is not there"):
        service.main(["service", "install", "--config", "nothing.yaml"])


def test_printing_the_unit_installs_nothing(home, capsys):
    config = home[0] / "50%.yaml"
    config.touch()
    service.main(["service", "install", "--print", "--config", str(config)])
    assert "50%%.yaml" in capsys.readouterr().out
    assert not service.unit_path().exists()
