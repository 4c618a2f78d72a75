"""``framefx new-plugin``: a complete distribution with a filter, a layer, tests, CI and a README with a picture."""

from __future__ import annotations

import argparse
import keyword
import re
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from framefx import __version__
from framefx.errors import UsageError
from framefx.signature import RESERVED

_PLACES = {
    "pyproject.toml.in": "pyproject.toml",
    "README.md.in": "README.md",
    "gitignore.in": ".gitignore",
    "package/__init__.py.in": "framefx_{name}/__init__.py",
    "tests/test_filter.py.in": "tests/test_{name}.py",
    "github/test.yml.in": ".github/workflows/test.yml",
}


def main(argv: Sequence[str]) -> int:
    """Write the distribution into a new folder."""
    parser = argparse.ArgumentParser(
        prog="framefx new-plugin", description="Write a plugin that works, to start from.", allow_abbrev=False
    )
    parser.add_argument("name", help="of the filter and the plugin, for example mosaic")
    parser.add_argument("--folder", metavar="DIR", help="where to (default: framefx-NAME)")
    options = parser.parse_args(argv[1:])
    folder = write(options.name, Path(options.folder) if options.folder else None)
    sys.stdout.write(
        f"{folder} is ready. Next:\n"
        f"  pip install -e '{folder}[test]'\n"
        f"  pytest {folder}\n"
        f"  framefx --chain {_module(options.name)}\n"
    )
    return 0


def write(name: str, folder: Path | None = None) -> Path:
    """Write the plugin `name` into `folder` and return the folder.

    Raises
    ------
    UsageError
        When the name cannot be a filter's, or the folder is there already.
    """
    module = _module(name)
    folder = folder or Path(f"framefx-{module.replace('_', '-')}")
    if folder.exists():
        raise UsageError(f"{folder} is there already: choose another with --folder, nothing was written")
    words = {
        "name": module,
        "dashed": module.replace("_", "-"),
        "title": module.replace("_", " ").capitalize(),
        "version": __version__,
    }
    template = files("framefx.kit") / "template"
    for source, target in _PLACES.items():
        path = folder / target.format(name=module)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = template.joinpath(source).read_text(encoding="utf-8")
        path.write_text(Template(text).substitute(words), encoding="utf-8")
    (folder / f"framefx_{module}" / "py.typed").touch()
    _draw(folder / "picture.png")
    return folder


def _module(name: str) -> str:
    module = name.strip().replace("-", "_")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", module) or keyword.iskeyword(module) or module in RESERVED:
        raise UsageError(f"{name!r} cannot name a filter: use small letters, digits and '-', for example soft-focus")
    return module


def _draw(path: Path) -> None:
    """Write the picture before and after, with what the template's filter does."""
    import cv2
    import numpy as np

    from framefx.testing import TestPattern

    before = np.ascontiguousarray(TestPattern(size=(180, 320)).pixels_at(7))
    after = before[::12, ::12].repeat(12, 0).repeat(12, 1)[:180, :320]
    cv2.imwrite(str(path), np.hstack([before, after])[:, :, ::-1])
