"""RGB to and from the layouts of cameras and loopback devices: I420, NV12, YUYV.

Chroma is averaged from the pixels it covers (at odd edges: those that exist) and replicated on the way back.
Matrices after ITU-R BT.601 and BT.709; full or limited ("video") range. To YUV in 16-bit arithmetic, 32 to a register
and within 0.02 of a level before rounding; to RGB in fixed point with 16 bits after the point.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from framefx.kernels._door import I16, I32, PIXELS, U8, U16, check, one_of, output, scratch
from framefx.kernels._jit import Helper, kernel, uses
from framefx.kernels._steps import BLOCK, mulhi

_LUMA = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722)}  # shares of red and blue


@Helper
def _split(line: U8, planes: U8) -> None:
    r, g, b = planes[0], planes[1], planes[2]
    for x in range(r.size):
        i = np.uint64(3 * x)
        r[x], g[x], b[x] = line[i], line[i + np.uint64(1)], line[i + np.uint64(2)]


@Helper
def _join(planes: U8, line: U8) -> None:
    r, g, b = planes[0], planes[1], planes[2]
    for x in range(r.size):
        i = np.uint64(3 * x)
        line[i], line[i + np.uint64(1)], line[i + np.uint64(2)] = r[x], g[x], b[x]


@Helper
def _luma(r: int, g: int, b: int, p: int, q: int, s: int, bias: int) -> Any:
    """Return a level, from levels times 128 and shares in 16 bits; green's is above a half, so `q` is less by one."""
    green = np.int16(np.int16(g) << np.int16(7))
    v = np.int16(mulhi(np.int16(np.int16(r) << np.int16(7)), p) + np.int16(mulhi(green, q) + green))
    v = np.int16(np.int16(v + mulhi(np.int16(np.int16(b) << np.int16(7)), s)) + bias)
    return np.uint8(np.uint16(v) >> np.uint16(7))


@Helper
def _luma_row(planes: U8, m: I16, out: U8) -> None:
    r, g, b = planes[0], planes[1], planes[2]
    p, q, s, bias = m[0], m[1], m[2], m[3]
    whole = out.size // BLOCK * BLOCK
    for at in range(0, whole, BLOCK):
        for k in range(BLOCK):
            x = np.uint64(at + k)
            out[x] = _luma(r[x], g[x], b[x], p[k], q[k], s[k], bias[k])
    for i in range(whole, out.size):
        out[i] = _luma(r[i], g[i], b[i], p[0], q[0], s[0], bias[0])


@Helper
def _pair(top: U8, bottom: U8, sums: U16) -> None:
    """Sum blocks of 2 x 2; the last column stands twice where its partner is missing."""
    whole, last = top.size // 2, top.size - 1
    for x in range(whole):
        i = np.uint64(2 * x)
        k = i + np.uint64(1)
        sums[x] = np.uint16(
            np.uint16(np.uint16(top[i]) + np.uint16(top[k])) + np.uint16(np.uint16(bottom[i]) + np.uint16(bottom[k]))
        )
    if last % 2 == 0:
        sums[whole] = np.uint16(2) * np.uint16(np.uint16(top[last]) + np.uint16(bottom[last]))


@Helper
def _chroma(r: int, g: int, b: int, p: int, q: int, s: int, bias: int) -> Any:
    """Return a level from sums of four, times 32, up to the highest that rounds to 255."""
    v = np.int16(mulhi(np.int16(np.int16(r) << np.int16(5)), p) + mulhi(np.int16(np.int16(g) << np.int16(5)), q))
    v = np.int16(v + mulhi(np.int16(np.int16(b) << np.int16(5)), s))
    return np.uint8(np.uint16(np.int16(np.int16(min(v, np.int16(16318))) + bias)) >> np.uint16(7))


@Helper
def _chroma_row(sums: U16, m: I16, out: U8) -> None:
    r, g, b = sums[0], sums[1], sums[2]
    p, q, s, bias = m[0], m[1], m[2], m[3]
    whole = out.size // BLOCK * BLOCK
    for at in range(0, whole, BLOCK):
        for k in range(BLOCK):
            x = np.uint64(at + k)
            out[x] = _chroma(r[x], g[x], b[x], p[k], q[k], s[k], bias[k])
    for i in range(whole, out.size):
        out[i] = _chroma(r[i], g[i], b[i], p[0], q[0], s[0], bias[0])


@Helper
def _two_rows(src: U8, y: int, matrix: I16, planes: U8, sums: U16, luma: U8, u: U8, v: U8) -> None:
    """Write luma rows y and y + 1 (if there is one) and their chroma row."""
    rows = min(2, src.shape[0] - y)
    for k in range(rows):
        _split(src[y + k], planes[k])
        _luma_row(planes[k], matrix[0], luma[y + k])
    for c in range(3):
        _pair(planes[0, c], planes[rows - 1, c], sums[c])
    _chroma_row(sums, matrix[1], u)
    _chroma_row(sums, matrix[2], v)


@kernel("u8[:,:], u8[:,:], u8[:,:], const u8[:,:], const i16[:,:,:], u8[:,:,:], u16[:,:]")
def _rgb_to_i420(luma: U8, u: U8, v: U8, src: U8, matrix: I16, planes: U8, sums: U16) -> None:
    for row in range(u.shape[0]):
        _two_rows(src, 2 * row, matrix, planes, sums, luma, u[row], v[row])


@kernel("u8[:,:], u8[:,:], const u8[:,:], const i16[:,:,:], u8[:,:,:], u16[:,:], u8[:,:]")
def _rgb_to_nv12(luma: U8, chroma: U8, src: U8, matrix: I16, planes: U8, sums: U16, uv: U8) -> None:
    u, v = uv[0], uv[1]
    for row in range(chroma.shape[0]):
        _two_rows(src, 2 * row, matrix, planes, sums, luma, u, v)
        line = chroma[row]
        for x in range(u.size):
            i = np.uint64(2 * x)
            line[i], line[i + np.uint64(1)] = u[x], v[x]


@kernel("u8[:,:], const u8[:,:], const i16[:,:,:], u8[:,:,:], u16[:,:], u8[:,:]")
def _rgb_to_yuyv(out: U8, src: U8, matrix: I16, planes: U8, sums: U16, uv: U8) -> None:
    u, v, luma = uv[0], uv[1], planes[1, 0]
    last = luma.size - 1
    for y in range(out.shape[0]):
        _split(src[y], planes[0])
        _luma_row(planes[0], matrix[0], luma)
        for c in range(3):
            _pair(planes[0, c], planes[0, c], sums[c])
        _chroma_row(sums, matrix[1], u[: sums.shape[1]])
        _chroma_row(sums, matrix[2], v[: sums.shape[1]])
        line = out[y]
        for x in range(luma.size // 2):
            i, k = np.uint64(4 * x), np.uint64(2 * x)
            line[i], line[i + np.uint64(1)] = luma[k], u[x]
            line[i + np.uint64(2)], line[i + np.uint64(3)] = luma[k + np.uint64(1)], v[x]
        if last % 2 == 0:
            end = line[2 * last :]
            end[0], end[1], end[2], end[3] = luma[last], u[last // 2], luma[last], v[last // 2]


@Helper
def _saturate(value: int) -> Any:
    return np.uint8(min(max(np.int32(value) >> np.int32(16), np.int32(0)), np.int32(255)))


@Helper
def _line_to_rgb(luma: U8, uv: U8, m: I32, planes: U8, out: U8) -> None:
    """Turn one row of luma and of chroma at luma's width into RGB."""
    u, v, r, g, b = uv[0], uv[1], planes[0], planes[1], planes[2]
    gain, rv, gu, gv, bu, r0, g0, b0 = m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7]
    for x in range(luma.size):
        y, s, t = np.int32(np.int32(luma[x]) * gain), np.int32(u[x]), np.int32(v[x])
        r[x] = _saturate(np.int32(np.int32(y + np.int32(t * rv)) + r0))
        g[x] = _saturate(np.int32(np.int32(np.int32(y + np.int32(s * gu)) + np.int32(t * gv)) + g0))
        b[x] = _saturate(np.int32(np.int32(y + np.int32(s * bu)) + b0))
    _join(planes, out)


@Helper
def _widen(chroma: U8, step: int, out: U8) -> None:
    """Repeat each value; `step` 2 picks every second one, from interleaved chroma, 4 from YUYV."""
    for x in range(out.size // 2):
        i, c = np.uint64(2 * x), chroma[np.uint64(step * x)]
        out[i], out[i + np.uint64(1)] = c, c
    if out.size % 2:
        out[out.size - 1] = chroma[step * (out.size // 2)]


@kernel("u8[:,:], const u8[:,:], const u8[:,:], const u8[:,:], const i32[:], u8[:,:], u8[:,:]")
def _i420_to_rgb(out: U8, luma: U8, u: U8, v: U8, matrix: I32, uv: U8, planes: U8) -> None:
    for y in range(out.shape[0]):
        if y % 2 == 0:
            _widen(u[y // 2], 1, uv[0])
            _widen(v[y // 2], 1, uv[1])
        _line_to_rgb(luma[y], uv, matrix, planes, out[y])


@kernel("u8[:,:], const u8[:,:], const u8[:,:], const i32[:], u8[:,:], u8[:,:]")
def _nv12_to_rgb(out: U8, luma: U8, chroma: U8, matrix: I32, uv: U8, planes: U8) -> None:
    for y in range(out.shape[0]):
        if y % 2 == 0:
            _widen(chroma[y // 2], 2, uv[0])
            _widen(chroma[y // 2, 1:], 2, uv[1])
        _line_to_rgb(luma[y], uv, matrix, planes, out[y])


@kernel("u8[:,:], const u8[:,:], const i32[:], u8[:], u8[:,:], u8[:,:]")
def _yuyv_to_rgb(out: U8, src: U8, matrix: I32, luma: U8, uv: U8, planes: U8) -> None:
    for y in range(out.shape[0]):
        line = src[y]
        for x in range(luma.size):
            luma[x] = line[np.uint64(2 * x)]
        _widen(line[1:], 4, uv[0])
        _widen(line[3:], 4, uv[1])
        _line_to_rgb(luma, uv, matrix, planes, out[y])


# -- public ---------------------------------------------------------------------------------------------------


@uses(_rgb_to_i420)
def rgb_to_i420(src: U8, *, matrix: str = "bt601", full_range: bool = False, out: U8 | None = None) -> U8:
    """Write planar 4:2:0: luma, then U, then V, each chroma plane ``(ceil(h / 2), ceil(w / 2))``.

    Parameters
    ----------
    src : (h, w, 3) uint8
    matrix : "bt601" or "bt709"
    full_range : bool
        Luma 0 to 255 instead of 16 to 235.
    out : (h * w + 2 * ceil(h / 2) * ceil(w / 2),) uint8

    Returns
    -------
    flat uint8
        `out`.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout or word, or an `out` that cannot be written.
    """
    h, w, _ = check("src", src, PIXELS)
    ch, cw = -(-h // 2), -(-w // 2)
    out = output("out", out, (h * w + 2 * ch * cw,), src)
    luma, u, v = _planes(out, h, w)
    _rgb_to_i420(luma, u, v, src.reshape(h, -1), _forward(matrix, full_range), *_split_scratch(w))
    return out


@uses(_rgb_to_nv12)
def rgb_to_nv12(src: U8, *, matrix: str = "bt601", full_range: bool = False, out: U8 | None = None) -> U8:
    """Write 4:2:0 with one chroma plane, U and V in turn; otherwise as `rgb_to_i420`."""
    h, w, _ = check("src", src, PIXELS)
    ch, cw = -(-h // 2), -(-w // 2)
    out = output("out", out, (h * w + 2 * ch * cw,), src)
    luma, chroma = out[: h * w].reshape(h, w), out[h * w :].reshape(ch, 2 * cw)
    uv = scratch("yuv.uv", (2, cw), np.uint8)
    _rgb_to_nv12(luma, chroma, src.reshape(h, -1), _forward(matrix, full_range), *_split_scratch(w), uv)
    return out


@uses(_rgb_to_yuyv)
def rgb_to_yuyv(src: U8, *, matrix: str = "bt601", full_range: bool = False, out: U8 | None = None) -> U8:
    """Write packed 4:2:2, Y U Y V for two pixels, `out` flat of ``h * 4 * ceil(w / 2)``; see `rgb_to_i420`."""
    h, w, _ = check("src", src, PIXELS)
    pitch = 4 * -(-w // 2)
    out = output("out", out, (h * pitch,), src)
    uv = scratch("yuv.uv", (2, w), np.uint8)
    _rgb_to_yuyv(out.reshape(h, pitch), src.reshape(h, -1), _forward(matrix, full_range), *_split_scratch(w), uv)
    return out


@uses(_i420_to_rgb)
def i420_to_rgb(
    src: U8, size: tuple[int, int], *, matrix: str = "bt601", full_range: bool = False, out: U8 | None = None
) -> U8:
    """Read planar 4:2:0.

    Parameters
    ----------
    src : (h * w + 2 * ceil(h / 2) * ceil(w / 2),) uint8
    size : (h, w)
    matrix : "bt601" or "bt709"
    full_range : bool
        Luma 0 to 255 instead of 16 to 235.
    out : (h, w, 3) uint8

    Returns
    -------
    (h, w, 3) uint8
        `out`.

    Raises
    ------
    TypeError, ValueError
        A wrong dtype, shape, layout or word, or an `out` that cannot be written.
    """
    h, w = size
    check("src", src, (h * w + 2 * -(-h // 2) * -(-w // 2),))
    out = output("out", out, (h, w, 3), src)
    _i420_to_rgb(out.reshape(h, -1), *_planes(src, h, w), _inverse(matrix, full_range), *_join_scratch(w))
    return out


@uses(_nv12_to_rgb)
def nv12_to_rgb(
    src: U8, size: tuple[int, int], *, matrix: str = "bt601", full_range: bool = False, out: U8 | None = None
) -> U8:
    """Read 4:2:0 with one chroma plane, U and V in turn; otherwise as `i420_to_rgb`."""
    h, w = size
    ch, cw = -(-h // 2), -(-w // 2)
    check("src", src, (h * w + 2 * ch * cw,))
    out = output("out", out, (h, w, 3), src)
    luma, chroma = src[: h * w].reshape(h, w), src[h * w :].reshape(ch, 2 * cw)
    _nv12_to_rgb(out.reshape(h, -1), luma, chroma, _inverse(matrix, full_range), *_join_scratch(w))
    return out


@uses(_yuyv_to_rgb)
def yuyv_to_rgb(
    src: U8, size: tuple[int, int], *, matrix: str = "bt601", full_range: bool = False, out: U8 | None = None
) -> U8:
    """Read packed 4:2:2, Y U Y V for two pixels, `src` flat of ``h * 4 * ceil(w / 2)``; see `i420_to_rgb`."""
    h, w = size
    pitch = 4 * -(-w // 2)
    check("src", src, (h * pitch,))
    out = output("out", out, (h, w, 3), src)
    luma = scratch("yuv.luma", (w,), np.uint8)
    _yuyv_to_rgb(out.reshape(h, -1), src.reshape(h, pitch), _inverse(matrix, full_range), luma, *_join_scratch(w))
    return out


def _planes(packed: U8, h: int, w: int) -> tuple[U8, U8, U8]:
    ch, cw = -(-h // 2), -(-w // 2)
    u, v = packed[h * w :].reshape(2, ch, cw)
    return packed[: h * w].reshape(h, w), u, v


def _split_scratch(w: int) -> tuple[U8, U16]:
    return scratch("yuv.planes", (2, 3, w), np.uint8), scratch("yuv.sums", (3, -(-w // 2)), np.uint16)


def _join_scratch(w: int) -> tuple[U8, U8]:
    return scratch("yuv.uv", (2, w), np.uint8), scratch("yuv.planes", (3, w), np.uint8)


@functools.lru_cache(maxsize=8)
def _forward(matrix: str, full_range: bool) -> I16:
    """Return rows for Y, U, V: shares of red, green and blue, times 65536, and what is added, as often as pixels are.

    Only if both factors are loaded does a product take one instruction. What is added has the half for rounding, and
    what three products lose by rounding down.
    """
    one_of("matrix", matrix, tuple(_LUMA))
    red, blue = _LUMA[matrix]
    luma = np.array([red, 1 - red - blue, blue])
    y_gain, c_gain, black = (1.0, 1.0, 0) if full_range else (219 / 255, 224 / 255, 16)
    u = c_gain * (np.array([0, 0, 1]) - luma) / (2 * (1 - blue))
    v = c_gain * (np.array([1, 0, 0]) - luma) / (2 * (1 - red))
    table = np.zeros((3, 4))
    table[:, :3] = 65536 * np.array([y_gain * luma - [0, 1, 0], u, v])
    table[:, 3] = 128 * black + 65, 128 * 128 + 65, 128 * 128 + 65
    whole = np.clip(np.round(table), -32768, 32767).astype(np.int16)
    return np.ascontiguousarray(np.broadcast_to(whole[:, :, None], (3, 4, BLOCK)))


@functools.lru_cache(maxsize=8)
def _inverse(matrix: str, full_range: bool) -> I32:
    """Return luma's gain, V to red, U and V to green, U to blue, and what is added to red, green, blue."""
    one_of("matrix", matrix, tuple(_LUMA))
    red, blue = _LUMA[matrix]
    green = 1 - red - blue
    y_gain, c_gain, black = (1.0, 1.0, 0) if full_range else (255 / 219, 255 / 224, 16)
    rv, bu = 2 * (1 - red) * c_gain, 2 * (1 - blue) * c_gain
    gu, gv = -bu * blue / green, -rv * red / green
    base = 0.5 - black * y_gain
    return np.round(
        np.array([y_gain, rv, gu, gv, bu, base - 128 * rv, base - 128 * (gu + gv), base - 128 * bu]) * 65536
    ).astype(np.int32)
