"""``lut``: colour grades from `.cube` files."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field

from framefx import kernels
from framefx.errors import OptionError
from framefx.frame import Frame

F32 = npt.NDArray[np.float32]
_SIDES = {"LUT_1D_SIZE": (2, 65536), "LUT_3D_SIZE": (2, 129)}
_ROWS_SIDE = 65  # of the cube that a one-dimensional table becomes


def _readable(path: Path) -> Path:
    """Read the file before anything opens: a broken one is told there, and an edited one is seen."""
    if not path.is_file():
        raise OptionError(f"there is no file {path}")
    _cubes[path] = read_cube(path)
    _graded.cache_clear()
    return path


def lut(
    frame: Frame,
    *,
    file: Annotated[Path, AfterValidator(_readable), Field(description="a .cube file, with one or three dimensions")],
    strength: Annotated[float, Field(ge=0, le=1, description="0 leaves it to 1 the whole grade")] = 1.0,
) -> Frame:
    """Grade colours with a lookup table in Adobe's `.cube` format, as photo and film programs write it.

    Tetrahedral interpolation (Kasson and others, 1995) in one pass; a grey stays a grey where the table says so.
    """
    if strength == 0:
        return frame
    frame = frame.make_writable()
    kernels.lut_3d(frame.pixels, _graded(file, strength), out=frame.pixels)
    return frame


_cubes: dict[Path, F32] = {}


@lru_cache(maxsize=8)
def _graded(path: Path, strength: float) -> F32:
    """Return the cube, mixed with one that changes nothing."""
    if path not in _cubes:
        _cubes[path] = read_cube(path)
    table = _cubes[path]
    ramp = np.linspace(0, 1, table.shape[0], dtype=np.float32)
    same = np.stack(np.meshgrid(ramp, ramp, ramp, indexing="ij"), axis=-1)
    return np.ascontiguousarray(same + np.float32(strength) * (table - same), np.float32)


def read_cube(path: Path) -> F32:
    """Read a `.cube` file as a table (n, n, n, 3) by red, green, blue, for colours from 0 to 1.

    Raises
    ------
    OptionError
        When it is not one; the message has the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"{path}: cannot be read as a .cube file: {error}") from error
    cube = _Cube(path)
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if words:
            cube.add(words, f"{path}:{number}")
    return cube.table()


@dataclass
class _Cube:
    """What has been read so far."""

    path: Path
    kind: str = ""
    side: int = 0
    low: list[float] = field(default_factory=lambda: [0.0] * 3)
    high: list[float] = field(default_factory=lambda: [1.0] * 3)
    rows: list[list[float]] = field(default_factory=list)

    def add(self, words: list[str], at: str) -> None:
        """Take one line."""
        key = words[0]
        if key in _SIDES:
            self._size(words, at)
        elif key in ("DOMAIN_MIN", "DOMAIN_MAX"):
            setattr(self, "low" if key == "DOMAIN_MIN" else "high", _numbers(words[1:], at))
        elif key.endswith("_INPUT_RANGE"):
            low, high = _numbers([*words[1:], "0"], at)[:2]
            self.low, self.high = [low] * 3, [high] * 3
        elif key != "TITLE":
            if len(self.rows) == self._expected(at):
                raise OptionError(f"{at}: one line more than the {len(self.rows)} of {self.kind} {self.side}")
            self.rows.append(_numbers(words, at))

    def _size(self, words: list[str], at: str) -> None:
        least, most = _SIDES[words[0]]
        if self.kind:
            raise OptionError(f"{at}: {words[0]} after {self.kind}: a file has one table")
        if len(words) != 2 or not words[1].isdecimal() or not least <= int(words[1]) <= most:
            raise OptionError(f"{at}: got {' '.join(words)!r}, wanted {words[0]} and a number from {least} to {most}")
        self.kind, self.side = words[0], int(words[1])

    def _expected(self, at: str) -> int:
        if not self.kind:
            raise OptionError(f"{at}: numbers before LUT_3D_SIZE or LUT_1D_SIZE: is this a .cube file?")
        return self.side**3 if self.kind == "LUT_3D_SIZE" else self.side

    def table(self) -> F32:
        """Return the cube, once everything was read."""
        end = f"{self.path}: at its end"
        expected = self._expected(end)
        if len(self.rows) != expected:
            raise OptionError(f"{end}: the table has {len(self.rows)} lines, wanted {expected}")
        low, high = np.array(self.low), np.array(self.high)
        if (high <= low).any():
            raise OptionError(f"{end}: DOMAIN_MAX {self.high} is not above DOMAIN_MIN {self.low}")
        rows = np.array(self.rows, np.float64)
        if self.kind == "LUT_1D_SIZE":
            return _widened(rows, low, high)
        # In the file red changes fastest.
        cube = rows.reshape(self.side, self.side, self.side, 3).transpose(2, 1, 0, 3)
        if (low != 0).any() or (high != 1).any():
            cube = _on_unit(cube, low, high)
        return np.ascontiguousarray(cube, np.float32)


def _numbers(words: list[str], at: str) -> list[float]:
    try:
        values = [float(word) for word in words]
    except ValueError:
        values = []
    if len(values) != 3 or not np.isfinite(values).all():
        raise OptionError(f"{at}: got {' '.join(words)!r}, wanted three numbers")
    return values


def _widened(rows: npt.NDArray[np.float64], low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]) -> F32:
    """Return the cube of a table for each channel."""
    ramp = np.linspace(0, 1, _ROWS_SIDE)
    curves = [np.interp(ramp, np.linspace(low[c], high[c], len(rows)), rows[:, c]) for c in range(3)]
    return np.ascontiguousarray(np.stack(np.meshgrid(*curves, indexing="ij"), axis=-1), np.float32)


def _on_unit(
    cube: npt.NDArray[np.float64], low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Resample a cube over another domain to one from 0 to 1."""
    side = cube.shape[0]
    for axis in range(3):
        at = np.clip((np.linspace(0, 1, side) - low[axis]) / (high[axis] - low[axis]), 0, 1) * (side - 1)
        first = np.minimum(at.astype(int), side - 2)
        shape = [side if i == axis else 1 for i in range(4)]
        part = (at - first).reshape(shape)
        cube = cube.take(first, axis) * (1 - part) + cube.take(first + 1, axis) * part
    return cube
