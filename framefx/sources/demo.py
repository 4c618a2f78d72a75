"""A clip for those without a camera: scikit-image's astronaut, as if a hand held the camera."""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from framefx.errors import MediaError
from framefx.frame import Frame, FramePool, Image, Size

_HEIGHT, _WIDTH = 720, 1280
_RATE = 30.0
# The picture is 512 × 512. A 16:9 window around head and shoulders is 470 wide; it is enlarged once, smoothly.
_CENTRE = (244.0, 127.0)
_WINDOW = 470.0
_ENLARGED = _WIDTH / _WINDOW
_NOISE_SPARE = 96


class Demo:
    """A portrait in front of a wall, 1280 × 720 at 30 frames per second, with a hand's movement and a sensor's noise.

    The same on every run. Needs scikit-image, which carries the picture.

    Parameters
    ----------
    location : str
        Not used.
    seconds : float
        How long it is. The movement repeats every ten seconds without a jump.

    Attributes
    ----------
    frames : int
        How many there are.
    """

    live = False
    has_alpha = False

    def __init__(
        self,
        location: str = "",
        *,
        seconds: Annotated[float, Field(gt=0, description="length in seconds")] = 10.0,
    ) -> None:
        self.frames = max(1, round(seconds * _RATE))
        self._pool = FramePool()
        self._picture: Image | None = None
        self._noise: npt.NDArray[np.uint8] | None = None
        self._index = 0

    @property
    def size(self) -> Size:
        return (_HEIGHT, _WIDTH)

    @property
    def rate(self) -> float:
        return _RATE

    def open(self) -> None:
        """Load the picture.

        Raises
        ------
        MediaError
            Without scikit-image.
        """
        import cv2

        try:
            from skimage import data
        except ImportError as error:
            raise MediaError("the demo needs scikit-image: run `pip install 'framefx[demo]'`") from error
        self._index = 0
        side = round(512 * _ENLARGED)
        portrait = data.astronaut()  # type: ignore[no-untyped-call]
        self._picture = np.asarray(cv2.resize(portrait, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
        self._noise = _noise()

    def read(self) -> Frame | None:
        if self._picture is None or self._noise is None or self._index >= self.frames:
            return None
        import cv2

        index = self._index
        self._index += 1
        frame = self._pool.frame(self.size, index=index, time=index / _RATE)
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        size = (_WIDTH, _HEIGHT)
        cv2.warpAffine(self._picture, _hand(index / _RATE), size, frame.pixels, how, cv2.BORDER_REFLECT_101)
        # Other pixels of the same noise each time: as good as new to the eye, and a hundred times cheaper.
        y, x = index * 37 % _NOISE_SPARE, index * 61 % _NOISE_SPARE
        noise = self._noise[y : y + _HEIGHT, x : x + _WIDTH]
        cv2.addWeighted(frame.pixels, 1.0, noise, 1.0, -128.0, frame.pixels)
        return frame

    def close(self) -> None:
        self._picture = self._noise = None


def _hand(time: float) -> npt.NDArray[np.float64]:
    """Return the 2 × 3 matrix from output to enlarged picture; whole waves in ten seconds make the loop seamless."""

    def wave(*parts: tuple[float, int, float]) -> float:
        return sum(size * math.sin(2 * math.pi * (waves * time / 10 + phase)) for size, waves, phase in parts)

    zoom = 0.97 + wave((0.03, 1, 0.25), (0.004, 7, 0.1))
    turn = math.radians(wave((0.35, 2, 0.3), (0.15, 9, 0.6)))
    centre_x = _CENTRE[0] * _ENLARGED + wave((11, 2, 0.0), (3, 7, 0.4), (1.2, 23, 0.8))
    centre_y = _CENTRE[1] * _ENLARGED + wave((6, 3, 0.2), (2.5, 11, 0.7), (1.0, 29, 0.1))
    cos, sin = zoom * math.cos(turn), zoom * math.sin(turn)
    middle_x, middle_y = (_WIDTH - 1) / 2, (_HEIGHT - 1) / 2
    shift_x = centre_x - cos * middle_x + sin * middle_y
    shift_y = centre_y - sin * middle_x - cos * middle_y
    return np.array([[cos, -sin, shift_x], [sin, cos, shift_y]])


def _noise() -> npt.NDArray[np.uint8]:
    """Return noise around 128, mostly in brightness as a small sensor's is, with room to shift."""
    rng = np.random.default_rng(7)
    height, width = _HEIGHT + _NOISE_SPARE, _WIDTH + _NOISE_SPARE
    grey: npt.NDArray[Any] = rng.standard_normal((height, width, 1), np.float32) * 2.6
    colour = rng.standard_normal((height, width, 3), np.float32) * 1.4
    return np.asarray(np.rint(128 + grey + colour), np.uint8)
