"""Options: bounds, units and help come from one annotation."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import pytest
from pydantic import Field

from framefx.errors import OptionError, PluginError
from framefx.options import Options

if TYPE_CHECKING:
    from decimal import Decimal


def mosaic(
    frame,
    *,
    size: Annotated[int, Field(ge=2, le=200, description="pixels")] = 16,
    fit: Literal["cover", "tile"] = "cover",
    image: Path | None = None,
    smooth: bool = False,
):
    """Blocks."""


def label(frame, *, text: Annotated[str, Field(description="what to write")], at: tuple[int, int] = (0, 0)):
    """Write."""


class Trail:
    def __init__(self, *, seconds: Annotated[float, Field(gt=0, description="seconds")] = 0.5) -> None:
        self.seconds = seconds


def check(target, **given):
    return Options(target.__name__.lower(), target).check(given)


def test_defaults_are_filled_in():
    assert check(mosaic) == {"size": 16, "fit": "cover", "image": None, "smooth": False}


def test_text_is_converted_as_the_annotation_says():
    assert check(mosaic, size="7", smooth="true", image="a.png") == {
        "size": 7,
        "fit": "cover",
        "image": Path("a.png"),
        "smooth": True,
    }


def test_values_of_a_config_file_are_taken_as_they_are():
    assert check(label, text="hi", at=[3, 4])["at"] == (3, 4)


def test_a_class_s_options_are_its_constructor_s():
    assert check(Trail, seconds="2") == {"seconds": 2.0}


def test_a_class_without_a_constructor_has_no_options():
    assert Options("plain", type("Plain", (), {})).names == []


@pytest.mark.parametrize(
    ("target", "given", "message"),
    [
        (mosaic, {"size": "1"}, r"mosaic: size is '1', wanted greater than or equal to 2 \(pixels\)"),
        (mosaic, {"size": 201}, r"mosaic: size is 201, wanted less than or equal to 200 \(pixels\)"),
        (mosaic, {"size": "ten"}, r"mosaic: size is 'ten', wanted a valid integer.*\(pixels\)"),
        (mosaic, {"size": "1.5"}, r"mosaic: size is '1.5', wanted a valid integer"),
        (mosaic, {"fit": "covre"}, "mosaic: fit is 'covre', wanted 'cover' or 'tile'"),
        (mosaic, {"smooth": "maybe"}, "mosaic: smooth is 'maybe', wanted a valid boolean"),
        (Trail, {"seconds": "nan"}, r"trail: seconds is 'nan', wanted .*\(seconds\)"),
        (Trail, {"seconds": 0}, r"trail: seconds is 0, wanted greater than 0 \(seconds\)"),
        (label, {}, r"label needs the option 'text' \(what to write\): write label=text=…"),
        (label, {"text": "x", "at": "3"}, "label: at is '3', wanted"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_wanted_and_its_unit(target, given, message):
    with pytest.raises(OptionError, match=message):
        check(target, **given)


def test_an_unknown_option_gets_the_nearest_name():
    with pytest.raises(OptionError, match=r"mosaic has no option 'szie'. Did you mean 'size'\? Its options: size, fit"):
        check(mosaic, szie=3)


def test_a_filter_without_options_says_so():
    with pytest.raises(OptionError, match="Its options: none"):
        Options("plain", lambda frame: frame).check({"x": 1})


def test_the_place_where_it_was_written_comes_first():
    with pytest.raises(OptionError, match=r"^framefx.yaml:3: mosaic: size"):
        Options("mosaic", mosaic).check({"size": 0}, "framefx.yaml:3")


def test_relative_paths_are_relative_to_the_config_s_folder():
    options = Options("mosaic", mosaic)
    assert options.check({"image": "a.png"}, base=Path("/etc"))["image"] == Path("/etc/a.png")
    assert options.check({"image": "/b.png"}, base=Path("/etc"))["image"] == Path("/b.png")


def test_a_default_path_is_the_plugin_s_business():
    def show(frame, *, image: Path = Path("mine.png")):
        """Show."""

    assert Options("show", show).check({}, base=Path("/etc"))["image"] == Path("mine.png")


def test_the_order_is_the_signature_s():
    assert Options("mosaic", mosaic).names == ["size", "fit", "image", "smooth"]


def test_names_that_pydantic_uses_itself_are_fine(recwarn):
    def odd(frame, *, copy: int = 1, json: int = 2, model_config: int = 3, schema: int = 4, model_path: str = ""):
        """Every name is the author's."""

    assert check(odd, copy="5", json="6") == {"copy": 5, "json": 6, "model_config": 3, "schema": 4, "model_path": ""}
    assert set(Options("odd", odd).describe()) == {"copy", "json", "model_config", "schema", "model_path"}
    with pytest.raises(OptionError, match="odd: copy is 'x', wanted a valid integer"):
        check(odd, copy="x")
    assert not recwarn.list


def test_the_schema_has_bounds_and_help():
    facts = Options("mosaic", mosaic).describe()["size"]
    assert (facts["minimum"], facts["maximum"], facts["default"], facts["description"]) == (2, 200, 16, "pixels")


def test_an_option_without_a_type_says_how_to_write_it():
    def bare(frame, *, size=3):
        """Bare."""

    with pytest.raises(PluginError, match="option 'size' has no type: write `size: int = …`"):
        check(bare)


def test_a_type_that_only_the_type_checker_sees_says_what_to_do():
    def hidden(frame, *, size: "Decimal" = 3):
        """Hidden."""

    with pytest.raises(PluginError, match=r"not known at run time.*import it outside `if TYPE_CHECKING`"):
        check(hidden)
