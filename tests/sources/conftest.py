"""Real clips, an independent reader, and small videos made on the spot."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def shared():
    """A function from a name to a real file, or a skip."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.is_file():
            pytest.skip(f"{name} is not here")
        return path

    return find


@pytest.fixture
def ffmpeg():
    """A function that runs the real ffmpeg and returns its output, or a skip."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")

    def run(*arguments: object) -> bytes:
        command = ["ffmpeg", "-v", "error", "-y", *map(str, arguments)]
        return subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout

    return run


@pytest.fixture
def encode(tmp_path):
    """A function that writes pictures to a file without loss, with PyAV alone."""
    import av

    def write(name, pictures, *, format="rgb24", codec="ffv1", coded="bgr0", rate=10, turn=None, tags=None, **options):
        path = tmp_path / name
        with av.open(str(path), "w", **options) as container:
            stream = container.add_stream(codec, rate=rate)
            stream.height, stream.width = (
                np.shape(pictures[0])[-3:-1] if format == "rgb24" else np.shape(pictures[0])[-2:]
            )
            stream.pix_fmt = coded
            for tag, value in (tags or {}).items():
                setattr(stream.codec_context, tag, value)
            if turn is not None:
                stream.set_display_rotation(*turn)
            for index, picture in enumerate(pictures):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format)
                frame.pts = index
                for tag, value in (tags or {}).items():
                    setattr(frame, tag, value)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write
