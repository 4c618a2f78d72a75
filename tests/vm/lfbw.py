"""What Linux-Fake-Background-Webcam does from camera to virtual camera, with pyvirtualcam, to measure beside framefx.

    python tests/vm/lfbw.py CAMERA LOOPBACK WIDTHxHEIGHT RATE FORMAT

OpenCV reads the camera, its operation sequence (`framefx.bench.peers`) blurs the background with the network that
framefx has, and pyvirtualcam (GPL, the extra ``framefx[pyvirtualcam]``) writes the frame.
"""

from __future__ import annotations

import sys

import cv2
import numpy as np
import pyvirtualcam

from framefx.bench.peers import LinuxFakeBackground, Network


def main(camera: str, loopback: str, size: str, rate: str, format: str) -> None:
    """Run until Ctrl-C."""
    width, height = map(int, size.split("x"))
    cv2.setNumThreads(1)
    capture = cv2.VideoCapture(int(camera.removeprefix("/dev/video")), cv2.CAP_V4L2)
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*("YU12" if format == "YU12" else format)))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
    capture.set(cv2.CAP_PROP_FPS, float(rate))
    compose = LinuxFakeBackground(network(), (height, width))
    picture = pyvirtualcam.PixelFormat.BGR
    with pyvirtualcam.Camera(width, height, float(rate), fmt=picture, device=loopback) as out:
        while True:
            _, frame = capture.read()
            out.send(compose(np.ascontiguousarray(frame)))


def network() -> Network:
    """Return framefx's own network, as the other program would use it."""
    from framefx.models.loading import find, load
    from framefx.plugins import PluginManager

    registry = PluginManager(discover=False).registry
    return Network(load(find("blazeseg", registry.weights), registry, threads=1))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
