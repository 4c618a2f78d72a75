"""What each kernel is measured against: the OpenCV and NumPy calls that make the same picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from framefx import kernels
from framefx.bench.peers import ThreeCopies
from framefx.bench.scene import NAMED_SIZES, Scene
from framefx.filters.scenery import default_picture

U8 = npt.NDArray[np.uint8]

Call = Callable[[], object]

COPIES = "copying a frame 3 times"
MERGE = "masked_merge"


@dataclass(frozen=True)
class Contest:
    """One operation: framefx's call, and others' calls by name with how many times more they must take."""

    name: str
    ours: Call
    others: dict[str, Call] = field(default_factory=dict)
    wants: dict[str, float] = field(default_factory=dict)


class Operands:
    """Pictures, masks and destinations of one size, made before anything is measured."""

    def __init__(self, scene: Scene) -> None:
        height, width = scene.size
        self.size = scene.size
        self.picture = scene.pictures[0]
        self.other = default_picture(scene.size)
        self.mask = portrait_mask((144, 256))
        self.wide_mask = kernels.upsample_mask(self.mask, scene.size)
        self.small = kernels.downsample(self.picture, 4)
        self.out = np.empty_like(self.picture)
        self.enlarged = np.empty_like(self.picture)
        self.plane = np.empty(scene.size, np.uint8)
        self.shape = (width, height)


def contests(x: Operands) -> Iterator[Contest]:
    """Yield every operation with its rivals."""
    yield from _merging(x)
    yield from _scaling(x)
    yield from _blurring(x)
    yield from _coloring(x)
    yield from _masks(x)
    if not any(side % 2 for side in x.size):
        yield from _converting(x)
    if kernels.fits_i420(x.size, 8):
        yield from _staying_planar(x)


def _merging(x: Operands) -> Iterator[Contest]:
    weight, size = np.empty(x.size, np.float32), x.shape
    share = x.mask.astype(np.float32) / 255

    def opencv(top: Callable[[], U8]) -> Call:
        def call() -> None:
            cv2.resize(share, size, dst=weight, interpolation=cv2.INTER_LINEAR)
            cv2.blendLinear(top(), x.picture, weight, 1 - weight, dst=x.out)

        return call

    copies = ThreeCopies(x.size)
    at_720 = x.size == NAMED_SIZES["720p"]
    yield Contest(
        MERGE,
        lambda: kernels.masked_merge(x.picture, x.other, x.mask, out=x.out),
        {_BLEND: opencv(lambda: x.other), COPIES: lambda: copies(x.picture)},
        {_BLEND: 5.0, COPIES: 1 / 3.5} if at_720 else {},
    )

    def enlarged() -> U8:
        return np.asarray(cv2.resize(x.small, size, dst=x.enlarged, interpolation=cv2.INTER_LINEAR), np.uint8)

    yield Contest(
        "masked_merge, top at a quarter",
        lambda: kernels.masked_merge(x.picture, x.small, x.mask, factor=4, out=x.out),
        {_BLEND: opencv(enlarged)},
    )


_BLEND = "OpenCV resize + blendLinear"


def _scaling(x: Operands) -> Iterator[Contest]:
    height, width = x.small.shape[:2]
    small = np.empty_like(x.small)
    yield Contest(
        "downsample by 4",
        lambda: kernels.downsample(x.picture, 4, out=small),
        {
            "OpenCV resize, area": lambda: cv2.resize(
                x.picture, (width, height), dst=small, interpolation=cv2.INTER_AREA
            )
        },
    )
    yield Contest(
        "upsample by 4",
        lambda: kernels.upsample(x.small, x.out, factor=4),
        {"OpenCV resize, linear": lambda: cv2.resize(x.small, x.shape, dst=x.out, interpolation=cv2.INTER_LINEAR)},
    )
    yield Contest(
        "upsample_mask",
        lambda: kernels.upsample_mask(x.mask, x.plane),
        {"OpenCV resize, linear": lambda: cv2.resize(x.mask, x.shape, dst=x.plane, interpolation=cv2.INTER_LINEAR)},
    )
    tensor = np.empty((1, 144, 256, 3), np.float32)

    def opencv() -> None:
        tiny = cv2.resize(x.picture, (256, 144), interpolation=cv2.INTER_AREA)
        np.multiply(tiny, np.float32(1 / 255), out=tensor[0])

    yield Contest("prepare 256x144 float32", lambda: kernels.prepare(x.picture, tensor), {"OpenCV + NumPy": opencv})


def _blurring(x: Operands) -> Iterator[Contest]:
    small = np.empty_like(x.small)
    yield Contest(
        "region_blur σ 7, at a quarter",
        lambda: kernels.region_blur(x.picture, x.mask, 7, 4, out=small),
        {"OpenCV GaussianBlur 21, σ 7": lambda: cv2.GaussianBlur(x.picture, (21, 21), 7, dst=x.out)},
    )
    yield Contest(
        "gaussian_blur σ 7",
        lambda: kernels.gaussian_blur(x.picture, 7, out=x.out),
        {"OpenCV GaussianBlur 43, σ 7": lambda: cv2.GaussianBlur(x.picture, (43, 43), 7, dst=x.out)},
    )
    yield Contest(
        "gaussian_blur σ 25",
        lambda: kernels.gaussian_blur(x.picture, 25, out=x.out),
        {"OpenCV GaussianBlur 151, σ 25": lambda: cv2.GaussianBlur(x.picture, (151, 151), 25, dst=x.out)},
    )
    yield Contest(
        "box_blur radius 10",
        lambda: kernels.box_blur(x.picture, 10, out=x.out),
        {"OpenCV blur 21": lambda: cv2.blur(x.picture, (21, 21), dst=x.out)},
    )


def _coloring(x: Operands) -> Iterator[Contest]:
    matrix, lut = kernels.color_tables(saturation=1.2, temperature=0.1, gamma=1.1)
    wide_lut = None if lut is None else np.ascontiguousarray(lut[None])

    def opencv() -> None:
        cv2.transform(x.picture, matrix, dst=x.out)
        if wide_lut is not None:
            cv2.LUT(x.out, wide_lut, dst=x.out)

    yield Contest(
        "color: matrix and table",
        lambda: kernels.color_matrix_lut(x.picture, matrix, lut, out=x.out),
        {"OpenCV transform + LUT": opencv},
    )
    yield Contest(
        "color: matrix",
        lambda: kernels.color_matrix_lut(x.picture, matrix, out=x.out),
        {"OpenCV transform": lambda: cv2.transform(x.picture, matrix, dst=x.out)},
    )


def _masks(x: Operands) -> Iterator[Contest]:
    """These run on masks of the network's size, so the size of the frame does not matter."""
    mask, out = x.mask, np.empty_like(x.mask)
    square = np.ones((11, 11), np.uint8)
    yield Contest(
        "dilate 256x144, radius 5",
        lambda: kernels.dilate(mask, 5, out=out),
        {"OpenCV dilate 11x11": lambda: cv2.dilate(mask, square, dst=out)},
    )
    state = mask.astype(np.uint16) * 257
    memory = mask.astype(np.float32)
    yield Contest(
        "ema 256x144",
        lambda: kernels.ema(state, mask, 0.3, out=out),
        {"OpenCV accumulateWeighted": lambda: cv2.accumulateWeighted(mask, memory, 0.3).astype(np.uint8)},
    )
    yield Contest("soft_range 256x144", lambda: kernels.soft_range(mask, 0.3, 0.7, out=out))


def _converting(x: Operands) -> Iterator[Contest]:
    """BT.601, limited range: the only one OpenCV has."""
    height, width = x.size
    planar, packed = np.empty((height * 3 // 2, width), np.uint8), np.empty((height, width, 2), np.uint8)
    kernels.rgb_to_i420(x.picture, out=planar.reshape(-1))
    kernels.rgb_to_yuyv(x.picture, out=packed.reshape(-1))
    given = planar.copy(), packed.copy()

    def opencv(source: U8, code: int, target: U8) -> dict[str, Call]:
        return {"OpenCV cvtColor": lambda: cv2.cvtColor(source, code, dst=target)}

    yield Contest(
        "rgb_to_i420",
        lambda: kernels.rgb_to_i420(x.picture, out=planar.reshape(-1)),
        opencv(x.picture, cv2.COLOR_RGB2YUV_I420, planar),
    )
    yield Contest(
        "rgb_to_yuyv",
        lambda: kernels.rgb_to_yuyv(x.picture, out=packed.reshape(-1)),
        opencv(x.picture, cv2.COLOR_RGB2YUV_YUY2, packed),
    )
    yield Contest(
        "i420_to_rgb",
        lambda: kernels.i420_to_rgb(given[0].reshape(-1), x.size, out=x.out),
        opencv(given[0], cv2.COLOR_YUV2RGB_I420, x.out),
    )
    yield Contest(
        "nv12_to_rgb",
        lambda: kernels.nv12_to_rgb(given[0].reshape(-1), x.size, out=x.out),
        opencv(given[0], cv2.COLOR_YUV2RGB_NV12, x.out),
    )
    yield Contest(
        "yuyv_to_rgb",
        lambda: kernels.yuyv_to_rgb(given[1].reshape(-1), x.size, out=x.out),
        opencv(given[1], cv2.COLOR_YUV2RGB_YUY2, x.out),
    )


def portrait_mask(size: tuple[int, int]) -> U8:
    """Return a soft mask of a head and shoulders that covers about a third of the picture, (rows, columns) uint8."""
    rows, columns = size
    y, x = np.mgrid[0:rows, 0:columns]
    y, x = (y + 0.5) / rows, ((x + 0.5) / columns - 0.5) * columns / rows
    head = np.hypot(x / 0.2, (y - 0.38) / 0.26)
    body = np.hypot(x / 0.55, (y - 1.12) / 0.55)
    edge = (1 - np.minimum(head, body)) * 14 + 0.5
    return np.asarray(np.clip(edge * 255, 0, 255), np.uint8)


def _staying_planar(x: Operands) -> Iterator[Contest]:
    """What a frame of a camera costs besides its layers when the background is hidden by a reduced picture."""
    height, width = x.size
    picture = kernels.rgb_to_i420(x.picture, full_range=True)
    small, top = np.empty((height // 4, width // 4, 3), np.uint8), kernels.downsample(x.other, 8)
    packed, frame = np.empty_like(picture), np.empty_like(x.picture)

    def planar() -> None:
        kernels.downsample_i420(picture, x.size, 4, full_range=True, out=small)
        kernels.merge_i420(picture, x.size, top, x.mask, 8, full_range=True, limited=True, out=packed)

    def through_rgb() -> None:
        kernels.i420_to_rgb(picture, x.size, full_range=True, out=frame)
        kernels.downsample(frame, 4, out=small)
        kernels.masked_merge(frame, top, x.mask, factor=8, out=frame)
        kernels.rgb_to_i420(frame, out=packed)

    yield Contest("from JPEG's planes to YU12", planar, {"framefx by way of RGB": through_rgb})
