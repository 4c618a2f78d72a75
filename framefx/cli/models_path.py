"""``framefx models path``: where a network's file lies."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from framefx.models.loading import find
from framefx.plugins import PluginManager


def main(argv: Sequence[str]) -> int:
    """Print the path of a network that is here."""
    parser = argparse.ArgumentParser(
        prog="framefx models path", description="Print where a network's file lies.", allow_abbrev=False
    )
    parser.add_argument("name", help="as `--model` takes it")
    parser.add_argument("--plugin", action="append", default=[], metavar="FILE.py", help="load a plugin from a file")
    options = parser.parse_args(argv[1:])
    registry = PluginManager(files=options.plugin).registry
    sys.stdout.write(f"{find(options.name, registry.weights)}\n")
    return 0
