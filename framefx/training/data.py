"""The training pictures: packed once into one file, then kept in memory as bytes.

A pack is an `.npz` of encoded pictures (JPEG) and masks (PNG). It is small enough to be carried
to a machine with a GPU, and decoding all of it takes seconds, so nothing else is cached.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from framefx.training.pictures import clip_frames, decode, read_rgb
from framefx.training.teachers import Teachers

Bytes = npt.NDArray[np.uint8]
Kind = Literal["person", "empty", "frame"]

#: File-name prefixes of the groups whose licence is named: only these may be shipped from.
SHIPPABLE = ("ccp_", "voc_", "apd_", "coco_")
#: Backgrounds from repositories under the Apache licence; `composite` is for evaluation only.
APACHE_BACKGROUNDS = ("architecture", "porch", "saxon", "shibuyasky", "total_landscaping")
#: Clips under CC BY 4.0 whose frames the teachers label; the overhead clip is evaluation only.
CLIPS = ("asl_", "headpose_")
#: Person-free pictures of scikit-image.
SKIMAGE = ("brick", "cat", "chelsea", "coffee", "grass", "gravel", "rocket", "retina", "page")


@dataclass(frozen=True)
class Item:
    """One picture in memory.

    Attributes
    ----------
    name : str
        The file's name without its ending.
    kind : {"person", "empty", "frame"}
        Labelled by hand, without any person, or labelled by the teachers only.
    rgba : np.ndarray [shape=(h, w, 4), dtype=uint8]
        RGB and, as the fourth channel, the person's mask (0..255).
    """

    name: str
    kind: Kind
    rgba: Bytes


def shrink(picture: Bytes, side: int) -> Bytes:
    """Return `picture` with its long side at most `side` pixels."""
    height, width = picture.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return picture
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def blend_label(label: Bytes, teacher: npt.NDArray[np.float32], share: float = 0.4) -> Bytes:
    """Soften a hand-made mask by the teachers', where both mean the same thing.

    Hand-made masks have ragged rims and the teachers smooth ones; but where the teachers missed a
    person, or found one that the label leaves out, the label alone is kept.

    Parameters
    ----------
    label : np.ndarray [shape=(h, w), dtype=uint8]
    teacher : np.ndarray [shape=(h, w), dtype=float32]
        Probability, 0..1.
    share : float
        The teachers' part of the result.
    """
    hard, found = label > 127, teacher > 0.5
    union = np.count_nonzero(hard | found)
    agreement = np.count_nonzero(hard & found) / union if union else 0.0
    if agreement < 0.8:
        return label
    mixed = (1 - share) * label + share * 255 * teacher
    return np.asarray(mixed + 0.5, np.uint8)


def _people(root: Path, prefixes: tuple[str, ...]) -> Iterator[tuple[str, Kind, Bytes, Bytes | None]]:
    for path in sorted((root / "train" / "images").glob("*.jpg")):
        if path.stem.startswith(prefixes):
            mask = cv2.imread(str(root / "train" / "masks" / f"{path.stem}.png"), 0)
            if mask is not None:
                yield path.stem, "person", read_rgb(path), np.asarray(mask, np.uint8)


def _empties(root: Path) -> Iterator[tuple[str, Kind, Bytes, Bytes | None]]:
    backgrounds = [p for p in (root / "backgrounds").glob("*.jpg") if p.stem.startswith(APACHE_BACKGROUNDS)]
    for path in sorted([*(root / "negatives").glob("*.jpg"), *backgrounds]):
        picture = read_rgb(path)
        yield path.stem, "empty", picture, np.zeros(picture.shape[:2], np.uint8)
    try:
        import skimage.data
    except ImportError:
        return
    for name in SKIMAGE:
        try:
            picture = np.asarray(getattr(skimage.data, name)(), np.uint8)
        except Exception:  # scikit-image downloads some of its pictures; offline they are left out
            continue
        if picture.ndim == 2:
            picture = np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB), np.uint8)
        picture = np.ascontiguousarray(picture[..., :3])
        yield f"skimage_{name}", "empty", picture, np.zeros(picture.shape[:2], np.uint8)


def _frames(root: Path, every: int) -> Iterator[tuple[str, Kind, Bytes, Bytes | None]]:
    for path in sorted((root / "clips").iterdir()):
        if not path.stem.startswith(CLIPS):
            continue
        for index, rgb in enumerate(clip_frames(path)):
            if index % every == 0:
                yield f"{path.stem}_{index:04d}", "frame", rgb, None


def collect(
    root: Path, *, side: int, teachers: Teachers | None, every: int = 6
) -> Iterator[tuple[str, Kind, Bytes, Bytes]]:
    """Yield all that may be trained on: name, kind, picture (h, w, 3) and mask (h, w), uint8.

    Parameters
    ----------
    root : Path
        The data folder, with `train`, `negatives`, `backgrounds` and `clips`.
    side : int
        Longest side of the pictures, in pixels.
    teachers : Teachers, optional
        Without them labels stay as they are, and unlabelled frames are left out.
    every : int
        One of how many frames of a clip is taken.
    """
    everything: Iterable[tuple[str, Kind, Bytes, Bytes | None]] = (
        *_people(root, SHIPPABLE),
        *_empties(root),
        *_frames(root, every),
    )
    for name, kind, picture, label in everything:
        if label is None and teachers is None:
            continue
        small = shrink(picture, side)
        mask = np.zeros(small.shape[:2], np.uint8) if label is None else label
        if mask.shape != small.shape[:2]:
            size = (small.shape[1], small.shape[0])
            mask = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.uint8)
        if teachers is not None and kind != "empty":
            guess = teachers(small)
            mask = np.asarray(guess * 255 + 0.5, np.uint8) if kind == "frame" else blend_label(mask, guess)
        yield name, kind, small, mask


def pack(root: Path, path: Path, *, side: int = 448, quality: int = 88, teachers: Teachers | None = None) -> int:
    """Write the training pictures under `root` into one file; return how many."""
    names, kinds, pictures, masks = [], [], [], []
    for name, kind, picture, mask in collect(root, side=side, teachers=teachers):
        bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        # A smooth mask packs three times smaller as a JPEG than as a PNG.
        soft = cv2.imencode(".jpg", mask, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
        names.append(name)
        kinds.append(kind)
        pictures.append(jpeg.ravel())
        masks.append(soft.ravel())
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        names=np.array(names),
        kinds=np.array(kinds),
        pictures=np.concatenate(pictures),
        picture_sizes=np.array([p.size for p in pictures]),
        masks=np.concatenate(masks),
        mask_sizes=np.array([m.size for m in masks]),
    )
    return len(names)


def load(path: Path) -> list[Item]:
    """Decode a pack into memory."""
    with np.load(path) as archive:
        names, kinds = archive["names"], archive["kinds"]
        pictures = np.split(archive["pictures"], np.cumsum(archive["picture_sizes"])[:-1])
        masks = np.split(archive["masks"], np.cumsum(archive["mask_sizes"])[:-1])
    items = []
    for name, kind, jpeg, soft in zip(names, kinds, pictures, masks, strict=True):
        rgb, mask = decode(jpeg), decode(soft, gray=True)
        # JPEG leaves faint ripples beside the rim; the far background has to be exactly 0.
        mask = np.where(mask < 8, 0, np.where(mask > 247, 255, mask))
        rgba = np.dstack((rgb, mask.astype(np.uint8)))
        items.append(Item(str(name), str(kind), rgba))  # type: ignore[arg-type]
    return items


def split(items: list[Item], share: float = 0.04) -> tuple[list[Item], list[Item]]:
    """Part the labelled photos into training and validation, by photo and the same every time.

    The two crops of one photo share its number, so a photo never lies on both sides.
    """
    train: list[Item] = []
    held: list[Item] = []
    for item in items:
        key = "_".join(p for p in item.name.split("_") if p not in {"wide", "close", "crop"})
        number = sum(ord(c) * 31**i for i, c in enumerate(key)) % 1000
        chosen = item.kind == "person" and number < 1000 * share
        (held if chosen else train).append(item)
    return train, held
