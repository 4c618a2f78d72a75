"""docs/faults.md is what the tests say, docs/latency.md what was measured."""

import json
import sys

import pytest


@pytest.fixture
def docs(root, monkeypatch):
    """Let the scripts of docs/ be imported."""
    monkeypatch.setattr(sys, "path", [str(root / "docs"), *sys.path])
    return root / "docs"


def test_the_table_of_faults_is_made_from_the_tests(docs, page):
    import make_faults

    assert page("faults.md") == make_faults.HEAD + make_faults.tables(), "run: python docs/make_faults.py"


def test_the_figures_of_the_webcam_are_those_that_were_measured(docs, page):
    import make_latency

    figures = json.loads((docs / "latency.json").read_text())
    assert page("latency.md") == make_latency.page(figures), "run: python docs/make_latency.py --page-only"
