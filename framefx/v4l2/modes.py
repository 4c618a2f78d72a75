"""What a camera offers, and which of it to take."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from framefx.v4l2 import structs as v4l
from framefx.v4l2.device import Device

COST = {"RGB3": 1.0, "NV12": 1.2, "YU12": 1.2, "YUYV": 1.3, "MJPG": 9.0, "JPEG": 9.0}
"""Formats that framefx reads, with what a picture costs to unpack, relative to copying it.

720p on one core: a copy 0.25 ms, YUYV 0.33, MJPG by libjpeg-turbo 2.2.
"""

_COMMON = (
    (320, 180),
    (320, 240),
    (640, 360),
    (640, 480),
    (800, 600),
    (960, 540),
    (1280, 720),
    (1600, 900),
    (1920, 1080),
    (2560, 1440),
    (3840, 2160),
)
_RATES = (60.0, 50.0, 30.0, 25.0, 24.0, 20.0, 15.0, 10.0, 5.0)


@dataclass(frozen=True)
class Mode:
    """A format, a size in pixels and a rate in frames per second (0 where the driver does not say)."""

    format: str
    width: int
    height: int
    rate: float

    def __str__(self) -> str:
        at = f" at {self.rate:g} frames a second" if self.rate else ""
        return f"{self.format} {self.width}x{self.height}{at}"


def list_modes(device: Device, formats: Container[str] | None = None) -> list[Mode]:
    """Return every mode that a capture device names, ranges shown by their common members.

    Parameters
    ----------
    device : Device
        An open camera.
    formats : container of str, optional
        Ask about these formats only: a driver may have a hundred, each with hundreds of modes.
    """
    return list(dict.fromkeys(_modes(device, formats)))


def _modes(device: Device, formats: Container[str] | None) -> Iterator[Mode]:
    for description in device.enumerate(v4l.ENUM_FMT, v4l.FormatDescription(type=v4l.CAPTURE)):
        number = int(description.pixelformat)
        if formats is not None and v4l.fourcc_name(number) not in formats:
            continue
        for width, height in _sizes(device, number):
            for rate in _rates(device, number, width, height) or [0.0]:
                yield Mode(v4l.fourcc_name(number), width, height, rate)


def _sizes(device: Device, number: int) -> list[tuple[int, int]]:
    sizes: list[tuple[int, int]] = []
    for answer in device.enumerate(v4l.ENUM_FRAMESIZES, v4l.SizeDescription(pixel_format=number)):
        if answer.type == v4l.SIZES_DISCRETE:
            sizes.append((int(answer.discrete.width), int(answer.discrete.height)))
            continue
        steps = answer.stepwise
        widths = (int(steps.min_width), int(steps.max_width), int(steps.step_width))
        heights = (int(steps.min_height), int(steps.max_height), int(steps.step_height))
        inside = [(w, h) for w, h in _COMMON if _within(w, widths) and _within(h, heights)]
        return sorted({*inside, (widths[1], heights[1])})
    return sizes


def _within(value: int, bounds: tuple[int, int, int]) -> bool:
    low, high, step = bounds
    return low <= value <= high and (value - low) % max(1, step) == 0


def _rates(device: Device, number: int, width: int, height: int) -> list[float]:
    rates: list[float] = []
    question = v4l.IntervalDescription(pixel_format=number, width=width, height=height)
    for answer in device.enumerate(v4l.ENUM_FRAMEINTERVALS, question):
        if answer.type == v4l.SIZES_DISCRETE:
            rates.append(_per_second(answer.discrete))
            continue
        slowest, fastest = _per_second(answer.stepwise.max), _per_second(answer.stepwise.min)
        return [fastest, *(rate for rate in _RATES if slowest <= rate < fastest)]
    return rates


def _per_second(interval: v4l.Fraction) -> float:
    return round(interval.denominator / interval.numerator, 3) if interval.numerator else 0.0


def choose_mode(
    modes: Iterable[Mode],
    *,
    size: tuple[int, int] | None = None,
    rate: float | None = None,
    format: str | None = None,
) -> Mode | None:
    """Return the mode nearest to what is asked, the cheapest of equals; None when none can be read.

    Parameters
    ----------
    modes : iterable of Mode
        What there is.
    size : (int, int), optional
        Width and height in pixels; without it, the size nearest to 1280x720 that reaches the rate.
    rate : float, optional
        Frames per second; 30 without it. Reaching it counts for more than a cheap format, and less than the size.
    format : str, optional
        Four letters; nothing else is taken.
    """
    readable = [mode for mode in modes if mode.format in COST and format in (None, mode.format)]
    if not readable:
        return None
    wanted_rate = rate or 30.0
    if size is None:
        # A cheap format whose large sizes are slow must not win by its size: reaching the rate comes first.
        return min(readable, key=lambda m: (_lack(m, wanted_rate), _distance(m, (1280, 720)), *_price(m, wanted_rate)))
    return min(readable, key=lambda m: (_distance(m, size), _lack(m, wanted_rate), *_price(m, wanted_rate)))


def _distance(mode: Mode, size: tuple[int, int]) -> float:
    """Return how far a size is: pixels too few count more than pixels too many, which are scaled down."""
    width, height = size
    missing = max(0, width - mode.width) / width + max(0, height - mode.height) / height
    spare = max(0, mode.width - width) / width + max(0, mode.height - height) / height
    return 2 * missing + spare


def _lack(mode: Mode, rate: float) -> float:
    # Half a frame per second is no lack: 29.97 for 30.
    return max(0.0, rate - 0.5 - mode.rate) if mode.rate else 0.0


def _price(mode: Mode, rate: float) -> tuple[float, float]:
    return COST[mode.format] * max(mode.rate, 1.0) / max(rate, 1.0), mode.rate
