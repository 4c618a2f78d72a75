"""Drawn backgrounds: walls, windows, shelves, chairs, gradients, plain studio colours."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Random = np.random.Generator


def _color(rng: Random, gray: bool = False) -> tuple[float, float, float]:
    if gray or rng.random() < 0.4:
        base, tint = rng.uniform(20, 250), rng.normal(0, 8, 3)
        r, g, b = np.clip(base + tint, 0, 255)
    else:
        r, g, b = rng.uniform(0, 255, 3)
    return float(r), float(g), float(b)


def gradient(size: tuple[int, int], rng: Random) -> Bytes:
    """Return a smooth field between up to 3 x 3 random colours, (H, W, 3)."""
    rows, columns = rng.integers(1, 4, 2)
    base = np.array(_color(rng))
    spread = rng.choice((10, 40, 120))
    cells = np.clip(base + rng.normal(0, spread, (rows, columns, 3)), 0, 255).astype(np.uint8)
    height, width = size
    return np.asarray(cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def studio(size: tuple[int, int], rng: Random) -> Bytes:
    """Return a plain, nearly white or nearly black backdrop, often brighter in the middle."""
    height, width = size
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = rng.choice((255, 250, 235, 128, 20, 0)) if rng.random() < 0.6 else _color(rng)
    if rng.random() < 0.4:
        spot = np.zeros((height, width), np.uint8)
        centre = (int(rng.uniform(0.3, 0.7) * width), int(rng.uniform(0.2, 0.7) * height))
        cv2.circle(spot, centre, height // 2, 90, -1)
        glow = cv2.resize(cv2.blur(cv2.resize(spot, (32, 18)), (9, 9)), (width, height))
        return np.asarray(cv2.add(picture, cv2.merge((glow, glow, glow))), np.uint8)
    return picture


def room(size: tuple[int, int], rng: Random) -> Bytes:
    """Return a wall with a floor, a window, pictures, shelves, a lamp, a chair's back."""
    height, width = size
    picture = gradient(size, rng)
    if rng.random() < 0.5:
        y = int(height * rng.uniform(0.55, 0.95))
        cv2.rectangle(picture, (0, y), (width, height), _color(rng), -1)
    for _ in range(int(rng.integers(1, 8))):
        x, y = int(rng.integers(-10, width)), int(rng.integers(-10, height))
        w, h = int(rng.integers(4, width // 2)), int(rng.integers(4, height // 2))
        cv2.rectangle(picture, (x, y), (x + w, y + h), _color(rng), -1)
        if rng.random() < 0.5:
            thickness = int(rng.integers(1, 5))
            cv2.rectangle(picture, (x, y), (x + w, y + h), _color(rng), thickness)
    if rng.random() < 0.35:
        shelf(picture, rng)
    if rng.random() < 0.5:
        chair(picture, rng)
    for _ in range(int(rng.integers(0, 4))):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (int(rng.integers(2, width // 6)), int(rng.integers(2, height // 4)))
        turn = float(rng.integers(180))
        cv2.ellipse(picture, centre, axes, turn, 0, 360, _color(rng), -1, cv2.LINE_AA)
    return picture


def shelf(picture: Bytes, rng: Random) -> None:
    """Draw rows of books into `picture`, in place."""
    height, width = picture.shape[:2]
    x, end = int(rng.integers(0, width // 2)), int(rng.integers(width // 2, width))
    y = int(rng.integers(8, height // 2))
    while x < end:
        w, h = int(rng.integers(2, 9)), int(rng.integers(8, 28))
        for row in range(3):
            base = y + row * 32
            cv2.rectangle(picture, (x, base - h), (x + w, base), _color(rng), -1)
        x += w


def chair(picture: Bytes, rng: Random) -> None:
    """Draw the back of an office chair, alone, as it stands when nobody sits there."""
    height, width = picture.shape[:2]
    colour = _color(rng, gray=True)
    x, w = int(rng.uniform(0.1, 0.9) * width), int(rng.uniform(0.08, 0.25) * width)
    top = int(rng.uniform(0.25, 0.75) * height)
    axes = (w // 2, max(4, w // 3))
    cv2.ellipse(picture, (x, top + axes[1]), axes, 0, 0, 360, colour, -1, cv2.LINE_AA)
    cv2.rectangle(picture, (x - w // 2, top + axes[1]), (x + w // 2, height), colour, -1)


def drape(rgba: Bytes, rng: Random) -> None:
    """Hang a striped or plain cloth (a curtain, a flag, a towel) into RGBA, in place.

    Cloth that nobody wears looks like clothes in everything but its outline.
    """
    height, width = rgba.shape[:2]
    x, y = rng.uniform(-0.2, 0.9) * width, rng.uniform(-0.3, 0.6) * height
    w, h = rng.uniform(0.1, 0.5) * width, rng.uniform(0.3, 1.3) * height
    corners = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]])
    corners += rng.normal(0, 0.12, (4, 2)) * (w, h)
    outline = np.zeros((height, width), np.uint8)
    cv2.fillPoly(outline, [corners.astype(np.int32)], 255, cv2.LINE_AA)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    along = (columns * rng.normal(0, 0.15) + rows * rng.normal(0, 0.15)).astype(np.float32)
    first, second = np.array(_color(rng), np.float32), np.array(_color(rng), np.float32)
    if rng.random() < 0.35:  # of a flag's colours one is white as a rule
        second = np.full_like(second, rng.uniform(200, 255))
    stripes = (np.sin(along * rng.uniform(0.5, 4)) > rng.choice((-2.0, 0.0, 0.5)))[..., None]
    folds = np.sin(columns * rng.uniform(0.1, 0.7) + np.sin(rows * 0.05) * rng.uniform(0, 3))
    cloth = np.where(stripes, first, second) * (1 - rng.uniform(0.05, 0.35) * (1 + folds[..., None]) / 2)
    inside = outline[..., None].astype(np.float32) / 255
    rgba[..., :3] = rgba[..., :3] * (1 - inside) + cloth * inside
    rgba[..., 3] = np.minimum(rgba[..., 3], cv2.bitwise_not(outline))


def procedural(size: tuple[int, int], rng: Random) -> Bytes:
    """Return one drawn background, (H, W, 3), uint8, slightly textured."""
    maker = (gradient, studio, room, room)[int(rng.integers(4))]
    picture = maker(size, rng)
    if rng.random() < 0.4:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.6, 4)), np.uint8)
    if rng.random() < 0.5:
        height, width = size
        coarse = int(rng.choice((1, 2, 4)))
        grain = rng.integers(0, 24, (height // coarse, width // coarse), np.uint8)
        texture = cv2.resize(grain, (width, height))
        picture = np.asarray(cv2.add(picture, cv2.merge((texture,) * 3)), np.uint8)
    return picture
