"""Frames to send, and files read back."""

from __future__ import annotations

import numpy as np

from framefx.frame import Frame
from framefx.sources.video import VideoFile
from framefx.testing import TestPattern


def pattern_frames(count=8, size=(48, 64), rate=30.0, alpha=False):
    """Frames of the test pattern, at index / rate seconds."""
    pattern = TestPattern(size, count, rate)
    masks = [pattern.mask_at(index) if alpha else None for index in range(count)]
    return [Frame.borrow(pattern.pixels_at(i), mask, index=i, time=i / rate) for i, mask in enumerate(masks)]


def noise_frames(count, size=(120, 160)):
    """Frames that no codec makes small."""
    rng = np.random.default_rng(0)
    return [Frame.borrow(rng.integers(0, 256, (*size, 3), np.uint8), index=i, time=i / 30) for i in range(count)]


def write(sink, frames, rate=30.0):
    """Send `frames` to `sink` from beginning to end."""
    sink.open(frames[0].size, rate, frames[0].alpha is not None)
    for frame in frames:
        sink.send(frame)
    sink.finish()


def read_back(path):
    """Return all frames of a video file."""
    source = VideoFile(str(path))
    source.open()
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    source.close()
    return frames


def psnr(a, b):
    """Peak signal to noise ratio in decibels."""
    return 10 * np.log10(255**2 / max(1e-9, ((a.astype(float) - b) ** 2).mean()))
