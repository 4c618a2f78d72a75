"""What two well-known programs do to every frame, as the OpenCV and NumPy calls they make, in their order.

Only what changes the picture is here: camera and output are left out, as they are on our side. Both get the network
and the runtime that framefx gets, and frames in BGR, as OpenCV's camera gives them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from framefx.frame import Frame, Size
from framefx.protocols import Model

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]

SIGMA = 7
"""Standard deviation in pixels of the blur that all sides make."""


class Network:
    """A network as the peers use it: a small RGB picture in, the person's mask out."""

    def __init__(self, model: Model) -> None:
        self._model = model
        shape = model.session.buffer.shape
        self.size: Size = (int(shape[1]), int(shape[2]))

    def __call__(self, small: U8) -> U8:
        """Return the mask of `small`, uint8 at the network's own resolution."""
        height, width = self.size
        if small.shape[:2] != self.size:
            small = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
        buffer = self._model.session.buffer
        if buffer.dtype == np.float32:
            np.multiply(small, np.float32(1 / 255), out=buffer[0])
        else:
            self._model.prepare(Frame.borrow(small), buffer)
        outputs = self._model.session.run(buffer, self._model.outputs_for(("person",)))
        values: U8 = self._model.decode(outputs, ("person",), Frame.borrow(small))["person"].values
        return values


class LinuxFakeBackground:
    """Linux-Fake-Background-Webcam's `compose_frame`, with ``--background no`` or with a picture.

    Its default options: a hard mask at full size, smoothed, cut at 0.75, grown by 5 pixels, softened, and averaged
    with the one before at `mask-update-speed` 50; a Gaussian of 21 pixels and σ 7 behind it. "The one before" lies in
    the same memory, so that average is computed and changes nothing, here as there.

    Parameters
    ----------
    network : Network
    size : (int, int)
        Height and width of frames.
    picture : (height, width, 3) uint8, optional
        Shown instead of the blurred frame.
    """

    def __init__(self, network: Network, size: Size, picture: U8 | None = None) -> None:
        height, width = size
        self._network = network
        self._picture = picture
        self._small = np.zeros((int(256 * height / width), 256, 3), np.uint8)
        self._mask = np.zeros(size, np.float32)

    def __call__(self, frame: U8) -> U8:
        """Compose `frame`, BGR, in place and return it."""
        mask = self._segment(frame)
        cv2.threshold(mask, 0.75, 1, cv2.THRESH_BINARY, dst=mask)
        cv2.dilate(mask, np.ones((5, 5), np.uint8), iterations=1, dst=mask)
        cv2.blur(mask, (10, 10), dst=mask)
        cv2.accumulateWeighted(mask, self._mask, 0.5)
        behind = self._picture
        if behind is None:
            behind = np.asarray(cv2.GaussianBlur(frame, (21, 21), SIGMA, borderType=cv2.BORDER_DEFAULT), np.uint8)
        cv2.blendLinear(frame, behind, mask, 1 - mask, dst=frame)
        return frame

    def _segment(self, frame: U8) -> F32:
        height, width = frame.shape[:2]
        cv2.resize(frame, self._small.shape[1::-1], dst=self._small, interpolation=cv2.INTER_AREA)
        cv2.cvtColor(self._small, cv2.COLOR_BGR2RGB, dst=self._small)
        hard = (self._network(self._small) > 127).astype(np.float32)
        cv2.resize(hard, (width, height), dst=self._mask, interpolation=cv2.INTER_LINEAR)
        cv2.GaussianBlur(self._mask, (7, 7), 0, dst=self._mask)
        return self._mask


Layer = tuple[str, Callable[[npt.NDArray[np.generic]], npt.NDArray[np.generic]] | None]
"""A source of virtual_webcam_background (``input``, ``foreground`` or ``empty``) and its filter."""


class VirtualWebcamBackground:
    """virtual_webcam_background's loop with its MediaPipe model and the example's mask options.

    Mean of the last three masks at full size, dilate 10, erode 10, blur 3; then every layer over the one before, in
    float64.

    Parameters
    ----------
    network : Network
    layers : list of Layer
        From the bottom up.
    """

    def __init__(self, network: Network, layers: list[Layer]) -> None:
        self._network = network
        self._layers = layers
        self._masks: deque[F32] = deque(maxlen=3)

    @classmethod
    def blurring(cls, network: Network) -> VirtualWebcamBackground:
        """Return the loop with the README's blurred background: ``input: [[blur, …]]``, ``foreground: []``."""
        return cls(network, [("input", _box_blur), ("foreground", None)])

    @classmethod
    def replacing(cls, network: Network, picture: U8) -> VirtualWebcamBackground:
        """Return the loop with the README's virtual background: ``empty: [[image, …]]``, ``foreground: []``."""
        return cls(network, [("empty", lambda _: picture), ("foreground", None)])

    def __call__(self, captured: U8) -> U8:
        """Return what it would show of `captured`, in RGB as it sends it."""
        frame: npt.NDArray[np.generic] = captured[..., ::-1]
        mask = self._mask(captured)
        given = np.append(frame, np.expand_dims(mask, axis=2), axis=2).copy()
        shown = np.zeros(given.shape)
        for source, change in self._layers:
            layer: npt.NDArray[np.generic] = np.zeros(shown.shape)
            if source in ("foreground", "input"):
                layer = given.copy()
            if source == "input":
                layer[:, :, 3] = 255 * np.ones(given.shape[:2])
            if change is not None:
                layer = change(layer)
            if layer.shape[2] == 4:
                alpha = np.expand_dims(layer[:, :, 3] / 255.0, axis=2)  # type: ignore[operator]
                shown[:, :, :3] = shown[:, :, :3] * (1.0 - alpha) + layer[:, :, :3] * alpha
            else:
                shown[:, :, :3] = layer[:, :, :3].copy()
        return shown[:, :, :3].astype(np.uint8)

    def _mask(self, captured: U8) -> U8:
        height, width = captured.shape[:2]
        rows, columns = self._network.size
        small = cv2.resize(captured, (columns, rows), interpolation=cv2.INTER_AREA)
        rgb = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB), np.uint8)
        person = np.multiply(self._network(rgb), np.float32(1 / 255))
        full = cv2.resize(person, (width, height), interpolation=cv2.INTER_LINEAR)
        self._masks.appendleft(np.asarray(full, np.float32))
        mean = np.mean(list(self._masks), axis=0)
        mask = np.asarray((mean * 255).astype(np.uint8))
        mask = np.asarray(cv2.dilate(mask, np.ones((10, 10), np.uint8), iterations=1), np.uint8)
        mask = np.asarray(cv2.erode(mask, np.ones((10, 10), np.uint8), iterations=1), np.uint8)
        return np.asarray(cv2.blur(mask, (3, 3)), np.uint8)


def _box_blur(layer: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Blur the colours of `layer` in place; a box of 24 pixels has a standard deviation of 6.9."""
    layer[:, :, :3] = cv2.blur(layer[:, :, :3], (24, 24))  # type: ignore[arg-type]
    return layer


class ThreeCopies:
    """The floor: copies a frame's bytes three times, as a merge reads two pictures and writes one."""

    def __init__(self, size: Size) -> None:
        self._targets = [np.zeros((*size, 3), np.uint8) for _ in range(3)]

    def __call__(self, frame: U8) -> None:
        for target in self._targets:
            np.copyto(target, frame)
