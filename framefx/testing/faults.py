"""What a bad day does to cameras, models, filters and outputs, by name."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import MappingProxyType

from framefx.testing.clock import ManualClock

FAULTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "source": {
            "unplugged": "raises DeviceError; opens again",
            "busy": "raises DeviceError, and again at the next two openings",
            "frozen": "gives nothing for two seconds, then raises DeviceError",
            "another mode": "gives a picture of half the size",
            "damaged": "gets a JPEG without its second half, and skips it",
            "ended": "ends",
            "clock jump": "the clock and all further frames are an hour later",
            "clock back": "this frame's time is an hour before the others'",
            "crash": "raises RuntimeError",
        },
        "model": {
            "raises": "raises RuntimeError",
            "slow": "takes 0.3 seconds",
            "hangs": "does not return",
            "no layer": "gives no layer",
            "None": "gives None for each layer",
            "no mask": "gives an array for each layer",
            "another size": "gives masks of a frame of another size",
            "NaN": "the network's outputs are NaN",
        },
        "filter": {
            "raises": "raises RuntimeError",
            "slow": "takes 0.3 seconds",
            "hangs": "does not return",
            "None": "returns None",
            "pixels": "returns pixels and no frame",
            "another size": "returns a frame of another size",
            "another dtype": "returns float pixels",
            "NaN": "returns NaN for pixels",
            "consumed frame": "returns the frame that make_writable() consumed",
            "read-only": "writes to a frame that is not its own",
            "half done": "raises RuntimeError when the frame is half written",
        },
        "sink": {
            "gone": "is away, and loses the frame",
            "taken": "raises DeviceError: another program writes to the device",
            "full disk": "raises OSError: no space is left",
            "slow": "takes half a second",
            "blocked": "does not return",
        },
    }
)
"""What can go wrong, by place and name."""


class Faults:
    """The faults of one place, at the frames that a test names.

    Faults that take time move the clock; only what hangs or is blocked waits in real time, until `release` is set.
    """

    place = ""

    def __init__(self, faults: Mapping[int, str], clock: ManualClock | None, patience: float) -> None:
        unknown = set(faults.values()) - FAULTS[self.place].keys()
        if unknown:
            known = ", ".join(FAULTS[self.place])
            raise ValueError(f"a {self.place} has no fault '{unknown.pop()}', wanted one of: {known}")
        self.faults = dict(faults)
        self.clock = clock or ManualClock()
        self.hanging, self.release = threading.Event(), threading.Event()
        self._patience = patience

    def hang(self) -> None:
        """Let two seconds pass, and wait until `release` is set."""
        self.clock.advance(2)
        self.hanging.set()
        self.release.wait(self._patience)
