"""Pictures that stay planar 4:2:0, as many cameras send and call programs read them.

What a chain that blurs the background needs of a frame are its smaller picture and a merge: neither needs its pixels
in RGB, which are twice the bytes, made on the way in and turned back on the way out.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from framefx.kernels._door import I16, I32, PLANE, U8, U16, U64, check, output, scratch
from framefx.kernels._downsample import _sum_rows
from framefx.kernels._jit import Helper, kernel, uses
from framefx.kernels._merge import APART, LIMITED, ON_BASE, _merge_reduced, merge_reduced
from framefx.kernels._steps import BLOCK, copy, limit
from framefx.kernels._yuv import _chroma_row, _forward, _inverse, _line_to_rgb, _luma_row, _planes, _split


@Helper
def _mean_levels(words: U64, factor: int, line: U8) -> None:
    """Average each `factor` of summed values; a word holds four of them."""
    even = np.uint64(0x0000FFFF0000FFFF)
    if factor == 2:
        for g in range(words.size):
            pairs = np.uint64((words[g] & even) + ((words[g] >> np.uint64(16)) & even)) + np.uint64(0x0000000200000002)
            i = np.uint64(2 * g)
            line[i], line[i + np.uint64(1)] = np.uint8(pairs >> np.uint64(2)), np.uint8(pairs >> np.uint64(34))
    elif factor == 4:
        for x in range(line.size):
            pairs = np.uint64((words[x] & even) + ((words[x] >> np.uint64(16)) & even))
            line[x] = np.uint8(np.uint32(np.uint32(pairs) + np.uint32(pairs >> np.uint64(32)) + np.uint32(8)) >> 4)
    else:
        for x in range(line.size):
            i = np.uint64(2 * x)
            both = np.uint64(words[i] + words[i + np.uint64(1)])
            pairs = np.uint64((both & even) + ((both >> np.uint64(16)) & even))
            line[x] = np.uint8(np.uint32(np.uint32(pairs) + np.uint32(pairs >> np.uint64(32)) + np.uint32(32)) >> 6)


@Helper
def _mean_row(plane: U8, y: int, factor: int, totals: U16, words: U64, line: U8) -> None:
    if factor == 1:
        copy(plane[y], line)
    else:
        _sum_rows(plane, y * factor, (y + 1) * factor, totals[: plane.shape[1]])
        _mean_levels(words[: plane.shape[1] // 4], factor, line)


@kernel("u8[:,:], const u8[:,:], const u8[:,:], const u8[:,:], i64, const i32[:], u16[:], u64[:], u8[:,:], u8[:,:]")
def _downsample_i420(
    out: U8, luma: U8, u: U8, v: U8, factor: int, matrix: I32, totals: U16, words: U64, lines: U8, planes: U8
) -> None:
    half = factor // 2
    for y in range(out.shape[0]):
        _mean_row(luma, y, factor, totals, words, lines[0])
        _mean_row(u, y, half, totals, words, lines[1])
        _mean_row(v, y, half, totals, words, lines[2])
        _line_to_rgb(lines[0], lines[1:], matrix, planes, out[y])


@kernel("u8[:,:,:], const u8[:,:], const i16[:,:,:], u8[:,:], u16[:,:]")
def _rgb_to_i444(out: U8, src: U8, matrix: I16, planes: U8, sums: U16) -> None:
    for y in range(src.shape[0]):
        _split(src[y], planes)
        _luma_row(planes, matrix[0], out[0, y])
        for c in range(3):
            for x in range(out.shape[2]):
                sums[c, x] = np.uint16(np.uint16(planes[c, x]) << np.uint16(2))
        _chroma_row(sums, matrix[1], out[1, y])
        _chroma_row(sums, matrix[2], out[2, y])


@kernel("u8[:], const u8[:], const i16[:,:]")
def _limit_range(out: U8, src: U8, shares: I16) -> None:
    limit(src, out, shares)


@Helper
def _mean_of_two(a: int, b: int) -> Any:
    return np.uint8(np.uint16(np.uint16(np.uint16(a) + np.uint16(b)) + np.uint16(1)) >> np.uint16(1))


@kernel("u8[:,:], u8[:,:], u8[:,:], const u8[:,:]")
def _yuyv_to_i420(luma: U8, u: U8, v: U8, src: U8) -> None:
    for c in range(u.shape[0]):
        upper, lower = src[2 * c], src[2 * c + 1]
        above, below, blue, red = luma[2 * c], luma[2 * c + 1], u[c], v[c]
        for x in range(above.size):
            i = np.uint64(2 * x)
            above[x], below[x] = upper[i], lower[i]
        for x in range(blue.size):
            i = np.uint64(4 * x + 1)
            blue[x] = _mean_of_two(upper[i], lower[i])
        for x in range(red.size):
            i = np.uint64(4 * x + 3)
            red[x] = _mean_of_two(upper[i], lower[i])


@kernel("u8[:], u8[:], const u8[:]")
def _part_pairs(u: U8, v: U8, src: U8) -> None:
    for x in range(u.size):
        i = np.uint64(2 * x)
        u[x], v[x] = src[i], src[i + np.uint64(1)]


# -- public ---------------------------------------------------------------------------------------------------


def fits_i420(size: tuple[int, int], factor: int, *, merging: bool = False) -> bool:
    """Tell whether planes of this size and this factor leave no rest.

    Parameters
    ----------
    size : (h, w)
    factor : int
        2, 4 or 8 for `downsample_i420`; 4 or 8 for `merge_i420`, whose chroma is enlarged half as much.
    merging : bool
        Whether `merge_i420` is asked about.

    Returns
    -------
    bool
        Whether it takes them.
    """
    return factor in _FACTORS[merging] and size[0] % factor == 0 and size[1] % (2 * factor) == 0


_FACTORS = {False: (2, 4, 8), True: (4, 8)}


@uses(_downsample_i420)
def downsample_i420(
    src: U8, size: tuple[int, int], factor: int, *, full_range: bool = False, out: U8 | None = None
) -> U8:
    """Average blocks of planar 4:2:0 (BT.601) and turn the means into RGB.

    Parameters
    ----------
    src : (h * w * 3 / 2,) uint8
        As `rgb_to_i420` writes it.
    size : (h, w)
    factor : 2, 4 or 8
        `fits_i420` tells which sizes it takes.
    full_range : bool
        Luma 0 to 255 instead of 16 to 235.
    out : (h / factor, w / factor, 3) uint8

    Returns
    -------
    (h / factor, w / factor, 3) uint8
        `out`: ``downsample(i420_to_rgb(src), factor)`` within two levels, where that did not have to clip.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout, size or factor, or an `out` that cannot be written.
    """
    h, w = _checked_size(size, factor)
    check("src", src, (h * w * 3 // 2,))
    small = h // factor, w // factor
    out = output("out", out, (*small, 3), src)
    totals = scratch("planes.totals", (w,), np.uint16)
    lines, planes = scratch("planes.lines", (3, small[1]), np.uint8), scratch("planes.rgb", (3, small[1]), np.uint8)
    matrix = _inverse("bt601", full_range)
    rows = out.reshape(small[0], -1)
    _downsample_i420(rows, *_planes(src, h, w), factor, matrix, totals, totals.view(np.uint64), lines, planes)
    return out


@uses(_merge_reduced, _rgb_to_i444)
def merge_i420(
    base: U8,
    size: tuple[int, int],
    top: U8,
    mask: U8,
    factor: int,
    *,
    full_range: bool = False,
    limited: bool = False,
    out: U8 | None = None,
) -> U8:
    """Show reduced RGB where the mask is 255 and planar 4:2:0 (BT.601) where it is 0, exactly; blend between.

    What `masked_merge` does, plane by plane: chroma is blended at its own resolution.

    Parameters
    ----------
    base : (h * w * 3 / 2,) uint8
        As `rgb_to_i420` writes it.
    size : (h, w)
    top : (h / factor, w / factor, 3) uint8
        Enlarged as `upsample` does.
    mask : (mh, mw) uint8, 0 base, 255 top
        Any size; it covers the whole picture.
    factor : 4 or 8
        `fits_i420` tells which sizes it takes.
    full_range : bool
        Luma 0 to 255 instead of 16 to 235, in `base`, and in `out` unless `limited`.
    limited : bool
        Limit a `base` of full range on its way, as `limit_i420` does.
    out : (h * w * 3 / 2,) uint8
        May be `base`, unless `limited`: then what does not change is not touched.

    Returns
    -------
    (h * w * 3 / 2,) uint8
        `out`.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout, size or factor, or an `out` that cannot be written or overlaps a source.
    """
    h, w = _checked_size(size, factor, merging=True)
    check("base", base, (h * w * 3 // 2,))
    small_h, small_w, _ = check("top", top, (h // factor, w // factor, 3))
    check("mask", mask, PLANE)
    limited = limited and full_range
    place = LIMITED if limited else ON_BASE if out is base else APART
    out = output("out", out, base.shape, top, mask, *(() if place == ON_BASE else (base,)))
    small = scratch("planes.small", (3, small_h, small_w), np.uint8)
    room = scratch("planes.rgb", (3, small_w), np.uint8), scratch("planes.sums", (3, small_w), np.uint16)
    _rgb_to_i444(small, top.reshape(small_h, -1), _forward("bt601", full_range and not limited), *room)
    luma, chroma = _limits()
    for part, above, shape, times, shares in (
        (slice(h * w), small[:1], (1, h, w), factor, luma),
        (slice(h * w, None), small[1:], (2, h // 2, w // 2), factor // 2, chroma),
    ):
        merge_reduced(out[part].reshape(shape), base[part].reshape(shape), above, mask, place, times, 1, shares)
    return out


@uses(_yuyv_to_i420)
def yuyv_to_i420(src: U8, size: tuple[int, int], *, out: U8 | None = None) -> U8:
    """Take packed 4:2:2 apart; two rows of chroma become their mean.

    Parameters
    ----------
    src : (h * w * 2,) uint8
        As `rgb_to_yuyv` writes it.
    size : (h, w)
        Even numbers.
    out : (h * w * 3 / 2,) uint8

    Returns
    -------
    (h * w * 3 / 2,) uint8
        `out`.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout or size, or an `out` that cannot be written.
    """
    h, w = _even(size)
    check("src", src, (h * w * 2,))
    out = output("out", out, (h * w * 3 // 2,), src)
    _yuyv_to_i420(*_planes(out, h, w), src.reshape(h, -1))
    return out


@uses(_part_pairs)
def nv12_to_i420(src: U8, size: tuple[int, int], *, out: U8 | None = None) -> U8:
    """Take the chroma of 4:2:0 with one chroma plane apart; otherwise as `yuyv_to_i420`."""
    h, w = _even(size)
    check("src", src, (h * w * 3 // 2,))
    out = output("out", out, src.shape, src)
    np.copyto(out[: h * w], src[: h * w])
    u, v = out[h * w :].reshape(2, -1)
    _part_pairs(u, v, src[h * w :])
    return out


@uses(_limit_range)
def limit_i420(src: U8, size: tuple[int, int], *, out: U8 | None = None) -> U8:
    """Turn planar 4:2:0 of full range (JPEG's) into the limited range that readers of cameras take for granted.

    Parameters
    ----------
    src : (h * w + 2 * ceil(h / 2) * ceil(w / 2),) uint8
    size : (h, w)
    out : the same shape

    Returns
    -------
    flat uint8
        `out`.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape or layout, or an `out` that cannot be written.
    """
    h, w = size
    check("src", src, (h * w + 2 * -(-h // 2) * -(-w // 2),))
    out = output("out", out, src.shape, src)
    for part, table in zip((slice(h * w), slice(h * w, None)), _limits(), strict=True):
        _limit_range(out[part], src[part], table)
    return out


@functools.cache
def _limits() -> tuple[I16, I16]:
    """Return for luma and for chroma the shares that `limit` takes, each as often as it computes at a time."""
    tables = []
    for gain, black in ((219 / 255, 16.0), (224 / 255, 128 * (1 - 224 / 255))):
        share, bias = round(65536 * (gain - 1)), round(128 * (black + 0.5)) + 1
        tables.append(np.repeat(np.array([[share], [bias]], np.int16), BLOCK, axis=1))
    return tables[0], tables[1]


def _even(size: tuple[int, int]) -> tuple[int, int]:
    h, w = size
    if h % 2 or w % 2:
        raise ValueError(f"size: got {w}x{h}, want even sides")
    return h, w


def _checked_size(size: tuple[int, int], factor: int, *, merging: bool = False) -> tuple[int, int]:
    if not fits_i420(size, factor, merging=merging):
        h, w = size
        wanted = f"factor {' or '.join(map(str, _FACTORS[merging]))}"
        raise ValueError(f"size, factor: got {w}x{h} and {factor}, want {wanted}, and sides it divides, w twice")
    return size
