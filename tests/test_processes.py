"""Signals and pipes, each with framefx in a process of its own."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

PYTHON = [sys.executable, "-m", "framefx"]

COMPILING = "framefx: compiling kernels, the first time only\n"
"""Stands on standard error where no cache has the kernels yet."""

HEADER = b"YUV4MPEG2 W64 H48 F30:1 Ip A1:1 C420jpeg\n"


def pictures(count):
    return b"".join(b"FRAME\n" + bytes([index + 60]) * (64 * 48 * 3 // 2) for index in range(count))


def stream(tmp_path, *, frames=3):
    """Start framefx on a pipe, feed it frames, and wait until it has sent them all."""
    command = [*PYTHON, "--chain", "flip", "--source", "-", "--sink", "out.y4m", "--quiet"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path)
    process.stdin.write(HEADER + pictures(frames))
    process.stdin.flush()
    return process


def skip_if_ignored(number):
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("this signal is ignored here, as under nohup, and by every program that is started from here")


def wait_for_output(tmp_path, size):
    """Wait until the unfinished file beside the final name has grown to `size` bytes."""
    patience = threading.Event()
    for _ in range(1200):
        if any(path.stat().st_size >= size for path in tmp_path.iterdir()):
            return
        patience.wait(0.05)
    pytest.fail("nothing was written")


@pytest.mark.fault(
    "Ctrl-C, SIGTERM, SIGHUP",
    "every frame that was read, finished",
    "the file gets its final name; exit codes 130, 143 and 129",
)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_finishes_the_file_and_says_so_by_the_exit_code(tmp_path, number, code):
    skip_if_ignored(number)
    process = stream(tmp_path)
    wait_for_output(tmp_path, 3 * 64 * 48)
    assert not (tmp_path / "out.y4m").exists()
    process.send_signal(number)
    _, err = process.communicate(timeout=110)
    assert (process.returncode, err.decode().removeprefix(COMPILING)) == (code, "")
    assert (tmp_path / "out.y4m").read_bytes().count(b"FRAME") == 3
    assert [path.name for path in tmp_path.iterdir()] == ["out.y4m"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("library", ["numpy", "pydantic_core"])
def test_a_signal_at_the_start_ends_it_and_leaves_nothing(tmp_path, number, library):
    """The moments are those at which a library has just been loaded."""
    skip_if_ignored(number)
    command = [*PYTHON, "--chain", "flip", "--source", "-", "--sink", "out.mp4", "--quiet"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path)
    while f"/{library}" not in Path(f"/proc/{process.pid}/maps").read_text() and process.poll() is None:
        pass
    process.send_signal(number)
    _, err = process.communicate(timeout=110)
    # Before framefx listens to signals, the system ends it.
    assert process.returncode in (128 + number, -number), err.decode()
    assert list(tmp_path.iterdir()) == []


def test_a_stream_goes_through_pipes(tmp_path):
    command = [*PYTHON, "--chain", "flip,flip", "--source", "-", "--sink", "-"]
    result = subprocess.run(
        command, input=HEADER + pictures(5), capture_output=True, timeout=110, check=True, cwd=tmp_path
    )
    assert result.stdout.count(b"FRAME") == 5
    assert result.stderr.decode().removeprefix(COMPILING) == ""


def test_a_reader_that_goes_away_is_no_traceback(tmp_path):
    read, write = os.pipe()
    os.close(read)
    process = subprocess.Popen([*PYTHON, "filters"], stdout=write, stderr=subprocess.PIPE, cwd=tmp_path)
    os.close(write)
    _, err = process.communicate(timeout=110)
    assert b"Traceback" not in err
