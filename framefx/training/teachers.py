"""Stronger models whose masks ours learns from."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from framefx.training.predict import LiteRTPredictor

#: Apache-2.0 models: only these may teach what is shipped.
TEACHERS = ("selfie_segmentation.tflite", "selfie_segmentation_landscape.tflite")


class Teachers:
    """The mean of several models over a picture and its mirror image.

    Parameters
    ----------
    folder : Path
        Where the models lie.
    names : tuple of str
        Their file names.
    """

    def __init__(self, folder: Path, names: tuple[str, ...] = TEACHERS) -> None:
        self._models = [LiteRTPredictor(folder / name) for name in names]

    def __call__(self, picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the person's probability, (h, w), float32, for RGB (h, w, 3), uint8."""
        size = (picture.shape[1], picture.shape[0])
        total = np.zeros(picture.shape[:2], np.float32)
        for model in self._models:
            for mirrored in (False, True):
                seen = picture[:, ::-1] if mirrored else picture
                mask = cv2.resize(model(np.ascontiguousarray(seen)), size)
                total += mask[:, ::-1] if mirrored else mask
        return total / np.float32(2 * len(self._models))
