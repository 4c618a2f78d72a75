"""What goes into a pack comes out of it, and nothing that must not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from framefx.training.augment import Recipe, Sampler
from framefx.training.data import SHIPPABLE, blend_label, load, shrink, split


def test_a_pack_holds_pictures_and_masks(packed: Path) -> None:
    items = {i.name: i for i in load(packed)}
    disc = items["voc_3"].rgba[..., 3]
    assert items["voc_3"].rgba.shape == (96, 128, 4)
    assert disc[70, 64] == 255
    assert disc[2, 2] == 0
    assert not items["n_0"].rgba[..., 3].any()


def test_groups_without_a_licence_stay_out() -> None:
    assert not "hsdgraz_001".startswith(SHIPPABLE)
    assert not "hsd_001".startswith(SHIPPABLE)


def test_labels_are_softened_only_where_the_teachers_agree() -> None:
    label = np.zeros((20, 20), np.uint8)
    label[:, :10] = 255
    near, far = np.zeros((20, 20), np.float32), np.zeros((20, 20), np.float32)
    near[:, :9] = 1
    far[:, 10:] = 1
    assert blend_label(label, near)[0, 9] == 153
    np.testing.assert_array_equal(blend_label(label, far), label)


def test_shrinking_keeps_the_aspect() -> None:
    assert shrink(np.zeros((200, 400, 3), np.uint8), 100).shape == (50, 100, 3)


def test_two_crops_of_a_photo_lie_on_one_side(packed: Path) -> None:
    from dataclasses import replace

    item = load(packed)[0]
    names = [f"ccp_{k:04d}_{crop}" for k in range(300) for crop in ("wide", "close")]
    train, held = split([replace(item, name=n, kind="person") for n in names])
    assert held
    assert not {i.name[:8] for i in train} & {i.name[:8] for i in held}


def test_samples_depend_on_the_seed_alone(packed: Path) -> None:
    sampler = Sampler(load(packed), (48, 80), Recipe())
    for seed in range(40):
        first, second = (sampler(np.random.default_rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(first[0], second[0])
        np.testing.assert_array_equal(first[1], second[1])
        assert first[0].shape == (48, 80, 3)
        assert first[1].shape == (24, 40)


ALIKE = """
import sys
from pathlib import Path
import numpy as np
from framefx.training.augment import Recipe
from framefx.training.batches import Batches
from framefx.training.data import load

items = load(Path(sys.argv[1]))
here, there = (iter(Batches(items, (32, 48), Recipe(), count=3, seed=5, start=7, workers=n)) for n in (0, 2))
for _ in range(4):
    for a, b in zip(next(here), next(there), strict=True):
        np.testing.assert_array_equal(a, b)
there.close()
"""


@pytest.mark.slow
def test_batches_of_processes_equal_those_of_one(packed: Path) -> None:
    pytest.importorskip("torch", reason="training needs torch")
    # In a process of its own: one that other tests left threads in must not be forked.
    subprocess.run([sys.executable, "-c", ALIKE, str(packed)], check=True, timeout=60)


def test_empty_samples_have_no_person(packed: Path) -> None:
    sampler = Sampler(load(packed), (48, 80), Recipe(composite=0, empty=1, second=0))
    for seed in range(30):
        # A person-free part may touch a mask's last, faint pixels.
        assert sampler(np.random.default_rng(seed))[1].max() < 32
