"""The text of docs/filters.md, from what filters say about themselves."""

import inspect
import re

from framefx.bench.filters import COMPOSITION
from framefx.registry import Registry, Step

SECTIONS = {
    "The background": ["blur", "bokeh", "depth_of_field", "motion_blur", "box_blur", "gaussian_blur", "pixelate",
                       "replace", "chroma_key", "alpha"],
    "The person's edge and light": ["foreground", "despill", "light_wrap", "match_light"],
    "Light and colour": ["color", "brightness", "low_light", "lut", "grayscale", "colorize", "color_filter",
                         "color_map", "invert"],
    "Detail, film and screens": ["sharpen", "bilateral", "vignette", "grain", "noise", "stripes", "hologram"],
    "Writing, pictures, frames": ["text", "clock", "overlay", "border"],
    "Moving and bending": ["flip", "zoom", "move", "roll", "affine", "warp"],
    "A better camera": ["stabilize", "follow"],
    "What a model sees": ["skeleton", "heatmap"],
    "Not being seen": ["anonymize", "freeze", "card"],
}  # fmt: skip

HEAD = """# Filters

Every filter on the same portrait, scikit-image's astronaut, as `docs/make_gallery.py` renders it.

![The portrait, untouched](pictures/filters/original-1.jpg)

`where=` limits a filter to a part of the picture, `where=all` lifts the limit: [Chains](chains.md#where). What it needs
stands before the `*` of its signature, options after it. *Leaves it* in an option's text marks the value that changes
nothing. Costs are the CPU time for one 1280×720 frame on one core, merge included, model and masks not; they are
measured by `python -m framefx.bench.filters` (the least of many runs), and `framefx explain --chain …` measures yours.
A chain of five, `{composition}`, takes {cost:.1f} ms.

Three things that need no filter of their own:

- **A green screen** for other programs: `replace=color=green`.
- **True transparency** for sinks that take it: `alpha=add=-1:where=background`.
- **A see-through person**: in a `stack:`, an entry with `source: person` and an `opacity` below 1 over the new
  background: [Configuration](config.md).
"""

_RESAMPLED = "every pixel is resampled, by OpenCV's warp; neighbouring geometries are one resampling"

WHY = {
    "affine": f"{_RESAMPLED}.",
    "bilateral": "each pixel weighs its neighbours one by one. It works at half the size already.",
    "despill": "it grows with the length of the edge, where pixels are solved one by one.",
    "foreground": "it grows with the length of the edge, where pixels are solved one by one.",
    "follow": f"{_RESAMPLED}.",
    "lut": "each pixel takes four places of the cube, which no vector unit fetches at once.",
    "stabilize": f"{_RESAMPLED}. The layer `motion` takes as long again.",
    "zoom": f"{_RESAMPLED}.",
    "warp": "every pixel is resampled, by OpenCV's remap, from a table of 5 MB.",
}
"""What makes a filter dear: the reason of those above `DEAR`, and of some that may come there on another machine."""

DEAR = 3.0
"""Milliseconds above which a filter's own page says why."""


def page(registry: Registry, shots: dict[str, list[str]], costs: dict[str, float]) -> str:
    """Return the whole page."""
    parts = [HEAD.format(composition=COMPOSITION, cost=costs[COMPOSITION])]
    for section, names in SECTIONS.items():
        parts.append(f"## {section}\n")
        parts += [entry(registry.filters.find(name), shots[name], costs[name]) for name in names]
    return "\n".join(parts)


def entry(step: Step, chains: list[str], cost: float) -> str:
    """Return what the page says about one filter."""
    shown = [f"| ![{step.name}](pictures/filters/{step.name}-{n}.jpg) " for n in range(1, len(chains) + 1)]
    captions = [f"| `{chain.replace('{folder}/', '').replace('|', chr(92) + '|')}` " for chain in chains]
    lines = [
        f"### {step.name}\n",
        f"{step.summary} [All about it](filters/{step.name}.md).\n",
        "".join(shown) + "|",
        "|---" * len(chains) + "|",
        "".join(captions) + "|\n",
        f"```text\n{signature(step)}\n```\n",
    ]
    options = step.options.describe()
    if options:
        lines += ["| option | default | range | |", "|---|---|---|---|"]
        lines += [row(name, facts) for name, facts in options.items()]
        lines.append("")
    lines.append(
        f"**Where:** {where(step)} **Layers:** {layers(step)} **Cost:** {cost:.2f} ms. {reason(step.name, cost)}"
    )
    return "\n".join(lines).rstrip() + "\n"


def reason(name: str, cost: float) -> str:
    """Return the sentence that says why a filter costs what it does, or nothing."""
    why = WHY.get(name, "")
    return f"More than {DEAR:g} ms: {why}" if cost > DEAR else why[:1].upper() + why[1:]


def with_cost(text: str, name: str, cost: float) -> str:
    """Return a filter's own page with its cost as measured; a filter in `WHY` has the reason after it, others stay."""
    figure = "under 0.1 ms" if cost < 0.1 else f"{cost:.1f} ms"
    if name in WHY:
        return re.sub(r"(?m)^\*\*Cost:\*\* [^\n]+(\n\S[^\n]*)*", f"**Cost:** {figure}. {reason(name, cost)}", text)
    return re.sub(r"(?m)^\*\*Cost:\*\* (under )?[\d.]+ ms", f"**Cost:** {figure}", text)


def signature(step: Step) -> str:
    """Return needs and options as Python has them, without annotations."""
    call = step.target.__call__ if step.stateful else step.target
    needs = [
        p for p in inspect.signature(call).parameters.values() if p.kind is not p.KEYWORD_ONLY and p.name != "self"
    ]
    options = [p for p in inspect.signature(step.target).parameters.values() if p.kind is p.KEYWORD_ONLY]
    bare = [p.replace(annotation=p.empty) for p in [*needs, *options]]
    return step.name + str(inspect.Signature(bare)).replace("'", '"')


def row(name: str, facts: dict) -> str:
    """Return one option's row."""
    cells = (f"`{name}`", default(facts), bounds(facts), description(facts))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def description(facts: dict) -> str:
    """Return what an option says of itself, also where it may be left out."""
    kinds = [facts, *facts.get("anyOf", [])]
    return next((kind["description"] for kind in kinds if "description" in kind), "")


def default(facts: dict) -> str:
    """Return a default as users write it."""
    if "default" not in facts:
        return "required"
    value = facts["default"]
    if isinstance(value, (list, tuple)):
        flat = [v for part in value for v in (part if isinstance(part, (list, tuple)) else [part])]
        return "/".join(f"{v:g}" for v in flat)
    return "none" if value is None else str(value)


def bounds(facts: dict) -> str:
    """Return what an option may be."""
    if "enum" in facts:
        return ", ".join(facts["enum"])
    for kind in facts.get("anyOf", [facts]):
        low = kind.get("minimum", kind.get("exclusiveMinimum"))
        high = kind.get("maximum", kind.get("exclusiveMaximum"))
        if low is not None and high is not None:
            above = "above " if "exclusiveMinimum" in kind else ""
            return f"{above}{low:g} to {high:g}"
    return {"boolean": "yes or no"}.get(facts.get("type", ""), "")


def where(step: Step) -> str:
    """Return what a filter is limited to."""
    return "moves the whole picture, masks too." if step.moves else f"`{step.where}` unless told otherwise."


def layers(step: Step) -> str:
    """Return which layers a filter asks for by itself."""
    return ", ".join(f"`{need.name}`" for need in step.layers) + "." if step.layers else "none, but those of `where`."
