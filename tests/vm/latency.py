"""Latency and cost of framefx between two loopback devices, measured inside the machine.

    python tests/vm/machine.py -- python tests/vm/latency.py [--chain blur] [--size 1280x720] [--format YUYV] …

A writer stamps each picture with its number, as blocks that survive a blur, and writes it to one loopback; framefx
reads that as its camera, runs the chain, and writes to the other; a reader there notes when each number arrives.
Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
from tools import LOOPBACK, PLAIN, Reader, cpu_seconds, device_is_ready, framefx, until, writes

BITS = 16


def stamp(pixels: Any, number: int) -> None:
    """Write `number` as black and white blocks, each a sixteenth of the width wide."""
    height, width = pixels.shape[:2]
    for bit in range(BITS):
        block = pixels[: height // 6, bit * width // BITS : (bit + 1) * width // BITS]
        block[...] = 235 if number >> bit & 1 else 20


def number_of(luma: Any) -> int:
    """Return the number in a picture's luma, (height, width)."""
    height, width = luma.shape
    centres = luma[height // 12, width // (2 * BITS) :: width // BITS][:BITS]
    return int(sum(1 << bit for bit, level in enumerate(centres) if level > 125))


def write(path: str, size: tuple[int, int], rate: float, format: str, seconds: float, sent: Any) -> None:
    """Write stamped pictures to a loopback at a steady rate; `sent[n]` is when picture n went."""
    import cv2

    from framefx.v4l2 import structs
    from framefx.v4l2.device import Device
    from framefx.v4l2.pixels import Packer

    width, height = size
    small = np.random.default_rng(0).integers(0, 256, (9, 16, 3), np.uint8)
    pixels = cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)
    device = Device(path)
    device.set_format(structs.OUTPUT, width, height, format)
    device.set_rate(structs.OUTPUT, rate)
    packer = None if format == "MJPG" else Packer(format, width, height)
    with contextlib.suppress(OSError):
        device.stream_on(structs.OUTPUT)
    start = time.monotonic()
    for number in range(round(seconds * rate)):
        stamp(pixels, number)
        data = cv2.imencode(".jpg", pixels)[1].tobytes() if packer is None else packer.pack(pixels)
        time.sleep(max(0.0, start + number / rate - time.monotonic()))
        sent[number] = time.monotonic()
        device.write(data)
    device.close()


def read(path: str, size: tuple[int, int], seconds: float, enough: int = 1 << BITS) -> dict[int, float]:
    """Return when each number first came out, for a while or until there are enough."""
    width, height = size
    arrived: dict[int, float] = {}
    end = time.monotonic() + seconds
    with Reader(path) as reader:
        while time.monotonic() < end and len(arrived) < enough:
            data = reader.read(0.5)
            if data is not None:
                luma = np.frombuffer(data, np.uint8)[: width * height].reshape(height, width)
                arrived.setdefault(number_of(luma), time.monotonic())
    return arrived


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run the chain for a while and return what it did."""
    width, height = map(int, options.size.split("x"))
    sent = multiprocessing.Array("d", round((options.seconds + 120) * options.rate), lock=False)
    given = (PLAIN, (width, height), options.rate, options.format, options.seconds + 120, sent)
    writer = multiprocessing.Process(target=write, args=given)
    writer.start()
    words = ["--chain", options.chain, "--source", PLAIN, "--size", options.size, "--sink", LOOPBACK]
    until(lambda: sent[0] > 0)
    process = framefx("--stats" if options.verbose else "--quiet", *words)
    try:
        until(lambda: process.poll() is not None or (writes(process.pid) and device_is_ready()))
        read(LOOPBACK, (width, height), 100.0, enough=options.warm)
        memory = resident(process.pid)
        before, start = cpu_seconds(process.pid), time.monotonic()
        threads = threads_of(process.pid)
        arrived = read(LOOPBACK, (width, height), options.seconds)
        spent, took = cpu_seconds(process.pid) - before, time.monotonic() - start
        memory = resident(process.pid) - memory
        threads = {name: value - threads.get(name, 0) for name, value in threads_of(process.pid).items()}
    finally:
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=30)[1]
        writer.kill()
        writer.join()
    if len(arrived) < 3:
        raise SystemExit(f"only {len(arrived)} pictures arrived; framefx said: {said}")
    return {**report(options, arrived, list(sent), spent, took, threads), "memory grown, MB": round(memory, 2)}


def resident(pid: int) -> float:
    """Return the megabytes of memory that a process has resident."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def threads_of(pid: int) -> dict[str, float]:
    """Return the processor time of each thread of a process, by number and name."""
    result = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        fields = (task / "stat").read_text().rpartition(")")[2].split()
        result[f"{task.name} {(task / 'comm').read_text().strip()}"] = (int(fields[11]) + int(fields[12])) / os.sysconf(
            "SC_CLK_TCK"
        )
    return result


def report(
    options: argparse.Namespace,
    arrived: dict[int, float],
    sent: list[float],
    spent: float,
    took: float,
    threads: dict[str, float],
) -> dict[str, Any]:
    """Return the figures; latencies in milliseconds, costs in milliseconds of processor time per frame."""
    known = {n: at - sent[n] for n, at in arrived.items() if n < len(sent) and 0 < sent[n] < at}
    # The first one is whatever stood on the device.
    numbers = sorted(known)[1:]
    delays = np.array([known[n] for n in numbers]) * 1e3
    span = numbers[-1] - numbers[0] + 1
    return {
        "chain": options.chain,
        "size": options.size,
        "rate": options.rate,
        "format": options.format,
        "machine": os.environ.get("VM_KIND", "this one"),
        "frames": len(numbers),
        "frames a second": round(len(numbers) / took, 1),
        "missed": span - len(numbers),
        "in order": list(arrived) == sorted(arrived),
        "latency p50": round(float(np.percentile(delays, 50)), 1),
        "latency p99": round(float(np.percentile(delays, 99)), 1),
        "share of a core": round(spent / took, 3),
        "cost per frame": round(spent / max(1, len(numbers)) * 1e3, 2),
        "cost per frame by thread": {n: round(v / max(1, len(numbers)) * 1e3, 2) for n, v in threads.items() if v > 0},
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--chain", default="blur")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--rate", type=float, default=30.0)
    parser.add_argument("--format", choices=["YUYV", "YU12", "NV12", "MJPG"], default="YUYV")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--warm", type=int, default=60, metavar="N", help="pictures before the measurement")
    parser.add_argument("--verbose", action="store_true")
    print(json.dumps(measure(parser.parse_args())))


if __name__ == "__main__":
    main()
