"""A sink that keeps nothing."""

from __future__ import annotations

from framefx.frame import Frame, Size


class Null:
    """Takes frames and forgets them: for measuring, and for chains whose filters have effects of their own.

    Parameters
    ----------
    location : str
        Not used.

    Attributes
    ----------
    count : int
        Frames taken so far.
    """

    live = False
    takes_alpha = True

    def __init__(self, location: str = "") -> None:
        self.count = 0

    def open(self, size: Size, rate: float, has_alpha: bool) -> None:
        self.count = 0

    def send(self, frame: Frame) -> None:
        self.count += 1

    def wanted(self) -> bool:
        return True

    def finish(self) -> None:
        """Nothing to commit."""

    def abort(self) -> None:
        """Nothing to remove."""
