"""The names of layers: documented, and what the families really give."""

import re
from itertools import combinations
from pathlib import Path

import pytest

from framefx.boxes import Boxes
from framefx.mask import Mask
from framefx.models import faces, multiclass
from framefx.models.loading import load
from framefx.models.vocabulary import BONES, KEYPOINTS, LAYERS, PARTS, UNIONS, are_apart
from framefx.points import Heatmaps, Points

PAGE = (Path(__file__).parents[2] / "docs" / "layers.md").read_text(encoding="utf-8")
KINDS = {"mask": Mask, "boxes": Boxes, "points": Points, "heatmaps": Heatmaps}


def cells(name):
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}` | ")]
    assert len(rows) == 1, f"docs/layers.md: one row for the layer `{name}`"
    return [cell.strip() for cell in rows[0].split("|")[2:-1]]


def given_by(family):
    return {name for name, meaning in LAYERS.items() if family in meaning.families}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_documented(name):
    kind, meaning, given, *rest = cells(name)
    assert (kind, meaning) == (LAYERS[name].kind, LAYERS[name].meaning)
    assert name == "background" or given == ", ".join(LAYERS[name].families)
    assert not rest or tuple(re.findall(r"`(\w+)`", rest[0])) == UNIONS[name]


def test_every_documented_layer_is_one():
    named = re.findall(r"^\| `(\w+)` \| (?:mask|boxes|points|heatmaps) \|", PAGE, re.M)
    assert sorted(named) == sorted(LAYERS)


def test_every_keypoint_is_documented():
    assert all(f"`{name}`" in PAGE for name in KEYPOINTS)
    assert {*KEYPOINTS} >= {name for bone in BONES for name in bone}


def test_bodypix_has_24_parts_and_posenet_17_keypoints():
    assert (len(PARTS), len({*PARTS}), len(KEYPOINTS), len({*KEYPOINTS})) == (24, 24, 17, 17)
    assert PARTS[:4] == ("left_face", "right_face", "left_upper_arm_front", "left_upper_arm_back")
    assert PARTS[10:14] == ("left_hand", "right_hand", "torso_front", "torso_back")
    assert PARTS[-2:] == ("left_foot", "right_foot")


def test_unions_of_one_level_hold_every_part_once():
    level = [*UNIONS["face"], *UNIONS["arms"], *UNIONS["hands"], *UNIONS["torso"], *UNIONS["legs"], *UNIONS["feet"]]
    assert sorted(level) == sorted(PARTS)
    assert LAYERS["person"].parts == PARTS


def test_kinds_are_the_classes():
    assert all(KINDS[meaning.kind].kind == meaning.kind for meaning in LAYERS.values())


@pytest.mark.parametrize(
    ("family", "network"),
    [
        ("bodypix", "bodypix_mobilenet_v1_075_720_1280_16_quant"),
        ("deeplab", "deeplabv3_257_mv_gpu"),
        ("faces", "face_detection_short_range"),
        ("pose", "pose_landmark_lite"),
        ("selfie", "selfie_segmentation"),
    ],
)
def test_a_family_gives_what_its_rows_say(family, network, real, registry):
    pytest.importorskip("ai_edge_litert", reason="needs ai-edge-litert")
    layers = load(real(f"models/{network}.tflite"), registry).layers
    assert given_by(family) == {name for name in layers if name in LAYERS}
    assert all(layers[name] is KINDS[LAYERS[name].kind] for name in given_by(family))


def test_families_that_no_network_here_shows():
    assert given_by("multiclass") == {*multiclass.CHANNELS}
    assert given_by("faces") == {*faces.FaceModel.layers}


def test_layers_are_apart_unless_one_lies_within_the_other():
    assert all(are_apart(pair) for pair in combinations(PARTS, 2))
    assert all(are_apart((union, part)) == (part not in UNIONS[union]) for union in UNIONS for part in PARTS)
    assert are_apart(("hair", "face", "skin", "clothes", "accessories", "background"))
    assert are_apart(("person", "dog", "background"))
    assert not are_apart(("person", "hair"))
    assert not are_apart(("torso", "torso"))
