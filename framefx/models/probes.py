"""What a network is shown to learn how its answers are to be read: plain pictures, noise, and a drawn person.

Plain pictures alone do not tell probabilities from logits: a network that is unsure about all of them may keep its
logits between 0 and 1. A person before a wall makes it sure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from framefx.errors import ModelError
from framefx.frame import Image, Size
from framefx.models.inputs import Preparation
from framefx.protocols import Session

_WALL, _WINDOW, _SHIRT, _SKIN, _HAIR, _EYES = (
    (150, 158, 160), (225, 232, 240), (52, 70, 104), (214, 170, 144), (58, 42, 34), (40, 32, 30),
)  # fmt: skip


def pictures(size: Size) -> Iterator[Image]:
    """Yield a black, a grey, a white, a noisy picture and a drawn person, (height, width, 3) uint8 each."""
    for level in (0, 128, 255):
        yield np.full((*size, 3), level, np.uint8)
    yield np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    yield person(size)


def person(size: Size) -> Image:
    """Return a drawn person before a wall with a window, (height, width, 3) uint8, as a webcam would see them."""
    height, width = size
    down, across = np.ogrid[:height, :width]
    # In heads: the picture is three of them high, the face in its middle.
    y, x = (down + 0.5) / height * 3 - 1.25, ((across + 0.5) / width - 0.5) * 3 * width / height
    result = np.empty((height, width, 3), np.float32)
    result[...] = np.asarray(_WALL, np.float32) * (1.05 - 0.1 * ((down + across) / (height + width)))[..., None]
    parts = (
        (_WINDOW, (x > 0.9) & (x < 1.8) & (y < 0.2)),
        (_SHIRT, (np.abs(x) / 1.15) ** 3 + np.clip((2.0 - y) / 1.25, 0, None) ** 3 < 1),
        (_HAIR, np.hypot(x / 0.44, (y + 0.1) / 0.58) < 1),
        (_SKIN, (np.abs(x) < 0.17) & (y > 0.2) & (y < 0.85)),
        (_SKIN, np.hypot(x / 0.36, (y - 0.05) / 0.48) < 1),
        (_EYES, np.hypot((np.abs(x) - 0.15) / 0.055, (y + 0.02) / 0.03) < 1),
        ((166, 96, 92), np.hypot(x / 0.11, (y - 0.3) / 0.03) < 1),
    )
    for color, inside in parts:
        result[inside] = color
    # A lamp from the left, and a camera's noise: flat colours are rare in what networks were trained on.
    result *= (1.08 - 0.12 * np.clip(x, -1, 1))[..., None]
    result += np.random.default_rng(1).normal(0, 3, result.shape)
    return np.clip(result, 0, 255).astype(np.uint8)


def answers(session: Session, preparation: Preparation, names: Sequence[str]) -> list[dict[str, npt.NDArray[Any]]]:
    """Return copies of the outputs `names` for each of `pictures`.

    Raises
    ------
    ModelError
        When one of them is not a number.
    """
    tensor = session.inputs[0]
    result = []
    for pixels in pictures(preparation.size(tensor)):
        preparation.fill_pixels(pixels, session.buffer, tensor)
        answer = {name: values.copy() for name, values in session.run(session.buffer, names).items()}
        for name, values in answer.items():
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                raise ModelError(
                    f"the network answers a plain picture with NaN or infinity in '{name}': damaged weights"
                )
        result.append(answer)
    return result
