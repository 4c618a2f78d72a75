"""The person's edge, the background's light, dark rooms and graded colours."""

import numpy as np
import pytest

from framefx import Frame, Mask, Plan
from framefx.errors import OptionError
from framefx.filters.edges import despill, foreground, light_wrap
from framefx.filters.low_light import LowLight
from framefx.filters.lut import lut, read_cube
from framefx.filters.match_light import MatchLight
from framefx.options import Options
from framefx.plugins import PluginManager

RED, GREEN = np.array([200.0, 50, 40]), np.array([20.0, 190, 60])
SIZE = (72, 128)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def soft_person():
    """Return the share of a person with a soft edge over 12 columns."""
    across = np.clip((np.arange(SIZE[1]) - 50) / 12, 0, 1)
    return np.broadcast_to(across, SIZE)


def mixed():
    """Return a red person before a green wall, as a camera sees it, and the person's mask."""
    share = soft_person()
    pixels = np.round(RED * share[..., None] + GREEN * (1 - share[..., None])).astype(np.uint8)
    return Frame.borrow(pixels), Mask(np.round(255 * share).astype(np.uint8), SIZE)


@pytest.mark.parametrize("call", [foreground, despill, light_wrap])
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (21, 34)])
def test_any_size_mask_and_alpha(call, size):
    pixels, alpha = noise(*size, 3), noise(*size, seed=1)
    for level in (0, 255, None):
        values = noise(4, 6) if level is None else np.full((4, 6), level, np.uint8)
        result = call(Frame.borrow(pixels, alpha), Mask(values, size))
        assert np.array_equal(result.alpha, alpha)
        if level is not None:
            assert np.array_equal(result.pixels, pixels)
    assert np.array_equal(call(Frame.borrow(pixels), Mask(noise(4, 6), size), strength=0).pixels, pixels)


def test_foreground_takes_the_wall_out_of_the_edge():
    frame, person = mixed()
    before = frame.pixels[20:50, 52:62].astype(float)
    edge = foreground(frame, person).pixels[20:50, 52:62].astype(float)
    assert np.abs(edge - RED).max() < 25
    assert np.abs(before - RED).max() > 100


def test_despill_takes_the_hue_and_leaves_what_is_not_at_the_edge():
    frame, person = mixed()
    before = frame.pixels.copy()
    out = despill(frame, person).pixels
    green = out[..., 1].astype(int) - out[..., 0]
    assert green[30, 51:56].max() < 30
    assert (before[..., 1].astype(int) - before[..., 0])[30, 51:56].max() > 120
    assert np.array_equal(out[:, :50], before[:, :50])
    assert np.array_equal(out[:, 63:], before[:, 63:])


def test_light_wraps_around_the_edge_and_only_there():
    pixels = np.full((*SIZE, 3), 250, np.uint8)
    pixels[:, 64:] = 20
    values = np.zeros(SIZE, np.uint8)
    values[:, 64:] = 255
    out = light_wrap(Frame.borrow(pixels), Mask(values, SIZE), width=12).pixels[36, :, 0].astype(int)
    assert (out[:63] == 250).all()
    assert out[65] > 45
    assert (np.diff(out[66:80]) <= 0).all()
    assert (out[90:] == 20).all()
    dark = light_wrap(Frame.borrow(255 - pixels), Mask(values, SIZE), width=12).pixels[36, :, 0]
    assert dark[66] > 215


def match(background, person, times, **options):
    """Return what becomes of a flat background behind a flat person."""
    values = np.zeros(SIZE, np.uint8)
    values[:, 64:] = 255
    step, results = MatchLight(**options), []
    for time in times:
        pixels = np.full((*SIZE, 3), background, np.uint8)
        pixels[:, 64:] = person
        results.append(step(Frame.borrow(pixels, time=time), Mask(values, SIZE)).pixels)
    return results


def test_the_background_follows_the_persons_brightness_and_the_person_stays():
    [dim] = match((200, 200, 200), (90, 90, 90), [0.0], strength=0.5)
    assert 130 <= dim[36, 10, 0] <= 175
    assert (dim[:, 66:] == 90).all()
    [warm] = match((120, 120, 120), (180, 120, 60), [0.0], strength=1.0)
    assert warm[36, 10, 0] > warm[36, 10, 2] + 15
    [same] = match((120, 90, 70), (120, 90, 70), [0.0])
    assert np.abs(same[36, 10].astype(int) - (120, 90, 70)).max() <= 2


def test_light_changes_slowly_and_by_the_clock():
    step = MatchLight(strength=0.5, smooth=1.0)
    values = np.zeros(SIZE, np.uint8)
    values[:, 64:] = 255

    def show(person, time):
        pixels = np.full((*SIZE, 3), 128, np.uint8)
        pixels[:, 64:] = person
        return int(step(Frame.borrow(pixels, time=time), Mask(values, SIZE)).pixels[36, 10, 0])

    start = show(128, 0.0)
    after = show(228, 0.1)
    late = show(228, 5.0)
    assert abs(after - start) < 0.25 * (late - start)
    assert late - start > 25
    step.close()
    assert abs(show(228, 5.1) - late) <= 2


def test_nobody_there_changes_nothing():
    pixels = noise(*SIZE, 3)
    out = MatchLight()(Frame.borrow(pixels), Mask(np.zeros((4, 4), np.uint8), SIZE)).pixels
    assert np.abs(out.astype(int) - pixels).max() <= 1


@pytest.mark.parametrize("size", [(1, 1), (3, 5)])
def test_light_filters_take_any_size(size):
    frame, alpha = noise(*size, 3), noise(*size)
    for step in (MatchLight(), LowLight()):
        extra = [Mask(noise(3, 3), size)] if isinstance(step, MatchLight) else []
        assert np.array_equal(step(Frame.borrow(frame, alpha), *extra).alpha, alpha)


def test_low_light_brightens_the_dark_and_leaves_the_bright():
    rng = np.random.default_rng(0)
    dark = rng.integers(10, 60, (*SIZE, 3)).astype(np.uint8)
    out = LowLight(strength=1)(Frame.borrow(dark)).pixels
    assert out.mean() > 2 * dark.mean()
    assert out.max() < 255
    bright = rng.integers(100, 250, (*SIZE, 3)).astype(np.uint8)
    assert np.array_equal(LowLight(strength=1)(Frame.borrow(bright)).pixels, bright)
    assert np.array_equal(LowLight(strength=0)(Frame.borrow(dark)).pixels, dark)


def test_low_light_keeps_colours():
    dark = np.full((*SIZE, 3), (40, 20, 10), np.uint8)
    red, green, blue = (float(v) for v in LowLight()(Frame.borrow(dark)).pixels[30, 60])
    assert abs(red / green - 2) < 0.1
    assert abs(red / blue - 4) < 0.4


def test_low_light_adapts_by_the_clock_and_starts_anew_after_a_gap():
    def frame(level, time):
        return Frame.borrow(np.full((*SIZE, 3), level, np.uint8), time=time)

    step = LowLight(strength=1, smooth=1.0)
    first = int(step(frame(30, 0.0)).pixels[30, 60, 0])
    steady = int(step(frame(30, 0.1)).pixels[30, 60, 0])
    assert first == steady
    soon = int(step(frame(60, 0.15)).pixels[30, 60, 0])
    assert soon > LowLight(strength=1)(frame(60, 0.0)).pixels[30, 60, 0]
    later = int(step(frame(60, 9.0)).pixels[30, 60, 0])
    assert later == LowLight(strength=1)(frame(60, 0.0)).pixels[30, 60, 0]


def cube(tmp_path, text, name="grade.cube"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


IDENTITY = "\n".join(f"{r} {g} {b}" for b in (0, 1) for g in (0, 1) for r in (0, 1))


def test_a_cube_that_does_nothing_leaves_the_frame(tmp_path):
    path = cube(tmp_path, f'# by hand\nTITLE "same"\n\nLUT_3D_SIZE 2\nDOMAIN_MIN 0 0 0\nDOMAIN_MAX 1 1 1\n{IDENTITY}\n')
    pixels = noise(13, 17, 3)
    assert np.array_equal(lut(Frame.borrow(pixels), file=path).pixels, pixels)


def test_red_changes_fastest_in_the_file(tmp_path):
    swapped = "\n".join(f"{b} {r} {g}" for b in (0, 1) for g in (0, 1) for r in (0, 1))
    path = cube(tmp_path, f"LUT_3D_SIZE 2\n{swapped}\n")
    pixels, alpha = noise(5, 7, 3), noise(5, 7)
    out = lut(Frame.borrow(pixels, alpha), file=path)
    assert np.array_equal(out.pixels, pixels[..., [2, 0, 1]])
    assert np.array_equal(out.alpha, alpha)


def test_strength_mixes_with_the_original(tmp_path):
    black = "\n".join("0 0 0" for _ in range(8))
    path = cube(tmp_path, f"LUT_3D_SIZE 2\n{black}\n")
    pixels = np.full((2, 2, 3), 200, np.uint8)
    assert (lut(Frame.borrow(pixels), file=path).pixels == 0).all()
    assert (lut(Frame.borrow(pixels), file=path, strength=0).pixels == 200).all()
    assert np.abs(lut(Frame.borrow(pixels), file=path, strength=0.5).pixels.astype(int) - 100).max() <= 1


def test_one_dimensional_tables_and_other_domains(tmp_path):
    negative = cube(tmp_path, "LUT_1D_SIZE 2\n1 1 1\n0 0 0\n")
    pixels = noise(5, 7, 3)
    assert np.abs(lut(Frame.borrow(pixels), file=negative).pixels.astype(int) - (255 - pixels.astype(int))).max() <= 1
    half = cube(tmp_path, f"LUT_3D_SIZE 2\nDOMAIN_MAX 2 2 2\n{IDENTITY}\n", "half.cube")
    out = lut(Frame.borrow(pixels), file=half).pixels
    assert np.abs(out - pixels / 2).max() <= 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("LUT_3D_SIZE 2\n0 0 0\n0 zero 0\n", r"grade\.cube:3: got '0 zero 0', wanted three numbers"),
        ("LUT_3D_SIZE 2\n0 0\n", r"grade\.cube:2: got '0 0', wanted three numbers"),
        ("LUT_3D_SIZE 2\n0 0 nan\n", r"grade\.cube:2: .* wanted three numbers"),
        ("LUT_3D_SIZE two\n", r"grade\.cube:1: got 'LUT_3D_SIZE two', wanted LUT_3D_SIZE and a number from 2 to 129"),
        ("LUT_3D_SIZE 500\n", r"grade\.cube:1: .* from 2 to 129"),
        ("LUT_3D_SIZE 2\nLUT_1D_SIZE 2\n", r"grade\.cube:2: LUT_1D_SIZE after LUT_3D_SIZE"),
        ("# nothing\n0 0 0\n", r"grade\.cube:2: numbers before LUT_3D_SIZE"),
        (f"LUT_3D_SIZE 2\n{IDENTITY}\n1 1 1\n", r"grade\.cube:10: one line more than the 8 of LUT_3D_SIZE 2"),
        ("LUT_3D_SIZE 2\n0 0 0\n", r"at its end: the table has 1 lines, wanted 8"),
        ("", r"at its end: numbers before"),
        (f"LUT_3D_SIZE 2\nDOMAIN_MIN 1 1 1\n{IDENTITY}\n", "DOMAIN_MAX .* is not above DOMAIN_MIN"),
        (f"LUT_3D_SIZE 2\nDOMAIN_MAX a b c\n{IDENTITY}\n", r"grade\.cube:2: got 'a b c'"),
    ],
)
def test_a_broken_cube_is_refused_with_its_line(tmp_path, text, message):
    with pytest.raises(OptionError, match=message):
        read_cube(cube(tmp_path, text))


def test_a_broken_cube_is_refused_before_anything_opens_and_an_edited_one_is_seen(tmp_path):
    options, pixels = Options("lut", lut), np.full((2, 2, 3), 90, np.uint8)
    path = cube(tmp_path, "LUT_3D_SIZE 2\n0 0 0\n")
    with pytest.raises(OptionError, match="the table has 1 lines"):
        options.check({"file": str(path)})
    for level in (0, 1):
        cube(tmp_path, "LUT_3D_SIZE 2\n" + f"{level} {level} {level}\n" * 8)
        checked = options.check({"file": str(path)})
        assert (lut(Frame.borrow(pixels), **checked).pixels == 255 * level).all()


def test_what_is_no_cube_is_refused(tmp_path):
    with pytest.raises(OptionError, match="cannot be read as a \\.cube file"):
        read_cube(tmp_path / "missing.cube")
    binary = tmp_path / "picture.cube"
    binary.write_bytes(b"\xff\xd8\xff\xe0" * 9)
    with pytest.raises(OptionError, match="cannot be read as a \\.cube file"):
        read_cube(binary)


def test_a_whole_composition_runs_and_allocates_nothing_after_warm_up():
    chain = "foreground,replace=color=orange,match_light,light_wrap,low_light,vignette,grain,border=radius=9"
    values = np.zeros((18, 32), np.uint8)
    values[6:, 10:22] = 255
    plan = Plan(chain, PluginManager(discover=False).registry, given={"person": Mask(values, SIZE)})
    pixels, counts = noise(*SIZE, 3), []
    for index in range(12):
        result = plan.run(Frame.borrow(pixels, index=index, time=index / 30))
        assert result.size == SIZE
        counts.append(plan.pool.allocations)
    assert counts[-1] == counts[5]
