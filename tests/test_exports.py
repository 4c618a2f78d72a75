"""The public surface: each symbol once, loaded when it is used."""

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import framefx
import framefx.errors


def test_all_is_sorted_and_complete():
    assert framefx.__all__ == sorted(framefx.__all__)
    assert set(framefx.__all__) <= set(dir(framefx))


@pytest.mark.parametrize("name", framefx.__all__)
def test_every_symbol_is_what_its_home_has(name):
    assert getattr(framefx, name) is getattr(importlib.import_module(framefx._HOME[name]), name)


def test_no_module_hides_a_symbol():
    modules = {module.name for module in pkgutil.iter_modules([str(Path(framefx.__file__).parent)])}
    assert not modules & set(framefx.__all__)


def test_an_unknown_symbol_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'framefx' has no attribute 'Fraem'"):
        _ = framefx.Fraem


def test_importing_framefx_imports_nothing_heavy():
    code = "import framefx, sys; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "numba", "cv2", "pydantic"} & set(modules)


def test_the_error_tree_on_top_of_the_module_is_the_tree():
    drawn = framefx.errors.__doc__
    for name, thing in vars(framefx.errors).items():
        if isinstance(thing, type) and issubclass(thing, Exception):
            assert name in drawn


@pytest.mark.parametrize(
    ("name", "also", "code"),
    [
        ("ChainSyntaxError", ValueError, 2),
        ("UnknownNameError", LookupError, 2),
        ("OptionError", ValueError, 2),
        ("ConfigError", ValueError, 2),
        ("MissingLayerError", LookupError, 2),
        ("BackendUnavailableError", ImportError, 2),
        ("MediaError", OSError, 1),
        ("DeviceError", OSError, 1),
        ("PluginError", Exception, 1),
    ],
)
def test_errors_are_what_a_caller_would_catch_and_know_their_exit_code(name, also, code):
    error = getattr(framefx.errors, name)
    assert issubclass(error, also)
    assert issubclass(error, framefx.FramefxError)
    assert error.exit_code == code


def test_a_near_name_is_suggested_and_a_far_one_not():
    assert framefx.errors.did_you_mean("blurr", ["blur", "color"]) == " Did you mean 'blur'?"
    assert framefx.errors.did_you_mean("zzz", ["blur", "color"]) == ""
