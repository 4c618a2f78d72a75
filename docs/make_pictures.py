"""Make the pictures of the documentation from the demo clip: python docs/make_pictures.py [MODEL].

Each shows one frame before and after a chain. Only scikit-image's astronaut is in them.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

import framefx

FOLDER = Path(__file__).with_name("pictures")
WIDTH = 640
FRAMES = 8  # enough for the masks to settle
CHAINS = {
    "readme": "blur,replace,color=temperature=0.15:saturation=1.15",
    "blur": "blur=14",
    "replace": "replace",
    "color": "color=saturation=0:where=background,color=temperature=0.2:contrast=1.1:where=person",
    "flip": "flip",
}


def last_frame(chain: str, settings: dict) -> np.ndarray:
    """Return what the chain makes of the demo clip's eighth frame, blue first as OpenCV has it."""
    with TemporaryDirectory() as folder:
        framefx.run("demo", folder, chain, frames=FRAMES, **settings)
        return cv2.imread(str(max(Path(folder).iterdir())))


def half(pixels: np.ndarray) -> np.ndarray:
    """Return the picture at half of the page's width."""
    height = round(WIDTH * pixels.shape[0] / pixels.shape[1])
    return cv2.resize(pixels, (WIDTH, height), interpolation=cv2.INTER_AREA)


def main() -> None:
    """Write every picture."""
    settings = {"model": sys.argv[1]} if len(sys.argv) > 1 else {}
    FOLDER.mkdir(exist_ok=True)
    before = half(last_frame("color", settings))
    for name, chain in CHAINS.items():
        both = np.hstack([before, half(last_frame(chain, settings))])
        path = FOLDER / f"{name}.jpg"
        cv2.imwrite(str(path), both, [cv2.IMWRITE_JPEG_QUALITY, 88])
        print(f"{path}: {chain}, {path.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
