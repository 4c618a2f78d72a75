"""The lines of docs/faults.md that need no device: a fault, the card it shows, the line it says, and what follows."""

import importlib.util
import logging
import sys
from pathlib import Path

import numpy as np
import pytest
from framefx_test_live import Secret

from framefx.card import make_card
from framefx.frame import Frame
from framefx.layers import LoadedModel
from framefx.mask import Mask
from framefx.plan import Plan
from framefx.registry import Register, Registry
from framefx.testing import FAULTS, FaultyFilter, FaultyModel

SIZE = (180, 320)


def load_table():
    spec = importlib.util.spec_from_file_location("fault_table", Path(__file__).with_name("fault_table.py"))
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ROWS = load_table().ROWS

pytestmark = pytest.mark.usefixtures("no_thread_stays")


def frame(index):
    return Frame.borrow(np.full((*SIZE, 3), 200, np.uint8), index=index, time=index / 1000)


def find(frame):
    return {"secret": Mask(np.full((2, 2), 255, np.uint8), frame.size)}


def shade(frame: Frame, secret: Mask) -> Frame:
    return frame.with_pixels(np.full((*SIZE, 3), 100 + frame.index, np.uint8))


class Stage:
    """A pipeline with one fault, at its frame 1."""

    def __init__(self, live, row):
        at = {1: row.fault}
        self.filter = FaultyFilter(at if row.place == "filter" else {})
        self.model = FaultyModel(Secret(find), at if row.place == "model" else {})
        register = Register(registry := Registry(), "test")
        register.filter(shade)
        register.filter(self.filter.apply, name="faulty")
        plan = Plan("shade,faulty", registry, load_models=lambda: [LoadedModel("secret", self.model)])
        # The first thing that a sink is sent is the card, and the second is frame 0.
        sink_faults = {2: row.fault} if row.place == "sink" else {}
        self.show = live.Show(plan, SIZE, faults=(at if row.place == "source" else {}, sink_faults))
        self.filter.clock = self.model.clock = self.show.clock

    def release(self):
        for faulty in (self.filter, self.model, self.show.sink):
            faulty.release.set()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.place}-{row.fault}".replace(" ", "-"))
def test_a_fault_shows_and_says_what_the_table_has(live, row, caplog):
    caplog.set_level(logging.WARNING)
    stage = Stage(live, row)
    good = Frame.borrow(np.full((*SIZE, 3), 100, np.uint8))
    with stage.show.running() as show:
        show.play(frame(0))
        show.camera.items.put(frame(1))
        if row.card:
            show.screen.wait_until_shown(make_card(SIZE, row.card, good).pixels)
        stage.release()
        if row.ends:
            show.camera.items.put(None)
            show.join()
        else:
            show.camera.items.put(frame(2))
            show.recorder.wait_for_pictures(2)
    assert type(show.error).__name__ == (row.ends or "NoneType")
    assert {int(pixels[0, 0, 0]) for pixels in show.screen.pixels if np.ptp(pixels) == 0} <= {100, 101, 102}
    about = [record.getMessage() for record in caplog.records if record.getMessage() != "the camera is back"]
    if row.ends:  # the camera may end before the reader learns that the run does
        about = [text for text in about if not text.startswith("the camera stopped giving frames")]
    assert len(about) == (1 if row.said else 0), about
    assert all(text.startswith(row.said) for text in about)
    assert show.screen.aborted == bool(row.ends)


def test_every_fault_of_the_kit_is_in_the_table():
    assert {(row.place, row.fault) for row in ROWS} == {(place, name) for place in FAULTS for name in FAULTS[place]}
