"""``framefx filters|layers|sources|sinks|plugins``: what is there, and where it came from."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Sequence
from typing import Any

from framefx.models.vocabulary import LAYERS
from framefx.plugins import PluginManager
from framefx.registry import Port, Step


def main(argv: Sequence[str]) -> int:
    """Print one list, or the description of one entry."""
    noun = argv[0]
    parser = argparse.ArgumentParser(prog=f"framefx {noun}", allow_abbrev=False)
    parser.add_argument("--plugin", action="append", default=[], metavar="FILE.py", help="load a plugin from a file")
    parser.add_argument("--disable-plugin", action="append", default=[], metavar="NAME", help="leave a plugin out")
    if noun != "plugins":
        parser.add_argument("name", nargs="?", help="describe this one")
    options = parser.parse_args(argv[1:])
    plugins = PluginManager(files=options.plugin, disabled=options.disable_plugin)
    if noun == "plugins":
        sys.stdout.write(_plugins(plugins))
        return 0
    table = getattr(plugins.registry, noun)
    if noun == "layers" and options.name in LAYERS.keys() - {*table.names}:
        sys.stdout.write(_layer_line(options.name, 0))
    elif options.name:
        sys.stdout.write(describe(table.find(options.name)))
    else:
        more = sorted(LAYERS.keys() - {*table.names}) if noun == "layers" else []
        width = max((len(name) for name in (*table.names, *more)), default=0)
        for entry in table:
            origin = "" if entry.plugin == "framefx" else f" [{entry.plugin}]"
            sys.stdout.write(f"{entry.name:<{width}}  {entry.summary}{origin}\n")
        for name in more:
            sys.stdout.write(_layer_line(name, width))
        if noun == "layers":
            sys.stdout.write("what a model gives: `framefx models inspect FILE`\n")
    return 0


def _layer_line(name: str, width: int) -> str:
    """Return one line about a layer that models give: kind, meaning, families."""
    one = LAYERS[name]
    kind = "" if one.kind == "mask" else f"{one.kind}: "
    return f"{name:<{width}}  {kind}{one.meaning} [models of {', '.join(one.families)}]\n"


def describe(entry: Step | Port) -> str:
    """Return the help of one filter, layer, source or sink: what it does, what it needs, its options."""
    from framefx.options import Options

    target = entry.load() if isinstance(entry, Port) else entry.target
    options = Options(entry.name, target) if isinstance(entry, Port) else entry.options
    lines = [f"{entry.name}: {(inspect.getdoc(target) or entry.summary).strip()}", ""]
    if isinstance(entry, Step):
        needs = ", ".join(need.name + (" (optional)" if need.optional else "") for need in entry.needs)
        lines += [f"needs: {needs or 'nothing'}"]
        if not entry.moves:
            lines += [f"where: {entry.where} unless told otherwise"]
    lines += ["options:" if options.names else "options: none"]
    lines += [option_line(name, facts) for name, facts in options.describe().items()]
    return "\n".join(lines) + "\n"


def option_line(name: str, facts: dict[str, Any]) -> str:
    """Return one line about an option: type, bounds, default, unit."""
    kinds = facts.get("anyOf", [facts])
    kind = " or ".join(str(k.get("format") or k.get("type") or k.get("const") or k.get("enum")) for k in kinds)
    if "enum" in facts:
        kind = "|".join(map(str, facts["enum"]))
    bounds = [
        f"{sign} {k[key]}"
        for k in kinds
        for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))
        if key in k
    ]
    default = f"default {facts['default']}" if "default" in facts else "required"
    return f"  {name}: {', '.join([kind, *bounds, default])}: {facts.get('description', '')}"


def _plugins(plugins: PluginManager) -> str:
    lines = []
    registry = plugins.registry
    for origin in plugins.origins:
        lines.append(f"{origin.name} ({origin.place})")
        if origin.problem:
            lines.append(f"  {origin.problem}")
        for noun in ("filters", "layers", "sources", "sinks", "families", "runtimes", "weights"):
            names = [entry.name for entry in getattr(registry, noun) if entry.plugin == origin.name]
            if names:
                lines.append(f"  {noun}: {', '.join(names)}")
    return "\n".join(lines) + "\n"
