"""``framefx doctor``: everything that keeps a virtual camera from working, each with the command that mends it."""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from framefx.cli.setup import install_command

Grade = Literal["ok", "note", "FAIL"]

MODPROBE = 'sudo modprobe v4l2loopback devices=1 exclusive_caps=1 card_label="framefx"'
RELOAD = MODPROBE.replace("sudo modprobe", "sudo modprobe -r v4l2loopback; sudo modprobe")
_SECURE_BOOT = "firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


@dataclass(frozen=True)
class Finding:
    """What one check found, and the command that mends it."""

    grade: Grade
    text: str
    fix: str = ""

    def __str__(self) -> str:
        mend = f": run `{self.fix}`" if self.fix else ""
        return f"{self.grade:<4}  {self.text}{mend}"


@dataclass(frozen=True)
class Places:
    """Where the system says what it is; tests make their own."""

    sys: Path = Path("/sys")
    modules: Path = Path("/lib/modules")
    dkms: Path = Path("/var/lib/dkms")
    kernel: str = platform.release()


def main(argv: Sequence[str]) -> int:
    """Print what was found; return 1 when something keeps a virtual camera from working."""
    parser = argparse.ArgumentParser(prog=f"framefx {argv[0]}", allow_abbrev=False, description=__doc__)
    parser.parse_args(argv[1:])
    failed = False
    for finding in examine():
        failed = failed or finding.grade == "FAIL"
        sys.stdout.write(f"{finding}\n")
        sys.stdout.flush()
    return int(failed)


def examine(places: Places | None = None) -> Iterator[Finding]:
    """Yield a finding for each thing that can be wrong, in the order in which to mend them."""
    yield from packages()
    yield from caches()
    yield from networks()
    if sys.platform != "linux":
        yield Finding("note", "virtual cameras on this system: --sink pyvirtualcam:", "pip install pyvirtualcam")
        return
    places = places or Places()
    loaded = list(module(places))
    yield from loaded
    if not any(finding.grade == "FAIL" for finding in loaded):
        yield from virtual_cameras(places)
    yield from real_cameras(places)


def packages(wanted: Iterable[str] | None = None) -> Iterator[Finding]:
    """Look for packages that are missing or older than framefx needs."""
    from importlib import metadata

    if wanted is None:
        try:
            wanted = metadata.requires("framefx") or []
        except metadata.PackageNotFoundError:
            wanted = []
    good = True
    for requirement in wanted:
        match = re.match(r"([\w.-]+)\s*>=\s*([\d.]+)\s*$", requirement)
        if match is None:
            continue  # an extra, or a requirement without a lowest version
        name, lowest = match[1], match[2]
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            version = ""
        if not version or _numbers(version) < _numbers(lowest):
            good = False
            found = f"{name} {version} is older than {lowest}" if version else f"{name} is not installed"
            yield Finding("FAIL", found, f"pip install '{name}>={lowest}'")
    if good:
        yield Finding("ok", f"Python {platform.python_version()} and the packages that framefx needs")
    yield from _jpeg()


def _jpeg() -> Iterator[Finding]:
    from importlib.util import find_spec

    from framefx.v4l2.turbojpeg import library

    if find_spec("simplejpeg") is None:
        yield Finding("note", "cameras that send JPEG cost twice as much without simplejpeg", "pip install simplejpeg")
    if sys.platform == "linux" and library() is None:
        text = "cameras that send JPEG cost less with libturbojpeg"
        yield Finding("note", text, "sudo apt install libturbojpeg0")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3])


def caches(directory: Callable[[], Path | None] | None = None) -> Iterator[Finding]:
    """Look whether compiled kernels can be kept."""
    import warnings

    from framefx.kernels._jit import cache_directory

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        place = (directory or cache_directory)()
    if place is None:
        text = "compiled kernels cannot be kept: each start takes seconds longer"
        yield Finding("FAIL", text, "export FRAMEFX_CACHE_DIR=/a/folder/that/can/be/written")
    else:
        yield Finding("ok", f"compiled kernels are kept in {place}")


def networks(weights: dict[str, Path] | None = None) -> Iterator[Finding]:
    """Look whether the files of the networks are there."""
    if weights is None:
        from framefx.plugins import PluginManager

        weights = {one.name: one.path for one in PluginManager().registry.weights}
    missing = [name for name, path in weights.items() if not path.is_file()]
    for name in missing:
        yield Finding("FAIL", f"the network '{name}' is not there", "pip install --force-reinstall framefx")
    if not weights:
        yield Finding("FAIL", "no network is installed", "pip install --force-reinstall framefx")
    elif not missing:
        yield Finding("ok", f"networks: {', '.join(sorted(weights))}")


def module(places: Places) -> Iterator[Finding]:
    """Look for the driver of virtual cameras."""
    here = places.sys / "module" / "v4l2loopback"
    if here.exists():
        version = _line(here / "version")
        yield Finding("ok", f"v4l2loopback {version}".rstrip() + " is loaded")
        return
    if _has_module(places.modules / places.kernel):
        if _secure_boot(places):
            text = "v4l2loopback is not loaded; Secure Boot is on and refuses modules that nobody signed"
            key = "sudo mokutil --import /var/lib/dkms/mok.pub"
            yield Finding("FAIL", text, f"{key}; sudo reboot  # confirm the key when it starts, then {MODPROBE}")
        else:
            yield Finding("FAIL", "v4l2loopback is installed and not loaded", MODPROBE)
    elif (places.dkms / "v4l2loopback").is_dir():
        text = f"v4l2loopback is installed and was not built for this kernel ({places.kernel})"
        yield Finding("FAIL", text, "sudo apt install linux-headers-$(uname -r); sudo dkms autoinstall")
    else:
        yield Finding("FAIL", "v4l2loopback, the driver of virtual cameras, is not installed", install_command())


def _has_module(folder: Path) -> bool:
    try:
        return "v4l2loopback.ko" in (folder / "modules.dep").read_text(errors="replace")
    except OSError:
        return False


def _secure_boot(places: Places) -> bool:
    try:
        return (places.sys / _SECURE_BOOT).read_bytes()[-1:] == b"\1"
    except OSError:
        return False


def virtual_cameras(places: Places) -> Iterator[Finding]:
    """Look at each loopback device."""
    from framefx.v4l2.listing import nodes

    found = [node for node in nodes(places.sys / "class" / "video4linux") if node.is_loopback]
    if not found:
        yield Finding("FAIL", "v4l2loopback is loaded and has no device", RELOAD)
    exclusive = _line(places.sys / "module" / "v4l2loopback" / "parameters" / "exclusive_caps").split(",")
    for index, node in enumerate(found):
        problems = list(_virtual_camera(node.path, [*exclusive, *["Y"] * len(found)][index]))
        yield from problems or [Finding("ok", f"{node.path} ({node.name}) can be written")]


def _virtual_camera(path: str, exclusive: str) -> Iterator[Finding]:
    from framefx.v4l2.device import Device
    from framefx.v4l2.holders import holders, named
    from framefx.v4l2.problems import permission_command

    if exclusive == "N":
        yield Finding("note", f"{path}: Chromium and others do not list it: it is without exclusive_caps", RELOAD)
    if not os.access(path, os.R_OK | os.W_OK):
        yield Finding("FAIL", f"{path}: no permission", f"{permission_command(path)}  # then log in again")
        return
    users = holders(path)
    try:
        device = Device(path)
    except OSError as error:
        yield Finding("FAIL", f"{path}: {error.strerror}; it is used by {named(users)}", f"fuser -v {path}")
        return
    try:
        identity = device.identity()
    finally:
        device.close()
    writers = [user for user in users if not user.streams]
    if identity.captures and any(_is_framefx(user.pid) for user in writers):
        yield Finding("ok", f"{path}: framefx writes to it ({named(writers)})")
    elif writers and identity.captures:
        pid = writers[0].pid
        yield Finding("FAIL", f"{path}: {named(writers)} writes to it", f"kill {pid}  # or close it")
    elif identity.captures and not identity.outputs and exclusive != "N":
        readers = named(users) if users else "nobody"
        yield Finding("note", f"{path} still is a camera without a writer, read by {readers}: framefx takes it over")


def _is_framefx(pid: int) -> bool:
    return "framefx" in _line(Path(f"/proc/{pid}/cmdline"))


def real_cameras(places: Places) -> Iterator[Finding]:
    """Look at each camera."""
    from framefx.v4l2.holders import holders, named
    from framefx.v4l2.listing import nodes
    from framefx.v4l2.problems import permission_command

    found = [node for node in nodes(places.sys / "class" / "video4linux") if node.is_camera]
    if not found:
        yield Finding(
            "note", "no camera is plugged in (or its driver is missing)", "sudo dmesg | grep -i -E 'uvc|video'"
        )
    for node in found:
        users = [user for user in holders(node.path) if user.streams]
        if not os.access(node.path, os.R_OK | os.W_OK):
            fix = f"{permission_command(node.path)}  # then log in again"
            yield Finding("FAIL", f"{node.path} ({node.name}): no permission", fix)
        elif any(_is_framefx(user.pid) for user in users):
            yield Finding("ok", f"{node.path} ({node.name}) is used by framefx")
        elif users:
            fix = f"kill {users[0].pid}  # or close it"
            yield Finding("FAIL", f"{node.path} ({node.name}) is used by {named(users)}", fix)
        else:
            yield Finding("ok", f"{node.path} ({node.name}) is free")


def _line(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
