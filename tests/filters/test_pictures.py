"""Replace and overlay: pictures from files, fitted and blended."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from framefx.errors import OptionError
from framefx.filters.fitting import fit_picture
from framefx.filters.overlay import Overlay
from framefx.filters.replace import Replace
from framefx.frame import Frame


def canvas(time=0.0, size=(40, 60)):
    return Frame.borrow(np.zeros((*size, 3), np.uint8), time=time)


def save(path, pixels):
    channels = pixels[..., [2, 1, 0, 3]] if pixels.shape[2] == 4 else pixels[..., ::-1]
    cv2.imwrite(str(path), channels)
    return path


@pytest.fixture
def photo(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 60, 3), np.uint8)
    return save(tmp_path / "photo.png", pixels), pixels


def test_cover_crops_the_middle(photo):
    path, pixels = photo
    shown = Replace(image=path, sampling="nearest")(canvas()).pixels
    assert np.array_equal(shown, pixels[:, 15:45].repeat(2, 0).repeat(2, 1))


def test_contain_leaves_borders(photo):
    path, pixels = photo
    shown = Replace(image=path, fit="contain")(canvas()).pixels
    assert np.array_equal(shown[10:30], pixels)
    assert not shown[:10].any()
    assert not shown[30:].any()


def test_stretch_is_opencvs_linear(photo):
    path, pixels = photo
    shown = Replace(image=path, fit="stretch", sampling="linear")(canvas()).pixels
    assert np.array_equal(shown, cv2.resize(pixels, (60, 40), interpolation=cv2.INTER_LINEAR))


def test_tile_repeats(photo):
    path, pixels = photo
    assert np.array_equal(Replace(image=path, fit="tile")(canvas(size=(50, 70))).pixels[20:40, :60], pixels)


def test_nearest_keeps_hard_pixels(photo):
    path, pixels = photo
    shown = Replace(image=path, fit="stretch", sampling="nearest")(canvas()).pixels
    assert np.array_equal(shown, pixels.repeat(2, 0))


def test_alpha_of_a_picture_is_kept(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 4), np.uint8)
    shown = Replace(image=save(tmp_path / "fog.png", pixels))(canvas())
    assert np.array_equal(shown.alpha, pixels[..., 3])
    assert np.array_equal(shown.pixels, pixels[..., :3])


def test_a_folder_plays_in_the_order_of_names(tmp_path):
    for number in (1, 2, 10):
        save(tmp_path / f"shot {number}.png", np.full((40, 60, 3), number, np.uint8))
    show = Replace(folder=tmp_path, rate=10)
    levels = [show(canvas(time)).pixels[0, 0, 0] for time in (0, 0.1, 0.2, 0.3, 0.95)]
    assert levels == [1, 2, 10, 1, 1]


def test_a_folder_shows_ten_pictures_a_second_unless_told(tmp_path):
    for number in range(3):
        save(tmp_path / f"{number}.png", np.full((40, 60, 3), number, np.uint8))
    show = Replace(folder=tmp_path)
    assert [show(canvas(time)).pixels[0, 0, 0] for time in (0, 0.1, 0.2, 0.3)] == [0, 1, 2, 0]


def played(path, seconds, **options):
    """Return the level of the picture at each tick of a camera with 60 frames per second."""
    show = Replace(video=path, **options)
    levels = [int(show(canvas(5 + tick / 60)).pixels[20, 30, 0]) for tick in range(round(60 * seconds))]
    show.close()
    return levels


@pytest.fixture
def film(encode):
    """Returns a video of so many pictures whose level is their number."""

    def make(count, rate):
        return encode("film.mkv", [np.full((40, 60, 3), level, np.uint8) for level in range(count)], rate=rate)

    return make


def test_a_video_plays_at_its_own_rate(film):
    assert played(film(12, 15), 1.0) == [tick // 4 % 12 for tick in range(60)]


@pytest.mark.parametrize(("own", "rate"), [(30, 10), (30, 1), (30, 7.5), (25, 10), (24, 10), (10, 3)])
def test_a_slower_video_keeps_its_speed(film, own, rate):
    """Each picture is the first of its period, shown at its own time and until the next one."""
    count = 4 * own
    times = np.arange(count) / own
    first = np.r_[True, np.diff(np.floor(times * rate + 1e-6)) > 0]
    newest = np.maximum.accumulate(np.where(first, np.arange(count), 0))
    shown = played(film(count, own), 4.0, rate=rate)
    ticks = np.minimum(np.floor(np.arange(240) / 60 * own + 1e-3).astype(int), count - 1)
    assert np.abs(np.array(shown) - newest[ticks]).max() == 0
    assert len({*shown}) == pytest.approx(4 * rate, abs=1)


@pytest.mark.parametrize("rate", [10, 11.5, 1000])
def test_a_rate_above_the_video_s_own_changes_nothing(film, rate):
    path = film(10, 10)
    assert played(path, 2.0, rate=rate) == played(path, 2.0)


def test_a_slower_video_goes_on_where_it_begins_again(film):
    # Ten pictures in a third of a second, one shown in each: 0, then 5 (half a second is picture 15), 0, 5, …
    assert played(film(10, 30), 2.0, rate=2) == [0] * 30 + [5] * 30 + [0] * 30 + [5] * 30


def test_a_slower_video_follows_the_size(film):
    show = Replace(video=film(30, 30), rate=1)
    for tick in range(20):
        show(canvas(tick / 60))
    shown = show(canvas(21 / 60, size=(20, 30)))
    assert shown.size == (20, 30)
    assert shown.pixels[10, 15, 0] == 0


def test_a_real_video_changes_as_often_as_told():
    path = Path(__file__).resolve().parents[3] / "shared" / "data" / "backgrounds" / "retrowave.webm"
    if not path.is_file():
        pytest.skip("retrowave.webm is not here")
    full, slow = Replace(video=path), Replace(video=path, rate=5)
    pairs = [(full(canvas(tick / 30)).pixels.copy(), slow(canvas(tick / 30)).pixels.copy()) for tick in range(60)]
    changes = [tick for tick in range(1, 60) if (pairs[tick][1] != pairs[tick - 1][1]).any()]
    assert len(changes) == 9  # two seconds: ten pictures
    assert all(np.array_equal(*pairs[tick]) for tick in [0, *changes])  # each when it is its turn


def test_colour():
    assert (Replace(color="#102030")(canvas()).pixels == (16, 32, 48)).all()


def test_default_picture_has_any_size():
    assert Replace()(canvas(size=(3, 5))).size == (3, 5)


def test_size_changes_are_followed(photo):
    show = Replace(image=photo[0])
    assert show(canvas()).size == (40, 60)
    assert show(canvas(size=(20, 20))).size == (20, 20)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image": "a.png", "color": "red"}, "image and color are both given"),
        ({"image": "nothing.png"}, "there is no file nothing.png"),
        ({"folder": "nowhere"}, "nowhere: there is no picture"),
    ],
)
def test_what_cannot_be_shown(options, message):
    paths = {name: value if name == "color" else Path(value) for name, value in options.items()}
    with pytest.raises(OptionError, match=message):
        Replace(**paths)


@pytest.mark.parametrize("fit", ["cover", "contain", "stretch", "tile"])
@pytest.mark.parametrize("size", [(1, 1), (2, 9), (50, 3)])
def test_fitting_fills_any_size(fit, size):
    white = np.full((7, 5, 3), 255, np.uint8)
    result = fit_picture(white, size, fit)
    assert result.shape == (*size, 3)
    assert result.any()


# -- overlay --------------------------------------------------------------------------------------------------


@pytest.fixture
def logo(tmp_path):
    return save(tmp_path / "logo.png", np.full((4, 6, 3), 200, np.uint8))


@pytest.mark.parametrize(("position", "corner"), [((3, 2), (2, 3)), ((-5, -1), (35, 49))])
def test_overlay_at_a_place(logo, position, corner):
    shown = Overlay(image=logo, position=position)(canvas()).pixels[..., 0]
    rows, columns = np.nonzero(shown)
    assert (rows.min(), columns.min()) == corner
    assert (shown[shown > 0] == 200).all()
    assert (shown > 0).sum() == 24


def test_overlay_with_opacity(logo):
    assert (Overlay(image=logo, fit="stretch", opacity=0.5)(canvas()).pixels == 100).all()


def test_overlay_with_a_mask(logo, tmp_path):
    half = np.zeros((4, 6, 3), np.uint8)
    half[:, 3:] = 255
    shown = Overlay(image=logo, mask=save(tmp_path / "half.png", half))(canvas()).pixels[..., 0]
    assert not shown[:, :3].any()
    assert (shown[:4, 3:6] == 200).all()


def test_overlay_at_a_size(logo):
    assert (Overlay(image=logo, size=(12, 8))(canvas()).pixels[..., 0] == 200).sum() == 96


def test_overlay_outside_is_not_seen(logo):
    assert not Overlay(image=logo, position=(100, 100))(canvas()).pixels.any()


def test_overlay_makes_opaque_where_it_is(logo):
    empty = Frame.borrow(np.zeros((40, 60, 3), np.uint8), np.zeros((40, 60), np.uint8))
    shown = Overlay(image=logo)(empty)
    assert (shown.alpha[:4, :6] == 255).all()
    assert shown.alpha.sum() == 24 * 255
