"""Make the picture of the README from the demo clip: python docs/make_pictures.py.

One frame before and after a chain; only scikit-image's astronaut is in it. docs/make_gallery.py makes the others.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

import framefx

CHAIN = "blur,replace,color=temperature=0.15:saturation=1.15"
FRAMES = 8  # enough for the masks to settle
WIDTH, HEIGHT = 640, 360


def last_frame(chain: str) -> np.ndarray:
    """Return what the chain makes of the demo clip's eighth frame, at the page's size, blue first."""
    with TemporaryDirectory() as folder:
        framefx.run("demo", f"{folder}/", chain, frames=FRAMES)
        picture = cv2.imread(str(max(Path(folder).iterdir())))
    return cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)


def main() -> None:
    """Write the picture."""
    both = np.hstack([last_frame("color"), last_frame(CHAIN)])
    path = Path(__file__).with_name("pictures") / "readme.jpg"
    cv2.imwrite(str(path), both, [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main()
