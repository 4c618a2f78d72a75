"""What the sink tests share: the real ffmpeg and a small disk."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest


@pytest.fixture
def ffmpeg():
    """A function that runs the real ffmpeg and returns its output, or a skip."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")

    def run(*arguments, **options):
        command = ["ffmpeg", "-v", "error", "-y", *map(str, arguments)]
        return subprocess.run(command, check=True, capture_output=True, **options).stdout

    return run


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of 128 KiB, or a skip."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "framefx-test", str(folder)]
    if os.name != "posix" or shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("making a small file system needs root")
    yield folder
    # Lazily: a test that failed may still hold its file open.
    subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)
