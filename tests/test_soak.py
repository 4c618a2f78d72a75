"""Twenty thousand frames: memory, descriptors and threads stay as they are."""

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).with_name("soak.py")


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("policy", "masks"), [("live", "sync"), ("live", "async"), ("file", "sync")])
def test_frame_20000_takes_no_more_than_frame_2000(policy, masks):
    result = subprocess.run([sys.executable, str(SOAK), policy, masks], capture_output=True, text=True, timeout=1700)
    assert result.returncode == 0, result.stderr
    first, last = ([float(word) for word in line.split()] for line in result.stdout.splitlines())
    print(f"\nfrom {first[0]:.1f} MB by {last[0] - first[0]:+.2f} MB, {last[1]:.0f} descriptors, {last[2]:.0f} threads")
    assert last[0] - first[0] <= 2
    assert last[1:] == first[1:]
