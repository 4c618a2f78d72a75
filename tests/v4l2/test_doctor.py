"""What `framefx doctor` says of systems that are not well."""

import os

import pytest

from framefx.cli import doctor
from framefx.cli.doctor import Finding, Places
from framefx.v4l2.holders import Holder
from framefx.v4l2.listing import Node


@pytest.fixture
def places(tmp_path):
    for name in ("sys/module", "sys/class/video4linux", "modules/6.1", "dkms"):
        (tmp_path / name).mkdir(parents=True)
    return Places(tmp_path / "sys", tmp_path / "modules", tmp_path / "dkms", "6.1")


def loaded(places, exclusive="Y", version="0.12.7"):
    here = places.sys / "module" / "v4l2loopback"
    (here / "parameters").mkdir(parents=True)
    (here / "version").write_text(f"{version}\n")
    (here / "parameters" / "exclusive_caps").write_text(exclusive)


def only(findings):
    (finding,) = findings
    return finding


def test_a_module_that_is_loaded(places):
    loaded(places)
    assert only(doctor.module(places)) == Finding("ok", "v4l2loopback 0.12.7 is loaded")


def test_a_module_that_is_not_there(places):
    finding = only(doctor.module(places))
    assert finding.grade == "FAIL" and "not installed" in finding.text and finding.fix


def test_a_module_that_is_not_loaded(places):
    (places.modules / "6.1" / "modules.dep").write_text("updates/dkms/v4l2loopback.ko: kernel/videodev.ko\n")
    assert only(doctor.module(places)).fix.startswith("sudo modprobe v4l2loopback")


def test_a_module_that_nobody_signed(places):
    (places.modules / "6.1" / "modules.dep").write_text("updates/dkms/v4l2loopback.ko:\n")
    variable = places.sys / doctor._SECURE_BOOT
    variable.parent.mkdir(parents=True)
    variable.write_bytes(b"\6\0\0\0\1")
    finding = only(doctor.module(places))
    assert "Secure Boot" in finding.text and "mokutil" in finding.fix


def test_a_module_built_for_another_kernel(places):
    (places.dkms / "v4l2loopback").mkdir()
    finding = only(doctor.module(places))
    assert "6.1" in finding.text and "dkms autoinstall" in finding.fix


def test_a_module_without_a_device(places):
    loaded(places)
    assert "has no device" in only(doctor.virtual_cameras(places)).text


def cameras(monkeypatch, tmp_path, *nodes, users=()):
    made = []
    for name, loopback in nodes:
        (tmp_path / name).touch()
        made.append(Node(str(tmp_path / name), name, "driver", loopback, not loopback))
    monkeypatch.setattr("framefx.v4l2.listing.nodes", lambda sysfs: made)
    monkeypatch.setattr("framefx.v4l2.holders.holders", lambda path, pids=None: list(users))


def test_a_camera_that_is_free(monkeypatch, tmp_path, places):
    cameras(monkeypatch, tmp_path, ("video0", False))
    assert only(doctor.real_cameras(places)).grade == "ok"


def test_a_camera_that_is_used_is_named_with_its_program(monkeypatch, tmp_path, places):
    cameras(monkeypatch, tmp_path, ("video0", False), users=[Holder(42, "zoom", True)])
    finding = only(doctor.real_cameras(places))
    assert finding.grade == "FAIL" and "zoom (process 42)" in finding.text and "kill 42" in finding.fix


def test_a_device_without_permission_says_which_group(monkeypatch, tmp_path, places):
    cameras(monkeypatch, tmp_path, ("video0", False))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "usermod -aG" in only(doctor.real_cameras(places)).fix


def test_a_loopback_that_browsers_do_not_list(monkeypatch, tmp_path, places):
    loaded(places, exclusive="N")
    cameras(monkeypatch, tmp_path, ("video10", True))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    note, failure = doctor.virtual_cameras(places)
    assert "exclusive_caps" in note.text and failure.grade == "FAIL"


def test_no_camera_is_a_note(places):
    assert only(doctor.real_cameras(places)).grade == "note"


def test_a_package_that_is_too_old_or_missing():
    old, missing = doctor.packages(["numpy>=99.1", "no-such-thing>=1", "numpy>=1.0", "x; extra == 'a'"])
    assert old.fix == "pip install 'numpy>=99.1'" and "is older than 99.1" in old.text
    assert missing.text == "no-such-thing is not installed"


def test_a_cache_that_cannot_be_written():
    assert "FRAMEFX_CACHE_DIR" in only(doctor.caches(lambda: None)).fix


def test_a_network_whose_file_is_missing(tmp_path):
    assert "blazeseg" in only(doctor.networks({"blazeseg": tmp_path / "nothing"})).text


def test_the_command_says_by_its_exit_code_whether_all_is_well(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "examine", lambda: iter([Finding("note", "a"), Finding("FAIL", "b", "c")]))
    assert doctor.main(["doctor"]) == 1
    assert capsys.readouterr().out == "note  a\nFAIL  b: run `c`\n"
    monkeypatch.setattr(doctor, "examine", lambda: iter([Finding("ok", "a")]))
    assert doctor.main(["doctor"]) == 0


def test_without_libturbojpeg_there_is_a_note(monkeypatch):
    monkeypatch.setattr("framefx.v4l2.turbojpeg.library", lambda: None)
    assert "sudo apt install libturbojpeg0" in [finding.fix for finding in doctor._jpeg()]
    monkeypatch.setattr("framefx.v4l2.turbojpeg.library", object)
    assert not any("turbojpeg" in finding.fix for finding in doctor._jpeg())
