"""docs/faults.md is what the tests say."""

import sys

import pytest


@pytest.fixture
def make_faults(root, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(root / "docs"), *sys.path])
    import make_faults

    return make_faults


def test_the_page_is_made_from_the_tests(make_faults, page):
    assert page("faults.md") == make_faults.HEAD + make_faults.tables(), "run: python docs/make_faults.py"
