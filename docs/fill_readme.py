"""Write the measured figures of docs/benchmarks.json into README.md: python docs/fill_readme.py."""

import json
from pathlib import Path

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- figures: docs/fill_readme.py -->\n", "<!-- end of figures -->\n"
PEERS = ("Linux-Fake-Background-Webcam", "virtual_webcam_background")
SIZES = ("1280x720", "1920x1080")


def figures(report: dict) -> str:
    """Return the table: CPU time of a blurred background per frame, and how many times as long the others take."""
    machine = report["machine"]
    rows = {row["size"]: row for suite in report["suites"] for row in suite["rows"] if row["name"] == "blur"}
    lines = [
        f"Processor time per frame for a blurred background, model and mask included, one thread, the same network for"
        f" all ({machine['processor']}, Python {machine['Python']}, {machine['date']};"
        f" load when it began {machine['load when it began']}). [All figures](docs/benchmarks.md); `framefx bench`"
        " measures on your machine.",
        "",
        "| frame | framefx | " + " | ".join(PEERS) + " |",
        "|---|---|---|---|",
    ]
    for size in SIZES:
        times = {side["name"]: side["cpu_median"] for side in rows[size]["sides"]}
        own = times["framefx"]
        others = [f"{times[peer]:.1f} ms ({times[peer] / own:.1f} ×)" for peer in PEERS]
        lines.append(f"| {size} | {own:.1f} ms | " + " | ".join(others) + " |")
    return "\n".join(lines) + "\n"


def filled(readme: str, report: dict) -> str:
    """Return the README with the figures between the two marks."""
    head, _, rest = readme.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return head + BEGIN + figures(report) + END + tail


def main() -> None:
    """Write it."""
    readme = ROOT / "README.md"
    report = json.loads((ROOT / "docs" / "benchmarks.json").read_text(encoding="utf-8"))
    readme.write_text(filled(readme.read_text(encoding="utf-8"), report), encoding="utf-8")


if __name__ == "__main__":
    main()
