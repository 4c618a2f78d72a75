"""Plugins: whatever one of them does wrong, it names itself, and the rest still runs."""

import importlib.metadata
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from framefx.errors import PluginError, UnknownNameError
from framefx.frame import Frame
from framefx.mask import Mask
from framefx.plan import Plan
from framefx.plugins import PluginManager, hookimpl

GOOD = '''
from framefx import Frame, Register, hookimpl

def {name}(frame: Frame) -> Frame:
    """Do nothing."""
    return frame

@hookimpl
def framefx_register(register: Register) -> None:
    register.filter({name})
'''


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """No plugin stays imported, and none is disabled from outside."""
    monkeypatch.delenv("FRAMEFX_DISABLE_PLUGINS", raising=False)
    yield
    for name in [n for n in sys.modules if n.startswith("framefx_plugin_")]:
        del sys.modules[name]


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def installed(monkeypatch, write):
    """Pretend that distributions with these plugins are installed: name to source text."""

    def install(**texts):
        from framefx.plugins import _import_file

        class Entry:
            dist = None

            def __init__(self, name, text):
                self.name, self.value, self._path = name, f"{name}:plugin", write(name, text)

            def load(self):
                return _import_file(self._path)

        entries = [Entry(name, text) for name, text in texts.items()]
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: entries)

    return install


def load(*files, **rest):
    return PluginManager(files=files, discover=False, **rest)


def test_the_built_ins_come_through_the_same_hooks():
    registry = load().registry
    assert {"blur", "replace", "color", "flip"} <= set(registry.filters.names)
    assert {entry.plugin for entry in registry.filters} == {"framefx"}


def test_a_single_file_is_a_plugin(write):
    plugins = load(write("calm", GOOD.format(name="calm")))
    assert plugins.registry.filters.find("calm").plugin == "calm"
    assert plugins.origins[-1].place.endswith("calm.py")


def test_the_readme_s_plugin_works_as_it_is_printed(write):
    style = Path(__file__).parents[1].parent / "shared" / "STYLE.md"
    if not style.is_file():
        pytest.skip("the style guide with the plugin is not here")
    text = re.search(r'```python\n("""Replace the background.*?)```', style.read_text(), re.S)[1]
    registry = load(write("mosaic", text)).registry
    frame = Frame.borrow(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8))
    person = Mask(np.repeat([[255, 0]], 30, axis=1).astype(np.uint8), (1, 60))
    result = Plan("mosaic=8", registry, given={"person": person}).run(frame)
    assert np.array_equal(result.pixels[:, :28], frame.pixels[:, :28])
    assert (result.pixels[:8, 56:60] == result.pixels[0, 56]).all()


BROKEN = {
    "missing_import": ("import not_there", "ModuleNotFoundError: No module named 'not_there'"),
    "syntax": ("def (", "SyntaxError"),
    "raises": ("raise RuntimeError('boo')", "RuntimeError: boo"),
    "exits": ("import sys; sys.exit(3)", "SystemExit"),
    "no_hook": ("x = 1", "implements no hook: write `@hookimpl`"),
    "unmarked": ("def framefx_register(register): ...", "framefx_register is not marked: write `@hookimpl`"),
    "unmarked_observer": ("def framefx_observe(plan): ...", "framefx_observe is not marked"),
    "wrong_argument": (
        "from framefx import hookimpl\n@hookimpl\ndef framefx_register(reg): ...",
        r"framefx_register takes \['reg'\], wanted \(register\)",
    ),
    "misspelt": (
        GOOD.format(name="fine") + "\n@hookimpl\ndef framefx_obsreve(plan): ...",
        "unknown hook 'framefx_obsreve'.*the hooks are framefx_register, framefx_observe",
    ),
    "bad_signature": (GOOD.format(name="bad").replace("frame: Frame", "frame, size=3"), "put the \\* before it"),
    "half_way": (GOOD.format(name="half") + "    raise ValueError('half-way')\n", "ValueError: half-way"),
    "in_the_hook": (GOOD.format(name="x") + "    register.filter(not_there)\n", "NameError"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_names_itself_its_file_and_the_fix(installed, name):
    text, message = BROKEN[name]
    installed(**{name: text, "zz_good": GOOD.format(name="zz_good")})
    plugins = PluginManager()
    [problem] = plugins.problems
    assert problem.name == name
    assert re.search(message, problem.problem, re.S)
    assert f"{name}.py" in problem.problem
    assert f"--disable-plugin {name}" in problem.problem


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_adds_nothing_and_the_rest_still_runs(installed, name):
    built_in = load().registry.filters.names
    installed(**{name: BROKEN[name][0], "zz_good": GOOD.format(name="zz_good")})
    plugins = PluginManager()
    assert plugins.registry.filters.names == sorted([*built_in, "zz_good"])
    assert plugins.observers(Plan("zz_good", plugins.registry)) == []


def test_a_broken_file_that_was_asked_for_ends_the_run(write):
    with pytest.raises(PluginError, match=r"RuntimeError: boo.*raises.py:1"):
        load(write("raises", "raise RuntimeError('boo')"))


def test_a_missing_file_gets_the_nearest_name(write, tmp_path):
    write("mosaic", "")
    with pytest.raises(UnknownNameError, match=r"no plugin file .*mosiac.py. Did you mean 'mosaic.py'\?"):
        load(tmp_path / "mosiac.py")


def test_a_disabled_plugin_is_not_even_imported(installed):
    installed(loud="raise SystemExit('imported')")
    plugins = PluginManager(disabled=["loud"])
    assert [(o.name, o.problem) for o in plugins.origins][-1] == ("loud", "disabled")
    assert not plugins.problems


def test_a_plugin_can_be_disabled_by_the_environment(installed, monkeypatch):
    monkeypatch.setenv("FRAMEFX_DISABLE_PLUGINS", "other,loud")
    installed(loud="raise SystemExit('imported')")
    assert not PluginManager().problems


def test_a_disabled_file_is_listed_as_disabled(write):
    plugins = load(write("calm", GOOD.format(name="calm")), disabled=["calm"])
    assert "calm" not in plugins.registry.filters
    assert plugins.origins[-1].problem == "disabled"


def test_two_plugins_of_one_name_are_told_apart(installed, write, tmp_path):
    installed(calm=GOOD.format(name="calm"))
    (tmp_path / "other").mkdir()
    second = tmp_path / "other" / "calm.py"
    second.write_text(GOOD.format(name="calm2"))
    with pytest.raises(PluginError, match=r"another plugin is called 'calm' \(calm:plugin\): rename one"):
        PluginManager(files=[second])


def test_no_plugin_passes_for_a_built_in(write):
    with pytest.raises(PluginError, match="another plugin is called 'framefx'"):
        load(write("framefx", GOOD.format(name="blur")))


def test_two_plugins_with_one_filter_are_a_plan_error_that_names_both(write):
    files = [write(name, GOOD.format(name="calm")) for name in ("one", "two")]
    registry = load(*files).registry
    with pytest.raises(UnknownNameError, match="'one/calm' or 'two/calm'"):
        Plan("calm", registry)
    assert Plan("two/calm", registry).steps[0].step.plugin == "two"


def test_a_filter_with_a_built_in_s_name_is_chosen_by_its_plugin(write):
    registry = load(write("mine", GOOD.format(name="flip"))).registry
    assert Plan("mine/flip", registry).steps[0].step.plugin == "mine"
    assert Plan("framefx/flip", registry).steps[0].step.moves


def test_a_program_can_add_an_object():
    class Demo:
        @hookimpl
        def framefx_register(self, register):
            register.filter(lambda frame: frame, name="plain")

        @hookimpl
        def framefx_observe(self, plan):
            return plan

    plugins = load()
    plugins.add(Demo(), "demo")
    plan = Plan("plain", plugins.registry)
    assert plugins.observers(plan) == [plan]
    assert [o.name for o in plugins.origins] == ["framefx", "demo"]
