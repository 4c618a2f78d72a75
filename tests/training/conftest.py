"""A tiny data folder: bright discs on dark ground stand for people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2")

SHARED = Path(__file__).parents[2].parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real pictures and models beside the repository."""
    if not (SHARED / "data" / "eval").is_dir():
        pytest.skip("the data folder is not here")
    return SHARED / "data"


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight discs with masks, two empty pictures."""
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for folder in ("train/images", "train/masks", "negatives", "clips", "backgrounds"):
        (root / folder).mkdir(parents=True)
    for k in range(8):
        picture = rng.integers(0, 60, (96, 128, 3), np.uint8)
        mask = np.zeros((96, 128), np.uint8)
        cv2.circle(mask, (64, 70), 24 + k, 255, -1)
        picture[mask > 0] += 150
        cv2.imwrite(str(root / "train" / "images" / f"voc_{k}.jpg"), picture)
        cv2.imwrite(str(root / "train" / "masks" / f"voc_{k}.png"), mask)
    for k in range(2):
        cv2.imwrite(str(root / "negatives" / f"n_{k}.jpg"), rng.integers(0, 60, (96, 128, 3), np.uint8))
    return root


@pytest.fixture(scope="session")
def packed(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same folder, packed."""
    from framefx.training.data import pack

    path = tmp_path_factory.mktemp("pack") / "pack.npz"
    pack(data_folder, path, side=128)
    return path
