"""What the checks inside the machine share: readers, framefx as a program, and the picture that is sent."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

from framefx.frame import Frame
from framefx.v4l2.device import Device
from framefx.v4l2.holders import holders
from framefx.v4l2.stream import Stream

CAMERA, LOOPBACK, PLAIN = "/dev/video0", "/dev/video10", "/dev/video11"
SLOW = os.environ.get("VM_KIND") == "qemu"
"""Software emulation: everything takes 10 to 40 times as long."""
NEWER = bool(os.environ.get("VM_NEWER"))
"""v4l2loopback 0.13 or later. From 0.15 on a device has one reader at a time."""
PATIENCE = 150
"""Seconds after which nothing is waited for any more, on the slowest machine."""
SOON = PATIENCE if SLOW else 20
"""Seconds for what takes less than one on a machine that has nothing else to do, and is printed."""
BARS = [(255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0)]


def bars(width=320, height=180):
    pixels = np.zeros((height, width, 3), np.uint8)
    for i, colour in enumerate(BARS):
        pixels[:, i * width // 8 : (i + 1) * width // 8] = colour
    return pixels


def bar_error(pixels):
    """Return the largest distance, in levels, of any pixel inside a bar from the bar's colour."""
    height, width = pixels.shape[:2]
    return max(
        int(np.abs(pixels[4 : height - 4, i * width // 8 + 4 : (i + 1) * width // 8 - 4].astype(int) - colour).max())
        for i, colour in enumerate(BARS)
    )


@contextlib.contextmanager
def writing(sink, pixels, rate=15.0):
    """Keep sending a picture from a thread, as a pipeline would."""
    stop = threading.Event()

    def loop():
        while not stop.wait(1 / rate):
            sink.send(Frame.borrow(pixels))

    sink.open(pixels.shape[:2], rate, False)
    sink.send(Frame.borrow(pixels))
    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield sink
    finally:
        stop.set()
        thread.join()
        sink.finish()


class Reader:
    """A program's view of a device: what it gives, as raw bytes."""

    def __init__(self, path=LOOPBACK):
        self.device = Device(path)
        try:
            self.picture = self.device.format()
            self.stream = Stream(self.device, 2)
        except OSError:
            self.device.close()
            raise

    def read(self, seconds=SOON):
        """Return the newest picture's bytes, or None when none came."""
        grab = self.stream.grab(seconds)
        if grab is None:
            return None
        with grab:
            return bytes(grab.data)

    def close(self):
        self.stream.close()
        self.device.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def read_with_ffmpeg(path=LOOPBACK, frames=5):
    picture = picture_of(path)
    command = ["ffmpeg", "-v", "error", "-f", "v4l2", "-i", path, "-frames:v", str(frames)]
    # As they come: ffmpeg would fill a gap, as between a card and the camera's first picture, with repetitions.
    command += ["-vsync", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True)
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, picture.height, picture.width, 3)


def time_with_ffmpeg(seconds, path=LOOPBACK):
    """Let ffmpeg read for a while; return when each picture came, and a row of its luma (from a twelfth down)."""
    width = picture_of(path).width
    command = ["ffmpeg", "-v", "fatal", "-f", "v4l2", "-i", path, "-vsync", "passthrough", "-vf", "crop=iw:2:0:ih/12"]
    process = subprocess.Popen([*command, "-pix_fmt", "gray", "-f", "rawvideo", "-"], stdout=subprocess.PIPE)
    arrived, end = [], float("inf")
    try:
        while time.monotonic() < end and len(rows := process.stdout.read(2 * width)) == 2 * width:
            arrived.append((time.monotonic(), np.frombuffer(rows, np.uint8, width)))
            end = min(end, arrived[0][0] + seconds)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    return arrived


def read_with_opencv(path=LOOPBACK, frames=5):
    import cv2

    capture = cv2.VideoCapture(int(path.removeprefix("/dev/video")), cv2.CAP_V4L2)
    try:
        images = [capture.read()[1] for _ in range(frames)]
        return np.stack([image[..., ::-1] for image in images])
    finally:
        capture.release()


@contextlib.contextmanager
def reading(path=LOOPBACK):
    """A program of its own that reads for ever."""
    command = ["v4l2-ctl", "-d", path, "--stream-mmap", "--stream-count=1000000"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def read_with_v4l2_ctl(path=LOOPBACK, frames=5):
    """Return the raw bytes of pictures, those of one after another."""
    command = ["v4l2-ctl", "-d", path, "--stream-mmap", f"--stream-count={frames}", "--stream-to=-"]
    return subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True).stdout


def picture_of(path=LOOPBACK):
    device = Device(path)
    try:
        return device.format()
    finally:
        device.close()


def framefx(*arguments, **options):
    """Start framefx as a user does; its standard error is a pipe."""
    command = [sys.executable, "-m", "framefx", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options)


@contextlib.contextmanager
def running(*arguments):
    """framefx as a program of its own, ended by Ctrl-C; yields when its camera is there to be read."""
    process = framefx("--verbose", *arguments)
    said = []
    listener = threading.Thread(target=lambda: said.extend(process.stderr))
    listener.start()
    try:
        until(lambda: process.poll() is not None or (writes(process.pid) and device_is_ready()))
        assert process.poll() is None
        yield process
    except BaseException:
        process.kill()
        listener.join()
        sys.stdout.write("framefx said:\n" + "".join(said))
        raise
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE)
        process.kill()
        process.wait()
        listener.join()
        process.stderr.close()


def writes(pid, path=LOOPBACK):
    return bool(holders(path, [pid]))


def device_is_ready(path=LOOPBACK):
    device = Device(path)
    try:
        return device.identity().captures
    finally:
        device.close()


def until(condition, seconds=PATIENCE):
    """Wait for a condition; return the seconds it took.

    Raises
    ------
    TimeoutError
        When it stays away.
    """
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(0.02)
    return time.monotonic() - start


def cpu_seconds(pid):
    """Return the processor time that a process has used, of all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descriptors(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
