"""Twenty thousand frames as fast as they go: python tests/soak.py live|file sync|async.

Prints the resident memory in MB, the open descriptors and the threads at frame 2,000 and at frame 20,000.
"""

import os
import sys
import threading
from pathlib import Path

import numpy as np

import framefx
from framefx.frame import FramePool
from framefx.testing import ListSink, TestPattern

FIRST, LAST = (int(number) for number in os.environ.get("SOAK", "2000,20000").split(","))
_MORE = 50  # at the last frame the threads begin to end
CHAIN = "blur,color=saturation=1.2,flip"


class Room(TestPattern):
    """A source that gives the next frame when the last one was shown."""

    def __init__(self, *, live):
        super().__init__((180, 320), LAST + _MORE, live=live)
        self.shown = threading.Semaphore(1)
        self.pictures = [self.pixels_at(index) for index in range(40)]
        self.pool = FramePool()
        self.number = 0

    def read(self):
        self.shown.acquire(timeout=0.1)
        frame = self.pool.frame(self.size, index=self.number, time=self.number / 30)
        np.copyto(frame.pixels, self.pictures[self.number % 40])
        self.number += 1
        return frame


class Screen(ListSink):
    """Looks at the process at two frames, and keeps nothing."""

    def __init__(self, room):
        super().__init__(live=room.live)
        self.room, self.count, self.newest = room, 0, -1.0

    def send(self, frame):
        if frame.time <= self.newest:
            return  # a repetition
        self.newest = frame.time
        self.count += 1
        if self.count in (FIRST, LAST):
            print(resident(), len(list(Path("/proc/self/fd").iterdir())), threading.active_count(), flush=True)
        self.room.shown.release()


def resident():
    """Return the megabytes that this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    room = Room(live=sys.argv[1] == "live")
    framefx.run(room, Screen(room), CHAIN, frames=LAST + _MORE, masks=sys.argv[2])
