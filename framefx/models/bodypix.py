"""The *bodypix* family: BodyPix and PoseNet, which say where persons, their parts and their joints are.

One picture goes in, letterboxed; for each cell of a coarse grid come out, as far as the export has them, one channel
of ``segments`` (a person), 24 of ``part_heatmaps``, 17 of ``heatmaps`` and 34 of ``short_offsets``. A cell stands for
the input's pixel at its number times the stride. Decoding follows tfjs-models' ``body-pix`` (Apache-2.0), with logits
interpolated before their sigmoid, and Papandreou et al., "Towards accurate multi-person pose estimation in the wild",
2017, for keypoints: a heatmap's peak plus the offset found there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from framefx import kernels
from framefx.kernels import Rectangle
from framefx.mask import Mask
from framefx.models.bodygrid import HEATMAPS, OFFSETS, PART_HEATMAPS, SEGMENTS, Grid, Role, find_grid, find_roles
from framefx.models.bodylevels import Levels
from framefx.models.decoding import real
from framefx.models.inputs import DTYPES, Layout, Preparation
from framefx.models.probes import answers
from framefx.models.vocabulary import KEYPOINTS, PARTS, UNIONS
from framefx.points import Heatmaps, Points
from framefx.protocols import Model, Session, Tensor

if TYPE_CHECKING:
    from framefx.frame import Frame, Size

MOBILENET = Preparation(mean=127.5, std=127.5, fit="letterbox", quantise=True)
RESNET = Preparation(mean=(123.15, 115.90, 103.06), std=1.0, fit="letterbox", quantise=True)
"""What the two backbones were trained with, as in tfjs-models' ``mobilenet.ts`` and ``resnet.ts``."""

_SATURATES = 0.25
"""Share of the differences between its answers that a network keeps on an input of a hundredth the size: a MobileNet,
whose activations end at 6, keeps most of them, a ResNet next to nothing. Measured: 0.7 to 2.2 and 0.01 to 0.05."""

_WIDE = 8.0
"""Range of a quantised input from which it is levels and not -1 to 1."""

_CELL = 8
"""Input pixels that a place of a mask stands for: finer than the network's strides of 16 and 32, as the logits
between its cells are worth having, and no finer, as overlap with the truth does not grow beyond."""


def recognise(session: Session) -> Model | None:
    """Return a model if the session's tensors look like this family's, else None.

    Raises
    ------
    ModelError
        When they do and the network answers a plain picture with something that is not a number.
    """
    if len(session.inputs) != 1:
        return None
    source = session.inputs[0]
    if source.dtype not in DTYPES or len(source.shape) != 4 or source.shape[0] != 1:
        return None
    layout: Layout | None = "nhwc" if source.shape[3] == 3 else "nchw" if source.shape[1] == 3 else None
    roles = find_roles(session.outputs)
    if layout is None or not roles:
        return None
    preparation = replace(MOBILENET, layout=layout)
    grid = find_grid(preparation.size(source), roles)
    return BodyPixModel(session, roles, grid, layout=layout) if grid else None


class BodyPixModel:
    """Gives the layers that the outputs have; see `framefx.protocols.Model`.

    Parameters
    ----------
    session : Session
        A network of the family; it is run on a few pictures to see what it wants and how it answers.
    roles : mapping of str to Role
        Its outputs.
    grid : Grid
        Their cells.
    layout : "nhwc" or "nchw"
        Of its input.

    Attributes
    ----------
    preparation : Preparation
        MobileNet's or ResNet's.

    Raises
    ------
    ModelError
        When the network answers a plain picture with something that is not a number.
    """

    def __init__(self, session: Session, roles: Mapping[str, Role], grid: Grid, *, layout: Layout = "nhwc") -> None:
        self.session = session
        self._roles = dict(roles)
        self._grid = grid
        self.preparation, shown = _learn(session, [output.tensor.name for output in roles.values()], layout)
        self._levels = {
            role: Levels(output, [one[output.tensor.name] for one in shown])
            for role, output in roles.items()
            if role != OFFSETS
        }
        self.layers: Mapping[str, type] = _layers(roles)
        self._place: tuple[Size, Rectangle] | None = None

    def prepare(self, frame: Frame, out: npt.NDArray[Any]) -> None:
        """Write `frame`, letterboxed, into `out`, the session's buffer."""
        self._place = frame.size, self.preparation.fill(frame, out, self.session.inputs[0])

    def outputs_for(self, wanted: Sequence[str]) -> Sequence[str]:
        """Return the names of the outputs that the layers `wanted` are made of."""
        needed = {
            role for name in wanted if name in self.layers for role in _NEEDS.get(name, (SEGMENTS, PART_HEATMAPS))
        }
        return tuple(output.tensor.name for role, output in self._roles.items() if role in needed)

    def decode(self, outputs: Mapping[str, npt.NDArray[Any]], wanted: Sequence[str], frame: Frame) -> dict[str, Any]:
        """Return the value of each layer that is wanted, and compute nothing for the others.

        Masks and heatmaps have a place for every 8 pixels of the input and own their memory. Parts share the person's
        mask: all of them together are `person`, and a union is the sum of its parts. What is not a number decodes to
        0.
        """
        box = self._box(frame.size)
        values: dict[str, Any] = {}
        masks = [name for name in wanted if self.layers.get(name) is Mask]
        if masks:
            values |= self._masks(outputs, masks, box, frame)
        if "keypoints" in wanted and "keypoints" in self.layers:
            values["keypoints"] = self._keypoints(outputs, box, frame)
        if "keypoint_heatmaps" in wanted and "keypoint_heatmaps" in self.layers:
            maps = kernels.logit_masks(self._read(HEATMAPS, outputs), *self._grid.axes(box, _CELL), self._lut(HEATMAPS))
            values["keypoint_heatmaps"] = Heatmaps(maps, KEYPOINTS, frame.size, frame.index)
        return values

    def _box(self, size: Size) -> Rectangle:
        """Return where a frame of `size` lies in the input."""
        if self._place is None or self._place[0] != size:
            tensor = self.session.inputs[0]
            blank = np.empty(tensor.shape, tensor.dtype)
            box = self.preparation.fill_pixels(np.zeros((*size, 3), np.uint8), blank, tensor)
            self._place = size, box
        return self._place[1]

    def _read(self, role: str, outputs: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.int16]:
        return self._levels[role](outputs[self._roles[role].tensor.name])

    def _lut(self, role: str) -> npt.NDArray[np.uint8]:
        return self._levels[role].lut

    def _masks(
        self, outputs: Mapping[str, npt.NDArray[Any]], wanted: Sequence[str], box: Rectangle, frame: Frame
    ) -> dict[str, Mask]:
        rows, columns = self._grid.axes(box, _CELL)
        person = kernels.logit_masks(self._read(SEGMENTS, outputs), rows, columns, self._lut(SEGMENTS))[0]
        values = {"person": person}
        parts = tuple(name for name in wanted if name != "person")
        if parts:
            planes, sums = _groups(parts)
            levels, unit = self._read(PART_HEATMAPS, outputs), self._levels[PART_HEATMAPS].unit
            shares = kernels.part_masks(levels, person, rows, columns, unit, planes)
            for name, numbers in sums.items():
                values[name] = shares[numbers[0]] if len(numbers) == 1 else shares[numbers].sum(axis=0, dtype=np.uint8)
        return {name: Mask(values[name], frame.size, frame.index) for name in wanted}

    def _keypoints(self, outputs: Mapping[str, npt.NDArray[Any]], box: Rectangle, frame: Frame) -> Points:
        """Return each heatmap's peak, moved by the short offset that its cell holds for it."""
        levels, grid = self._read(HEATMAPS, outputs), self._grid
        rows, columns = kernels.logit_peaks(levels, *grid.inside(box)).T
        which = np.arange(len(KEYPOINTS))
        output = self._roles[OFFSETS]
        found = output.view(outputs[output.tensor.name])[rows, columns]
        offsets = found if output.tensor.dtype == np.float32 else real(found, output.tensor)
        y = grid.origin[0] + rows * grid.stride + offsets[which, which]
        x = grid.origin[1] + columns * grid.stride + offsets[which, which + len(KEYPOINTS)]
        (height, width) = frame.size
        xy = [(x - box.x + 0.5) * width / box.width - 0.5, (y - box.y + 0.5) * height / box.height - 0.5]
        scores = self._levels[HEATMAPS].probability(levels[rows, columns, which])
        return Points(np.stack(xy, axis=1), scores, KEYPOINTS, frame.size, frame.index)


_NEEDS: Mapping[str, tuple[str, ...]] = {
    "person": (SEGMENTS,),
    "keypoints": (HEATMAPS, OFFSETS),
    "keypoint_heatmaps": (HEATMAPS,),
}
"""Layer to the outputs it is made of; all others are parts."""


def _layers(roles: Mapping[str, Role]) -> dict[str, type]:
    layers: dict[str, type] = {}
    if SEGMENTS in roles:
        layers["person"] = Mask
    if PART_HEATMAPS in roles:
        layers |= dict.fromkeys((*PARTS, *UNIONS), Mask)
    if OFFSETS in roles:
        layers["keypoints"] = Points
    if HEATMAPS in roles:
        layers["keypoint_heatmaps"] = Heatmaps
    return layers


@lru_cache(maxsize=32)
def _groups(wanted: tuple[str, ...]) -> tuple[tuple[int, ...], dict[str, list[int]]]:
    """Return the plane of each part, -1 for none, and the planes that each layer is the sum of.

    Parts that belong to the same layers share a plane: `face` alone needs one, not two.
    """
    holds = {name: {*UNIONS.get(name, (name,))} for name in wanted}
    owners = [frozenset(name for name in wanted if part in holds[name]) for part in PARTS]
    numbers = {group: number for number, group in enumerate(dict.fromkeys(filter(None, owners)))}
    planes = tuple(numbers.get(group, -1) for group in owners)
    return planes, {name: [number for group, number in numbers.items() if name in group] for name in wanted}


def _learn(
    session: Session, names: Sequence[str], layout: Layout
) -> tuple[Preparation, list[dict[str, npt.NDArray[Any]]]]:
    """Return which backbone's input the network wants, and its answers to some pictures.

    A quantised input says itself what range it covers. Of a real one the names may tell; else both are tried. On
    MobileNet's -1 to 1, a ResNet sees hardly any difference between pictures; a MobileNet on ResNet's -123 to 152
    sees little more than it does otherwise, as its activations end at 6.
    """
    tensor = session.inputs[0]
    mobilenet, resnet = replace(MOBILENET, layout=layout), replace(RESNET, layout=layout)
    told = _told(tensor, names)
    if told is not None:
        preparation = mobilenet if told == "mobilenet" else resnet
        return preparation, answers(session, preparation, names)
    small, large = answers(session, mobilenet, names), answers(session, resnet, names)
    is_mobilenet = _spread(small, names[0]) >= _SATURATES * _spread(large, names[0])
    return (mobilenet, small) if is_mobilenet else (resnet, large)


def _told(tensor: Tensor, names: Sequence[str]) -> str | None:
    if tensor.dtype != np.float32:
        return "mobilenet" if 255 * (tensor.scale or 1 / 255) < _WIDE else "resnet"
    return next((word for word in ("mobilenet", "resnet") for name in names if word in name.lower()), None)


def _spread(shown: Sequence[Mapping[str, npt.NDArray[Any]]], name: str) -> float:
    """Return how much an output differs from picture to picture."""
    return float(np.std(np.stack([one[name] for one in shown]), axis=0).mean())
