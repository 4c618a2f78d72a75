"""The jit policy: where machine code is kept, and what happens when it cannot be."""

import logging
import os
import subprocess
import sys

import numpy as np
import pytest

from framefx import kernels
from framefx.kernels import _jit


@_jit.Helper
def _twice(value):
    return value * 2


@_jit.kernel("u8[:], const u8[:]")
def _double(out, src):
    for i in range(src.size):
        out[i] = _twice(src[i])


@pytest.fixture
def fresh(monkeypatch):
    """Forget where the cache is, before and after."""

    def forget():
        _jit.cache_directory.cache_clear()
        _jit._warn_uncached.cache_clear()

    forget()
    yield monkeypatch
    monkeypatch.undo()
    forget()


def test_compiled_and_plain_agree():
    src = np.arange(100, dtype=np.uint8)
    compiled, plain = np.empty_like(src), np.empty_like(src)
    _double(compiled, src)
    _double.py_func(plain, src)
    assert np.array_equal(compiled, plain)


def test_one_compilation_takes_read_only_and_writable_sources():
    src, out = np.arange(9, dtype=np.uint8), np.empty(9, np.uint8)
    _double(out, src)
    src.flags.writeable = False
    _double(out, src)
    assert len(_double.compile().signatures) == 1
    out.flags.writeable = False
    with pytest.raises(TypeError, match="No matching definition"):
        _double(out, src)


def test_strided_sources_are_refused():
    with pytest.raises(TypeError, match="No matching definition"):
        _double(np.empty(5, np.uint8), np.zeros(10, np.uint8)[::2])


def test_a_changed_helper_gives_another_key(tmp_path):
    (tmp_path / "_steps.py").write_text("def helper(): return 1\n")
    (tmp_path / "_merge.py").write_text("from _steps import helper\n")
    before = _jit.source_key(tmp_path)
    assert _jit.source_key(tmp_path) == before
    (tmp_path / "_steps.py").write_text("def helper(): return 2\n")
    assert _jit.source_key(tmp_path) != before


def test_the_cache_is_where_it_was_asked_for(fresh, tmp_path):
    fresh.setenv("FRAMEFX_CACHE_DIR", str(tmp_path))
    item = _jit.Kernel(_double.py_func, _double.signatures)
    assert not item.is_cached()
    item.compile()
    assert list(tmp_path.glob(f"kernels/{_jit.source_key()}/**/*_double*.nbi"))
    assert _jit.Kernel(_double.py_func, _double.signatures).is_cached()


def test_the_users_cache_directory_is_used(fresh, tmp_path):
    fresh.delenv("FRAMEFX_CACHE_DIR", raising=False)
    fresh.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert _jit.cache_directory() == tmp_path / "framefx" / "kernels" / _jit.source_key()


def test_old_versions_are_pruned(fresh, tmp_path):
    fresh.setenv("FRAMEFX_CACHE_DIR", str(tmp_path))
    for age in range(6):
        old = tmp_path / "kernels" / f"old{age}"
        old.mkdir(parents=True)
        os.utime(old, (1000 - age, 1000 - age))
    _jit.cache_directory()
    assert sorted(p.name for p in (tmp_path / "kernels").iterdir() if p.name.startswith("old")) == [
        "old0",
        "old1",
        "old2",
    ]


def test_nowhere_to_write_compiles_in_memory_and_says_so_once(fresh, tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    fresh.setenv("FRAMEFX_CACHE_DIR", str(blocked))
    with caplog.at_level(logging.WARNING, "framefx.kernels"):
        for _ in range(2):
            out = np.empty(3, np.uint8)
            _jit.Kernel(_double.py_func, _double.signatures)(out, np.array([1, 2, 3], np.uint8))
            assert out.tolist() == [2, 4, 6]
            _jit.cache_directory.cache_clear()
    assert [record.getMessage() for record in caplog.records] == [
        "kernels are compiled in memory at every start: set FRAMEFX_CACHE_DIR to a directory that can be written"
    ]


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="permissions as on Linux")
def test_a_cache_that_everybody_may_write_is_not_executed(fresh, tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    fresh.setenv("FRAMEFX_CACHE_DIR", str(tmp_path / "open"))
    assert _jit.cache_directory() is None


def test_other_users_of_numba_keep_their_cache_directory(fresh, tmp_path):
    import numba

    before = numba.config.CACHE_DIR
    fresh.setenv("FRAMEFX_CACHE_DIR", str(tmp_path))
    _jit.Kernel(_double.py_func, _double.signatures).compile()
    assert before == numba.config.CACHE_DIR


def test_listeners_hear_of_compilation_only(fresh, tmp_path):
    fresh.setenv("FRAMEFX_CACHE_DIR", str(tmp_path))
    heard = []
    with kernels.on_compile(heard.append):
        for _ in range(2):
            _jit.Kernel(_double.py_func, _double.signatures).compile()
    _jit.Kernel(_double.py_func, _double.signatures).compile()
    assert heard == ["double"]


def test_warm_reports_progress_of_what_is_missing(monkeypatch):
    monkeypatch.setattr(_jit.Kernel, "is_cached", lambda self: False)
    steps = []
    kernels.warm(["over_black", "premultiply"], lambda *step: steps.append(step))
    assert steps == [("premultiply", 0, 1), ("", 1, 1)]


def test_warm_names_what_it_does_not_know():
    with pytest.raises(LookupError, match=r"no kernel named 'masked_merge\.beta'"):
        kernels.warm(["masked_merge.beta"])


def test_every_public_function_can_be_warmed():
    plain = {"Axis", "ColorTables", "Rectangle", "color_tables", "fits_i420", "on_compile", "warm"}
    assert all(_jit._kernels_of(name) for name in kernels.__all__ if name not in plain)


def test_importing_kernels_imports_no_numba():
    code = "import sys, framefx.kernels as k; k.masked_merge, k.warm; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
