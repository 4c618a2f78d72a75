"""The structures and request numbers of ``linux/videodev2.h`` that framefx uses, for 64-bit kernels.

The numbers carry each structure's size (the kernel's ``_IOC``), so a wrong layout is an unknown request and not
a corrupted memory; the tests compare every size with what the C compiler says.
"""

from __future__ import annotations

import ctypes
from ctypes import c_char, c_int32, c_int64, c_uint8, c_uint32, c_uint64, c_void_p
from typing import Any

CAPTURE, OUTPUT = 1, 2
"""Buffer types: pictures from a device, pictures to a device."""

CAP_CAPTURE, CAP_OUTPUT, CAP_META, CAP_STREAMING = 0x1, 0x2, 0x00800000, 0x04000000
CAP_DEVICE_CAPS = 0x80000000

MEMORY_MMAP = 1
FIELD_NONE = 1
PRIV_MAGIC = 0xFEEDCAFE
"""In `PixFormat.priv`: the fields behind it are filled in."""

COLORSPACE_SMPTE170M, COLORSPACE_REC709, COLORSPACE_JPEG, COLORSPACE_SRGB = 1, 3, 7, 8
YCBCR_ENC_601, YCBCR_ENC_709 = 1, 2
QUANTIZATION_FULL, QUANTIZATION_LIMITED = 1, 2
XFER_SRGB = 2

TIMESTAMP_MASK, TIMESTAMP_MONOTONIC = 0xE000, 0x2000
BUFFER_ERROR = 0x40

SIZES_DISCRETE, SIZES_CONTINUOUS, SIZES_STEPWISE = 1, 2, 3

CTRL_INTEGER, CTRL_BOOLEAN, CTRL_MENU, CTRL_BUTTON, CTRL_INTEGER64 = 1, 2, 3, 4, 5
CTRL_CLASS, CTRL_STRING, CTRL_BITMASK, CTRL_INTEGER_MENU = 6, 7, 8, 9
CTRL_DISABLED, CTRL_READ_ONLY, CTRL_INACTIVE, CTRL_WRITE_ONLY = 0x1, 0x4, 0x10, 0x40
CTRL_NEXT = 0x80000000

EVENT_SEND_INITIAL = 1
EVENT_CLIENT_USAGE = 0x08000000 + 0x08E00000 + 1
"""v4l2loopback's own event, from 0.13: a reader started or stopped streaming; the payload is a ``u32`` count."""


class Capability(ctypes.Structure):
    _fields_ = (
        ("driver", c_char * 16),
        ("card", c_char * 32),
        ("bus_info", c_char * 32),
        ("version", c_uint32),
        ("capabilities", c_uint32),
        ("device_caps", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class FormatDescription(ctypes.Structure):
    _fields_ = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("flags", c_uint32),
        ("description", c_char * 32),
        ("pixelformat", c_uint32),
        ("mbus_code", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class Fraction(ctypes.Structure):
    _fields_ = (("numerator", c_uint32), ("denominator", c_uint32))


class _Discrete(ctypes.Structure):
    _fields_ = (("width", c_uint32), ("height", c_uint32))


class _StepwiseSizes(ctypes.Structure):
    _fields_ = tuple((f"{end}_{side}", c_uint32) for side in ("width", "height") for end in ("min", "max", "step"))


class _Sizes(ctypes.Union):
    _fields_ = (("discrete", _Discrete), ("stepwise", _StepwiseSizes))


class SizeDescription(ctypes.Structure):
    _anonymous_ = ("u",)
    _fields_ = (
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("type", c_uint32),
        ("u", _Sizes),
        ("reserved", c_uint32 * 2),
    )


class _StepwiseIntervals(ctypes.Structure):
    _fields_ = (("min", Fraction), ("max", Fraction), ("step", Fraction))


class _Intervals(ctypes.Union):
    _fields_ = (("discrete", Fraction), ("stepwise", _StepwiseIntervals))


class IntervalDescription(ctypes.Structure):
    _anonymous_ = ("u",)
    _fields_ = (
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("width", c_uint32),
        ("height", c_uint32),
        ("type", c_uint32),
        ("u", _Intervals),
        ("reserved", c_uint32 * 2),
    )


class PixFormat(ctypes.Structure):
    _fields_ = (
        ("width", c_uint32),
        ("height", c_uint32),
        ("pixelformat", c_uint32),
        ("field", c_uint32),
        ("bytesperline", c_uint32),
        ("sizeimage", c_uint32),
        ("colorspace", c_uint32),
        ("priv", c_uint32),
        ("flags", c_uint32),
        ("ycbcr_enc", c_uint32),
        ("quantization", c_uint32),
        ("xfer_func", c_uint32),
    )


class _FormatUnion(ctypes.Union):
    # The kernel's union also holds a window with pointers: that is where its alignment comes from.
    _fields_ = (("pix", PixFormat), ("raw", c_uint8 * 200), ("_align", c_void_p))


class Format(ctypes.Structure):
    _fields_ = (("type", c_uint32), ("fmt", _FormatUnion))


class StreamParameters(ctypes.Structure):
    """``v4l2_streamparm``; capture and output have the interval in the same place."""

    _fields_ = (
        ("type", c_uint32),
        ("capability", c_uint32),
        ("mode", c_uint32),
        ("timeperframe", Fraction),
        ("extendedmode", c_uint32),
        ("buffers", c_uint32),
        ("reserved", c_uint8 * 176),
    )


class RequestBuffers(ctypes.Structure):
    _fields_ = (
        ("count", c_uint32),
        ("type", c_uint32),
        ("memory", c_uint32),
        ("capabilities", c_uint32),
        ("flags", c_uint8),
        ("reserved", c_uint8 * 3),
    )


class _TimeVal(ctypes.Structure):
    _fields_ = (("seconds", c_int64), ("microseconds", c_int64))


class _TimeCode(ctypes.Structure):
    _fields_ = (("type", c_uint32), ("flags", c_uint32), ("rest", c_uint8 * 8))


class _Place(ctypes.Union):
    _fields_ = (("offset", c_uint32), ("userptr", c_uint64))


class Buffer(ctypes.Structure):
    _fields_ = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("bytesused", c_uint32),
        ("flags", c_uint32),
        ("field", c_uint32),
        ("timestamp", _TimeVal),
        ("timecode", _TimeCode),
        ("sequence", c_uint32),
        ("memory", c_uint32),
        ("m", _Place),
        ("length", c_uint32),
        ("reserved2", c_uint32),
        ("request_fd", c_int32),
    )


class Control(ctypes.Structure):
    _fields_ = (("id", c_uint32), ("value", c_int32))


class ControlDescription(ctypes.Structure):
    _fields_ = (
        ("id", c_uint32),
        ("type", c_uint32),
        ("name", c_char * 32),
        ("minimum", c_int32),
        ("maximum", c_int32),
        ("step", c_int32),
        ("default_value", c_int32),
        ("flags", c_uint32),
        ("reserved", c_uint32 * 2),
    )


class _MenuUnion(ctypes.Union):
    _pack_ = 1
    _fields_ = (("name", c_char * 32), ("value", c_int64))


class MenuItem(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("id", c_uint32), ("index", c_uint32), ("u", _MenuUnion), ("reserved", c_uint32))


class EventSubscription(ctypes.Structure):
    _fields_ = (("type", c_uint32), ("id", c_uint32), ("flags", c_uint32), ("reserved", c_uint32 * 5))


class _EventUnion(ctypes.Union):
    _fields_ = (("count", c_uint32), ("data", c_uint8 * 64), ("_align", c_int64))


class Event(ctypes.Structure):
    _fields_ = (
        ("type", c_uint32),
        ("u", _EventUnion),
        ("pending", c_uint32),
        ("sequence", c_uint32),
        ("seconds", c_int64),
        ("nanoseconds", c_int64),
        ("id", c_uint32),
        ("reserved", c_uint32 * 8),
    )


_READ, _WRITE = 2, 1


def _request(direction: int, number: int, structure: Any) -> int:
    return direction << 30 | ctypes.sizeof(structure) << 16 | ord("V") << 8 | number


QUERYCAP = _request(_READ, 0, Capability)
ENUM_FMT = _request(_READ | _WRITE, 2, FormatDescription)
G_FMT = _request(_READ | _WRITE, 4, Format)
S_FMT = _request(_READ | _WRITE, 5, Format)
REQBUFS = _request(_READ | _WRITE, 8, RequestBuffers)
QUERYBUF = _request(_READ | _WRITE, 9, Buffer)
QBUF = _request(_READ | _WRITE, 15, Buffer)
DQBUF = _request(_READ | _WRITE, 17, Buffer)
STREAMON = _request(_WRITE, 18, c_int32)
STREAMOFF = _request(_WRITE, 19, c_int32)
G_PARM = _request(_READ | _WRITE, 21, StreamParameters)
S_PARM = _request(_READ | _WRITE, 22, StreamParameters)
G_CTRL = _request(_READ | _WRITE, 27, Control)
S_CTRL = _request(_READ | _WRITE, 28, Control)
QUERYCTRL = _request(_READ | _WRITE, 36, ControlDescription)
QUERYMENU = _request(_READ | _WRITE, 37, MenuItem)
ENUM_FRAMESIZES = _request(_READ | _WRITE, 74, SizeDescription)
ENUM_FRAMEINTERVALS = _request(_READ | _WRITE, 75, IntervalDescription)
DQEVENT = _request(_READ, 89, Event)
SUBSCRIBE_EVENT = _request(_WRITE, 90, EventSubscription)


def fourcc(name: str) -> int:
    """Return the number of a pixel format's four letters.

    >>> hex(fourcc("YUYV"))
    '0x56595559'
    """
    return int.from_bytes(name.encode("ascii").ljust(4), "little")


def fourcc_name(number: int) -> str:
    """Return the four letters of a pixel format's number.

    >>> fourcc_name(0x56595559)
    'YUYV'
    """
    text = (number & 0x7FFFFFFF).to_bytes(4, "little").decode("ascii", "replace")
    return text.rstrip("\0 ")
