"""``${NAME}`` in a config file."""

from __future__ import annotations

import pytest

from framefx.config import Document
from framefx.errors import ConfigError


def read(tmp_path, text):
    (tmp_path / "c.yaml").write_text(text)
    return Document(tmp_path / "c.yaml").values


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("FX_CAMERA", "/dev/video7")
    monkeypatch.delenv("FX_NONE", raising=False)


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("${FX_CAMERA}", "/dev/video7"),
        ("'a ${FX_CAMERA} b'", "a /dev/video7 b"),
        ("${FX_NONE:-beach.jpg}", "beach.jpg"),
        ("${FX_NONE:-}", ""),
        ("$${FX_CAMERA}", "${FX_CAMERA}"),
        ("$5", "$5"),
    ],
)
def test_a_value_takes_environment_variables(tmp_path, written, read_as):
    assert read(tmp_path, f"sink: {written}\n") == {"sink": read_as}


def test_numbers_may_come_from_the_environment(tmp_path, monkeypatch):
    from framefx.config import Config

    monkeypatch.setenv("FX_RATE", "25")
    (tmp_path / "c.yaml").write_text("source: {rate: '${FX_RATE}'}\nchain: blur\n")
    assert Config(tmp_path / "c.yaml").settings.source.rate == 25


def test_a_variable_that_is_not_set_is_an_error_with_its_line(tmp_path):
    with pytest.raises(ConfigError, match=r"c\.yaml:2: there is no environment variable FX_CAMRA.*FX_CAMERA"):
        read(tmp_path, "chain: blur\nsink: ${FX_CAMRA}\n")
