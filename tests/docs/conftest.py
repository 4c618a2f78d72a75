"""The documentation as text."""

from pathlib import Path

import pytest

from framefx.plugins import PluginManager

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def page():
    """Return the text of a page of docs/."""
    return lambda name: (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def registry():
    """What comes with framefx, and nothing else that happens to be installed."""
    return PluginManager(discover=False).registry
