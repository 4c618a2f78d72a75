"""A camera through Video4Linux: memory-mapped pictures, the driver's own timestamps."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field

from framefx.errors import DeviceError, OptionError
from framefx.frame import Frame, FramePool, Size
from framefx.v4l2 import structs as v4l
from framefx.v4l2.controls import parse_controls, set_controls
from framefx.v4l2.decode import Decode, PlanarDecoder, decoder, planar_decoder
from framefx.v4l2.device import LINUX, Device, Identity, System
from framefx.v4l2.holders import Holder, holders
from framefx.v4l2.listing import cameras
from framefx.v4l2.modes import COST, Mode, choose_mode, list_modes
from framefx.v4l2.problems import explain
from framefx.v4l2.stream import Grab, Stream

log = logging.getLogger(__name__)

_FROZEN = 2.0
"""Seconds without a picture after which a camera has failed."""
_FIRST = 5.0
"""Seconds that a camera may take for its first picture: USB cameras take up to three."""


class Camera:
    """A V4L2 camera.

    It takes the mode nearest to what is asked, the cheapest of equals, and logs which. `Frame.time` is when the
    driver took the picture. When pictures come faster than they are read, the newest is taken. Damaged pictures are
    skipped and counted.

    Parameters
    ----------
    location : str
        ``/dev/videoN`` or a link to one (``/dev/v4l/by-id/…`` stays the same when cameras are plugged in another
        order), or ``auto`` for the first camera. A camera that comes back under another number is found again.
    size : str or (int, int), optional
        ``WIDTHxHEIGHT`` in pixels, or height and width; near 1280x720 without it.
    rate : float, optional
        Frames per second, and never more; 30 are asked for without it.
    format : {"auto", "MJPG", "YUYV", "NV12", "YU12", "RGB3"}
        What the camera sends.
    controls : str, optional
        Settings of the camera, ``NAME=VALUE,NAME=VALUE``; ``framefx devices /dev/videoN`` lists them.

    Attributes
    ----------
    mode : str
        The chosen mode in words; empty before `open`.
    corrupt, skipped : int
        Pictures that were damaged, and pictures that a newer one overtook or that `rate` left out.
    """

    live = True
    has_alpha = False

    _system: System = LINUX
    _clock: Callable[[], float] = staticmethod(time.monotonic)
    _look: Callable[..., list[Holder]] = staticmethod(holders)

    def __init__(
        self,
        location: str = "auto",
        *,
        size: Annotated[Size | str | None, Field(description="WIDTHxHEIGHT to ask for")] = None,
        rate: Annotated[float | None, Field(gt=0, le=1000, description="frames per second at most")] = None,
        format: Annotated[
            Literal["auto", "MJPG", "YUYV", "NV12", "YU12", "RGB3"], Field(description="what the camera sends")
        ] = "auto",
        controls: Annotated[str, Field(description="NAME=VALUE,… as `framefx devices /dev/videoN` lists them")] = "",
    ) -> None:
        self.location = location
        self.size: Size = (0, 0)
        self.rate = rate or 30.0
        self.mode = ""
        self.corrupt = self.skipped = 0
        self._wanted_size = _width_height(size)
        self._wanted_rate = rate
        self._wanted_format = None if format == "auto" else format
        self._controls = parse_controls(controls)
        self._pool = FramePool()
        self._identity: Identity | None = None
        self._chosen: Mode | None = None
        self._device: Device | None = None
        self._stream: Stream | None = None
        self._decode: Decode | None = None
        self._keep: PlanarDecoder | None = None
        self._index = 0
        self._start: float | None = None
        self._time = self._due = 0.0
        self._patience = _FIRST

    def open(self) -> None:
        """Open the camera, choose its mode and start it.

        Raises
        ------
        DeviceError
            When there is no camera, it is used by another program (which is named), may not be opened, or has no
            format that framefx reads; on a reopening also when its pictures have another size than before.
        """
        path = self._find()
        try:
            self._device = Device(path, self._system)
            identity = self._device.identity()
            if not identity.captures:
                raise DeviceError(f"{path} is no camera ({identity.card}): `framefx devices` lists cameras")
            self._configure(self._device)
            self._stream = Stream(self._device, clock=self._clock)
        except DeviceError:
            raise
        except OSError as error:
            raise explain(error, path, "open the camera", self._look) from error
        self._identity = identity
        self._index, self._start, self._time, self._due = 0, None, 0.0, float("-inf")
        self._patience = _FIRST

    def read(self) -> Frame | None:
        """Wait for the next whole picture.

        Raises
        ------
        DeviceError
            When the camera is gone, or has given no picture for two seconds.
        """
        if self._stream is None or self._decode is None:
            return None
        deadline, left = None, self._patience
        while left > 0:
            try:
                grab = self._stream.grab(left)
            except OSError as error:
                raise DeviceError(f"{self._name} is gone ({error.strerror}): plug it in again") from error
            if grab is None:
                break
            frame = self._taken(grab)
            if frame is not None:
                self._patience = _FROZEN
                return frame
            deadline = grab.time + self._patience if deadline is None else deadline
            left = deadline - self._clock()
        raise DeviceError(f"{self._name} has given no picture for {self._patience:g} seconds: plug it in again")

    def close(self) -> None:
        """Stop the camera: its light goes off."""
        stream, self._stream = self._stream, None
        device, self._device = self._device, None
        if stream is not None:
            self.skipped += stream.skipped
            stream.close()
        if device is not None:
            device.close()

    @property
    def _name(self) -> str:
        card = self._identity.card if self._identity else "the camera"
        return f"{card} ({self._device.path})" if self._device else card

    def _find(self) -> str:
        """Return the path to open: as asked, or where the camera that was open before is now."""
        if self.location in ("", "auto"):
            if self._identity is None:
                found = cameras(system=self._system)
                if not found:
                    raise DeviceError("there is no camera: plug one in; `framefx devices` lists what is there")
                return found[0]
        elif self._identity is None or self._is_same(self.location):
            return self.location
        return next((path for path in cameras(system=self._system) if self._is_same(path)), self.location)

    def _is_same(self, path: str) -> bool:
        try:
            device = Device(path, self._system)
        except OSError:
            return False
        try:
            now = device.identity()
        except OSError:
            return False
        finally:
            device.close()
        return (
            self._identity is not None
            and now.captures
            and (now.driver, now.card)
            == (
                self._identity.driver,
                self._identity.card,
            )
        )

    def _configure(self, device: Device) -> None:
        mode = self._chosen or self._choose(device)
        picture = device.set_format(v4l.CAPTURE, mode.width, mode.height, mode.format)
        if picture.format not in COST:
            raise DeviceError(f"{device.path} sends {picture.format}, which framefx does not read: try --format MJPG")
        try:
            rate = device.set_rate(v4l.CAPTURE, mode.rate or self._wanted_rate or 30.0) or mode.rate
        except OSError:
            rate = mode.rate
        size = (picture.height, picture.width)
        if self._identity is not None and size != self.size:
            raise DeviceError(
                f"{device.path} gives {size[1]}x{size[0]} now and gave {self.size[1]}x{self.size[0]}: restart framefx"
            )
        set_controls(device, self._controls)
        self.size, self._chosen = size, mode
        self.rate = min(rate or 30.0, self._wanted_rate or float("inf"))
        self._decode, self._keep = decoder(picture), planar_decoder(picture)
        self.mode = str(Mode(picture.format, picture.width, picture.height, rate))
        log.info("%s: %s", device.path, self.mode)

    def _choose(self, device: Device) -> Mode:
        wanted: dict[str, Any] = {
            "size": self._wanted_size,
            "rate": self._wanted_rate,
            "format": self._wanted_format,
        }
        mode = choose_mode(list_modes(device, COST), **wanted)
        if mode is not None:
            return mode
        offered = {mode.format for mode in list_modes(device)}
        now = device.format()
        # A driver that lists no sizes still says what it gives at present.
        if offered or (mode := choose_mode([Mode(now.format, now.width, now.height, 0.0)], **wanted)) is None:
            offers = ", ".join(sorted(offered)) or now.format
            reads = self._wanted_format or ", ".join(COST)
            raise DeviceError(f"{device.path} offers {offers}, wanted {reads}: try another format or camera")
        return mode

    def _taken(self, grab: Grab) -> Frame | None:
        """Return the picture as a frame, or None when it is damaged or too early for the asked rate."""
        with grab:
            if not self._is_due(grab.time):
                self.skipped += 1
                return None
            start = grab.time if self._start is None else self._start
            frame = None if grab.broken else self._decoded(grab, max(self._time, grab.time - start))
            if frame is None:
                self.corrupt += 1
                return None
        self._start = start
        self._time = frame.time
        self._index += 1
        return frame

    def _decoded(self, grab: Grab, time: float) -> Frame | None:
        """Return the picture as a frame, or None when it is damaged."""
        frame = self._keep(grab.data, self._pool, self._index, time) if self._keep is not None else None
        if frame is not None:
            return frame
        frame = self._pool.frame(self.size, index=self._index, time=time)
        try:
            if self._decode is not None:
                self._decode(grab.data, frame.pixels)
        except ValueError as error:
            if not self.corrupt:
                log.warning("%s: a damaged picture is skipped (%s); further ones are counted", self._name, error)
            return None
        return frame

    def _is_due(self, now: float) -> bool:
        """Keep to the asked rate when the camera is faster: a quarter of a period early is in time."""
        if self._wanted_rate is None:
            return True
        period = 1 / self._wanted_rate
        if now < self._due - 0.25 * period:
            return False
        self._due = self._due + period if now - self._due < period else now + period
        return True


def _width_height(size: Size | str | None) -> tuple[int, int] | None:
    if size is None:
        return None
    if not isinstance(size, str):
        height, width = size
        return width, height
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", size)
    if match is None:
        raise OptionError(f"v4l2: size is {size!r}, wanted WIDTHxHEIGHT, for example 1280x720")
    return int(match[1]), int(match[2])
