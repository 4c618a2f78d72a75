"""Captions, clocks, frozen pictures and cards."""

from datetime import datetime

import numpy as np
import pytest

from framefx import Frame, Plan
from framefx.errors import OptionError
from framefx.filters import text as captions
from framefx.filters.fonts import Look, draw, rounded_box
from framefx.filters.hold import Card, Freeze
from framefx.filters.text import clock, text
from framefx.options import Options
from framefx.plugins import PluginManager

PLAIN = Look(40, "white", 1.0, None, 0, 0, None)


def black(height=120, width=320, alpha=None):
    return Frame.borrow(np.zeros((height, width, 3), np.uint8), alpha)


def box(pixels):
    """Return top, bottom, left and right of what is not black."""
    rows, columns = (np.nonzero(pixels.any(axis=2).any(axis=axis))[0] for axis in (1, 0))
    return rows[0], rows[-1], columns[0], columns[-1]


def test_letters_are_smooth_and_of_their_size():
    cover = draw("Hg", PLAIN).cover
    levels = np.unique(cover)
    assert levels.size > 20
    assert cover.max() == 255
    assert 30 <= np.ptp(np.nonzero(cover.any(axis=1))[0]) <= 52


def test_nothing_is_cut_off():
    for words in ("Ågjpqy", "Ågjpqy\nÅgjpqy", "f\nj"):
        for outline in (0, 3):
            cover = draw(words, PLAIN._replace(outline=outline)).cover
            around = np.pad(cover, 1)
            wide = draw(words, PLAIN._replace(outline=outline, background="black", padding=30)).pixels
            assert around.any()
            letters = wide.astype(int).sum(axis=2) > 0
            assert np.ptp(np.nonzero(letters.any(axis=1))[0]) <= cover.shape[0]
            assert np.ptp(np.nonzero(letters.any(axis=0))[0]) <= cover.shape[1]


def test_other_scripts_are_drawn_and_differ():
    drawn = [draw(word, PLAIN).cover for word in ("Grüße", "космос", "θάλασσα")]
    assert all(cover.max() == 255 for cover in drawn)
    letters = [draw(letter, PLAIN).cover.tobytes() for letter in "жфω"]
    assert len(set(letters)) == 3


@pytest.mark.parametrize(
    ("position", "where"),
    [
        ("top-left", (0, 0)),
        ("top-right", (0, 1)),
        ("bottom-left", (1, 0)),
        ("bottom", (1, 0.5)),
        ("center", (0.5, 0.5)),
    ],
)
def test_positions(position, where):
    out = text(black(), text="Hello", position=position, size=20, margin=10, outline=0).pixels
    top, bottom, left, right = box(out)
    middle = (top + bottom) / 2 / 120, (left + right) / 2 / 320
    for place, wanted in zip(middle, where, strict=True):
        assert abs(place - wanted) < {0: 0.3, 0.5: 0.05, 1: 0.3}[wanted]
    if "left" in position:
        assert left in range(9, 13)


def test_only_its_rectangle_changes_and_opacity_counts():
    pixels = np.random.default_rng(0).integers(0, 256, (120, 320, 3), np.uint8)
    out = text(Frame.borrow(pixels), text="Hi", position="top-left", size=20).pixels
    assert np.array_equal(out[70:], pixels[70:])
    assert not np.array_equal(out, pixels)
    assert np.array_equal(text(Frame.borrow(pixels), text="Hi", opacity=0).pixels, pixels)
    assert np.array_equal(text(Frame.borrow(pixels), text=" ").pixels, pixels)
    assert 100 <= text(black(), text="Hi", opacity=0.5).pixels.max() <= 128


def test_lines_outline_and_box():
    one, two = (draw(words, PLAIN).cover.shape[0] for words in ("A", "A\nB"))
    assert 1.6 * one < two < 2.6 * one
    rings = draw("A", PLAIN._replace(outline=3))
    assert (rings.cover > draw("A", PLAIN).cover.max()).sum() == 0
    assert ((rings.cover == 255) & (rings.pixels.max(axis=2) == 0)).any()
    framed = text(black(), text="A", background="red", opacity=1).pixels
    assert framed[..., 0].max() == 255
    assert (framed[..., 0] > 100).sum() > (text(black(), text="A").pixels[..., 0] > 100).sum()
    assert text(black(), text="A\\nB", size=20).pixels.any()


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (40, 10)])
def test_what_does_not_fit_is_cut_off(size):
    for position in ("top-left", "center", "bottom-right"):
        assert text(black(*size), text="much too long", position=position).size == size


def test_alpha_is_written_where_the_text_is():
    frame = text(black(alpha=np.zeros((120, 320), np.uint8)), text="Hi", outline=0, position="center")
    assert frame.alpha.max() == 255
    assert frame.alpha[0].max() == 0
    assert frame.pixels[frame.alpha == 255].min() == 255


def test_the_clock_shows_the_time(monkeypatch):
    monkeypatch.setattr(captions, "now", lambda: datetime(2030, 1, 2, 3, 4))
    out = clock(black()).pixels
    assert np.array_equal(out, text(black(), text="03:04", position="top-right").pixels)
    dated = clock(black(), format="%d.%m.%Y").pixels
    assert np.array_equal(dated, text(black(), text="02.01.2030", position="top-right").pixels)
    monkeypatch.setattr(captions, "now", lambda: datetime(2030, 1, 2, 3, 5))
    assert not np.array_equal(clock(black()).pixels, out)


def test_bad_options_are_refused_before_anything_opens(tmp_path):
    options = Options("text", text)
    with pytest.raises(OptionError, match="there is no font file"):
        options.check({"text": "a", "font": str(tmp_path / "none.ttf")})
    with pytest.raises(OptionError, match="is no colour"):
        options.check({"text": "a", "background": "#12"})
    with pytest.raises(OptionError, match="text"):
        options.check({})
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    with pytest.raises(OptionError, match="is no font that can be used"):
        text(black(), text="a", font=broken)


def test_text_changes_no_frame_that_others_read():
    plan = Plan("text=text=Hi", PluginManager(discover=False).registry)
    pixels = np.zeros((60, 80, 3), np.uint8)
    for index in range(4):
        assert plan.run(Frame.borrow(pixels, index=index)).pixels.any()
    assert not pixels.any()


def test_a_rounded_box_covers_what_it_should():
    whole = rounded_box((40, 60), 0, 0)
    assert whole.min() == 1
    round_ = rounded_box((40, 60), 0, 10)
    assert abs((2400 - round_.sum()) - (400 - np.pi * 100)) < 4
    assert rounded_box((40, 60), 5, 0).sum() == 30 * 50


def test_freeze_holds_its_first_picture():
    step = Freeze()
    first, second = (Frame.borrow(np.full((4, 6, 3), level, np.uint8), index=n) for n, level in enumerate((10, 20)))
    assert step(first).pixels.max() == 10
    assert step(second).pixels.max() == 10
    step.close()
    assert step(second).pixels.max() == 20
    larger = Frame.borrow(np.full((8, 6, 3), 30, np.uint8), index=2)
    assert step(larger).pixels.max() == 30


def test_freeze_waits_by_the_clock():
    step = Freeze(after=1.0)
    shown = [
        int(step(Frame.borrow(np.full((2, 2, 3), n, np.uint8), index=n, time=5 + n / 4)).pixels.max()) for n in range(8)
    ]
    assert shown == [0, 1, 2, 3, 4, 4, 4, 4]


def test_a_frozen_picture_is_what_the_steps_before_made_of_it():
    plan = Plan("color_filter=color=black,freeze,invert", PluginManager(discover=False).registry)
    for index in range(5):
        out = plan.run(Frame.borrow(np.full((6, 8, 3), 40 * index, np.uint8), index=index, time=index / 30))
        assert out.index == index
        assert (out.pixels == 255).all()


def test_a_card_hides_the_picture_and_carries_its_text():
    card = Card(text="Back at 9")
    out = card(black(180, 320)).pixels
    assert tuple(out[0, 0]) == (0x22, 0x26, 0x2E)
    assert out.max() > 200
    assert np.array_equal(card(black(180, 320)).pixels, out)
    plan = Plan("invert,card", PluginManager(discover=False).registry)
    assert plan.steps[0].dead


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (30, 20)])
def test_a_card_of_any_size(size):
    assert Card(text="A text that is much too long for this")(black(*size)).size == size
    assert Card(text="")(black(*size)).size == size
