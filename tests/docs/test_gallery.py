"""docs/filters.md shows and names every filter, every option and its unit; whoever adds one is told what to write."""

import json
import re
import sys

import cv2
import pytest

from framefx.chain import Chain
from framefx.plugins import PluginManager

REGISTRY = PluginManager(discover=False).registry
FILTERS = list(REGISTRY.filters)
OPTIONS = [(step, name, facts) for step in FILTERS for name, facts in step.options.describe().items()]
UNITS = re.compile(r"pixel|second|degree|level|factor|part|colou?r|file|alpha|\b0\b|\b1\b|-1|\w+ \w+")


@pytest.fixture(scope="module")
def sections(page):
    """Return the text of each filter's entry."""
    parts = re.split(r"^### (.*)\n", page("filters.md"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture(scope="module")
def gallery(root):
    """Return the modules that make the page."""
    sys.path.insert(0, str(root / "docs"))
    try:
        import gallery_page
        import make_gallery
    finally:
        sys.path.remove(str(root / "docs"))
    return gallery_page, make_gallery


def test_exactly_the_filters_that_there_are(sections):
    assert sorted(sections) == REGISTRY.filters.names, "run: python docs/make_gallery.py"


@pytest.mark.parametrize("step", FILTERS, ids=lambda s: s.name)
def test_a_filter_has_pictures_where_needs_and_cost(step, sections, root):
    text = sections[step.name]
    shown = re.findall(r"!\[.*?\]\((pictures/filters/.*?)\)", text)
    assert shown
    for name in shown:
        picture = cv2.imread(str(root / "docs" / name))
        assert picture is not None, name
        assert picture.shape == (270, 480, 3)
    assert step.moves or f"**Where:** `{step.where}`" in text
    assert all(f"`{need.name}`" in text for need in step.layers)
    assert float(re.search(r"\*\*Cost:\*\* (\S+) ms", text)[1]) >= 0
    assert f"(filters/{step.name}.md)" in text


@pytest.fixture(scope="module")
def costs(root):
    return json.loads((root / "docs/filter-costs.json").read_text())


@pytest.mark.parametrize("step", FILTERS, ids=lambda s: s.name)
def test_a_filter_that_takes_more_than_3_ms_says_why(step, sections, page, gallery, costs):
    if costs[step.name] > 3:
        why = gallery[0].WHY.get(step.name, "")
        assert len(why) > 20, f"docs/gallery_page.py, WHY: say why {step.name} takes {costs[step.name]} ms"
        assert f"ms. More than 3 ms: {why}" in sections[step.name]
        assert f"ms. More than 3 ms: {why}\n" in page(f"filters/{step.name}.md")


@pytest.mark.parametrize("step", FILTERS, ids=lambda s: s.name)
def test_a_filter_s_own_page_has_the_cost_that_was_measured(step, page, gallery, costs):
    text = page(f"filters/{step.name}.md")
    made = gallery[0].with_cost(text, step.name, costs[step.name])
    assert made == text, "run: python docs/make_gallery.py --page-only"
    shown = re.search(r"(?m)^\*\*Cost:\*\* (?:under )?([\d.]+) ms", text)
    assert abs(float(shown[1]) - costs[step.name]) <= 0.1


@pytest.mark.parametrize(("step", "name", "facts"), OPTIONS, ids=lambda v: v if isinstance(v, str) else "")
def test_an_option_has_its_row_with_default_range_and_unit(step, name, facts, sections, gallery):
    assert gallery[0].row(name, facts) in sections[step.name], "run: python docs/make_gallery.py --page-only"
    # A yes or no and a choice speak for themselves; every other description has a unit, or says what is given.
    if facts.get("type") != "boolean" and "enum" not in facts:
        assert UNITS.search(gallery[0].description(facts)), f"{step.name}: say in which unit '{name}' is"


def test_the_page_is_what_the_script_writes(gallery, page, costs):
    made = gallery[0].page(REGISTRY, gallery[1].SHOTS, costs)
    assert made == page("filters.md"), "run: python docs/make_gallery.py --page-only"


def test_the_chains_under_the_pictures_name_filters_and_options_that_there_are(gallery, root):
    for name, chains in gallery[1].SHOTS.items():
        for number, chain in enumerate(chains, 1):
            assert (root / f"docs/pictures/filters/{name}-{number}.jpg").is_file()
            for call in Chain.parse(chain.replace("{folder}/", "")) if chain else ():
                options = set(call.options) - {"where"}
                assert options <= {*REGISTRY.filters.find(call.name).options.names}, chain


def test_pictures_are_small_and_all_are_shown(gallery, root):
    files = list((root / "docs/pictures/filters").iterdir())
    assert sum(file.stat().st_size for file in files) < 1_500_000
    wanted = {f"{name}-{n}.jpg" for name, chains in gallery[1].SHOTS.items() for n in range(1, len(chains) + 1)}
    assert {file.name for file in files} == wanted
