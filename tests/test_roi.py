"""Region of interest: more of the model's pixels for a distant person, and nobody is lost by it."""

import cv2
import numpy as np
import pytest

from framefx.frame import Frame
from framefx.layers import LoadedModel
from framefx.mask import Mask
from framefx.roi import RegionOfInterest

SIZE = (360, 640)
GRID = (36, 64)


class Network:
    """Takes what is red for a person, at 64×36 whatever it is shown; its session is itself."""

    layers = {"person": Mask, "background": Mask}  # noqa: RUF012

    def __init__(self):
        self.session, self.buffer = self, np.zeros(1)
        self.sizes = []

    def prepare(self, frame, out):
        self.sizes.append(frame.size)
        self.red = cv2.resize(frame.pixels[..., 0], GRID[::-1], interpolation=cv2.INTER_AREA)

    def outputs_for(self, wanted):
        return ["red"]

    def run(self, array, wanted):
        return {"red": self.red}

    def decode(self, outputs, wanted, frame):
        masks = {"person": outputs["red"], "background": 255 - outputs["red"]}
        return {name: Mask(masks[name], frame.size, frame.index) for name in wanted}


def picture(*people, size=SIZE):
    """A dark room with people in red: (centre x, centre y, width, height)."""
    pixels = np.zeros((*size, 3), np.uint8)
    for x, y, width, height in people:
        cv2.ellipse(pixels, (x, y), (width // 2, height // 2), 0, 0, 360, (255, 0, 0), -1)
    return pixels


def follow(pictures, wanted=("person",), rate=30.0):
    """Return the model and what it gave for each picture."""
    loaded = LoadedModel("red", Network(), list(wanted), region=RegionOfInterest())
    frames = [Frame.borrow(p, index=i, time=i / rate) for i, p in enumerate(pictures)]
    return loaded, [loaded.compute(frame) for frame in frames]


def error(mask, pixels):
    """Mean absolute difference from the picture itself, 0 to 1."""
    return float(np.abs(np.asarray(mask).astype(float) - pixels[..., 0]).mean() / 255)


@pytest.mark.parametrize("x", [60, 320, 600])
@pytest.mark.parametrize("y", [60, 180, 320])
def test_a_distant_person_is_seen_three_times_as_fine(x, y):
    pixels = picture((x, y, 45, 60))
    loaded, layers = follow([pixels] * 3)
    whole = Mask(cv2.resize(pixels[..., 0], GRID[::-1], interpolation=cv2.INTER_AREA), SIZE)
    assert loaded.model.sizes[-1] == (120, 213)
    assert error(layers[-1]["person"], pixels) < 0.5 * error(whole, pixels)
    # Not shifted by a part of a pixel either: what is wrong is wrong on both sides alike.
    off = np.asarray(layers[-1]["person"]).astype(float) - pixels[..., 0]
    ys, xs = np.mgrid[: SIZE[0], : SIZE[1]]
    area = float(pixels[..., 0].astype(float).sum())
    assert abs((off * (xs - x)).sum() / area) < 0.3
    assert abs((off * (ys - y)).sum() / area) < 0.3


def test_every_mask_has_one_resolution_and_the_frames_size_and_index():
    _, layers = follow([picture((320, 180, 60, 90))] * 20 + [picture((320, 180, 500, 340))] * 3)
    assert {(v["person"].values.shape, v["person"].size) for v in layers} == {((108, 192), SIZE)}
    assert [v["person"].index for v in layers] == list(range(23))


def test_a_near_person_is_seen_as_a_whole():
    loaded, _ = follow([picture((320, 220, 360, 340))] * 5)
    assert set(loaded.model.sizes) == {SIZE}
    assert len(loaded.model.sizes) == 5


def test_a_person_who_walks_stays_whole():
    pictures = [picture((100 + 5 * i, 180, 60, 90)) for i in range(90)]
    loaded, layers = follow(pictures)
    errors = [error(v["person"], p) for v, p in zip(layers, pictures, strict=True)]
    assert max(errors) < 0.01
    assert len(loaded.model.sizes) < 1.3 * len(pictures)


def test_a_person_who_jumps_out_of_the_crop_is_found_in_the_same_frame():
    pictures = [picture((100, 180, 60, 90))] * 5 + [picture((500, 200, 60, 90))]
    _, layers = follow(pictures)
    assert error(layers[-1]["person"], pictures[-1]) < 0.01


def test_a_person_at_the_crops_border_is_not_cut_off():
    pictures = [picture((200, 180, 60, 90))] * 5 + [picture((270, 180, 120, 90))]
    _, layers = follow(pictures)
    assert error(layers[-1]["person"], pictures[-1]) < 0.015


def test_a_second_person_is_background_for_half_a_second_at_most():
    one, both = picture((100, 180, 60, 90)), picture((100, 180, 60, 90), (520, 180, 60, 90))
    _, layers = follow([one] * 5 + [both] * 20)
    second = [int(np.asarray(v["person"])[180, 520]) for v in layers]
    assert second[5] == 0
    assert min(second[20:]) > 250


def test_outside_the_crop_is_background():
    _, layers = follow([picture((100, 180, 60, 90))] * 3, ("person", "background"))
    assert (np.asarray(layers[-1]["background"])[:, 400:] == 255).all()
    assert (np.asarray(layers[-1]["person"])[:, 400:] == 0).all()


def test_nobody_is_nobody():
    loaded, layers = follow([picture((100, 180, 60, 90))] * 3 + [picture()] * 3)
    assert not layers[-1]["person"].values.any()
    assert loaded.model.sizes[-1] == SIZE


def test_another_frame_size_starts_anew():
    _, layers = follow([picture((100, 180, 60, 90))] * 3 + [picture((60, 60, 30, 40), size=(123, 217))])
    assert layers[-1]["person"].size == (123, 217)


def test_without_a_person_the_whole_picture_is_seen():
    loaded, layers = follow([picture((100, 180, 60, 90))] * 3, ("background",))
    assert set(loaded.model.sizes) == {SIZE}
    assert layers[-1]["background"].values.shape == GRID


def test_starts_anew_when_told():
    loaded, _ = follow([picture((100, 180, 60, 90))] * 3)
    loaded.reset()
    loaded.compute(Frame.borrow(picture(), index=3, time=0.1))
    assert loaded.model.sizes[-1] == SIZE
