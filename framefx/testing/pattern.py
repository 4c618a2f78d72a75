"""A moving picture that says by itself which frame it is and where its object is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from framefx.frame import Frame, FramePool, Image, Size

_BITS = 16


def make_frame(height: int = 48, width: int = 64, seed: int = 0, *, index: int = 0, time: float = 0.0) -> Frame:
    """Return a frame of `height` × `width` random pixels, the same for the same `seed`; it owns no pool memory."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Frame.borrow(pixels, index=index, time=time)


def draw_barcode(pixels: Image, number: int) -> None:
    """Write `number` (0 to 65535) into the bottom eighth of `pixels`: sixteen black or white bars, highest bit left.

    Wide bars survive lossy codecs, scaling and limited range.
    """
    height, width, _ = pixels.shape
    top = height - max(1, height // 8)
    for bit in range(_BITS):
        on = number >> (_BITS - 1 - bit) & 1
        pixels[top:, bit * width // _BITS : (bit + 1) * width // _BITS] = 255 * on


def read_barcode(pixels: Image) -> int:
    """Return the number that `TestPattern` wrote into a frame's bottom eighth.

    Parameters
    ----------
    pixels : (height, width, 3) uint8 RGB
        At least 16 pixels wide; encoded, scaled or changed in colour is fine.
    """
    height, width, _ = pixels.shape
    row = pixels[height - max(1, height // 16)].mean(axis=1)
    number = 0
    for bit in range(_BITS):
        centre = (bit * width // _BITS + (bit + 1) * width // _BITS - 1) // 2
        number = number << 1 | int(row[centre] > 127)
    return number


class TestPattern:
    """A coloured disc that circles over a textured background; every frame carries its index as a barcode.

    Where the disc is, is known exactly (`mask_at`), so a test can say whether masks are upright and in step with their
    frames. Frame n is at n / rate seconds.

    Parameters
    ----------
    size : (int, int)
        Height and width in pixels; at least 16 wide for the barcode.
    frames : int
        How many there are.
    rate : float
        Frames per second.
    live : bool
        Whether it plays a device.
    period : int
        Frames for one turn of the disc.
    """

    __test__ = False  # pytest takes classes called Test… for tests

    colour = (220, 60, 40)
    """RGB of the disc."""

    def __init__(
        self, size: Size = (96, 160), frames: int = 30, rate: float = 30.0, live: bool = False, period: int = 40
    ) -> None:
        self.size = size
        self.rate = rate
        self.live = live
        self.frames = frames
        self.has_alpha = False
        self._period = period
        self._pool = FramePool()
        self._position = 0

    def centre_at(self, index: int) -> tuple[float, float]:
        """Return (y, x) of the disc's centre in pixels."""
        height, width = self.size
        angle = 2 * np.pi * index / self._period
        return height * (0.42 + 0.14 * np.sin(angle)), width * (0.5 + 0.3 * np.cos(angle))

    def mask_at(self, index: int) -> npt.NDArray[np.uint8]:
        """Return where the disc is in frame `index`: (height, width) uint8, 255 inside, 0 outside."""
        height, width = self.size
        centre_y, centre_x = self.centre_at(index)
        y, x = np.ogrid[:height, :width]
        inside = (y - centre_y) ** 2 + (x - centre_x) ** 2 <= (0.22 * min(self.size)) ** 2
        return np.where(inside, np.uint8(255), np.uint8(0))

    def pixels_at(self, index: int) -> Image:
        """Return the pixels of frame `index`, (height, width, 3) uint8 RGB."""
        height, width = self.size
        y, x = np.ogrid[:height, :width]
        pixels = np.empty((height, width, 3), np.uint8)
        pixels[..., 0] = 40 + 80 * x // width
        pixels[..., 1] = 60 + 100 * y // height
        pixels[..., 2] = np.where((x // 8 + y // 8) % 2, 170, 110)
        pixels[self.mask_at(index) > 0] = self.colour
        draw_barcode(pixels, index)
        return pixels

    def open(self) -> None:
        self._position = 0

    def read(self) -> Frame | None:
        if self._position >= self.frames:
            return None
        index = self._position
        self._position += 1
        frame = self._pool.frame(self.size, index=index, time=index / self.rate)
        np.copyto(frame.pixels, self.pixels_at(index))
        return frame

    def close(self) -> None:
        """Nothing to release."""
