"""The extension rule: what may be registered, and what a wrong signature is told."""

import functools
from typing import TYPE_CHECKING, Annotated

import pytest
from pydantic import Field

from framefx.errors import PluginError, UnknownNameError
from framefx.frame import Frame
from framefx.geometry import Geometry
from framefx.mask import Mask
from framefx.registry import Register, Registry

if TYPE_CHECKING:
    from decimal import Decimal as Later


def mosaic(frame: Frame, *, size: Annotated[int, Field(ge=2, description="pixels")] = 16) -> Frame:
    """Replace the picture by blocks.

    More about it.
    """


class ColdBreath:
    """A class with state."""

    def __init__(self, *, seconds: float = 1.0) -> None:
        self.seconds = seconds

    def __call__(self, frame: Frame, person: Mask, hair: Mask | None = None) -> Frame:
        return frame


@pytest.fixture
def registry():
    return Registry()


@pytest.fixture
def register(registry):
    return Register(registry, "demo")


def test_parameters_before_the_star_are_needs_and_after_it_options(registry, register):
    register.filter(mosaic)
    step = registry.filters.find("mosaic")
    assert [need.name for need in step.needs] == ["frame"]
    assert step.options.names == ["size"]
    assert step.summary == "Replace the picture by blocks."


def test_a_class_s_needs_are_its_call_s_and_its_options_its_constructor_s(registry, register):
    register.filter(ColdBreath)
    step = registry.filters.find("cold_breath")
    assert [(n.name, n.optional, n.kind) for n in step.needs] == [
        ("frame", False, Frame),
        ("person", False, Mask),
        ("hair", True, Mask),
    ]
    assert step.options.names == ["seconds"]
    assert step.stateful


def test_a_name_can_be_given(registry, register):
    register.filter(mosaic, name="blocks", where="background")
    assert registry.filters.find("blocks").where == "background"


def test_a_layer_s_name_is_its_function_s_and_its_kind_its_annotation(registry, register):
    def outside(person: Mask) -> Mask:
        return ~person

    register.layer(outside)
    assert registry.layers.find("outside").kind is Mask


def test_a_need_whose_type_only_the_checker_sees_still_counts(registry, register):
    def tint(frame: Frame, person: "Later") -> Frame:
        return frame

    register.filter(tint)
    assert [(n.name, n.kind) for n in registry.filters.find("tint").needs] == [("frame", Frame), ("person", None)]


def test_a_filter_without_annotations_is_taken(registry, register):
    register.filter(lambda frame: frame, name="plain")
    assert "plain" in registry.filters


def star(frame: Frame, *layers: Mask) -> Frame: ...
def double_star(frame: Frame, **options: int) -> Frame: ...
def early_option(frame: Frame, size: int = 3) -> Frame: ...
def gives_a_mask(frame: Frame) -> Mask: ...
def gives_an_option_called_where(frame: Frame, *, where: str = "all") -> Frame: ...
def gives_untyped_option(frame: Frame, *, size=3) -> Frame: ...
def gives_hidden_option(frame: Frame, *, size: "Later" = 3) -> Frame: ...


class NoCall: ...


class OptionInCall:
    def __call__(self, frame: Frame, *, size: int = 3) -> Frame: ...


class PositionalOption:
    def __init__(self, size: int = 3) -> None: ...
    def __call__(self, frame: Frame) -> Frame: ...


class ReservedOption:
    def __init__(self, *, frame: int = 3) -> None: ...
    def __call__(self, frame: Frame) -> Frame: ...


class StarOptions:
    def __init__(self, **options: int) -> None: ...
    def __call__(self, frame: Frame) -> Frame: ...


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (star, r"filter 'star': \*layers says nothing about needs or options: name each"),
        (double_star, r"\*options says nothing"),
        (early_option, r"'size' stands before the \* and so is a layer it needs: put the \* before it"),
        (gives_a_mask, "it returns Mask, wanted Frame"),
        (gives_an_option_called_where, "the option name 'where' is reserved"),
        (gives_untyped_option, "option 'size' has no type: write `size: int = …`"),
        (gives_hidden_option, "option 'size' is not known at run time.*import it outside"),
        (NoCall, "the class has no __call__: write `def __call__"),
        (OptionInCall, "option 'size' belongs into the constructor"),
        (PositionalOption, r"constructor parameter 'size' must stand after a \*"),
        (ReservedOption, "the option name 'frame' is reserved"),
        (StarOptions, r"\*options says nothing"),
        (3, "got int, wanted a function or a class"),
        (None, "got NoneType, wanted a function or a class"),
    ],
)
def test_a_wrong_signature_is_told_the_fix(register, target, message):
    with pytest.raises(PluginError, match=f"plugin 'demo'.*{message}"):
        register.filter(target)


@pytest.mark.parametrize("name", ["where", "frame", "all", "canvas"])
def test_reserved_names_are_refused(register, name):
    with pytest.raises(PluginError, match=f"'{name}': the name is reserved"):
        register.filter(mosaic, name=name)
    with pytest.raises(PluginError, match="the name is reserved"):
        register.layer(lambda person: person, name=name)


@pytest.mark.parametrize("name", ["my filter", "a,b", "a=b", "<lambda>", "a/b", "3d", "a@b", "ü b"])
def test_a_name_that_no_chain_could_contain_is_refused(register, name):
    with pytest.raises(PluginError, match="letters, digits, _ and -"):
        register.filter(mosaic, name=name)


def test_a_partial_needs_a_name(registry, register):
    target = functools.partial(mosaic, size=3)
    with pytest.raises(PluginError, match="no name of its own: give it one with name="):
        register.filter(target)
    register.filter(target, name="three")
    assert "three" in registry.filters


@pytest.mark.parametrize("where", ["", "not a layer", "person,hair", "all+person"])
def test_a_default_where_that_does_not_parse_is_refused(register, where):
    with pytest.raises(PluginError, match="plugin 'demo', filter 'mosaic': where="):
        register.filter(mosaic, where=where)


def test_a_geometry_must_give_a_geometry(registry, register):
    def shift(frame: Frame) -> Geometry: ...

    register.geometry(shift)
    assert registry.filters.find("shift").moves
    with pytest.raises(PluginError, match="it returns Frame, wanted Geometry"):
        register.geometry(mosaic)


def test_a_layer_without_a_kind_is_told_to_write_one(register):
    def outside(person): ...

    with pytest.raises(PluginError, match="write `-> Mask`"):
        register.layer(outside)


@pytest.mark.parametrize("need", ["where", "canvas"])
def test_a_layer_cannot_need_what_only_filters_have(register, need):
    namespace = {"Mask": Mask}
    exec(f"def outside({need}) -> Mask: ...", namespace)
    with pytest.raises(PluginError, match=f"a layer has no '{need}'"):
        register.layer(namespace["outside"])


# Names.


def test_two_plugins_with_one_name_are_both_named(registry, register):
    register.filter(mosaic)
    Register(registry, "other").filter(mosaic)
    with pytest.raises(UnknownNameError, match=r"two plugins .*'mosaic': write 'demo/mosaic' or 'other/mosaic'"):
        registry.filters.find("mosaic")


def test_plugin_slash_name_chooses(registry, register):
    register.filter(mosaic)
    Register(registry, "other").filter(ColdBreath, name="mosaic")
    assert registry.filters.find("other/mosaic").target is ColdBreath
    assert registry.filters.find("demo/mosaic").target is mosaic


def test_one_plugin_cannot_use_a_name_twice(register):
    register.filter(mosaic)
    with pytest.raises(PluginError, match="plugin 'demo' registers the filter 'mosaic' twice"):
        register.filter(ColdBreath, name="mosaic")


def test_an_unknown_name_gets_the_nearest(registry, register):
    register.filter(mosaic)
    with pytest.raises(UnknownNameError, match=r"no filter 'mosiac'. Did you mean 'mosaic'\? `framefx filters` lists"):
        registry.filters.find("mosiac")


def test_a_plugin_that_does_not_have_it_is_unknown(registry, register):
    register.filter(mosaic)
    with pytest.raises(UnknownNameError, match="no filter 'other/mosaic'"):
        registry.filters.find("other/mosaic")
