"""The picture that is shown when nobody gave one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from framefx.frame import Image, Size


def default_picture(size: Size) -> Image:
    """Return a quiet evening sky over hills, drawn for `size`: nobody has to find a picture first."""
    height, width = size
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    stops = np.array([[52, 78, 128], [126, 140, 178], [226, 178, 152], [250, 214, 168]], np.float32)
    position = np.broadcast_to(np.clip(y / 0.75, 0, 1) * (len(stops) - 1), (height, width))
    picture = np.stack([np.interp(position, np.arange(len(stops)), stops[:, c]) for c in range(3)], axis=2)
    glow = np.exp(-((x - 0.68) ** 2 / 0.03 + (y - 0.52) ** 2 / 0.02))[..., None]
    picture = picture * (1 - 0.5 * glow) + np.array([255, 236, 196], np.float32) * 0.5 * glow
    edge = 1.5 / max(height, 2)
    for level, swing, speed, phase, tone in _HILLS:
        line = level + swing * (np.sin(x * speed + phase) + 0.4 * np.sin(2.3 * x * speed + 2 * phase))
        inside: npt.NDArray[np.float32] = np.clip((y - line) / edge, 0, 1)[..., None]
        picture = picture * (1 - inside) + np.array(tone, np.float32) * inside
    return np.ascontiguousarray(np.clip(picture + 0.5, 0, 255).astype(np.uint8))


_HILLS = (
    (0.62, 0.035, 7.0, 0.4, (128, 132, 158)),
    (0.71, 0.045, 5.0, 2.1, (88, 100, 128)),
    (0.82, 0.050, 3.6, 4.0, (52, 66, 90)),
)
