"""Code in the documentation runs: Python as it stands, commands as far as they can be checked without a camera."""

import importlib.util
import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from framefx.chain import POSITIONAL, Chain
from framefx.cli.main import COMMANDS, parser
from framefx.config import Config
from framefx.errors import FramefxError
from framefx.plugins import PluginManager
from framefx.where import Where

ROOT = Path(__file__).parents[2]
ELSEWHERE = {"benchmarks.md", "bench-model.md", "model-card.md", "webcam.md"}
"""Made by a program, or checked by the tests of what they are about."""

PAGES = [
    "README.md",
    *(p.relative_to(ROOT).as_posix() for p in sorted((ROOT / "docs").rglob("*.md")) if p.name not in ELSEWHERE),
]


def blocks(text, language):
    """Return the fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def commands(text):
    """Yield the arguments of every framefx command in shell blocks, also inside of a pipe."""
    for block in blocks(text, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"\s\|\s|\s&&", line) if "framefx" in line else ():
                words = shlex.split(part, comments=True)
                if words and words[0].rpartition("/")[2] == "framefx":
                    yield words[1:]


@pytest.fixture(params=PAGES)
def text(request, root):
    return (root / request.param).read_text(encoding="utf-8")


def test_python_runs(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "framefx_docs"}
    for block in blocks(text, "python"):
        exec(compile(block, "block of the documentation", "exec"), names)


def test_commands_parse(text):
    for words in commands(text):
        if words and words[0] in COMMANDS:
            continue
        parser().parse_args(words)


@pytest.fixture(scope="session")
def registry(root):
    """What comes with framefx, and the tutorial's plugin."""
    return PluginManager(files=[root / "examples" / "mosaic.py"], discover=False).registry


def test_chains_name_filters_and_options_that_there_are(text, registry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words in commands(text):
        if words[:1] != ["config"] and "--chain" in words:
            check(words[words.index("--chain") + 1], registry)


def check(chain, registry):
    for call in Chain.parse(chain):
        step = registry.filters.find(call.name)
        options = dict(call.options)
        if POSITIONAL in options:
            options[step.options.names[0]] = options.pop(POSITIONAL)
        Where.parse(str(options.pop("where", step.where)), call.name)
        for name, facts in step.options.describe().items():
            if name in options and "path" in str(facts):
                Path(options[name]).write_text("LUT_1D_SIZE 2\n0 0 0\n1 1 1\n")  # a file that the reader has
        step.options.check(options)


def test_config_files_are_valid(text, tmp_path):
    for block in blocks(text, "yaml"):
        path = tmp_path / "framefx.yaml"
        path.write_text(block)
        config = Config(path)
        for profile in yaml.safe_load(block).get("profiles", {}):
            assert Config(path, profile).settings != config.settings


def test_the_first_plugin_is_the_tested_file(root):
    file = (root / "examples" / "mosaic.py").read_text()
    for name in ("README.md", "docs/plugins.md", "docs/first-plugin.md"):
        assert file in blocks((root / name).read_text(), "python"), name


def test_every_plugin_of_the_tutorial_follows_the_rules(root):
    """The functions and classes of docs/plugins.md, registered as their page says."""
    from framefx.registry import Register, Registry

    names = {"__name__": "framefx_docs"}
    for block in blocks((root / "docs/plugins.md").read_text(), "python"):
        exec(compile(block, "block of docs/plugins.md", "exec"), names)
    registry = Registry()
    register = Register(registry, "docs")
    for name in ("tone", "Trail"):
        register.filter(names[name])
    for name in ("bright", "dark"):
        register.layer(names[name])
    register.geometry(names["zoom"])
    assert registry.filters.names == ["tone", "trail", "zoom"]


@pytest.mark.parametrize("chain", ["tone=0.3:look=cold", "trail=0.5", "docs/zoom=2", "tone=where=bright+dark"])
def test_the_tutorial_plugins_work(root, chain, pattern, list_sink):
    import framefx

    names = {"__name__": "framefx_docs"}
    for block in blocks((root / "docs/plugins.md").read_text(), "python"):
        exec(compile(block, "block of docs/plugins.md", "exec"), names)

    class Plugin:
        @staticmethod
        @framefx.hookimpl
        def framefx_register(register):
            register.filter(names["tone"])
            register.filter(names["Trail"])
            register.layer(names["bright"])
            register.layer(names["dark"])
            register.geometry(names["zoom"])

    plugins = PluginManager(discover=False)
    plugins.add(Plugin(), "docs")
    report = framefx.run(pattern, list_sink, chain, plugins=plugins, frames=4)
    assert report.sent == 4
    assert (list_sink.pixels[-1] != pattern.pixels_at(3)).any()


def test_errors_shown_are_those_that_come(root):
    """The first lines of the messages in docs/chains.md and docs/errors.md."""
    with pytest.raises(FramefxError) as caught:
        Chain.parse("blur=,color")
    shown = "framefx: " + str(caught.value)
    assert shown in (root / "docs/chains.md").read_text()


def test_the_figures_of_the_readme_are_the_measured_ones(root):
    """After `framefx bench`: `python docs/fill_readme.py`."""
    spec = importlib.util.spec_from_file_location("fill_readme", root / "docs" / "fill_readme.py")
    fill = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fill)
    report = json.loads((root / "docs" / "benchmarks.json").read_text())
    text = (root / "README.md").read_text()
    assert text == fill.filled(text, report)
