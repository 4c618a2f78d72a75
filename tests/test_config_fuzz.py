"""Config files made of valid and broken pieces: each makes a plan, or one error that says where and what."""

import random
import re
import string

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from framefx.config import Config
from framefx.errors import FramefxError, UsageError
from framefx.frame import Frame
from framefx.job import Job
from framefx.mask import Mask
from framefx.plan import Plan
from framefx.plugins import PluginManager

PLUGINS = PluginManager()
HALF = Mask(np.repeat([[255] * 4 + [0] * 4], 6, axis=0).astype(np.uint8), (6, 8))
NAMES = [step.name for step in PLUGINS.registry.filters]

broken = st.one_of(
    st.none(), st.booleans(), st.integers(-10, 10**6), st.floats(allow_nan=False, width=32),
    st.text(string.ascii_letters + "-=:,'{}[]#é☃ ", max_size=12), st.lists(st.integers(), max_size=3),
    st.dictionaries(st.sampled_from(["image", "radius", "x"]), st.integers(), max_size=2),
)  # fmt: skip
VALID = [
    "invert", "flip", "grayscale", "hologram", {"blur": {"radius": 3}}, {"blur": 2}, {"blur@soft": {"where": "all"}},
    {"color": {"saturation": 2, "where": "person"}}, {"replace": {"image": "a.png", "fit": "tile"}},
    {"replace": {"color": "red", "where": "not-person"}}, {"overlay": {"image": "a.png", "position": [1, 2]}},
    {"zoom": {"x": 1.5, "anchor": "left"}}, {"move": {"x": 3, "border": "wrap"}}, {"roll": {"speed_x": 9}},
    {"affine": {"matrix": [[1, 0, 2], [0, 1, 3]]}}, {"stripes": {"width": 1}}, {"noise": {"seed": 4}},
    {"chroma_key": {"color": "#0f0", "soft": 0}}, {"alpha": {"add": -0.5}}, {"color_map": "jet"},
    {"box_blur": {"width": 3}}, {"anonymize": {"style": "black"}},
    {"colorize": {"weights": [0.3, 0.3, 0.4]}}, {"brightness": {"gain": 2}},
]  # fmt: skip
OLD_FILTERS = [
    "flip", "grayscale", "blur", "noise", "hologram", ["blur", 3], ["gaussian_blur", [5, 9]], ["roll", 1, 2],
    ["zoom", {"horizontal": 0.5}], ["move", 3, 2, False, False], ["affine", [[1, 0], [0, 1]], [1, 2]],
    ["image", "a.png"], ["video", "a.png", 5], ["stripes", 3],
    ["colorize", {"r": 300}], ["change_alpha", -50], ["chroma_key", 1, 2, 3], ["solid_color", 1, 2, 3],
    ["anonymize", 5], ["color_filter", 1, 2, 3],
]  # fmt: skip


def mostly(valid):
    """Return the strategy with one in twenty-five pieces broken."""
    return st.integers(0, 24).flatmap(lambda number: broken if number == 24 else valid)


def damaged(step):
    """Return a step with a name or a value that is wrong, or right by luck."""
    if isinstance(step, str):
        return st.sampled_from([step + "s", step[1:], f"{step}@x@y", f"a/{step}"])
    [(name, options)] = step.items()
    if not isinstance(options, dict):
        return broken.map(lambda value: {name: value})
    key = next(iter(options))
    return st.one_of(
        broken.map(lambda value: {name: {**options, key: value}}),
        broken.map(lambda value: {name: {**options, "radios": value}}),
        st.sampled_from(["hair", "not-", "a+b+", "frame"]).map(lambda value: {name: {**options, "where": value}}),
        st.sampled_from([*NAMES, "blurr"]).map(lambda other: {other: options}),
    )


valid_steps = st.sampled_from(VALID)
steps = st.integers(0, 11).flatmap(lambda n: valid_steps.flatmap(damaged) if n == 11 else valid_steps)
texts = ["blur", "blur=3,color=saturation=2", "zoom=x=2,blur", "blur=,", "blur=radius=x", "blur@a,blur@a", "'"]
chains = mostly(st.one_of(st.lists(steps, max_size=4), st.lists(steps, max_size=4), st.sampled_from(texts)))


def section(**fields):
    """Return mappings with some of the fields, each mostly valid."""
    return st.fixed_dictionaries({}, optional={name: mostly(valid) for name, valid in fields.items()})


entries = section(
    source=st.sampled_from(["frame", "frame", "person", "empty", "previous", "not-person", "a.png", "hair"]),
    chain=chains,
    opacity=st.floats(0, 1),
    blend=st.sampled_from(["normal", "multiply", "screen", "add", "overlay"]),
    position=st.just([3, -4]),
    size=st.sampled_from(["8x6", "frame", "3x2"]),
    rate=st.sampled_from([None, None, None, 5]),
)
masks = section(
    range=st.just([0.2, 0.8]), dilate=st.integers(0, 9), erode=st.floats(0, 9), feather=st.integers(0, 9),
    smooth=st.floats(0, 1), max_age=st.just(0.2),
)  # fmt: skip
rest = {
    "mask": masks,
    "source": st.sampled_from(["a.png", {"device": "a.png", "size": "8x6"}]),
    "sink": st.just("null"),
    "layers": st.just({"hair": {"image": "a.png"}}),
    "priority": st.sampled_from(["cpu", "latency"]),
    "frames": st.just(3),
    "profiles": st.just({"meeting": {"chain": ["blur"]}}),
}
ours = st.one_of(
    st.tuples(chains, section(**rest)).map(lambda pair: {"chain": pair[0], **pair[1]}),
    st.tuples(mostly(st.lists(mostly(entries), min_size=1, max_size=3)), section(**rest)).map(
        lambda pair: {"stack": pair[0], **pair[1]}
    ),
    section(chain=chains, stack=st.lists(entries, max_size=2), chian=chains, set=st.just(["blur.radius=3"])),
)
old_layers = st.tuples(
    st.sampled_from(["input", "foreground", "empty", "previous"]),
    mostly(st.lists(mostly(st.sampled_from(OLD_FILTERS)), max_size=3)),
).map(lambda pair: {pair[0]: pair[1]})
old = st.tuples(
    st.lists(mostly(old_layers), max_size=3),
    section(
        width=st.just(640), height=st.just(480), fps=st.just(25), dilate=st.just(5), average_masks=st.just(2),
        model=st.just("mediapipe"), debug_show_mask=st.just(-1),
    ),
).map(lambda pair: {"layers": pair[0], **pair[1]})  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz")
    cv2.imwrite(str(path / "a.png"), np.full((6, 8, 3), 99, np.uint8))
    return path


def outcome(path):
    """Make the plan of a file and run it once; return the error's text, or nothing."""
    try:
        config = Config(path)
        job = Job(config.settings, PLUGINS, config)
        mask = {"person": HALF, "face": HALF, "hair": HALF}
        job.plan().close() if config.settings.layers else None
        plan = Plan(job.stack(), PLUGINS.registry, given=mask)
    except FramefxError as error:
        return str(error)
    try:
        plan.run(Frame.borrow(np.full((6, 8, 3), 50, np.uint8)))
    except UsageError as error:
        raise AssertionError("the plan should have found this") from error
    except FramefxError as error:
        return f"at run time: {error}"
    finally:
        plan.close()
    return ""


def check(path, text):
    path.write_text(text, encoding="utf-8")
    message = outcome(path)
    if message and not message.startswith("at run time"):
        assert re.search(rf"{re.escape(path.name)}(:\d+)?: |--set |layer picture", message), message
        assert "\n" not in message.strip() or "^" in message, message


def limits(count):
    return settings(
        max_examples=count, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )


@limits(650)
@given(values=ours)
@example(values={"chain": ["blur"], "stack": [{"source": "frame"}]})
@example(values={})
def test_framefx_configs(folder, values):
    check(folder / "framefx.yaml", yaml.safe_dump(values, allow_unicode=True, sort_keys=False))


@limits(250)
@given(values=old)
def test_old_configs(folder, values):
    check(folder / "config.yaml", yaml.safe_dump(values, allow_unicode=True, sort_keys=False))


VALID = (
    "source: a.png\nchain:\n  - blur: {radius: 3}\n  - color@warm: {saturation: 1.1}\n"
    "mask: {feather: 2}\nsink: 'null'\n"
)


def test_what_will_be_damaged_is_in_order(folder):
    (folder / "framefx.yaml").write_text(VALID)
    assert not outcome(folder / "framefx.yaml")


@limits(150)
@given(seed=st.integers(0, 2**32))
def test_damaged_text(folder, seed):
    rng = random.Random(seed)
    text = list(VALID)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(text))
        text[place : place + rng.randint(0, 3)] = rng.choice(
            ["", "\t", ":", "{", "]", "'", "&a", "*a", "\n", "!!x ", "é"]
        )
    check(folder / "framefx.yaml", "".join(text))
