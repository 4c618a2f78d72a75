"""Networks that lie inside another installed package: MediaPipe ships a dozen. The package is never imported."""

from __future__ import annotations

import importlib.util
from pathlib import Path

PREFIX = "mediapipe/"


def in_mediapipe() -> dict[str, Path]:
    """Return the networks inside an installed mediapipe, by ``mediapipe/`` and the file's name without its ending."""
    try:
        spec = importlib.util.find_spec("mediapipe")
    except (ImportError, ValueError):
        return {}
    roots = (spec.submodule_search_locations or ()) if spec else ()
    files = sorted(path for root in roots for path in Path(root).rglob("*.tflite"))
    # Reversed, so that of two files with one name the first stays.
    return {PREFIX + path.stem: path for path in reversed(files)}
