"""The peers' operations make the picture that their programs show."""

import cv2
import numpy as np
import pytest

from framefx.bench.peers import LinuxFakeBackground, Network, VirtualWebcamBackground
from framefx.bench.scene import Scene, load_frames

SIZE = (360, 640)


@pytest.fixture
def frame(clip):
    return Scene.of(load_frames(str(clip), 1), SIZE).pictures[0]


@pytest.fixture
def network(model):
    return Network(model)


@pytest.fixture
def regions(network, frame):
    """Well inside the person, and well outside."""
    small = cv2.resize(frame, network.size[::-1], interpolation=cv2.INTER_AREA)
    mask = cv2.resize(network(small), SIZE[::-1], interpolation=cv2.INTER_LINEAR)
    wide = np.ones((41, 41), np.uint8)
    inside, outside = cv2.erode(mask, wide) > 250, cv2.dilate(mask, wide) < 5
    assert inside.sum() > 1000
    assert outside.sum() > 1000
    return inside, outside


def sharpness(picture, region):
    return np.abs(cv2.Laplacian(picture, cv2.CV_32F))[region].mean()


def peers(network, picture=None):
    """Both, as functions from RGB to RGB."""
    fake = LinuxFakeBackground(network, SIZE, None if picture is None else bgr(picture))
    virtual = VirtualWebcamBackground.blurring(network)
    if picture is not None:
        virtual = VirtualWebcamBackground.replacing(network, picture)
    return [lambda frame: bgr(fake(bgr(frame))), lambda frame: virtual(bgr(frame))]


def bgr(picture):
    return np.ascontiguousarray(picture[..., ::-1])


def test_the_person_stays_and_the_rest_is_blurred(network, frame, regions):
    inside, outside = regions
    for peer in peers(network):
        shown = peer(frame)
        assert shown.dtype == np.uint8
        assert shown.shape == frame.shape
        assert np.abs(shown[inside].astype(int) - frame[inside]).max() <= 2
        assert sharpness(shown, outside) < 0.3 * sharpness(frame, outside)


def test_a_picture_replaces_the_background(network, frame, regions):
    inside, outside = regions
    picture = np.full_like(frame, 200)
    picture[..., 0] = 40
    for peer in peers(network, picture):
        shown = peer(frame)
        assert np.abs(shown[inside].astype(int) - frame[inside]).max() <= 2
        assert np.abs(shown[outside].astype(int) - picture[outside]).max() <= 2


def test_the_network_sees_the_person_in_any_size(network, frame):
    direct = network(np.asarray(cv2.resize(frame, (256, 144)), np.uint8))
    other = network(np.asarray(cv2.resize(frame, (256, 192)), np.uint8))
    assert direct.shape == other.shape == network.size
    assert ((direct > 127) == (other > 127)).mean() > 0.97
