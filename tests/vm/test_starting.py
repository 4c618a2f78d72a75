"""What `machine.run` does with a machine that does not come up; a shell script stands for the kernel."""

from __future__ import annotations

import machine
import pytest

HANGS = "echo Core dump limits; exec sleep 600"
COMES_UP = "echo framefx-machine: up; echo hello; echo framefx-machine: exit 3"


@pytest.fixture
def starts(monkeypatch):
    """The scripts that are run in turn."""
    scripts = []
    monkeypatch.setattr(machine, "kinds", lambda: ["uml"])
    monkeypatch.setattr(machine, "_argv", lambda *_: ["sh", "-c", scripts.pop(0)])
    monkeypatch.setitem(machine._START, "uml", 3.0)
    return scripts


def test_a_machine_that_hangs_at_its_start_is_started_again(starts):
    starts += [HANGS, COMES_UP]
    assert machine.run(["true"]) == machine.Result(3, "hello\n")


def test_one_that_never_starts_is_given_up(starts):
    starts += [HANGS] * 3
    with pytest.raises(machine.MachineError, match=r"did not start in 3 s; it said:\nCore dump limits"):
        machine.run(["true"])


def test_one_that_ends_by_itself_is_not_started_again(starts):
    starts += ["echo no memory"]
    with pytest.raises(machine.MachineError, match="ended by itself"):
        machine.run(["true"])
