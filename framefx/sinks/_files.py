"""Files that appear under their final name only when they are whole."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

from framefx.errors import MediaError


class PendingFile:
    """A file beside its final place: ``.NAME.XXXX.part``, renamed by `commit`, removed by `discard`.

    Parameters
    ----------
    location : str
        Final path. A link's target is what is replaced, not the link.

    Attributes
    ----------
    path : Path
        Where to write; exists, empty.
    final : Path
        Where it will be.

    Raises
    ------
    MediaError
        When the folder is missing or may not be written, or the final name is taken by something that is no file.
    """

    def __init__(self, location: str) -> None:
        self.location = location
        self.final = Path(os.path.realpath(Path(location).expanduser()))
        self.path = self.final.with_name(f".{self.final.name}.{secrets.token_hex(4)}.part")
        try:
            # Replacing a device would delete it.
            if not stat.S_ISREG(self.final.stat().st_mode):
                raise MediaError(f"{location} is no ordinary file: choose another name")
        except FileNotFoundError:
            pass
        except OSError as error:
            raise write_error(location, error) from error
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except OSError as error:
            raise write_error(location, error) from error

    def commit(self) -> None:
        """Give the file its final name, over whatever had it."""
        try:
            self.path.replace(self.final)
        except OSError as error:
            self.discard()
            raise write_error(self.location, error) from error

    def discard(self) -> None:
        """Remove it. Never raises."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def write_error(location: str, error: Exception) -> MediaError:
    """Say in one line why `location` cannot be written and what to do."""
    folder = Path(location).expanduser().parent
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT):
        return MediaError(f"{location}: the disk is full: `df -h {folder}` shows it; make room or write elsewhere")
    if number == errno.ENOENT:
        return MediaError(f"{location}: there is no folder {folder}: run `mkdir -p {folder}`")
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return MediaError(f"{location} may not be written: run `chmod u+w {folder}` or write elsewhere")
    if number == errno.EFBIG:
        return MediaError(f"{location}: the file became larger than is allowed: raise it with `ulimit -f unlimited`")
    text = getattr(error, "strerror", None) or str(error)
    return MediaError(f"{location} cannot be written ({text}): write elsewhere")
