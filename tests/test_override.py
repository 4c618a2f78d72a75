"""``--set STEP.OPTION=VALUE``."""

from __future__ import annotations

import pytest

from framefx.chain import Chain
from framefx.errors import OptionError
from framefx.override import override
from framefx.stack import Entry, Stack


def changed(chain: str, *changes: str) -> str:
    return str(override(Stack.of(Chain.parse(chain)), changes))


def test_a_filter_is_named_where_one_step_has_it():
    assert changed("blur=12,color", "color.saturation=2") == "blur=12,color=saturation=2"


@pytest.mark.parametrize("name", ["warm", "color@warm"])
def test_a_label_names_its_step(name):
    assert changed("color,color@warm", f"{name}.gamma=2") == "color,color@warm=gamma=2"


def test_the_second_of_two_is_named_by_its_number():
    assert changed("blur,blur", "blur#2.radius=3") == "blur,blur=radius=3"


def test_an_ambiguous_name_is_an_error_that_lists_the_choices():
    with pytest.raises(OptionError, match="could be blur#1, blur#2"):
        changed("blur,blur", "blur.radius=3")


def test_an_unknown_step_is_an_error_with_the_nearest_name():
    with pytest.raises(OptionError, match="Did you mean 'color'"):
        changed("blur,color", "colour.gamma=2")


@pytest.mark.parametrize("text", ["blur", "blur.radius", "radius=3", ".radius=3", "blur.=3"])
def test_anything_else_says_what_was_wanted(text):
    with pytest.raises(OptionError, match=r"wanted STEP\.OPTION=VALUE"):
        changed("blur", text)


def test_steps_of_every_picture_of_a_stack_can_be_named():
    stack = Stack((Entry(chain=Chain.parse("blur")), Entry("person", Chain.parse("color"))))
    result = override(stack, ["color.gamma=2"])
    assert [str(entry.chain) for entry in result.entries] == ["blur", "color=gamma=2"]


def test_a_set_option_wins_over_the_one_without_a_name():
    from framefx.plan import Plan
    from framefx.plugins import PluginManager

    stack = override(Stack.of(Chain.parse("blur=12:where=all")), ["blur.radius=20"])
    assert Plan(stack, PluginManager().registry).steps[0].options == {"radius": 20.0}
