"""Why a device cannot be used, each with the command that mends it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from framefx.errors import DeviceError
from framefx.v4l2.holders import Holder, holders, named

MODPROBE = 'sudo modprobe v4l2loopback devices=1 exclusive_caps=1 card_label="framefx"'
"""Makes a virtual camera that call programs list."""


def explain(error: OSError, path: str, what: str, look: Callable[[str], list[Holder]] = holders) -> DeviceError:
    """Return what to tell the user when `what` (as "open the camera") failed with `error`."""
    code = error.errno
    if code in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return DeviceError(f"cannot {what}: {path} is not there: `framefx devices` lists what is")
    if code in (errno.EACCES, errno.EPERM):
        return DeviceError(
            f"cannot {what}: no permission for {path}: run `{permission_command(path)}`, then log in again"
        )
    if code == errno.EBUSY:
        return DeviceError(f"cannot {what}: {path} is used by {named(look(path))}: close that program")
    text = os.strerror(code) if code else str(error)
    return DeviceError(f"cannot {what}: {path}: {text}: `framefx doctor` looks for the reason")


def permission_command(path: str) -> str:
    """Return the command that lets the user open `path`: joining the group that owns it."""
    import grp

    try:
        group = grp.getgrgid(os.stat(path).st_gid).gr_name  # noqa: PTH116 - a device node, asked for one number
    except (OSError, KeyError):
        group = "video"
    return f"sudo usermod -aG {group} $USER"
