"""``framefx models pull``: fetch networks of the zoo."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

from framefx.errors import UnknownNameError, did_you_mean
from framefx.models.pull import MIRROR, pull
from framefx.models.zoo import ZooModel, zoo


def main(argv: Sequence[str]) -> int:
    """Fetch, check and keep each of the networks named; print where their files lie."""
    parser = argparse.ArgumentParser(
        prog="framefx models pull",
        description="Fetch networks, check their hashes and keep them; what broke off goes on.",
        allow_abbrev=False,
    )
    parser.add_argument("name", nargs="+", help="as `framefx models list` has it")
    parser.add_argument("--mirror", metavar="URL|DIR", help=f"fetch from there instead (default: ${MIRROR})")
    parser.add_argument("--quiet", action="store_true", help="no licence and no progress bar")
    options = parser.parse_args(argv[1:])
    # All names first: a misspelt one is not found out after the others were fetched.
    for model in [known(name) for name in options.name]:
        _pull(model, options)
    return 0


def known(name: str) -> ZooModel:
    """Return the network of the zoo called `name`.

    Raises
    ------
    UnknownNameError
        When there is none.
    """
    if name in zoo():
        return zoo()[name]
    raise UnknownNameError(
        f"no model '{name}' in the zoo.{did_you_mean(name, zoo())} There are {', '.join(sorted(zoo()))}"
    )


def _pull(model: ZooModel, options: argparse.Namespace) -> None:
    from framefx.cli.display import download_bar

    if not options.quiet:
        host = urlsplit(model.source).hostname
        sys.stderr.write(f"{model.name}: {model.licence} ({model.publisher}), {model.size:,} bytes from {host}\n")
    with download_bar(model.name, model.size, shown=not options.quiet) as progress:
        path = pull(model, options.mirror, progress)
    sys.stdout.write(f"{path}\n")
