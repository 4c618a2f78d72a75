"""``framefx check-plugin``: do a plugin's filters keep the rules?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from framefx.errors import OptionError, UnknownNameError, did_you_mean
from framefx.plugins import PluginManager
from framefx.testing.check import Findings, check_step


def main(argv: Sequence[str]) -> int:
    """Check the filters of one plugin; exit code 1 when a rule is broken."""
    parser = argparse.ArgumentParser(
        prog="framefx check-plugin",
        description="Run a plugin's filters over odd sizes, shared frames, alpha and two threads at once.",
        allow_abbrev=False,
    )
    parser.add_argument("plugin", help="name of an installed plugin, or FILE.py")
    parser.add_argument("--option", action="append", default=[], metavar="FILTER.NAME=VALUE", help="a required option")
    options = parser.parse_args(argv[1:])
    is_file = options.plugin.endswith(".py")
    plugins = PluginManager(files=[options.plugin] if is_file else [])
    name = plugins.origins[-1].name if is_file else options.plugin
    broken = next((origin for origin in plugins.problems if origin.name == name), None)
    if broken is not None:
        sys.stdout.write(f"{broken.problem}\n")
        return 1
    steps = [step for step in plugins.registry.filters if step.plugin == name]
    if not steps:
        known = {step.plugin for step in plugins.registry.filters}
        raise UnknownNameError(f"no plugin '{name}' with filters is installed.{did_you_mean(name, known)}")
    given = _given(options.option)
    failed = False
    for step in steps:
        findings = check_step(step, given.get(step.name, {}))
        failed |= not findings.ok
        sys.stdout.write(_text(step.name, findings))
    return 1 if failed else 0


def _given(texts: Sequence[str]) -> dict[str, dict[str, str]]:
    result: dict[str, dict[str, str]] = {}
    for text in texts:
        left, equals, value = text.partition("=")
        step, dot, option = left.partition(".")
        if not (equals and dot):
            raise OptionError(f"--option {text}: wanted FILTER.NAME=VALUE")
        result.setdefault(step, {})[option] = value
    return result


def _text(name: str, findings: Findings) -> str:
    verdict = "keeps the rules" if findings.ok else "breaks a rule"
    lines = [f"{name}: {verdict}"]
    lines += [f"  problem: {text}" for text in findings.problems]
    lines += [f"  note: {text}" for text in findings.notes]
    return "\n".join(lines) + "\n"
