"""``framefx config schema|check|show``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from framefx.config import Config, schema
from framefx.job import Job


def main(argv: Sequence[str]) -> int:
    """Print the schema, check a file, or show what it comes to."""
    parser = argparse.ArgumentParser(prog="framefx config", allow_abbrev=False)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("schema", help="print the JSON schema of a config file")
    for name, text in (("check", "say what is wrong with a file"), ("show", "print what a file comes to")):
        action = actions.add_parser(name, help=text)
        action.add_argument("file")
        action.add_argument("--profile", metavar="NAME", help="with this profile")
    options = parser.parse_args(argv[1:])
    if options.action == "schema":
        sys.stdout.write(json.dumps(schema(), indent=2) + "\n")
        return 0
    config = Config(Path(options.file), options.profile)
    if options.action == "show":
        values = config.settings.model_dump(mode="json", exclude_none=True)
        sys.stdout.write(yaml.safe_dump(values, sort_keys=False, allow_unicode=True))
        return 0
    job = Job(config.settings, config=config)
    job.check()
    sys.stdout.write(f"{options.file}: in order\n")
    return 0
