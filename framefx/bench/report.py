"""What was measured: rows of sides, single figures, what is wanted of them; as a dictionary for JSON and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from framefx.bench.measure import Timing


@dataclass(frozen=True)
class Row:
    """One piece of work, done by several sides; the first is framefx.

    Attributes
    ----------
    name, size : str
        The work, and the frame size as ``1280x720``.
    sides : sequence of Timing
        The first is framefx's own.
    wants : mapping
        Side's name to how many times more CPU time than framefx it must need.
    profile : mapping
        Part of framefx's work to its CPU milliseconds (median).
    """

    name: str
    size: str
    sides: Sequence[Timing]
    wants: Mapping[str, float] = field(default_factory=dict)
    profile: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """A single number, with the limit it must keep.

    Attributes
    ----------
    limit : float or None
        None: nothing is wanted of it.
    at_least : bool
        Whether `limit` is a lower bound; otherwise it is an upper one.
    """

    name: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def kept(self) -> bool:
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass
class Suite:
    """The results of one suite, with remarks for the reader."""

    name: str
    title: str
    rows: list[Row] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def short(self) -> list[str]:
        """What is short of the wanted figure, a line each."""
        result = []
        for row in self.rows:
            for side in row.sides[1:]:
                want = row.wants.get(side.name)
                if want is not None and ratio(side, row.sides[0]) < want:
                    got = times(ratio(side, row.sides[0]))
                    result.append(f"{row.name} {row.size} against {side.name}: {got}, wanted {times(want)}")
        for one in self.figures:
            if not one.kept:
                result.append(f"{one.name}: {one.value:g} {one.unit}, wanted {wanted(one)}")
        return result


@dataclass
class Report:
    """Everything one run of ``framefx bench`` measured, and where."""

    machine: Mapping[str, str]
    command: str
    suites: list[Suite]

    def to_json(self) -> dict[str, Any]:
        """Return plain dictionaries, lists, strings and numbers."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        """Make a report of what `to_json` returned.

        Raises
        ------
        KeyError, TypeError
            For anything else.
        """
        suites = []
        for suite in data["suites"]:
            rows = [Row(**{**row, "sides": [Timing(**side) for side in row["sides"]]}) for row in suite["rows"]]
            figures = [Figure(**one) for one in suite["figures"]]
            suites.append(Suite(suite["name"], suite["title"], rows, figures, list(suite["notes"])))
        return cls(data["machine"], data["command"], suites)


def ratio(other: Timing, ours: Timing) -> float:
    """Return how many times our CPU time the other needs, by the medians."""
    return other.cpu_median / max(ours.cpu_median, 1e-9)


def ratio_of_minima(other: Timing, ours: Timing) -> float:
    """Return how many times our CPU time the other needs, by the minima."""
    return other.cpu_min / max(ours.cpu_min, 1e-9)


def times(value: float) -> str:
    """Write a ratio: ``12.3×``, or ``1/2.4×`` when it is below one."""
    if value >= 0.95 or value <= 0:
        return f"{value:.1f}×" if value < 99.5 else f"{value:.0f}×"
    return f"1/{1 / value:.1f}×"


def wanted(figure: Figure) -> str:
    """Write the limit of a figure, or nothing."""
    if figure.limit is None:
        return ""
    return f"{'≥' if figure.at_least else '≤'} {figure.limit:g}"
