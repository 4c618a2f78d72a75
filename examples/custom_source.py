"""A source of your own: a colour wheel that turns for three seconds, through a chain, into a file."""

import numpy as np

import framefx


class Wheel:
    """Frames from NumPy. `framefx.Source` says what each member owes."""

    live = False
    size = (360, 640)
    rate = 30.0

    def __init__(self, seconds=3.0):
        self.frames = round(seconds * self.rate)
        self._pool = framefx.FramePool()
        y, x = np.mgrid[-1 : 1 : self.size[0] * 1j, -1 : 1 : self.size[1] * 1j]
        self._angle = np.arctan2(y, x)[..., None] + np.array([0, 2, 4]) * np.pi / 3

    def open(self):
        self._index = 0

    def read(self):
        if self._index == self.frames:
            return None
        frame = self._pool.frame(self.size, index=self._index, time=self._index / self.rate)
        frame.pixels[:] = 127.5 + 127.5 * np.cos(self._angle + 2 * frame.time)
        self._index += 1
        return frame

    def close(self):
        pass


report = framefx.run(Wheel(), "wheel.mp4", "color=contrast=0.8,flip")
print(f"{report.sent} frames are in wheel.mp4")
