"""``framefx models VERB``: the networks that are there, can be fetched, or lie in a file. One module for each verb."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence

VERBS = {
    "list": ("framefx.cli.models_list", "list the models that are here or can be fetched"),
    "pull": ("framefx.cli.models_pull", "fetch a model, check it and keep it"),
    "path": ("framefx.cli.models_path", "print where a model's file lies"),
    "remove": ("framefx.cli.models_remove", "delete a model that `pull` fetched"),
    "inspect": ("framefx.cli.models_inspect", "say what a network's file holds, and what it gives"),
}
"""Verb to the module that does it and one line of help; the module's `main` is handed the verb and what follows."""


def main(argv: Sequence[str]) -> int:
    """Do what the verb says; `argv` begins with ``models``."""
    verbs = "\n".join(f"  {name:<8} {text}" for name, (_, text) in VERBS.items())
    parser = argparse.ArgumentParser(
        prog="framefx models",
        description="The networks that give layers.",
        epilog=f"verbs (framefx models VERB --help says more):\n{verbs}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("verb", nargs="?", choices=VERBS, default="list", metavar="VERB", help="default: list")
    options = parser.parse_args(argv[1:2])
    module = importlib.import_module(VERBS[options.verb][0])
    return int(module.main([options.verb, *argv[2:]]))
