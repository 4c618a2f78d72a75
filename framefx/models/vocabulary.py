"""The names of layers: what each means and is, whoever gives it.

A layer's name is public: chains, configs and plugins are written with it. Models give what they can under these
names; names of their own, such as classes that a file beside the weights lists, come on top.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType
from typing import Literal

Kind = Literal["mask", "boxes", "points", "heatmaps"]


@dataclass(frozen=True)
class Meaning:
    """What a layer's name stands for.

    Parameters
    ----------
    kind : str
        The `kind` of its value's class.
    meaning : str
        One line.
    families : tuple of str
        The model families that give it.
    parts : tuple of str
        The BodyPix parts that it is the sum of, if it is one.
    """

    kind: Kind
    meaning: str
    families: tuple[str, ...] = ("bodypix",)
    parts: tuple[str, ...] = ()


def _front_and_back(*limbs: str) -> tuple[str, ...]:
    return tuple(f"{limb}_{side}" for limb in limbs for side in ("front", "back"))


PARTS = (
    "left_face",
    "right_face",
    *_front_and_back("left_upper_arm", "right_upper_arm", "left_lower_arm", "right_lower_arm"),
    "left_hand",
    "right_hand",
    *_front_and_back("torso"),
    *_front_and_back("left_upper_leg", "right_upper_leg", "left_lower_leg", "right_lower_leg"),
    "left_foot",
    "right_foot",
)
"""BodyPix's 24 parts, in the order of the network's channels. Left and right are the person's own."""

KEYPOINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
"""The 17 keypoints of PoseNet and COCO, in the order of the network's channels."""

BONES = (
    ("left_shoulder", "right_shoulder"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"), ("left_shoulder", "left_hip"),
    ("right_shoulder", "right_hip"), ("left_hip", "right_hip"), ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
    ("right_hip", "right_knee"), ("right_knee", "right_ankle"),
)  # fmt: skip
"""Which keypoints a skeleton joins; the face has none, as in PoseNet's own drawings."""


def _mask(meaning: str, parts: tuple[str, ...]) -> Meaning:
    return Meaning("mask", meaning, parts=parts)


def _unions() -> dict[str, Meaning]:
    """Return every union of parts but the person."""
    unions: dict[str, Meaning] = {}
    for side in ("left", "right"):
        upper, lower = _front_and_back(f"{side}_upper_arm"), _front_and_back(f"{side}_lower_arm")
        thigh, shin = _front_and_back(f"{side}_upper_leg"), _front_and_back(f"{side}_lower_leg")
        unions |= {
            f"{side}_upper_arm": _mask(f"the person's {side} arm above the elbow", upper),
            f"{side}_lower_arm": _mask(f"the person's {side} arm below the elbow, without the hand", lower),
            f"{side}_arm": _mask(f"the person's {side} arm, without the hand", upper + lower),
            f"{side}_upper_leg": _mask(f"the person's {side} leg above the knee", thigh),
            f"{side}_lower_leg": _mask(f"the person's {side} leg below the knee, without the foot", shin),
            f"{side}_leg": _mask(f"the person's {side} leg, without the foot", thigh + shin),
        }
    arms = unions["left_arm"].parts + unions["right_arm"].parts
    legs = unions["left_leg"].parts + unions["right_leg"].parts
    return unions | {
        "torso": _mask("chest, belly and back", _front_and_back("torso")),
        "arms": _mask("both arms, without the hands", arms),
        "hands": _mask("both hands", ("left_hand", "right_hand")),
        "legs": _mask("both legs, without the feet", legs),
        "feet": _mask("both feet", ("left_foot", "right_foot")),
    }


def _part(name: str) -> Meaning:
    side, _, rest = name.partition("_")
    if side == "torso":
        return _mask(f"the torso, where its {rest} is seen", (name,))
    limb, _, seen = rest.replace("upper_", "upper ").replace("lower_", "lower ").partition("_")
    what = f"the {side} half of the face" if limb == "face" else f"the person's {side} {limb}"
    return _mask(f"{what}, where its {seen} is seen" if seen else what, (name,))


_PERSON = ("selfie", "multiclass", "deeplab", "bodypix", "pose")
_CLASSES = ("multiclass",)

LAYERS: Mapping[str, Meaning] = MappingProxyType(
    {
        "person": Meaning("mask", "everybody in the picture, with what they wear", _PERSON, PARTS),
        "background": Meaning("mask", "everything but `person`", ("multiclass", "deeplab")),
        "hair": Meaning("mask", "hair on heads", _CLASSES),
        "face": Meaning("mask", "faces", ("faces", "multiclass", "bodypix"), ("left_face", "right_face")),
        "skin": Meaning("mask", "skin other than the face's: neck, arms, hands", _CLASSES),
        "clothes": Meaning("mask", "what people wear", _CLASSES),
        "accessories": Meaning("mask", "what belongs to people otherwise: glasses, headphones, bags", _CLASSES),
    }
    | {name: _part(name) for name in PARTS}
    | _unions()
    | {
        "keypoints": Meaning("points", "nose, eyes, ears and the joints of one person: 17 points with scores"),
        "keypoint_heatmaps": Meaning("heatmaps", "how likely each place is each of the 17 keypoints"),
        "faces": Meaning("boxes", "a box around each face, with landmarks and a score", ("faces",)),
    }
)
"""Every name that framefx's own models give."""

UNIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {name: meaning.parts for name, meaning in LAYERS.items() if 1 < len(meaning.parts) < len(PARTS)}
)
"""The sums of BodyPix parts by name, `person` aside."""


def are_apart(names: Iterable[str]) -> bool:
    """Whether no place belongs to two of these layers of one model, so that their masks add up.

    Names that are not here are a model's own classes, of which each place has one.
    """
    return not any(_overlap(one, other) for one, other in combinations(names, 2))


def _overlap(one: str, other: str) -> bool:
    if one == other:
        return True
    if "person" in (one, other):
        return {one, other} <= LAYERS.keys() - {"background"}
    return bool({*_parts(one)} & {*_parts(other)})


def _parts(name: str) -> tuple[str, ...]:
    return LAYERS[name].parts if name in LAYERS else ()
