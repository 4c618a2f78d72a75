"""``framefx import``: configs of virtual_webcam_background and Linux-Fake-Background-Webcam."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from framefx.importers import import_file


def main(argv: Sequence[str]) -> int:
    """Print a translated config, or write it to a file."""
    parser = argparse.ArgumentParser(
        prog="framefx import", description="Turn an old config into a framefx config.", allow_abbrev=False
    )
    parser.add_argument("file", help="config.yaml of virtual_webcam_background, or the INI of LFBW")
    parser.add_argument("--output", metavar="FILE", help="write it there instead of printing it")
    options = parser.parse_args(argv[1:])
    text = import_file(Path(options.file)).text(Path(options.file).name)
    if options.output:
        Path(options.output).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0
