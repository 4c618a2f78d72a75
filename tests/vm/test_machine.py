"""Builds the machine and runs `checks.py` in it, with the v4l2loopback of Debian and, where it was built, a newer."""

from __future__ import annotations

import os
import subprocess
import sys

import machine
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

GENERIC = {"NUMBA_CPU_NAME": "generic", "FRAMEFX_CACHE_DIR": str(machine.CACHE / "kernels")}
"""An emulated processor is another than this machine's; kernels for any are compiled here, where it takes seconds."""

SECONDS = {"qemu": 400}
"""After which a kind of machine is ended, where that is not the 1,000 s that slow machines need."""

KERNELS = ["rgb_to_i420", "rgb_to_nv12", "rgb_to_yuyv", "i420_to_rgb", "nv12_to_rgb", "yuyv_to_rgb"]
KERNELS += ["nv12_to_i420", "yuyv_to_i420", "downsample_i420", "merge_i420", "limit_i420"]


@pytest.fixture(scope="module", autouse=True)
def built():
    try:
        machine.build()
    except machine.MachineError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def environment(built):
    if machine.kinds()[0] != "qemu":
        return {}
    warm = f"from framefx.kernels import warm; warm({KERNELS})"
    subprocess.run([sys.executable, "-c", warm], env={**os.environ, **GENERIC}, cwd=machine.REPOSITORY, check=True)
    return GENERIC


@pytest.mark.parametrize("newer", [False, True], ids=["debian", "newer"])
def test_real_drivers(newer, environment):
    kind = machine.kinds()[0]
    if newer and not machine.has_newer(kind):
        pytest.skip("no newer v4l2loopback was built: tests/vm/build.sh --newer DIR")
    seconds = SECONDS.get(kind, 1000)
    options = ["-v", "-x", "--color=no", "-p", "no:cacheprovider", "--timeout=300", "--durations=8", "-s"]
    command = [sys.executable, "-m", "pytest", "tests/vm/checks.py", *options]
    try:
        result = machine.run(command, newer=newer, environment=environment, seconds=seconds)
    except machine.TooSlowError as error:
        if kind != "qemu" or " FAILED" in str(error):
            raise
        pytest.skip(f"emulation is too slow on this machine at the moment: {seconds} s were not enough")
    sys.stdout.write(result.output)
    assert result.code == 0, result.output[-4000:]
