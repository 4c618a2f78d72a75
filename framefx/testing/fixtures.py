"""Fixtures for pytest, found by its entry point: nothing heavy is imported before a test asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from framefx.frame import Frame
    from framefx.plugins import PluginManager
    from framefx.testing import ListSink, ManualClock, TestPattern


@pytest.fixture
def frame() -> Frame:
    """A frame of 48 × 64 random pixels, always the same."""
    from framefx.testing import make_frame

    return make_frame()


@pytest.fixture
def pattern() -> TestPattern:
    """A source of 30 small frames with a moving disc whose mask is known."""
    from framefx.testing import TestPattern

    return TestPattern()


@pytest.fixture
def list_sink() -> ListSink:
    """A sink that keeps copies of what it is sent."""
    from framefx.testing import ListSink

    return ListSink()


@pytest.fixture
def manual_clock() -> ManualClock:
    """A clock at 0 seconds that only the test moves."""
    from framefx.testing import ManualClock

    return ManualClock()


@pytest.fixture
def isolated_plugins(monkeypatch: pytest.MonkeyPatch) -> PluginManager:
    """The built-in plugins alone, whatever else is installed; `add` what a test needs."""
    from framefx.plugins import PluginManager

    monkeypatch.delenv("FRAMEFX_DISABLE_PLUGINS", raising=False)
    return PluginManager(discover=False)
