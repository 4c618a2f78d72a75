"""``framefx models remove``: delete networks that ``pull`` fetched, and nothing else."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from framefx.cli.models_pull import known
from framefx.models.pull import remove


def main(argv: Sequence[str]) -> int:
    """Delete each of the networks named."""
    parser = argparse.ArgumentParser(
        prog="framefx models remove", description="Delete networks that `pull` fetched.", allow_abbrev=False
    )
    parser.add_argument("name", nargs="+", help="as `framefx models list` has it")
    options = parser.parse_args(argv[1:])
    for model in [known(name) for name in options.name]:
        sys.stdout.write(f"{remove(model)} is deleted\n")
    return 0
