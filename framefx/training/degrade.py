"""Light, camera and compression: what happens to a picture before a model sees it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Random = np.random.Generator


class Degrade:
    """Random light and camera faults for pictures of one size.

    Parameters
    ----------
    size : tuple of int
        Height and width, pixels.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        # Normal noise is drawn once; a random window of it costs a hundredth of drawing anew.
        height, width = size
        grain = np.random.default_rng(1).normal(0, 32, (2 * height, 2 * width, 3))
        self._noise = np.clip(grain, -127, 127).astype(np.int16)
        self.size = size

    def __call__(self, rgba: Bytes, rng: Random, strength: float) -> Bytes:
        """Return a degraded RGB (H, W, 3), uint8, of `rgba` (H, W, 4)."""
        rgb = np.ascontiguousarray(rgba[..., :3])
        if rng.random() < 0.15 * strength:
            rgb = backlight(rgb, rgba[..., 3], rng)
        if rng.random() < 0.45 * strength:
            rgb = recolor(rgb, rgba[..., 3], rng)
        rgb = tone(rgb, rng, strength)
        chance = rng.random(6) / max(strength, 1e-6)
        if chance[5] < 0.4:
            rgb = turn_hues(rgb, rng)
        if chance[0] < 0.10:
            rgb = shade(rgb, rng)
        if chance[1] < 0.06:
            gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
            rgb = np.asarray(cv2.merge((gray, gray, gray)), np.uint8)
        if chance[2] < 0.15:
            rgb = blur(rgb, rng)
        if chance[3] < 0.22:
            rgb = self._grain(rgb, rng)
        if chance[4] < 0.15:
            rgb = compress(rgb, rng)
        return rgb

    def _grain(self, rgb: Bytes, rng: Random) -> Bytes:
        height, width = self.size
        y, x = int(rng.integers(height)), int(rng.integers(width))
        window = self._noise[y : y + height, x : x + width]
        level = rng.uniform(0.1, 0.8) ** 2
        grain = cv2.multiply(window, np.ones_like(window), scale=level)
        return np.asarray(cv2.add(rgb, grain, dtype=cv2.CV_8U), np.uint8)


def tone(rgb: Bytes, rng: Random, strength: float) -> Bytes:
    """Change exposure, gamma, contrast and white balance through one table per channel."""
    if rng.random() > 0.8 * strength:
        return rgb
    gamma = float(np.exp(rng.normal(0, 0.28)))
    if rng.random() < 0.08:
        gamma = rng.uniform(1.6, 3.0)  # a dark room
    contrast, lift = rng.uniform(0.7, 1.3), rng.uniform(-0.1, 0.1)
    gains = np.exp(rng.normal(0, 0.08, 3))
    ramp = (np.arange(256, dtype=np.float32) / 255)[:, None] ** np.float32(gamma)
    table = ((ramp - 0.5) * contrast + 0.5 + lift) * gains.astype(np.float32)
    whole = np.clip(table * 255, 0, 255).astype(np.uint8)[:, None]
    out = cv2.LUT(rgb, whole)
    if rng.random() < 0.25:
        gray = cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        share = rng.uniform(-0.5, 0.8)
        out = cv2.addWeighted(out, 1 - share, gray, share, 0)
    return np.asarray(out, np.uint8)


def recolor(rgb: Bytes, mask: Bytes, rng: Random) -> Bytes:
    """Give the clothes, or the background, other colours.

    A network that has seen a few hundred wardrobes takes their colours for the person. Clothes
    are whatever of the person lies below a random height.
    """
    if rng.random() < 0.5:
        region = cv2.bitwise_not(mask)
    else:
        region = mask.copy()
        rows = np.flatnonzero((mask > 127).any(1))
        if len(rows):
            neck = rows[0] + int((rows[-1] - rows[0]) * rng.uniform(0.15, 0.5))
            region[:neck] = 0
    changed = turn_hues(rgb, rng, reach=128)
    gains, shifts = np.exp(rng.normal(0, 0.35, 3)), rng.uniform(-50, 50) + rng.normal(0, 15, 3)
    ramp = np.arange(256, dtype=np.float32)[:, None]
    table = np.clip(ramp * gains.astype(np.float32) + shifts.astype(np.float32), 0, 255)
    changed = np.asarray(cv2.LUT(changed, table.astype(np.uint8)[:, None]), np.uint8)
    alpha = cv2.merge((region, region, region))
    kept = cv2.multiply(rgb, cv2.bitwise_not(alpha), scale=1 / 255)
    return np.asarray(cv2.add(cv2.multiply(changed, alpha, scale=1 / 255), kept), np.uint8)


def turn_hues(rgb: Bytes, rng: Random, reach: int = 36) -> Bytes:
    """Turn all hues by up to `reach` of 256 parts of a circle."""
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV_FULL)
    # Hue is a byte that wraps around: so does the sum of bytes.
    hsv[..., 0] += np.uint8(rng.integers(-reach, reach + 1) % 256)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL), np.uint8)


def backlight(rgb: Bytes, mask: Bytes, rng: Random) -> Bytes:
    """Darken the person in front of a bright background."""
    soft = cv2.GaussianBlur(mask, (0, 0), 2)
    alpha = cv2.merge((soft, soft, soft))
    bright = cv2.convertScaleAbs(rgb, alpha=rng.uniform(1.0, 1.6), beta=rng.uniform(0, 60))
    dark = cv2.convertScaleAbs(rgb, alpha=rng.uniform(0.3, 0.8))
    rest = cv2.multiply(bright, cv2.bitwise_not(alpha), scale=1 / 255)
    return np.asarray(cv2.add(cv2.multiply(dark, alpha, scale=1 / 255), rest), np.uint8)


def shade(rgb: Bytes, rng: Random) -> Bytes:
    """Light one side of the picture more than the other."""
    height, width = rgb.shape[:2]
    corners = rng.uniform(80, 255, (2, 2)).astype(np.uint8)
    field = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.multiply(rgb, cv2.merge((field, field, field)), scale=1 / 200), np.uint8)


def blur(rgb: Bytes, rng: Random) -> Bytes:
    """Blur by a motion, by focus, or by a small picture made large."""
    kind = rng.integers(3)
    if kind == 0:
        length = int(rng.integers(2, 5)) * 2 + 1
        kernel = np.zeros((length, length), np.float32)
        reach = length // 2
        dx, dy = rng.integers(-reach, reach + 1, 2)
        centre = (reach - int(dx), reach - int(dy)), (reach + int(dx), reach + int(dy))
        cv2.line(kernel, *centre, 1.0)
        return np.asarray(cv2.filter2D(rgb, -1, kernel / kernel.sum()), np.uint8)
    if kind == 1:
        return np.asarray(cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.5, 1.8)), np.uint8)
    height, width = rgb.shape[:2]
    factor = rng.uniform(0.3, 0.8)
    small = cv2.resize(rgb, (round(width * factor), round(height * factor)))
    return np.asarray(cv2.resize(small, (width, height)), np.uint8)


def compress(rgb: Bytes, rng: Random) -> Bytes:
    """Write and read the picture as a JPEG of low quality."""
    quality = int(rng.integers(15, 70))
    jpeg = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    # Channel order does not matter: the codec sees the three planes the same way both times.
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
