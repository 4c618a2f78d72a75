"""What `framefx bench model` measured: one line for each network, runtime and number of threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

GROUPS = {
    "networks": "Networks at their own size",
    "runtimes": "BlazeSeg on every runtime",
    "sizes": "BlazeSeg at other sizes",
    "upsampling": "Bilinear upsampling against transposed convolution",
    "merge": "Interpolation in the network against framefx's merge",
    "classes": "Time against the number of classes",
}
"""What is measured, with its title."""


@dataclass(frozen=True)
class Measurement:
    """One configuration, measured in a process of its own.

    Attributes
    ----------
    group : str
        One of `GROUPS`.
    network : str
        Its name.
    detail : str
        What tells it from others of its group: the variant, the number of classes.
    pixels : str
        The input's size, ``256x144``.
    runtime : str
        What ran it, with what was asked of it: ``torch cuda fp16``.
    threads : int
    runs : int
        How many were timed.
    least, median : float
        Milliseconds of one run, by the clock.
    cpu : float
        Least milliseconds of processor time of one run, all threads together: what other programs disturb least.
    before, peak : float
        Megabytes of memory of the process before the network was loaded, and at the most.
    problem : str
        Why there are no figures; empty where there are.
    """

    group: str
    network: str
    detail: str
    pixels: str
    runtime: str
    threads: int
    runs: int = 0
    least: float = 0.0
    median: float = 0.0
    cpu: float = 0.0
    before: float = 0.0
    peak: float = 0.0
    problem: str = ""


@dataclass
class ModelReport:
    """Everything one run measured, and where."""

    machine: Mapping[str, str]
    command: str
    protocol: Mapping[str, float]
    measurements: list[Measurement] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def group(self, name: str) -> Sequence[Measurement]:
        """Return the measurements of a group that have figures."""
        return [one for one in self.measurements if one.group == name and not one.problem]

    @property
    def problems(self) -> Sequence[str]:
        """What could not be measured, a line for each network and runtime."""
        lines = [
            " ".join(filter(None, (one.network, one.detail, one.pixels, f"{one.runtime}: {one.problem}")))
            for one in self.measurements
            if one.problem
        ]
        return list(dict.fromkeys(lines))

    def to_json(self) -> dict[str, Any]:
        """Return plain dictionaries, lists, strings and numbers."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ModelReport:
        """Make a report of what `to_json` returned.

        Raises
        ------
        KeyError, TypeError
            For anything else.
        """
        measurements = [Measurement(**one) for one in data["measurements"]]
        return cls(data["machine"], data["command"], data["protocol"], measurements, list(data["notes"]))
