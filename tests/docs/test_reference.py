"""Whatever a user can write or meet is in the documentation; whoever adds something is told here what to write."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

import framefx
import framefx.testing
from framefx import config, errors, hookspecs, protocols
from framefx.cli.main import COMMANDS, parser
from framefx.options import Options
from framefx.plugins import PluginManager
from framefx.registry import CORE_NEEDS, Register
from framefx.signature import RESERVED

REGISTRY = PluginManager(discover=False).registry
FILTERS = list(REGISTRY.filters)
PORTS = [*REGISTRY.sources, *REGISTRY.sinks]
HOOKS = [name for name in vars(hookspecs) if name.startswith("framefx_")]
REGISTER = [name for name in vars(Register) if not name.startswith("_")]
ERRORS = [e for e in vars(errors).values() if inspect.isclass(e) and issubclass(e, errors.FramefxError)]
FIXTURES = re.findall(
    r"^@pytest\.fixture.*\ndef (\w+)",
    Path(inspect.getsourcefile(framefx.testing)).with_name("fixtures.py").read_text(),
    re.M,
)


def signature(function, name):
    """Return ``name(parameters)`` without annotations, as the pages have it."""
    found = inspect.signature(function)
    bare = [p.replace(annotation=p.empty) for p in found.parameters.values() if p.name != "self"]
    return name + str(found.replace(parameters=bare, return_annotation=found.empty)).replace("'", '"')


def step_signature(step):
    """Return a filter's needs and options as one signature, also where a class has them in two places."""
    if not step.stateful:
        return signature(step.target, step.name)
    needs = [p for p in inspect.signature(step.target.__call__).parameters.values() if p.name != "self"]
    options = [p.replace(annotation=p.empty) for p in inspect.signature(step.target).parameters.values()]
    bare = [p.replace(annotation=p.empty) for p in needs]
    return step.name + str(inspect.Signature([*bare, *options])).replace("'", '"')


def row(text, *cells):
    """Return the cells of the table row that begins with `cells`, each in backticks."""
    start = "| " + " | ".join(f"`{cell}`" for cell in cells) + " |"
    lines = [line for line in text.splitlines() if line.startswith(start)]
    assert lines, f"no table row begins with {start}"
    # A | between two backslashes or in code is text, in Markdown it is written \|.
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", lines[0])[1:-1]]


def written(facts):
    """Return an option's default as the pages write it."""
    if "default" not in facts:
        return "required"
    value = facts["default"]
    if isinstance(value, list | tuple):
        flat = [number for part in value for number in (part if isinstance(part, list | tuple) else [part])]
        return "/".join(f"{number:g}" for number in flat)
    return str(value)


def bounds(facts):
    """Return the numbers that bound an option, those of its parts too."""
    keys = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    kinds = [*facts.get("anyOf", [facts]), *facts.get("prefixItems", [])]
    return [
        f"{kind[key]:g}" if abs(kind[key]) < 1e6 else str(int(kind[key]))
        for kind in kinds
        for key in keys
        if key in kind
    ]


@pytest.mark.parametrize("step", FILTERS, ids=lambda s: s.name)
def test_a_filter_has_a_page_with_its_signature_where_and_picture(step, page):
    text = page(f"filters/{step.name}.md")
    assert f"# {step.name}\n" in text
    assert step_signature(step) in text
    assert "**Where:**" in text
    assert step.moves or f"`{step.where}` unless told otherwise" in text
    assert "**Layers:**" in text
    assert "**Cost:**" in text
    assert f"../pictures/filters/{step.name}-1.jpg" in text


@pytest.mark.parametrize("step", FILTERS, ids=lambda s: s.name)
def test_a_filter_is_in_the_gallery(step, page):
    text = page("filters.md")
    assert f"### {step.name}\n" in text
    assert step_signature(step) in text


OPTIONS = [(s, name, facts) for s in FILTERS for name, facts in s.options.describe().items()]


@pytest.mark.parametrize(
    ("step", "name", "facts"), OPTIONS, ids=lambda v: v if isinstance(v, str) else getattr(v, "name", "")
)
def test_an_option_is_on_its_page_with_default_bounds_and_neutral_value(step, name, facts, page):
    _, default, unit, _neutral, meaning = row(page(f"filters/{step.name}.md"), name)
    assert default == written(facts)
    assert all(number in unit for number in bounds(facts))
    assert all(choice in unit for choice in facts.get("enum", []))
    assert meaning


@pytest.mark.parametrize("port", PORTS, ids=lambda p: f"{p.plugin}-{p.name}")
def test_a_source_or_sink_is_in_its_table_with_every_option(port, page):
    text = page("io.md")
    sources, sinks = text[text.index("## Sources") :].split("## Sinks")
    half = sources if port in list(REGISTRY.sources) else sinks
    row(half, port.name)
    for name in Options(port.name, port.load()).names:
        row(half, port.name, name)


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_is_documented_with_its_arguments(name, page):
    text = page("plugins.md")
    assert f"### {name}" in text
    assert f"`{signature(getattr(hookspecs, name), name)}`" in text


@pytest.mark.parametrize("name", REGISTER)
def test_what_register_offers_is_documented_with_its_arguments(name, page):
    assert f"`{signature(getattr(Register, name), f'register.{name}')}`" in page("plugins.md")


def test_the_needs_that_the_core_serves_are_documented(page):
    for name in CORE_NEEDS:
        row(page("plugins.md"), name)
    sentence = next(line for line in page("plugins.md").splitlines() if "are reserved" in line or "`all` are" in line)
    assert sentence
    assert all(f"`{name}`" in page("plugins.md") for name in RESERVED)


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: e.__name__)
def test_an_error_is_documented_with_its_exit_code(error, page):
    _, also, code, when = row(page("errors.md"), error.__name__)
    assert code == str(error.exit_code)
    assert when
    builtins = [base.__name__ for base in error.__bases__ if base.__module__ == "builtins" and base is not Exception]
    assert also == ", ".join(f"`{name}`" for name in builtins)


def test_exit_codes_are_those_of_the_help_and_of_the_readme(page, root):
    helped = re.findall(r"\b(\d+) \w", parser().format_help().rpartition("exit codes:")[2])
    assert {"0", "1", "2", "130"} <= set(helped)
    for text in (page("errors.md"), (root / "README.md").read_text()):
        table = set(re.findall(r"^\| (\d+) \| ", text, re.M))
        assert set(helped) <= table
        assert "143" in table


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_a_section(command, page):
    headings = [line for line in page("commands.md").splitlines() if line.startswith("## ")]
    assert any(re.search(rf"\b{command}\b", line) for line in headings)


def test_every_option_of_the_command_line_is_documented(page):
    for action in parser()._actions:
        for flag in action.option_strings:
            if flag.startswith("--"):
                assert f"`{flag}" in page("commands.md"), flag


SECTIONS = {
    "Keys": config._File,
    "source and sink": config.Source,
    "model": config.ModelSettings,
    "mask": config.MaskOptions,
    "layers": config.LayerPicture,
    "stack": config.StackEntry,
}


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_of_a_config_file_is_documented(heading, page):
    section = re.split(r"^## ", page("config.md"), flags=re.M)
    [text] = [part for part in section if part.startswith(heading + "\n")]
    for key, field in SECTIONS[heading].model_fields.items():
        cells = row(text, key)
        numbers = [m for m in field.metadata for m in [getattr(m, "le", None), getattr(m, "ge", None)] if m]
        assert all(f"{number:g}" in " ".join(cells) for number in numbers), (key, numbers)


@pytest.mark.parametrize("name", framefx.__all__)
def test_a_public_name_is_in_the_reference(name, page):
    text = page("api.md")
    assert re.search(rf"^::: framefx\.\w+\.{name}$", text, re.M) or f"`framefx.{name}`" in text


@pytest.mark.parametrize("name", framefx.testing.__all__)
def test_a_name_of_the_testing_kit_is_documented_with_its_arguments(name, page):
    text = page("testing.md")
    no_call = name in ("Findings", "FAULTS")
    assert f"| `{name if no_call else signature(getattr(framefx.testing, name), name)}` |" in text


@pytest.mark.parametrize("name", FIXTURES)
def test_a_fixture_is_documented(name, page):
    row(page("testing.md"), name)


def test_every_layer_that_comes_with_framefx_is_named(page, registry):
    for name in registry.layers.names:
        assert f"`{name}`" in page("layers.md")


def test_every_model_family_and_runtime_is_named(page, registry):
    text = page("layers.md")
    assert all(f"| {name} |" in text for name in registry.families.names)
    assert all(f"`{name}`" in text for name in registry.runtimes.names)


BACKENDS = {"onnx": "framefx.backends.onnx:Onnx", "torch": "framefx.backends.torch:Torch"}


@pytest.mark.parametrize("name", BACKENDS)
def test_every_option_of_a_backend_is_documented(name, page, registry):
    assert registry.runtimes.find(name).target == BACKENDS[name]
    module, _, made = BACKENDS[name].partition(":")
    for option, facts in Options(name, getattr(importlib.import_module(module), made)).describe().items():
        [text] = [line for line in page("backends.md").splitlines() if line.startswith(f"| `{name}` | `{option}` |")]
        assert all(f"`{choice}`" in text for choice in facts.get("enum", ()))
        assert facts["default"] is None or f"| `{facts['default']}` |" in text


def test_every_extra_is_documented(page, root):
    import tomllib

    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    for name in project["optional-dependencies"]:
        row(page("install.md"), name)


def test_the_protocols_are_in_the_reference(page):
    for name, value in vars(protocols).items():
        if getattr(value, "_is_protocol", False) and value.__module__ == protocols.__name__:
            assert f"::: framefx.protocols.{name}" in page("api.md")


def test_every_page_is_in_the_navigation(root):
    text = (root / "mkdocs.yml").read_text()
    for file in (root / "docs").rglob("*.md"):
        assert file.relative_to(root / "docs").as_posix() in text, f"mkdocs.yml, nav: add {file.name}"
