"""Training samples: framing, company, backgrounds and light as a webcam meets them.

Everything is drawn from one `numpy.random.Generator`, so that a sample is a function of its seed.
Pictures are RGBA, uint8, the fourth channel being the person's mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from framefx.training.data import Item
from framefx.training.degrade import Degrade
from framefx.training.rooms import drape, procedural

Bytes = npt.NDArray[np.uint8]
Random = np.random.Generator


@dataclass(frozen=True)
class Recipe:
    """How often each kind of sample is drawn.

    Attributes
    ----------
    composite, empty : float
        Shares of samples put together from cut-outs and of samples without anybody; the rest
        are pictures as they were taken.
    decoy : float
        Share of those that get a hanging cloth, or a thing with a person's outline, before any person
        (and of these, another one).
    second : float
        Share of plain samples that get one more person pasted in.
    strength : float
        Scales how often pictures are degraded (noise, blur, JPEG, light); 0..1.
    weights : tuple of (str, float)
        How often a group (by file-name prefix) is drawn, in relation to the others.
    """

    composite: float = 0.25
    empty: float = 0.16
    decoy: float = 0.4
    second: float = 0.10
    strength: float = 0.6
    weights: tuple[tuple[str, float], ...] = (
        ("ccp_", 0.24),
        ("voc_", 0.56),
        ("apd", 0.05),
        ("coco_", 0.11),
        ("", 0.04),
    )


@dataclass(frozen=True)
class CutOut:
    """A person to be pasted: where the mask lies in its picture, and which borders cut it."""

    item: Item
    box: tuple[int, int, int, int]
    left: bool
    right: bool
    bottom: bool
    top: bool


def cut_out(item: Item) -> CutOut | None:
    """Find the person's box in `item`; None where there is too little of them."""
    mask = item.rgba[..., 3] > 127
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    if len(columns) < 24 or len(rows) < 24:
        return None
    height = mask.shape[0]
    x0, x1, y0, y1 = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
    return CutOut(
        item,
        (int(x0), int(y0), int(x1), int(y1)),
        left=bool(mask[:, :2].mean() > 0.08),
        right=bool(mask[:, -2:].mean() > 0.08),
        bottom=bool(y1 > height - 3),
        top=bool(y0 < 2),
    )


class Sampler:
    """Draws samples of one size from the pictures in memory.

    Parameters
    ----------
    items : list of Item
    size : tuple of int
        Height and width of the samples, pixels.
    recipe : Recipe
    """

    def __init__(self, items: list[Item], size: tuple[int, int], recipe: Recipe) -> None:
        self.size, self.recipe = size, recipe
        self.pictures = [i for i in items if i.kind != "empty"]
        self.empties = [i for i in items if i.kind == "empty"]
        self.odds = self._odds(self.pictures)
        found = [c for c in map(cut_out, self.pictures) if c is not None and not c.top]
        self.cutouts = [c for c in found if not (c.left and c.right) and c.item.kind == "person"]
        self.cutout_odds = self._odds([c.item for c in self.cutouts])
        # A 16th of the masks' size is enough to look for places without people.
        self.coarse = [cv2.resize(i.rgba[..., 3], (16, 16), interpolation=cv2.INTER_AREA) for i in self.pictures]
        self.degrade = Degrade(size)

    def _odds(self, items: list[Item]) -> npt.NDArray[np.float64]:
        groups = [
            next(k for k, (prefix, _) in enumerate(self.recipe.weights) if i.name.startswith(prefix)) for i in items
        ]
        counts = np.bincount(groups, minlength=len(self.recipe.weights))
        odds = np.array([self.recipe.weights[k][1] / counts[k] for k in groups])
        return np.cumsum(odds / odds.sum())

    def __call__(self, rng: Random) -> tuple[Bytes, Bytes]:
        """Draw a sample: RGB (H, W, 3) and the mask at half the size, (H/2, W/2), uint8."""
        chance, recipe = rng.random(), self.recipe
        if chance < recipe.empty + recipe.composite:
            rgba = self.background(rng)
            while rng.random() < recipe.decoy:
                if rng.random() < 0.5:
                    drape(rgba, rng)
                else:
                    self.paste(rgba, rng, decoy=True)
        if chance < recipe.empty:
            pass
        elif chance < recipe.empty + recipe.composite:
            for _ in range(rng.choice((1, 2, 3), p=(0.66, 0.26, 0.08))):
                self.paste(rgba, rng)
        else:
            rgba = self.plain(rng)
            if rng.random() < recipe.second:
                self.paste(rgba, rng)
        if rng.random() < 0.5:
            rgba = np.ascontiguousarray(rgba[:, ::-1])
        if rng.random() < 0.12:
            occlude(rgba, rng)
        rgb = self.degrade(rgba, rng, self.recipe.strength)
        height, width = self.size
        mask = cv2.resize(rgba[..., 3], (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        return rgb, np.asarray(mask, np.uint8)

    def plain(self, rng: Random) -> Bytes:
        """Crop a picture as it was taken, (H, W, 4)."""
        item = self.pictures[int(np.searchsorted(self.odds, rng.random()))]
        return self.crop(item.rgba, rng)

    def crop(self, rgba: Bytes, rng: Random) -> Bytes:
        """Take a random, slightly turned and stretched part of a picture."""
        height, width = rgba.shape[:2]
        chance = rng.random()
        if chance < 0.32:
            box_w, box_h = width * rng.uniform(0.94, 1.04), height * rng.uniform(0.94, 1.04)
        else:
            wide = self.size[1] / self.size[0]
            # Half keep the camera's aspect; the others are stretched, as pictures from phones are.
            aspect = wide * rng.uniform(0.9, 1.1) if chance < 0.7 else rng.uniform(0.6, 1.7)
            scale = rng.uniform(0.5, 1.0) if rng.random() < 0.8 else rng.uniform(1.0, 1.5)
            box_h = min(height, width / aspect) * scale
            box_w = box_h * aspect
        spare_x, spare_y = abs(width - box_w) / 2, abs(height - box_h) / 2
        x = width / 2 + rng.uniform(-1, 1) * (spare_x + 0.04 * width)
        y = height / 2 + rng.uniform(-1, 1) * (spare_y + 0.04 * height)
        turn = rng.normal(0, 4) if rng.random() < 0.5 else 0.0
        return warp(rgba, self.size, (x, y, box_w, box_h), turn, rng)

    def background(self, rng: Random) -> Bytes:
        """Draw a picture without people, (H, W, 4) with an empty mask."""
        chance = rng.random()
        if chance < 0.22:
            rgb = procedural(self.size, rng)
            return np.dstack((rgb, np.zeros(self.size, np.uint8)))
        if chance < 0.62 or not self.pictures:
            item = self.empties[int(rng.integers(len(self.empties)))]
            return self.crop(item.rgba, rng)
        for _ in range(6):
            found = self._person_free(rng)
            if found is not None:
                return found
        item = self.empties[int(rng.integers(len(self.empties)))]
        return self.crop(item.rgba, rng)

    def _person_free(self, rng: Random) -> Bytes | None:
        index = int(rng.integers(len(self.pictures)))
        coarse, rgba = self.coarse[index], self.pictures[index].rgba
        w, h = int(rng.integers(5, 15)), int(rng.integers(5, 15))
        x, y = int(rng.integers(0, 17 - w)), int(rng.integers(0, 17 - h))
        if coarse[y : y + h, x : x + w].any():
            return None
        sx, sy = rgba.shape[1] / 16, rgba.shape[0] / 16
        box = ((x + w / 2) * sx, (y + h / 2) * sy, w * sx, h * sy)
        return warp(rgba, self.size, box, 0.0, rng)

    def paste(self, rgba: Bytes, rng: Random, *, decoy: bool = False) -> None:
        """Paste a cut-out person into `rgba`, in place; the masks are united.

        A decoy has a person's outline, filled with a part of a person-free picture: it teaches
        that not everything in front of something else is a person.
        """
        cut = self.cutouts[int(np.searchsorted(self.cutout_odds, rng.random()))]
        picture = cut.item.rgba
        x0, y0, x1, y1 = cut.box
        height, width = self.size
        # From a face that fills the frame to a person at the far end of the room.
        tall = height * float(np.exp(rng.uniform(np.log(0.35), np.log(1.7))))
        factor_y = tall / (y1 - y0)
        factor_x = factor_y * rng.uniform(0.75, 1.35)
        left = rng.uniform(-0.35, 1.0) * (width - 0.3 * (x1 - x0) * factor_x)
        if cut.left:
            left = -rng.uniform(0, 0.1) * (x1 - x0) * factor_x
        elif cut.right:
            left = width - (x1 - x0) * factor_x * rng.uniform(0.9, 1.0)
        top = height - tall * rng.uniform(0.55, 1.0) if cut.bottom else (rng.uniform(-0.15, 0.75) * height)
        if cut.bottom and tall < height:
            top = height - tall * rng.uniform(0.75, 1.0)
        matrix = np.array([[factor_x, 0, left - x0 * factor_x], [0, factor_y, top - y0 * factor_y]], np.float32)
        layer = cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_LINEAR)
        mask = layer[..., 3]
        if rng.random() < 0.7:
            blurred = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 1.2))
            mask = blurred
        texture = self.crop(self.empties[int(rng.integers(len(self.empties)))].rgba, rng) if decoy else layer
        person = relight(np.asarray(texture[..., :3], np.uint8), rgba[..., :3], rng)
        alpha = cv2.merge((mask, mask, mask))
        kept = cv2.multiply(rgba[..., :3], cv2.bitwise_not(alpha), scale=1 / 255)
        rgba[..., :3] = cv2.add(cv2.multiply(person, alpha, scale=1 / 255), kept)
        if decoy:
            rgba[..., 3] = np.minimum(rgba[..., 3], cv2.bitwise_not(mask))
        else:
            rgba[..., 3] = np.maximum(rgba[..., 3], mask)


def warp(
    rgba: Bytes,
    size: tuple[int, int],
    box: tuple[float, float, float, float],
    turn: float,
    rng: Random,
) -> Bytes:
    """Map the box (centre x, y, width, height; turned by degrees) of `rgba` onto a frame."""
    height, width = size
    x, y, box_w, box_h = box
    angle = np.deg2rad(turn)
    sx, sy = box_w / width, box_h / height
    cos, sin = np.cos(angle), np.sin(angle)
    inverse = np.array(
        [
            [cos * sx, -sin * sy, x - cos * box_w / 2 + sin * box_h / 2],
            [sin * sx, cos * sy, y - sin * box_w / 2 - cos * box_h / 2],
        ],
        np.float32,
    )
    if max(sx, sy) > 2.2:  # bilinear sampling skips pixels beyond that
        half = (max(1, rgba.shape[1] // 2), max(1, rgba.shape[0] // 2))
        rgba = np.asarray(cv2.resize(rgba, half, interpolation=cv2.INTER_AREA), np.uint8)
        inverse = inverse * np.float32(0.5)
    fill = (*(float(v) for v in rng.integers(0, 256, 3)), 0.0)
    mode = cv2.BORDER_CONSTANT if rng.random() < 0.5 else cv2.BORDER_REPLICATE
    return np.asarray(
        cv2.warpAffine(
            rgba,
            inverse,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=mode,
            borderValue=fill,
        ),
        np.uint8,
    )


def relight(person: Bytes, scene: Bytes, rng: Random) -> Bytes:
    """Move a cut-out's brightness and tint part of the way to its new surroundings."""
    gain = 1.0
    if rng.random() < 0.6:
        ratio = (cv2.mean(scene)[1] + 30) / (cv2.mean(person, person[..., 1])[1] + 30)
        gain = float(ratio ** rng.uniform(0, 0.5))
    gains = gain * rng.uniform(0.88, 1.12, 3)
    shifts = rng.uniform(-12, 12, 3)
    ramp = np.arange(256, dtype=np.float32)[:, None]
    table = np.clip(ramp * gains.astype(np.float32) + shifts.astype(np.float32), 0, 255)
    return np.asarray(cv2.LUT(person, table.astype(np.uint8)[:, None]), np.uint8)


def occlude(rgba: Bytes, rng: Random) -> None:
    """Put a thing in front of everything: a cup, a microphone, a chair's back, a caption."""
    height, width = rgba.shape[:2]
    color = (*(float(v) for v in rng.integers(0, 256, 3)), 0.0)
    x, y = int(rng.integers(0, width)), int(rng.integers(height // 4, height))
    kind = rng.integers(4)
    if kind == 0:
        axes = (int(rng.integers(2, width // 10)), int(rng.integers(2, height // 6)))
        cv2.ellipse(rgba, (x, y), axes, float(rng.integers(180)), 0, 360, color, -1, cv2.LINE_AA)
    elif kind == 1:
        end = (int(x + rng.integers(-width // 3, width // 3)), height)
        cv2.line(rgba, (x, y), end, color, int(rng.integers(2, 9)), cv2.LINE_AA)
    elif kind == 2:
        corner = (x + int(rng.integers(4, width // 4)), y + int(rng.integers(4, height // 3)))
        cv2.rectangle(rgba, (x, y), corner, color, -1)
    else:
        # Captions lie over the person and do not end them: the mask stays.
        rgb = np.ascontiguousarray(rgba[..., :3])
        size = float(rng.uniform(0.3, 0.8))
        cv2.putText(rgb, "framefx"[: rng.integers(2, 8)], (x // 2, y), 0, size, color[:3], 1)
        rgba[..., :3] = rgb
