"""Latency and cost of a program between two loopback devices, measured inside the machine.

    python tests/vm/machine.py -- python tests/vm/latency.py [--size 1280x720] [--format MJPG] [--program lfbw] …

A writer shows stamped pictures on one loopback; the program takes that for its camera, blurs the background, and
writes to the other; a reader there notes when each number arrives. The stamp is a row of blocks that survive a blur.
Prints one line of JSON. `docs/make_latency.py` runs it for the documentation.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tools import LOOPBACK, PATIENCE, PLAIN, Reader, cpu_seconds, device_is_ready, framefx, until, writes

BITS = 6
PERIOD = 1 << BITS
"""So many pictures are made beforehand, and shown again and again: showing them takes no time from the program."""

TICK = 0.01
"""Seconds between two looks of User Mode Linux at who runs: it charges that thread for the whole time between them."""

LFBW = Path(__file__).with_name("lfbw.py")


def stamp(pixels: Any, number: int) -> None:
    """Write `number` as black and white blocks along the top, each a sixth of the width."""
    height, width = pixels.shape[:2]
    for bit in range(BITS):
        block = pixels[: height // 6, bit * width // BITS : (bit + 1) * width // BITS]
        block[...] = 235 if number >> bit & 1 else 20


def number_of(luma: Any) -> int:
    """Return the number in a picture's luma, (height, width)."""
    height, width = luma.shape
    centres = luma[height // 12, width // (2 * BITS) :: width // BITS][:BITS]
    return int(sum(1 << bit for bit, level in enumerate(centres) if level > 125))


def stamped(size: tuple[int, int]) -> Iterator[Any]:
    """Yield `PERIOD` pictures of a person, stamped, (height, width, 3) uint8 RGB."""
    from framefx.bench.scene import Scene, load_frames

    width, height = size
    frames = Scene.of(load_frames("demo"), (height, width)).pictures
    for number in range(PERIOD):
        pixels = frames[number % len(frames)].copy()
        stamp(pixels, number)
        yield pixels


def pictures(size: tuple[int, int], format: str) -> list[bytes]:
    """Return `stamped` as a camera would send them."""
    import cv2

    from framefx.v4l2.pixels import Packer

    packer = None if format == "MJPG" else Packer(format, *size)
    made = []
    for pixels in stamped(size):
        if packer is None:
            made.append(cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())
        else:
            made.append(packer.pack(pixels).tobytes())
    return made


def write(path: str, size: tuple[int, int], rate: float, format: str, sent: Any, drift: float) -> None:
    """Write stamped pictures to a loopback at a steady rate; `sent[n]` is when picture n went.

    Each comes `drift` seconds later than the rate says: pictures that keep step with the machine's ticks would have
    the same moments of the work charged, and others never.
    """
    from framefx.v4l2 import structs
    from framefx.v4l2.device import Device

    made = pictures(size, format)
    device = Device(path)
    device.set_format(structs.OUTPUT, *size, format)
    device.set_rate(structs.OUTPUT, rate)
    with contextlib.suppress(OSError):
        device.stream_on(structs.OUTPUT)
    start = time.monotonic()
    for number in range(len(sent)):
        time.sleep(max(0.0, start + number * (1 / rate + drift) - time.monotonic()))
        sent[number] = time.monotonic()
        device.write(made[number % PERIOD])
    device.close()


@contextlib.contextmanager
def camera(size: tuple[int, int], rate: float, format: str, seconds: float, drift: float = 0.0) -> Iterator[Any]:
    """Have `write` show pictures on the plain loopback, from a process of its own; yields its `sent`."""
    sent = multiprocessing.Array("d", round((seconds + 2 * PATIENCE) * rate), lock=False)
    writer = multiprocessing.Process(target=write, args=(PLAIN, size, rate, format, sent, drift))
    writer.start()
    try:
        until(lambda: sent[0] > 0)
        yield sent
    finally:
        writer.kill()
        writer.join()


def read(path: str, size: tuple[int, int], seconds: float, enough: int = 1 << 30) -> list[tuple[float, int]]:
    """Return when which stamp came out, for a while or until there are enough; repetitions are left out."""
    width, height = size
    arrived: list[tuple[float, int]] = []
    end = time.monotonic() + seconds
    with Reader(path) as reader:
        while time.monotonic() < end and len(arrived) < enough:
            with contextlib.ExitStack() as stack:
                grab = reader.stream.grab(0.5)
                if grab is None:
                    continue
                now = time.monotonic()
                stack.enter_context(grab)
                luma = np.frombuffer(grab.data, np.uint8)[: width * height].reshape(height, width)
                stamped = number_of(luma)
                del luma
            if not arrived or arrived[-1][1] != stamped:
                arrived.append((now, stamped))
    return arrived


def known(arrived: list[tuple[float, int]], sent: Any) -> dict[int, float]:
    """Return the delay in seconds of each picture by its number: the last one sent before with the stamp that came."""
    times = np.array(sent)
    times = times[: int(np.count_nonzero(times))]
    delays = {}
    for now, stamped in arrived[1:]:  # the first one is whatever stood on the device
        newest = int(np.searchsorted(times, now)) - 1
        number = newest - (newest - stamped) % PERIOD
        if number >= 0:
            delays.setdefault(number, now - times[number])
    return delays


def program(options: argparse.Namespace) -> subprocess.Popen[str]:
    """Start what is measured."""
    if options.program == "lfbw":
        words = [PLAIN, LOOPBACK, options.size, str(options.rate), options.format]
        return subprocess.Popen([sys.executable, str(LFBW), *words], stderr=subprocess.PIPE, text=True)
    words = ["--chain", options.chain, "--source", PLAIN, "--size", options.size, "--rate", str(options.rate)]
    if options.model:
        words += ["--model", options.model]
    return framefx("--quiet", *words, "--sink", LOOPBACK)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run the program for a while and return what it did."""
    width, height = map(int, options.size.split("x"))
    drift = TICK / (options.seconds * options.rate)  # by one tick in all
    with camera((width, height), options.rate, options.format, options.seconds, drift) as sent:
        process = program(options)
        try:
            until(lambda: process.poll() is not None or (writes(process.pid) and device_is_ready()))
            if process.poll() is None:
                read(LOOPBACK, (width, height), PATIENCE, enough=options.warm)
            before, start = cpu_of(process.pid), time.monotonic()
            memory = resident(process.pid)
            arrived = read(LOOPBACK, (width, height), options.seconds)
            spent, took = cpu_of(process.pid), time.monotonic() - start
            memory = resident(process.pid) - memory
        finally:
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=60)[1]
    delays = known(arrived, sent)
    if len(delays) < 3:
        raise SystemExit(f"only {len(delays)} pictures arrived; it said: {said}")
    used = {name: seconds - before.get(name, 0.0) for name, seconds in spent.items()}
    return {**report(options, delays, used, took), "memory grown, MB": round(memory, 2)}


def resident(pid: int) -> float:
    """Return the megabytes of memory that a process has resident."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def cpu_of(pid: int) -> dict[str, float]:
    """Return the seconds of processor time of a process, under "", and of each of its threads by name."""
    result = {"": cpu_seconds(pid)}
    for task in Path(f"/proc/{pid}/task").iterdir():
        fields = (task / "stat").read_text().rpartition(")")[2].split()
        seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        name = (task / "comm").read_text().strip().removeprefix("framefx-")
        result[name] = result.get(name, 0.0) + seconds
    return result


def report(
    options: argparse.Namespace, delays: dict[int, float], used: dict[str, float], took: float
) -> dict[str, Any]:
    """Return the figures; latencies in milliseconds, costs in milliseconds of processor time per frame."""
    numbers = list(delays)
    milliseconds = np.array(list(delays.values())) * 1e3
    cost = {name: round(seconds / len(numbers) * 1e3, 2) for name, seconds in used.items()}
    return {
        "program": options.program,
        "size": options.size,
        "rate": options.rate,
        "format": options.format,
        "machine": os.environ.get("VM_KIND", "this one"),
        "seconds": round(took, 1),
        "frames": len(numbers),
        "frames a second": round(len(numbers) / took, 1),
        "missed": max(numbers) - min(numbers) + 1 - len(numbers),
        "in order": numbers == sorted(numbers),
        "latency p50": round(float(np.percentile(milliseconds, 50)), 1),
        "latency p99": round(float(np.percentile(milliseconds, 99)), 1),
        "latency least": round(float(milliseconds.min()), 1),
        "share of a core": round(used[""] / took, 3),
        "cost per frame": cost.pop(""),
        "cost per frame by thread": {name: value for name, value in cost.items() if value > 0},
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--program", choices=["framefx", "lfbw"], default="framefx")
    parser.add_argument("--chain", default="blur")
    parser.add_argument("--model", help="framefx's, instead of its default")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--rate", type=float, default=30.0)
    parser.add_argument("--format", choices=["YUYV", "YU12", "NV12", "MJPG"], default="YUYV")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--warm", type=int, default=90, metavar="N", help="pictures before the measurement")
    print(json.dumps(measure(parser.parse_args())))


if __name__ == "__main__":
    main()
