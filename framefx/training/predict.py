"""From a model file to a function that finds the person in a picture.

Evaluation takes any such function; this module makes one from a LiteRT file, so that training
needs nothing else of framefx.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

#: RGB (H, W, 3), uint8 -> the person, (h, w) of any size: float 0..1 or uint8 0..255.
Predictor = Callable[[Bytes], "Floats | Bytes"]


def stretch(picture: Bytes, size: tuple[int, int]) -> Floats:
    """Resize RGB to `size` (height, width), ignoring its aspect; float32, 0..1.

    Shrinking averages areas, as framefx's input preparation does; growing is bilinear.
    """
    height, width = size
    smaller = picture.shape[0] > height and picture.shape[1] > width
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(picture, (width, height), interpolation=how), np.float32)
    return np.asarray(small * np.float32(1 / 255), np.float32)


class LiteRTPredictor:
    """A LiteRT model with one picture as input, run on one thread.

    The person is the last channel of the first output; two channels are taken for logits of
    background and person, 21 for DeepLab's classes (15 is the person).
    """

    def __init__(self, path: Path | str, threads: int = 1) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._model: Any = Interpreter(str(path), num_threads=threads)
        self._model.allocate_tensors()
        self._input = self._model.get_input_details()[0]
        self._output = self._model.get_output_details()[0]["index"]
        _, height, width, _ = self._input["shape"]
        #: Height and width of the input, pixels.
        self.size = (int(height), int(width))

    def prepare(self, picture: Bytes) -> None:
        """Put `picture` into the input tensor."""
        self.set(stretch(picture, self.size)[None])

    def set(self, tensor: Floats) -> None:
        """Put (1, H, W, 3), float32, 0..1, of the model's own size into the input tensor."""
        self._model.set_tensor(self._input["index"], tensor)

    def run(self) -> Floats:
        """Run on what was prepared; return the raw output, (h, w, channels), float32."""
        self._model.invoke()
        raw: Floats = self._model.get_tensor(self._output)[0]
        return raw

    def __call__(self, picture: Bytes) -> Floats:
        """Return the person's probability, (h, w), float32, for RGB (H, W, 3), uint8."""
        self.prepare(picture)
        raw = self.run()
        channels = raw.shape[-1]
        if channels == 1:
            return raw[..., 0]
        shifted = np.exp(raw - raw.max(-1, keepdims=True))
        chosen = 15 if channels == 21 else channels - 1
        probability: Floats = shifted[..., chosen] / shifted.sum(-1)
        return probability
