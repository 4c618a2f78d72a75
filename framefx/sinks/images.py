"""Pictures: one file, or one file per frame."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from framefx.errors import MediaError, OptionError
from framefx.frame import Frame, Size
from framefx.sinks._files import PendingFile, write_error
from framefx.sinks.builtin import PICTURES, is_numbered

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_WITH_ALPHA = frozenset({".png", ".webp", ".tif", ".tiff"})

Quality = Annotated[int, Field(ge=1, le=100, description="of JPEG and WebP, in percent")]


class ImageSequence:
    """One picture per frame, numbered by the frame's own index: ``shots/%04d.png``.

    Numbers begin at 0, and a frame that never came leaves a gap. A location without ``%d`` is a folder and gets
    ``%06d.png``. The folder is made. Each picture appears when it is whole; `abort` removes those of this run.

    Parameters
    ----------
    location : str
        Folder, or path with one ``%d``.
    quality : int
        Of JPEG and WebP, 1 to 100.

    Raises
    ------
    OptionError
        For an ending that names no picture format.
    """

    live = False

    def __init__(self, location: str, *, quality: Quality = 92) -> None:
        self.location = location
        path = Path(location).expanduser()
        self._pattern = path if is_numbered(location) else path / "%06d.png"
        self.takes_alpha = _checked_suffix(location, self._pattern) in _WITH_ALPHA
        self._quality = quality
        self._written: list[Path] = []
        self._made_folder = False

    def open(self, size: Size, rate: float, has_alpha: bool) -> None:
        """Make the folder.

        Raises
        ------
        MediaError
            When it cannot be made.
        """
        self._written = []
        folder = self._pattern.parent
        self._made_folder = not folder.exists()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(self.location, error) from error

    def send(self, frame: Frame) -> None:
        """Write one picture.

        Raises
        ------
        MediaError
            When it cannot be written.
        """
        path = self._pattern.with_name(self._pattern.name % frame.index)
        write_picture(path, frame, self._quality)
        self._written.append(path)

    def wanted(self) -> bool:
        return True

    def finish(self) -> None:
        """Every picture is in its place already."""
        self._written = []

    def abort(self) -> None:
        for path in self._written:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        if self._made_folder:
            with contextlib.suppress(OSError):
                self._pattern.parent.rmdir()
        self._written, self._made_folder = [], False


class ImageFile:
    """One picture: the first frame, as ``ffmpeg -frames:v 1`` writes it; later frames are not looked at.

    Parameters
    ----------
    location : str
        Path; its ending chooses the format.
    quality : int
        Of JPEG and WebP, 1 to 100.

    Raises
    ------
    OptionError
        For an ending that names no picture format.
    """

    live = False

    def __init__(self, location: str, *, quality: Quality = 92) -> None:
        self.location = location
        self.takes_alpha = _checked_suffix(location, Path(location)) in _WITH_ALPHA
        self._quality = quality
        self._frame: Frame | None = None
        self._pending: PendingFile | None = None

    def open(self, size: Size, rate: float, has_alpha: bool) -> None:
        """See whether the file can be written.

        Raises
        ------
        MediaError
            When it cannot.
        """
        self._frame = None
        self._pending = PendingFile(self.location)

    def send(self, frame: Frame) -> None:
        if self._frame is None:
            self._frame = frame

    def wanted(self) -> bool:
        return self._frame is None

    def finish(self) -> None:
        """Write the picture.

        Raises
        ------
        MediaError
            When it cannot be written, or no frame came.
        """
        pending, self._pending = self._pending, None
        if pending is None:
            return
        try:
            if self._frame is None:
                raise MediaError(f"{self.location}: no frame came, so there is no picture: look at the source")
            data = encoded(self._frame, pending.final.suffix.lower(), self._quality)
            _fill(pending, data)
        except BaseException:
            pending.discard()
            raise
        pending.commit()

    def abort(self) -> None:
        if self._pending is not None:
            self._pending.discard()
        self._pending = self._frame = None


def write_picture(path: Path, frame: Frame, quality: int) -> None:
    """Write `frame` to `path`, whose ending chooses the format, all or nothing.

    Raises
    ------
    MediaError
        When it cannot be written.
    """
    data = encoded(frame, path.suffix.lower(), quality)
    pending = PendingFile(str(path))
    try:
        _fill(pending, data)
    except BaseException:
        pending.discard()
        raise
    pending.commit()


def encoded(frame: Frame, suffix: str, quality: int) -> npt.NDArray[np.uint8]:
    """Return `frame` as the bytes of a picture file; alpha is kept where the format has it."""
    import cv2

    alpha = frame.alpha if suffix in _WITH_ALPHA else None
    swapped = frame.array((*frame.size, 3 if alpha is None else 4))
    cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2BGR if alpha is None else cv2.COLOR_RGB2BGRA, swapped)
    if alpha is not None:
        cv2.insertChannel(alpha, swapped, 3)
    options = {
        # Level 1 takes a fifth of the time of zlib's usual 6 and a tenth more bytes.
        ".png": [cv2.IMWRITE_PNG_COMPRESSION, 1],
        ".jpg": [cv2.IMWRITE_JPEG_QUALITY, quality],
        ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, quality],
        ".webp": [cv2.IMWRITE_WEBP_QUALITY, quality],
    }
    return cv2.imencode(suffix, swapped, options.get(suffix, []))[1]


def _fill(pending: PendingFile, data: npt.NDArray[np.uint8]) -> None:
    try:
        pending.path.write_bytes(data.data)
    except OSError as error:
        raise write_error(pending.location, error) from error


def _checked_suffix(location: str, path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in PICTURES:
        known = " ".join(sorted(PICTURES))
        raise OptionError(f"{location}: '{suffix}' is no picture format, wanted one of {known}: write e.g. `out.png`")
    return suffix
