"""Write into the zoo's registry what was measured: `python docs/fill_zoo.py EVALUATION.json docs/bench-model.json`.

EVALUATION.json is what `framefx evaluate NAME… DATA --json EVALUATION.json` wrote, with the networks by name; the other
is what `framefx bench model --json` wrote. Layers are those that each network gives; one that is not here keeps what
it has.
"""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from framefx.errors import ModelError
from framefx.models.loading import find, load
from framefx.plugins import PluginManager

REGISTRY = Path(__file__).parents[1] / "framefx" / "models" / "zoo.toml"

Facts = Mapping[str, Mapping[str, object]]
"""For each network its facts by key: ``layers``, ``iou``, ``ms``."""


def filled(text: str, facts: Facts) -> str:
    """Return the registry with `facts` in it."""
    head, *entries = re.split(r"(?=^\[\[)", text, flags=re.M)
    return (head + "".join(_entry(one, facts) for one in entries)).rstrip("\n") + "\n"


def _entry(text: str, facts: Facts) -> str:
    name = re.search(r'^name = "(.*)"$', text, re.M)
    for key, value in facts.get(name[1] if name else "", {}).items():
        line = f"{key} = {json.dumps(value)}"
        if re.search(rf"^{key} = ", text, re.M):
            text = re.sub(rf"^{key} = .*$", line, text, flags=re.M)
        else:
            text = text.rstrip("\n") + f"\n{line}\n\n"
    return text


def layers(names: Sequence[str]) -> dict[str, dict[str, object]]:
    """Return what each network gives that is here."""
    registry = PluginManager(discover=False).registry
    found: dict[str, dict[str, object]] = {}
    for name in names:
        try:
            found[name] = {"layers": list(load(find(name, registry.weights), registry).layers)}
        except ModelError as error:
            print(f"{name} keeps its layers: {error}")
    return found


def measured(reports: Sequence[Mapping[str, Any]], bench: Mapping[str, Any]) -> dict[str, dict[str, object]]:
    """Return overlap and least processor time of each network, as the registry has them."""
    facts: dict[str, dict[str, object]] = {}
    for report in reports:
        facts[report["model"]] = {"iou": round(report["summary"]["mean_iou_person"], 3)}
    for one in bench["measurements"]:
        if (one["group"], one["runtime"], one["threads"], one["problem"]) == ("networks", "litert", 1, ""):
            facts.setdefault(one["network"], {})["ms"] = round(one["cpu"], 2)
    return facts


def main() -> None:
    """Rewrite the registry."""
    text = REGISTRY.read_text(encoding="utf-8")
    names = re.findall(r'^name = "(.*)"$', text, re.M)
    reports, bench = (json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:3])
    for facts in (layers(names), measured(reports, bench)):
        text = filled(text, facts)
    REGISTRY.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
