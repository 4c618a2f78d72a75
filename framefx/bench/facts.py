"""What the figures depend on: processor, operating system, versions."""

from __future__ import annotations

import os
import platform
from datetime import date
from importlib import metadata
from pathlib import Path

_PACKAGES = ("numpy", "numba", "opencv-python-headless", "ai-edge-litert", "tflite-runtime", "onnxruntime", "torch")


def machine() -> dict[str, str]:
    """Return facts about this machine and what is installed, by name."""
    from framefx import __version__

    facts = {
        "date": date.today().isoformat(),
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "framefx": __version__,
    }
    for name in _PACKAGES:
        try:
            facts[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    if hasattr(os, "getloadavg"):
        facts["load when it began"] = f"{os.getloadavg()[0]:.1f}"
    return facts


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
