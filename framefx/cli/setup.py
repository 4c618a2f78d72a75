"""``framefx setup``: what makes a virtual camera that stays after a restart. It prints; it never runs sudo."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence

from framefx.errors import UsageError

OPTIONS = 'exclusive_caps=1 card_label="{label}"'
MODULE = "v4l2loopback"


def main(argv: Sequence[str]) -> int:
    """Print the commands."""
    parser = argparse.ArgumentParser(prog=f"framefx {argv[0]}", allow_abbrev=False, description=__doc__)
    parser.add_argument("--print", action="store_true", help="print the commands (there is nothing else)")
    parser.add_argument("--number", type=int, metavar="N", help="make it /dev/videoN")
    parser.add_argument("--label", default="framefx", help="the name that call programs show (default: %(default)s)")
    options = parser.parse_args(argv[1:])
    if set(options.label) & set("\"'\\,\n"):
        raise UsageError(f"--label {options.label!r}: quotes, commas and backslashes do not survive modprobe's files")
    sys.stdout.write(commands(options.label, options.number))
    return 0


def commands(label: str = "framefx", number: int | None = None) -> str:
    """Return the shell commands that install, load and keep the module."""
    parameters = OPTIONS.format(label=label) + (f" video_nr={number}" if number is not None else "")
    return (
        f"# install the driver, once\n{install_command()}\n"
        f"# what the camera is: now and after each restart\n"
        f"echo 'options {MODULE} {parameters}' | sudo tee /etc/modprobe.d/framefx.conf\n"
        f"echo {MODULE} | sudo tee /etc/modules-load.d/framefx.conf\n"
        f"# load it now (close call programs before, if it is loaded already)\n"
        f"sudo modprobe -r {MODULE}; sudo modprobe {MODULE}\n"
        f"# see whether everything is well\nframefx doctor\n"
    )


def install_command() -> str:
    """Return the command that installs the module on this system."""
    if shutil.which("apt-get"):
        return "sudo apt install v4l2loopback-dkms linux-headers-$(uname -r)"
    if shutil.which("dnf"):
        return "sudo dnf install akmod-v4l2loopback  # from RPM Fusion"
    if shutil.which("pacman"):
        return "sudo pacman -S v4l2loopback-dkms linux-headers"
    if shutil.which("zypper"):
        return "sudo zypper install v4l2loopback-kmp-default"
    return "see https://github.com/v4l2loopback/v4l2loopback for this system"
