"""From a body network's coarse logits to masks: persons, their parts, heatmaps and the peaks of heatmaps.

Logits are *levels*: 12 bits in 16, -2048 to 2047 in steps of a unit, so that two interpolations and a sort need no
wider arithmetic. Between the cells of a network it is logits that are interpolated: their sigmoid is flat where the
network is sure, and masks made from it have stairs.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from framefx.kernels._door import F32, I16, I32, I64, U8, between, check, scratch
from framefx.kernels._jit import Helper, kernel, uses
from framefx.kernels._steps import fill, mulhi

PARTS = 24
_LOWEST = -2048
_LEVELS = 4096


class Axis(NamedTuple):
    """Where the places of a mask lie among a network's cells: place i at ``start + i * step``, for `length` places."""

    start: float
    step: float
    length: int


# -- interpolation --------------------------------------------------------------------------------------------


@Helper
def _between_rows(upper: I16, lower: I16, weight: int, line: I16) -> None:
    w = np.int32(weight)
    for i in range(line.size):
        a, b = np.int32(upper[i]), np.int32(lower[i])
        line[i] = np.int16(a + (((b - a) * w) >> np.int32(15)))


@kernel("u8[:,:,:], const i16[:,:], const i32[:,:], const i32[:,:], const u8[:], i16[:]")
def _logit_masks(out: U8, levels: I16, rows: I32, columns: I32, lut: U8, line: I16) -> None:
    """Write row y of every plane from two rows of `levels`; `lut` says what a level means."""
    channels = out.shape[0]
    for y in range(out.shape[1]):
        _between_rows(levels[rows[0, y]], levels[rows[1, y]], rows[2, y], line)
        for c in range(channels):
            dst = out[c, y]
            for x in range(dst.size):
                i, j = np.uint64(columns[0, x] + c), np.uint64(columns[1, x] + c)
                a, b = np.int32(line[i]), np.int32(line[j])
                dst[x] = lut[np.uint64(a + (((b - a) * columns[2, x]) >> np.int32(15)) - np.int32(_LOWEST))]


# -- parts ----------------------------------------------------------------------------------------------------


@Helper
def _widen(row: I16, columns: I32, planes: I16) -> None:
    """Interpolate a row of cells at every place, and let each part's levels lie side by side."""
    width = np.uint64(columns.shape[1])
    for x in range(columns.shape[1]):
        left, right = row[columns[0, x] :], row[columns[1, x] :]
        w, to = columns[2, x], np.uint64(x)
        for c in range(PARTS):
            a, b = np.int32(left[c]), np.int32(right[c])
            planes[to] = np.int16(a + (((b - a) * w) >> np.int32(15)))
            to += width


@Helper
def _insert(upper: I16, lower: I16, weights: I16, number: int, best: I16) -> None:
    """Interpolate a part's levels between two rows and sort them into the three largest of each place.

    Each is packed with its number, which so takes part in the sort; conditions, because `min` and `max` would widen
    to 64 bits.
    """
    first, second, third = best[0], best[1], best[2]
    tag = np.int16(31 - number)
    for x in range(first.size):
        twice = np.int16(np.int16(lower[x] - upper[x]) << np.int16(1))
        level = np.int16(upper[x] + mulhi(twice, weights[x]))
        v = np.int16(np.int16(np.int16(level >> np.int16(1)) << np.int16(5)) + tag)
        a, b, c = first[x], second[x], third[x]
        low = a if a < v else v
        lowest = b if b < low else low
        first[x] = v if a < v else a
        second[x] = low if b < low else b
        third[x] = lowest if c < lowest else c


@Helper
def _share(out: U8, y: int, inside: U8, best: I16, falloff: F32, slots: I64) -> None:
    """Give each place's level to its three likeliest parts, in proportion to their odds and without a rest."""
    for x in range(inside.size):
        if inside[x] != 0:
            a, b, c = np.int32(best[0, x]), np.int32(best[1, x]), np.int32(best[2, x])
            top = a >> np.int32(5)
            p = falloff[np.uint64(top - (b >> np.int32(5)))]
            q = falloff[np.uint64(top - (c >> np.int32(5)))]
            share = np.float32(inside[x]) / (np.float32(1) + p + q)
            second, third = np.uint8(share * p + np.float32(0.5)), np.uint8(share * q + np.float32(0.5))
            out[slots[31 - (a & 31)], y, x] += np.uint8(inside[x] - second - third)
            out[slots[31 - (b & 31)], y, x] += second
            out[slots[31 - (c & 31)], y, x] += third


@Helper
def _is_empty(row: U8) -> Any:
    most = np.uint8(0)
    for x in range(row.size):
        most |= row[x]
    return most == 0


@kernel(
    "u8[:,:,:], const i16[:,:], const u8[:,:], const i32[:,:], const i32[:,:], const f32[:], const i64[:], i16[:,:],"
    " i16[:,:]"
)
def _part_masks(
    out: U8, levels: I16, person: U8, rows: I32, columns: I32, falloff: F32, slots: I64, wide: I16, best: I16
) -> None:
    """Add to row y of the planes from two rows of `levels`, where `person` is not 0; `wide` keeps the last two."""
    width, even, odd = person.shape[1], -1, -1
    for y in range(person.shape[0]):
        inside, top, bottom = person[y], rows[0, y], rows[1, y]
        if _is_empty(inside):
            continue
        for row in (top, bottom):
            if row & 1 == 0 and row != even:
                _widen(levels[row], columns, wide[0])
                even = row
            elif row & 1 == 1 and row != odd:
                _widen(levels[row], columns, wide[1])
                odd = row
        upper, lower = wide[top & 1], wide[bottom & 1]
        fill(best[:3].reshape(-1), -32768)
        fill(best[3], min(rows[2, y], 32767))
        for c in range(PARTS):
            part = slice(c * width, (c + 1) * width)
            _insert(upper[part], lower[part], best[3], c, best)
        _share(out, y, inside, best, falloff, slots)


# -- peaks ----------------------------------------------------------------------------------------------------


@kernel("i64[:,:], const i16[:,:,:], i64, i64, i64, i64, i16[:]")
def _logit_peaks(out: I64, levels: I16, top: int, bottom: int, left: int, right: int, best: I16) -> None:
    fill(best, -32768)
    for y in range(top, bottom):
        for x in range(left, right):
            cell = levels[y, x]
            for c in range(best.size):
                if cell[c] > best[c]:
                    best[c], out[c, 0], out[c, 1] = cell[c], y, x


# -- what is called -------------------------------------------------------------------------------------------


@uses(_logit_masks)
def logit_masks(levels: I16, rows: Axis, columns: Axis, lut: U8) -> U8:
    """Interpolate logits and turn each into a mask's level.

    Parameters
    ----------
    levels : (h, w, channels) int16
        Logits in steps of a unit, -2048 to 2047.
    rows, columns : Axis
        Where the masks' places lie among the cells; beyond the outermost ones they repeat.
    lut : (4096,) uint8
        What levels -2048 to 2047 mean, such as their sigmoid times 255.

    Returns
    -------
    (channels, rows.length, columns.length) uint8

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape or layout.
    """
    h, w, channels = check("levels", levels, (None, None, None), np.int16)
    check("lut", lut, (_LEVELS,))
    out = np.empty((channels, rows.length, columns.length), np.uint8)
    line = scratch("parts.line", (w * channels,), np.int16)
    _logit_masks(out, levels.reshape(h, -1), _taps(rows, h, 1), _taps(columns, w, channels), lut, line)
    return out


@uses(_part_masks)
def part_masks(levels: I16, person: U8, rows: Axis, columns: Axis, unit: float, planes: Sequence[int]) -> U8:
    """Share a person's mask among 24 parts.

    Each place's level goes to the three parts that are likeliest there, in proportion to their odds (softmax), and
    whole levels at that: over all parts they add up to `person`, and a union of parts is the sum of theirs.

    Parameters
    ----------
    levels : (h, w, 24) int16
        Logits in steps of `unit`, -2048 to 2047.
    person : (rows.length, columns.length) uint8
    rows, columns : Axis
        Where its places lie among the cells; beyond the outermost ones they repeat.
    unit : above 0
        What a level is worth as a logit.
    planes : sequence of 24 int
        Into which plane each part goes, -1 for none; several may share one.

    Returns
    -------
    (max(planes) + 1, rows.length, columns.length) uint8

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout or number.
    """
    h, w, _ = check("levels", levels, (None, None, PARTS), np.int16)
    check("person", person, (rows.length, columns.length))
    between("unit", unit, 1e-9, 1e9)
    slots = np.array(planes, np.int64)
    if slots.shape != (PARTS,) or slots.min() < -1:
        raise ValueError(f"planes: got {list(planes)}, want {PARTS} numbers from -1 up")
    count = int(slots.max()) + 1
    slots[slots < 0] = count
    out = np.zeros((count + 1, *person.shape), np.uint8)
    wide = scratch("parts.wide", (2, PARTS * columns.length), np.int16)
    best = scratch("parts.best", (4, columns.length), np.int16)
    taps = _taps(rows, h, 1), _taps(columns, w, PARTS)
    _part_masks(out, levels.reshape(h, -1), person, *taps, _falloff(float(unit)), slots, wide, best)
    return out[:count]


@uses(_logit_peaks)
def logit_peaks(levels: I16, rows: tuple[int, int], columns: tuple[int, int]) -> I64:
    """Find each channel's largest level in a part of the cells, the first of equal ones.

    Parameters
    ----------
    levels : (h, w, channels) int16
    rows, columns : (int, int)
        First cell and the one after the last; cut off at the edges, and never empty.

    Returns
    -------
    (channels, 2) int64
        Row and column of each.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape or layout.
    """
    h, w, channels = check("levels", levels, (None, None, None), np.int16)
    top, left = min(max(rows[0], 0), h - 1), min(max(columns[0], 0), w - 1)
    bottom, right = max(min(rows[1], h), top + 1), max(min(columns[1], w), left + 1)
    out = np.zeros((channels, 2), np.int64)
    _logit_peaks(out, levels, top, bottom, left, right, scratch("parts.peaks", (channels,), np.int16))
    return out


@functools.lru_cache(maxsize=32)
def _taps(axis: Axis, cells: int, stride: int) -> I32:
    """Return for each place the two cells it lies between, times `stride`, and the second one's weight."""
    at = np.clip(axis.start + axis.step * np.arange(axis.length), 0, cells - 1)
    first = np.floor(at)
    second = np.minimum(first + 1, cells - 1)
    taps = np.stack([first * stride, second * stride, np.round((at - first) * 32768)])
    return np.ascontiguousarray(taps, np.int32)


@functools.lru_cache(maxsize=8)
def _falloff(unit: float) -> F32:
    """Return the odds of a part that many packed levels below the likeliest; packing drops the last bit."""
    falloff: F32 = np.exp(-2 * unit * np.arange(_LEVELS // 2)).astype(np.float32)
    return falloff
