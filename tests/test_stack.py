"""Pictures over pictures: sources, blending, opacity, places, sizes, and what is no stack."""

import cv2
import numpy as np
import pytest

from framefx.chain import Chain
from framefx.config import Config
from framefx.errors import ConfigError, FramefxError, MediaError, MissingLayerError, PlanError
from framefx.frame import Frame
from framefx.job import Job
from framefx.mask import Mask
from framefx.plan import Plan
from framefx.plugins import PluginManager
from framefx.registry import Register
from framefx.stack import Entry, Stack, place

SIZE = (24, 32)
LEFT = Mask(np.repeat([[255] * 16 + [0] * 16], 24, axis=0).astype(np.uint8), SIZE)


@pytest.fixture(scope="module")
def registry():
    return PluginManager().registry


def noise(seed=0, size=SIZE):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


def shown(registry, *entries, frame=None):
    stack = Stack(tuple(entries))
    return Plan(stack, registry, given={"person": LEFT}).run(frame or Frame.borrow(noise()))


def fill(color, source="empty", **rest):
    return Entry(source, Chain.parse(f"replace=color={color}:where=all"), **rest)


# -- sources --------------------------------------------------------------------------------------------------


def test_the_frame_alone(registry):
    assert np.array_equal(shown(registry, Entry()).pixels, noise())


def test_empty_is_transparent_black(registry):
    result = shown(registry, Entry("empty"))
    assert not result.pixels.any()
    assert not result.alpha.any()


def test_a_layer_is_cut_out(registry):
    pixels = shown(registry, fill("green"), Entry("person")).pixels
    assert np.array_equal(pixels[:, :16], noise()[:, :16])
    assert (pixels[:, 16:] == (0, 255, 0)).all()


def test_a_cut_out_takes_its_mask_along(registry):
    pixels = shown(registry, fill("green"), Entry("person", Chain.parse("move=x=8"))).pixels
    assert np.array_equal(pixels[:, 8:24], noise()[:, :16])
    assert (pixels[:, :8] == (0, 255, 0)).all()
    assert (pixels[:, 24:] == (0, 255, 0)).all()


def test_the_opposite_of_a_layer(registry):
    pixels = shown(registry, fill("green"), Entry("not-person")).pixels
    assert np.array_equal(pixels[:, 16:], noise()[:, 16:])


def test_previous_is_what_lies_below(registry):
    pixels = shown(registry, Entry(), Entry("previous", Chain.parse("invert"))).pixels
    assert np.array_equal(pixels, 255 - noise())


def test_previous_stays_below(registry):
    half = Entry("previous", Chain.parse("invert"), opacity=0.5)
    assert np.abs(shown(registry, Entry(), half).pixels.astype(int) - 127.5).max() <= 1.5


def test_a_picture_covers_the_frame_as_the_bottom(registry, tmp_path):
    wide = noise(1, (12, 64))
    cv2.imwrite(str(tmp_path / "wide.png"), wide[..., ::-1])
    result = shown(registry, Entry(str(tmp_path / "wide.png")), Entry("person"))
    assert result.size == SIZE
    assert np.array_equal(result.pixels[:, :16], noise()[:, :16])
    middle = cv2.resize(wide[:, 24:40], (32, 24), interpolation=cv2.INTER_LINEAR)
    assert np.array_equal(result.pixels[:, 16:], middle[:, 16:])


def test_a_picture_keeps_its_size_above(registry, tmp_path):
    cv2.imwrite(str(tmp_path / "logo.png"), np.full((4, 6, 3), 200, np.uint8))
    pixels = shown(registry, fill("black"), Entry(str(tmp_path / "logo.png"), position=(-6, -4))).pixels[..., 0]
    assert (pixels[-8:-4, -12:-6] == 200).all()  # as far from the edges as the position says
    assert (pixels > 0).sum() == 24


def test_a_video_plays_by_the_clock(registry, tmp_path):
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((*SIZE, 3), 10 * number, np.uint8))
    plan = Plan(Stack((Entry(str(tmp_path)),)), registry)  # a folder gives 30 pictures per second
    times = (0, 1 / 30, 2 / 30, 3 / 30, 5 / 30)
    levels = [plan.run(Frame.borrow(noise(), index=i, time=t + 0.001)).pixels[0, 0, 0] for i, t in enumerate(times)]
    assert levels == [0, 10, 20, 0, 20]


def levels_of(plan, count):
    """Return the level of the picture at each tick of a camera with 30 frames per second."""
    return [int(plan.run(Frame.borrow(noise(), index=i, time=5 + i / 30)).pixels[0, 0, 0]) for i in range(count)]


def test_a_video_keeps_its_speed_at_a_lower_rate(registry, encode):
    path = encode("film.mkv", [np.full((*SIZE, 3), level, np.uint8) for level in range(20)], rate=30)
    plan = Plan(Stack((Entry(str(path), rate=10.0),)), registry)
    assert levels_of(plan, 44) == [tick // 3 * 3 % 20 for tick in range(44)]
    plan.close()


def test_a_folder_is_asked_for_its_rate(registry, tmp_path):
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((*SIZE, 3), 10 * number, np.uint8))
    plan = Plan(Stack((Entry(str(tmp_path), rate=15.0),)), registry)
    assert levels_of(plan, 8) == [0, 0, 10, 10, 20, 20, 0, 0]


def test_another_rate_begins_anew(registry, encode):
    path = str(encode("film.mkv", [np.full((*SIZE, 3), level, np.uint8) for level in range(30)], rate=30))
    old = Plan(Stack((Entry(path, rate=10.0),)), registry)
    assert levels_of(old, 4)[-1] == 3
    for rate, level in ((10.0, 3), (5.0, 0)):
        new = Plan(Stack((Entry(path, rate=rate),)), registry)
        new.take_over(old)
        old.close()
        assert new.run(Frame.borrow(noise(), index=4, time=5 + 4 / 30)).pixels[0, 0, 0] == level
        old = new
    old.close()


@pytest.mark.parametrize("source", ["frame", "empty", "previous", "person"])
def test_what_comes_with_the_camera_has_no_rate(registry, source):
    with pytest.raises(PlanError, match=f"{source} comes with every frame of the camera: leave out rate"):
        shown(registry, Entry(), Entry(source, rate=5.0))


def test_a_second_camera_that_cannot_be_asked_for_a_rate():
    manager = PluginManager()
    register = Register(manager.registry, "test")
    register.source("unplugged", Unplugged, accepts=lambda location: location == "unplugged:", summary="")
    with pytest.raises(PlanError, match="unplugged: takes no rate: leave it out"):
        Plan(Stack((Entry(), Entry("unplugged:", rate=5.0))), manager.registry)


def test_a_video_goes_on_in_the_next_plan(registry, tmp_path):
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((*SIZE, 3), 10 * number, np.uint8))
    old = Plan(Stack((Entry(str(tmp_path)),)), registry)
    assert old.run(Frame.borrow(noise(), time=5.0)).pixels[0, 0, 0] == 0
    new = Plan(Stack((Entry(str(tmp_path)), Entry("person"))), registry, given={"person": LEFT})
    new.take_over(old)
    old.close()
    assert new.run(Frame.borrow(noise(), index=1, time=5.0 + 1 / 30)).pixels[0, -1, 0] == 10
    new.close()


def test_the_cameras_layers_belong_to_the_camera(registry, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), noise())
    with pytest.raises(PlanError, match=r"layers belong to the camera's picture, and the chain on .* asks for one"):
        Plan(Stack((Entry(), Entry(str(tmp_path / "a.png"), Chain.parse("blur")))), registry, given={"person": LEFT})


def test_a_layer_that_nobody_gives(registry):
    with pytest.raises(MissingLayerError, match="'hair', and nothing gives it"):
        Plan(Stack((Entry(), Entry("hair"))), registry)


def test_a_picture_that_is_not_there(registry, tmp_path):
    plan = Plan(Stack((Entry(str(tmp_path / "nothing.png")),)), registry)
    with pytest.raises(FramefxError, match=r"nothing\.png"):
        plan.run(Frame.borrow(noise()))


class Unplugged:
    """A second camera that gives nothing."""

    live, size, rate = True, SIZE, 30.0

    def __init__(self, location):
        self.location = location

    def open(self):
        raise MediaError("the second camera is gone")

    def read(self):
        return None

    def close(self):
        """Nothing is held."""


def test_a_second_camera_that_fails_says_so():
    manager = PluginManager()
    register = Register(manager.registry, "test")
    register.source("unplugged", Unplugged, accepts=lambda location: location == "unplugged:", summary="")
    plan = Plan(Stack((Entry(), Entry("unplugged:"))), manager.registry)
    with pytest.raises(MediaError, match="the second camera is gone"):
        plan.run(Frame.borrow(noise()))
    plan.close()


# -- blending -------------------------------------------------------------------------------------------------

FORMULAS = {
    "normal": lambda b, t: t,
    "multiply": lambda b, t: b * t,
    "screen": lambda b, t: b + t - b * t,
    "overlay": lambda b, t: np.where(b <= 0.5, 2 * b * t, 1 - 2 * (1 - b) * (1 - t)),
    "add": lambda b, t: np.minimum(1, b + t),
}


def reference(base, base_alpha, top, top_alpha, mode, opacity):
    """W3C's Compositing and Blending, level 1, with straight alpha from 0 to 1."""
    b, t = base / 255, top / 255
    ab, at = base_alpha[..., None], top_alpha[..., None] * opacity
    total = at + ab * (1 - at)
    mixed = (1 - ab) * t + ab * FORMULAS[mode](b, t)
    colors = (at * mixed + (1 - at) * ab * b) / np.maximum(total, 1e-9)
    return 255 * colors, 255 * total[..., 0]


@pytest.mark.parametrize("mode", sorted(FORMULAS))
@pytest.mark.parametrize("opacity", [1.0, 0.4])
@pytest.mark.parametrize("alphas", ["none", "top", "base", "both"])
def test_blending(registry, mode, opacity, alphas):
    base, top = noise(1), noise(2)
    base_alpha = noise(3)[..., 0] if alphas in ("base", "both") else None
    top_alpha = noise(4)[..., 0] if alphas in ("top", "both") else None
    entry = Entry(blend=mode, opacity=opacity)
    pool = Plan("invert", registry).pool
    got = place(Frame.borrow(base, base_alpha), Frame.borrow(top, top_alpha), entry, pool)
    solid = [np.ones(SIZE) if a is None else a / 255 for a in (base_alpha, top_alpha)]
    colors, alpha = reference(base, solid[0], top, solid[1], mode, opacity)
    seen = alpha >= 16  # what is nearly transparent has hardly a colour
    assert np.abs(got.pixels - colors)[seen].max() <= 3
    if base_alpha is not None:
        assert np.abs((255 if got.alpha is None else got.alpha) - alpha).max() <= 1.5
    else:
        assert got.alpha is None


@pytest.mark.parametrize("mode", sorted(FORMULAS))
@pytest.mark.parametrize("position", [(5, 3), (-4, -2), (-40, 0), (30, 20)])
def test_blending_at_a_place(registry, mode, position):
    base, top = noise(1), noise(2, (8, 10))
    entry = Entry(blend=mode, position=position, opacity=0.7)
    got = place(Frame.borrow(base), Frame.borrow(top), entry, Plan("invert", registry).pool).pixels
    x, y = (at if at >= 0 else side - own + at for at, side, own in zip(position, (32, 24), (10, 8), strict=True))
    whole, cover = np.zeros_like(base), np.zeros(SIZE)
    for row in range(8):
        for column in range(10):
            if 0 <= y + row < 24 and 0 <= x + column < 32:
                whole[y + row, x + column], cover[y + row, x + column] = top[row, column], 1
    colors, _ = reference(base, np.ones(SIZE), whole, cover, mode, 0.7)
    assert np.abs(got - colors).max() <= 2


def test_nothing_of_what_is_invisible(registry):
    assert np.array_equal(shown(registry, Entry(), fill("red", opacity=0)).pixels, noise())


def test_the_bottom_can_be_faint(registry):
    result = shown(registry, fill("red", opacity=0.5))
    assert (result.alpha == 128).all()
    assert (result.pixels == (255, 0, 0)).all()


def test_sizes(registry):
    pixels = shown(registry, fill("black"), fill("white", size=(6, 8), position=(2, 1))).pixels[..., 0]
    assert (pixels[1:7, 2:10] == 255).all()
    assert (pixels == 255).sum() == 48


def test_the_cameras_memory_is_not_written(registry):
    pixels = noise()
    shown(registry, Entry(), fill("red", opacity=0.3, blend="multiply"), frame=Frame.borrow(pixels))
    assert np.array_equal(pixels, noise())


def test_no_memory_after_warming_up(registry):
    plan = Plan(
        Stack(
            (
                fill("black"),
                Entry("person", Chain.parse("stripes")),
                fill("red", blend="screen", opacity=0.2, size=(8, 8)),
            )
        ),
        registry,
        given={"person": LEFT},
    )
    for number in range(4):
        before = plan.pool.allocations
        plan.run(Frame.borrow(noise(), index=number, time=number / 30))
    assert plan.pool.allocations == before


# -- in a config file -----------------------------------------------------------------------------------------


def job(tmp_path, text):
    path = tmp_path / "framefx.yaml"
    path.write_text(text)
    config = Config(path)
    return Job(config.settings, config=config)


def test_a_stack_in_a_file(tmp_path):
    cv2.imwrite(str(tmp_path / "beach.png"), noise(5)[..., ::-1])
    plan = job(
        tmp_path,
        "stack:\n"
        "  - source: beach.png\n"
        "  - {source: frame, chain: [grayscale], size: 16x12, position: [2, 3], opacity: 0.5, blend: screen}\n",
    ).plan()
    result = plan.run(Frame.borrow(noise()))
    assert np.array_equal(result.pixels[:3], noise(5)[:3])
    assert not np.array_equal(result.pixels[3:15, 2:18], noise(5)[3:15, 2:18])


def test_size_frame(tmp_path):
    cv2.imwrite(str(tmp_path / "small.png"), np.full((2, 2, 3), 77, np.uint8))
    plan = job(tmp_path, "stack:\n  - source: frame\n  - {source: small.png, size: frame}\n")
    assert (plan.plan().run(Frame.borrow(noise())).pixels == 77).all()


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{source: frame, blend: burn}", r"framefx\.yaml:2: stack\.0\.blend is 'burn', wanted"),
        ("{source: frame, opacity: 2}", r"framefx\.yaml:2: stack\.0\.opacity is 2, wanted"),
        ("{source: frame, chian: [blur]}", r"framefx\.yaml:2: unknown key 'chian'\. Did you mean 'chain'"),
        ("{source: beach.png, rate: 0}", r"framefx\.yaml:2: stack\.0\.rate is 0, wanted"),
        ("{source: frame, rate: 5}", r"framefx\.yaml:2: stack entry 1: frame comes with every frame"),
        ("{source: frame, size: big}", r"framefx\.yaml:2: stack\.0\.size is 'big', wanted"),
        ("{source: frame, chain: [blurr]}", r"framefx\.yaml:2: .*there is no filter 'blurr'\. Did you mean 'blur'"),
        ("{source: hair}", r"'hair', and nothing gives it"),
    ],
)
def test_errors_name_the_place(tmp_path, entry, message):
    with pytest.raises((ConfigError, FramefxError), match=message):
        job(tmp_path, f"stack:\n  - {entry}\nmodel: []\n").plan()
