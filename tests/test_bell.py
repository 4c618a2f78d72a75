"""Bells: both kinds, on whatever system this is."""

import gc
import sys
import threading
from pathlib import Path

import pytest

from framefx.bell import LockBell, SocketBell

linux = pytest.mark.skipif(sys.platform != "linux", reason="made for Linux")
kinds = pytest.mark.parametrize("kind", [pytest.param(SocketBell, marks=linux), LockBell])


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


@kinds
def test_a_ring_that_nobody_waits_for_is_kept_once(kind):
    bell = kind()
    for _ in range(2000):
        bell.ring()
    assert bell.wait()
    assert not bell.wait(0.0)


@kinds
def test_patience_ends(kind):
    assert not kind().wait(0.001)


@kinds
def test_threads_take_turns(kind):
    there, back, said = kind(), kind(), []

    def answer():
        for _ in range(100):
            there.wait()
            said.append("answer")
            back.ring()

    thread = threading.Thread(target=answer)
    thread.start()
    for _ in range(100):
        said.append("call")
        there.ring()
        assert back.wait(10)
    thread.join(10)
    assert said == ["call", "answer"] * 100


@linux
def test_a_bell_that_is_forgotten_keeps_no_descriptor():
    before = descriptors()
    bells = [SocketBell() for _ in range(10)]
    assert descriptors() == before + 20
    del bells
    gc.collect()
    assert descriptors() == before
