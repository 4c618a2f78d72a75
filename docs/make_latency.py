"""Make docs/latency.md: python docs/make_latency.py [--runs 3] [--seconds 30] [--only MJPG-1280x720-30] [--page-only].

Boots the machine of `tests/vm` for each run of each line, measures there (`tests/vm/latency.py`), keeps the cheapest
run's figures in docs/latency.json, and writes the page from them. The programs take turns, so that a host that others
use too is as slow for one as for the other. It must have nothing else of ours to do.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

DOCS = Path(__file__).parent
FIGURES = DOCS / "latency.json"
VM = DOCS.parent / "tests" / "vm"
INPUTS = [
    ("YUYV", "1280x720", 30),
    ("MJPG", "1280x720", 30),
    ("YU12", "1280x720", 60),
    ("YUYV", "1280x720", 60),
    ("MJPG", "1280x720", 60),
    ("YUYV", "1920x1080", 30),
    ("MJPG", "1920x1080", 30),
]
PROGRAMS = {"framefx": "framefx", "fast": "framefx, `--model blazeseg-fast`", "lfbw": "LFBW’s operations"}
COMMON = ("MJPG", "1280x720", 30)
"""The smaller network is measured with this input alone."""

HEAD = """# Latency and cost of the webcam

In a virtual machine with real drivers, a program shows stamped pictures of a person on one v4l2loopback device; the
program that is measured takes it for its camera, blurs the background, and writes to another one; a reader there notes
when each stamp arrives. Latency is from the write into the first device to the read from the second; processor time is
all of the process's, the network included. *LFBW's operations* are what Linux-Fake-Background-Webcam does to a frame,
with OpenCV's camera, pyvirtualcam and the network that framefx has. JPEG is what OpenCV makes of the pictures, 4:2:0 at
quality 85.

"""

FOOT = """
Machine: {machine}, on one processor of the host, which the writer and the reader need too; a system call takes 8 to
15 µs there, 40 to 70 times what it takes outside. Outside, on the same host, simplejpeg turns such a JPEG picture of
1280×720 into RGB in {decoding} ms where one follows another, and in {paced} ms at 30 a second: who pauses finds the
processor cold, and on a host that lends it out meanwhile more so. framefx decoded JPEG by {library}.
Each line is the cheapest of one to three runs: others on the host only add, half as much again for seconds at a time.
`python docs/make_latency.py` measures again and writes this page; how to build the machine:
[The webcam](webcam.md#the-virtual-machine).
"""

KINDS = {"uml": "User Mode Linux", "kvm": "QEMU with KVM", "qemu": "QEMU without KVM"}


def key(format: str, size: str, rate: int) -> str:
    """Return the name of an input."""
    return f"{format}-{size}-{rate}"


def measure(format: str, size: str, rate: int, program: str, seconds: float) -> dict[str, object]:
    """Run one line's measurement in the machine."""
    sys.path.insert(0, str(VM))
    import machine

    words = ["--format", format, "--size", size, "--rate", str(rate), "--seconds", str(seconds)]
    words += ["--model", "blazeseg-fast"] if program == "fast" else ["--program", program]
    result = machine.run([sys.executable, str(VM / "latency.py"), *words], seconds=seconds + 360)
    lines = [line for line in result.output.splitlines() if line.startswith("{")]
    if result.code or not lines:
        raise SystemExit(f"{key(format, size, rate)}, {program}: {result.output[-2000:]}")
    figures: dict[str, object] = json.loads(lines[-1])
    print(json.dumps(figures), flush=True)
    return figures


def host() -> dict[str, object]:
    """Return what tells this host from others: milliseconds to decode a picture, and what framefx decodes with."""
    from framefx.v4l2.turbojpeg import library

    by = "simplejpeg" if library() is None else "libturbojpeg"
    return {"decoding": decoding(), "paced": decoding(pause=1 / 30), "library": by}


def decoding(pictures: int = 64, pause: float = 0.0) -> float:
    """Return the median milliseconds that simplejpeg takes for a picture, with a pause before each."""
    import cv2
    import simplejpeg

    from framefx.bench.scene import Scene, load_frames

    [picture] = Scene.of(load_frames("demo", 1), (720, 1280)).pictures
    data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
    taken = []
    for _ in range(pictures):
        time.sleep(pause)
        start = time.perf_counter()
        simplejpeg.decode_jpeg(data)
        taken.append(time.perf_counter() - start)
    return round(statistics.median(taken) * 1e3, 1)


def cheapest(runs: list[dict[str, object]]) -> dict[str, object]:
    """Return the run that cost least."""
    return min(runs, key=lambda one: float(str(one["cost per frame"])))


def page(figures: dict[str, dict[str, dict[str, object]]]) -> str:
    """Return the page's text."""
    columns = [
        "in",
        "program",
        "frames a second",
        "latency, median",
        "latency, 99 %",
        "share of a core",
        "cost a frame",
    ]
    lines = [columns, ["---"] * len(columns)]
    threads = [["in", "reading and decoding", "layers and steps", "converting and writing"], ["---"] * 4]
    for names in INPUTS:
        measured = figures.get(key(*names), {})
        for program in PROGRAMS:
            if program in measured:
                lines.append([_input(*names), PROGRAMS[program], *_cells(measured[program])])
        if "framefx" in measured:
            cost = measured["framefx"]["cost per frame by thread"]
            threads.append([_input(*names), *(f"{cost.get(n, 0):.1f} ms" for n in ("reader", "runner", "writer"))])
    facts = figures["host"]
    lines_of = [figures[key(*names)] for names in INPUTS if key(*names) in figures]
    kinds = {KINDS.get(str(one["machine"]), str(one["machine"])) for both in lines_of for one in both.values()}
    parts = [_table(lines), "framefx's processor time a frame, by thread:\n\n" + _table(threads)]
    return HEAD + "\n".join(parts) + FOOT.format(machine=", ".join(sorted(kinds)), **facts)


def _input(format: str, size: str, rate: int) -> str:
    return f"{size.replace('x', '×')}, {rate} a second, {'JPEG' if format == 'MJPG' else format}"


def _cells(one: dict[str, object]) -> list[str]:
    return [
        str(one["frames a second"]),
        f"{one['latency p50']} ms",
        f"{one['latency p99']} ms",
        f"{one['share of a core']:.0%}",
        f"{one['cost per frame']:.1f} ms",
    ]


def _table(lines: list[list[str]]) -> str:
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3, help="of each line")
    parser.add_argument("--seconds", type=float, default=30.0, help="to measure each run for")
    parser.add_argument("--only", metavar="INPUT", help="one of: " + ", ".join(key(*names) for names in INPUTS))
    parser.add_argument("--page-only", action="store_true", help="write the page from docs/latency.json")
    options = parser.parse_args()
    figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    if not options.page_only:
        figures["host"] = host()
    for names in INPUTS:
        if options.page_only or options.only not in (None, key(*names)):
            continue
        programs = [one for one in PROGRAMS if one != "fast" or names == COMMON]
        runs = [{one: measure(*names, one, options.seconds) for one in programs} for _ in range(options.runs)]
        figures[key(*names)] = {one: cheapest([run[one] for run in runs]) for one in programs}
        FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
    (DOCS / "latency.md").write_text(page(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
