"""A teacher asked about each sample as it was drawn, for its mask and for what it computes on the way.

Labels softened once, when the pictures are packed, say nothing about what augmentation makes of a
picture. A small teacher is cheap enough to be asked again for every sample, and its inner maps tell
a student far more per picture than a mask does (Romero et al., FitNets, 2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from torch import Tensor, nn
from torch.nn import functional

from framefx.training.network import NetworkConfig
from framefx.training.predict import stretch

Bytes = npt.NDArray[np.uint8]
Halves = npt.NDArray[np.float16]

#: The teacher's file, and two of its tensors: the last bottleneck at 1/16, the decoder's block at 1/8.
FILE = "selfie_segmentation_landscape.tflite"
TENSORS = ("add_4__xeno_compat__1", "add_7__xeno_compat__1")
CHANNELS = (32, 24)

# The teacher's part of a mask, where it means something else than the label and where it means the same. A student that
# is mostly told one function learns it; told two that contradict each other, it hesitates.
_LEAST, _MOST = 0.4, 0.9


@dataclass(frozen=True)
class Lesson:
    """What the teacher says of a batch.

    Attributes
    ----------
    maps : tuple of np.ndarray [shape=(N, h, w, channels), dtype=float16]
        The teacher's inner maps, at 1/16 and 1/8 of its input's size.
    trust : np.ndarray [shape=(N,), dtype=float32]
        How far its mask agrees with the label, 0..1.
    """

    maps: tuple[Halves, Halves]
    trust: npt.NDArray[np.float32]


def with_outputs(model: bytes, names: tuple[str, ...]) -> bytes:
    """Return the LiteRT file `model` with the tensors `names` as further outputs.

    Raises
    ------
    ValueError
        If the file has no tensor of one of the names.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    parsed = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(model, 0))
    graph = parsed.subgraphs[0]
    index = {tensor.name.decode(): k for k, tensor in enumerate(graph.tensors)}
    for name in names:
        if name not in index:
            raise ValueError(f"the teacher has no tensor {name}: get {FILE} of MediaPipe's selfie segmentation")
    graph.outputs = [*(int(k) for k in graph.outputs), *(index[name] for name in names)]
    builder = flatbuffers.Builder(len(model) + 4096)
    builder.Finish(parsed.Pack(builder), b"TFL3")
    return bytes(builder.Output())


class Coach:
    """The teacher, run on one thread.

    Parameters
    ----------
    folder : Path
        Where the teachers' files lie.
    """

    def __init__(self, folder: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        whole = with_outputs((folder / FILE).read_bytes(), TENSORS)
        self._model: Any = Interpreter(model_content=whole, num_threads=1)
        self._model.allocate_tensors()
        self._input = self._model.get_input_details()[0]
        self._outputs = [detail["index"] for detail in self._model.get_output_details()]
        _, height, width, _ = self._input["shape"]
        self._size = int(height), int(width)

    def __call__(
        self, pictures: Bytes, masks: Bytes, alone: npt.NDArray[np.bool_] | None = None
    ) -> tuple[Bytes, Lesson]:
        """Return masks mixed with the teacher's, and the lesson.

        Parameters
        ----------
        pictures : (N, H, W, 3) uint8
        masks : (N, h, w) uint8
            The labels.
        alone : (N,) bool, optional
            Where only the teacher counts, as a label means nothing.
        """
        mixed, trusts = np.empty_like(masks), np.empty(len(masks), np.float32)
        inner: tuple[list[Halves], list[Halves]] = ([], [])
        for k, (picture, mask) in enumerate(zip(pictures, masks, strict=True)):
            self._model.set_tensor(self._input["index"], stretch(picture, self._size)[None])
            self._model.invoke()
            found, deep, fine = (self._model.get_tensor(index)[0] for index in self._outputs)
            guess = np.asarray(cv2.resize(found[..., 0], mask.shape[::-1], interpolation=cv2.INTER_AREA), np.float32)
            unlabelled = alone is not None and bool(alone[k])
            trusts[k] = trust = 1.0 if unlabelled else agreement(mask, guess)
            part = 1.0 if unlabelled else _LEAST + (_MOST - _LEAST) * trust
            mixed[k] = (1 - part) * mask + part * 255 * guess + 0.5
            inner[0].append(deep.astype(np.float16))
            inner[1].append(fine.astype(np.float16))
        return mixed, Lesson((np.stack(inner[0]), np.stack(inner[1])), trusts)


def agreement(mask: Bytes, guess: npt.NDArray[np.float32]) -> float:
    """Return 0 where the teacher means something else than the label, 1 where it means the same.

    Parameters
    ----------
    mask : np.ndarray [shape=(h, w), dtype=uint8]
        The label.
    guess : np.ndarray [shape=(h, w), dtype=float32]
        The teacher's probability, 0..1.
    """
    hard, found = mask > 127, guess > 0.5
    small = 0.01 * mask.size
    iou = (np.count_nonzero(hard & found) + small) / (np.count_nonzero(hard | found) + small)
    return float(np.clip((iou - 0.5) / 0.4, 0, 1))


class Imitation(nn.Module):
    """How far the student's inner maps are from the teacher's, after a projection that is trained along.

    Parameters
    ----------
    config : NetworkConfig
        The student's.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        students = (config.widths[3], config.widths[2])
        pairs = list(zip(students, CHANNELS, strict=True))
        self.project = nn.ModuleList(nn.Conv2d(mine, theirs, 1) for mine, theirs in pairs)
        # Without weights of its own a normalisation only brings the teacher's channels to one scale.
        self.scale = nn.ModuleList(nn.BatchNorm2d(theirs, momentum=0.02, affine=False) for theirs in CHANNELS)

    def forward(self, mine: tuple[Tensor, ...], theirs: tuple[Tensor, ...], trust: Tensor) -> Tensor:
        """Return the mean squared difference, in the teacher's standard deviations.

        Parameters
        ----------
        mine : tuple of Tensor
            The student's maps, (N, C, h, w), at 1/16 and 1/8.
        theirs : tuple of Tensor
            The teacher's, of any size.
        trust : Tensor
            Weight per picture, (N,), 0..1.
        """
        weight = 0.25 + 0.75 * trust
        total = mine[0].new_zeros(())
        for project, scale, own, aim in zip(self.project, self.scale, mine, theirs, strict=True):
            guess = project(own)
            wanted = functional.interpolate(scale(aim), size=guess.shape[-2:], mode="bilinear").clamp(-4, 4)
            total = total + ((guess - wanted).square().mean((1, 2, 3)) * weight).mean()
        return total / len(mine)
