"""The card: what a viewer sees instead of a picture that framefx cannot vouch for."""

import numpy as np
import pytest

from framefx.card import make_card
from framefx.frame import Frame

SIZE = (90, 160)


def checkers(size=SIZE):
    """A picture of fine detail: what must not be recognisable."""
    y, x = np.mgrid[: size[0], : size[1]]
    return np.repeat(((x + y) % 2 * 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (9, 16), (361, 641), (1080, 1920)])
@pytest.mark.parametrize("text", ["", "step 'blur' failed", "ü " * 300, "two\nlines"])
def test_a_card_has_the_size_that_was_asked_for(size, text):
    assert make_card(size, text).pixels.shape == (*size, 3)


def test_the_text_stands_on_it():
    assert not np.array_equal(make_card((360, 640), "a").pixels, make_card((360, 640), "").pixels)


def test_index_and_time_are_the_frame_s():
    card = make_card(SIZE, "x", index=7, time=0.5)
    assert (card.index, card.time) == (7, 0.5)


def test_the_last_output_is_blurred_beyond_recognition():
    shown = make_card(SIZE, "", Frame.borrow(checkers())).pixels
    assert shown.std() < 2


def test_the_last_output_is_darker():
    white = Frame.borrow(np.full((*SIZE, 3), 255, np.uint8))
    assert make_card(SIZE, "", white).pixels.max() <= 128


def test_what_is_transparent_stays_hidden():
    hidden = Frame.borrow(np.full((*SIZE, 3), 255, np.uint8), np.zeros(SIZE, np.uint8))
    assert make_card(SIZE, "", hidden).pixels.max() == 0


def test_the_last_output_itself_is_left_alone():
    last = Frame.borrow(checkers())
    make_card(SIZE, "text", last)
    assert np.array_equal(last.pixels, checkers())


def test_a_last_output_of_another_size_fits():
    assert make_card((50, 20), "", Frame.borrow(checkers())).pixels.shape == (50, 20, 3)
