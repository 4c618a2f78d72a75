"""``where=``: which part of the picture a filter may change."""

import numpy as np
import pytest

from framefx.errors import PlanError
from framefx.mask import Mask
from framefx.where import Where


def mask(*values, size=(1, 2)):
    return Mask(np.array([values], np.uint8), size)


def combined(text, makers=(), **masks):
    return Where.parse(text, "blur").mask(masks, dict(makers)).values.tolist()


@pytest.mark.parametrize(
    ("text", "terms", "inverted"),
    [
        ("all", (), False),
        ("person", ("person",), False),
        (" person ", ("person",), False),
        ("not-person", ("person",), True),
        ("face+hair", ("face", "hair"), False),
        ("not-face+hair", ("face", "hair"), True),
        ("face + hair", ("face", "hair"), False),
        ("demo/face", ("demo/face",), False),
        ("notes", ("notes",), False),
    ],
)
def test_a_where_is_a_layer_a_union_or_their_opposite(text, terms, inverted):
    where = Where.parse(text, "blur")
    assert (where.terms, where.inverted) == (terms, inverted)
    assert Where.parse(str(where), "blur") == where


@pytest.mark.parametrize(
    "text", ["", "not-", "+", "face+", "+face", "a b", "all+face", "not-all", "frame", "a-b", "1a"]
)
def test_anything_else_is_an_error_with_an_example(text):
    with pytest.raises(PlanError, match=r"blur: where=.* has no layer in .*for example where=not-person"):
        Where.parse(text, "blur")


def test_the_opposite_is_exact():
    assert combined("not-person", person=mask(0, 77)) == [[255, 178]]


def test_classes_of_one_model_add_up_and_saturate():
    model = object()
    makers = {"face": model, "hair": model}
    assert combined("face+hair", makers, face=mask(100, 200), hair=mask(100, 100)) == [[200, 255]]


@pytest.mark.parametrize("names", [("hands", "left_hand"), ("person", "face"), ("left_arm", "arms")])
def test_what_lies_within_the_other_is_not_added_to_it(names):
    model = object()
    masks = {names[0]: mask(100, 200), names[1]: mask(90, 100)}
    assert combined("+".join(names), dict.fromkeys(names, model), **masks) == [[100, 200]]


def test_layers_of_different_makers_overlap():
    makers = {"face": object(), "hair": object()}
    assert combined("face+hair", makers, face=mask(100, 200), hair=mask(120, 100)) == [[120, 200]]


def test_a_union_of_three_is_a_union_of_three():
    model = object()
    makers = dict.fromkeys("abc", model)
    assert combined("a+b+c", makers, a=mask(100, 0), b=mask(100, 0), c=mask(100, 1)) == [[255, 1]]


def test_the_opposite_of_a_union_is_taken_last():
    model = object()
    makers = dict.fromkeys("ab", model)
    assert combined("not-a+b", makers, a=mask(100, 0), b=mask(55, 0)) == [[100, 255]]


def test_a_coarser_mask_is_brought_to_the_finer_one():
    masks = {"a": Mask(np.array([[255]], np.uint8), (2, 2)), "b": Mask(np.zeros((2, 2), np.uint8), (2, 2))}
    result = Where.parse("a+b", "blur").mask(masks, {})
    assert (result.values == 255).all()
    assert result.values.shape == (2, 2)


def test_no_given_mask_is_changed():
    first = mask(100, 200)
    combined("a+b", {"a": 1, "b": 1}, a=first, b=mask(100, 100))
    assert first.values.tolist() == [[100, 200]]
