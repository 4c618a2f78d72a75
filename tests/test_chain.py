"""The chain's syntax: FFmpeg's, with a caret under everything that does not fit."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framefx.chain import POSITIONAL, Call, Chain
from framefx.errors import ChainSyntaxError, ConfigError, UsageError

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,6}", fullmatch=True)
FILTERS = st.one_of(NAMES, st.tuples(NAMES, NAMES).map("/".join))
LABELS = st.none() | st.from_regex(r"[A-Za-z0-9_-]{1,5}", fullmatch=True)
TEXTS = st.text(max_size=12) | st.text(alphabet="',:=\\@ ab\t\n", max_size=12)


@st.composite
def calls(draw):
    keys = draw(st.lists(NAMES, max_size=3, unique=True))
    if draw(st.booleans()):
        keys.insert(0, POSITIONAL)
    return Call(draw(FILTERS), {key: draw(TEXTS) for key in keys}, draw(LABELS))


@settings(derandomize=True, max_examples=120, deadline=None)
@given(st.lists(calls(), min_size=1, max_size=4))
def test_what_is_written_is_read_back(steps):
    chain = Chain(tuple(steps))
    assert Chain.parse(str(chain)) == chain


@settings(derandomize=True, max_examples=120, deadline=None)
@given(st.text(alphabet="ab1,:='\\@ /é", max_size=20))
def test_any_text_is_a_chain_or_a_syntax_error_inside_it(text):
    try:
        chain = Chain.parse(text)
    except ChainSyntaxError as error:
        assert 0 <= error.position <= len(text)
    else:
        assert Chain.parse(str(chain)) == chain


def options_of(text):
    [call] = Chain.parse(text)
    return call.options


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("blur", {}),
        ("blur=12", {POSITIONAL: "12"}),
        ("blur=radius=12", {"radius": "12"}),
        ("blur=12:where=not-face", {POSITIONAL: "12", "where": "not-face"}),
        ("replace='holiday, 1.jpg'", {POSITIONAL: "holiday, 1.jpg"}),
        (r"replace=a\,b.jpg", {POSITIONAL: "a,b.jpg"}),
        (r"replace=image=C\:\\x", {"image": r"C:\x"}),
        (r"text='it'\''s'", {POSITIONAL: "it's"}),
        ("text='a=b'", {POSITIONAL: "a=b"}),
        ("text=x='a:b=c'", {"x": "a:b=c"}),
        ("text=''", {POSITIONAL: ""}),
        ("text=' a '", {POSITIONAL: " a "}),
        ("text=  a  ", {POSITIONAL: "a"}),
        ("text= a = 1 : b = 2 ", {"a": "1", "b": "2"}),
        (r"text='\n'", {POSITIONAL: r"\n"}),
        ("text=a'b,c'd", {POSITIONAL: "ab,cd"}),
        ("replace=http\\://x/y.png", {POSITIONAL: "http://x/y.png"}),
    ],
)
def test_options_are_quoted_and_escaped_as_ffmpeg_does(text, options):
    assert options_of(text) == options


def test_steps_are_separated_by_commas():
    chain = Chain.parse(" blur = 3 , replace ,color@warm=saturation=1.2")
    assert [(c.name, c.label) for c in chain] == [("blur", None), ("replace", None), ("color", "warm")]


def test_a_step_remembers_its_column():
    assert [call.origin for call in Chain.parse("a, b")] == ["--chain, column 1", "--chain, column 4"]


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", 0, "the chain is empty"),
        ("  ", 0, "the chain is empty"),
        ("blur,", 5, "a filter's name should stand here, not the end"),
        (",blur", 0, "a filter's name should stand here, not ','"),
        ("blur,,color", 5, "not ','"),
        ("12", 0, "not '1'"),
        ("blur color", 5, "',' or '=' should follow blur, not 'c'"),
        ("blur:3", 4, "',' or '=' should follow blur, not ':'"),
        ("blur@", 5, "a label should follow '@'"),
        ("blur@=3", 5, "a label should follow '@'"),
        ("blur=", 5, "a value is missing here"),
        ("blur=a=", 7, "a value is missing here"),
        ("blur=3:", 7, "only the first option may stand without its name"),
        ("blur=a=1:2", 9, "only the first option may stand without its name"),
        ("blur=a=1:a=2", 9, "option 'a' is given twice"),
        ("blur='abc", 5, "this quote is never closed"),
        ("blur=x='", 7, "this quote is never closed"),
        ("blur=a\\", 6, "nothing follows the backslash"),
    ],
)
def test_a_caret_stands_under_what_is_wrong(text, position, message):
    with pytest.raises(ChainSyntaxError, match=message.replace("(", r"\(")) as caught:
        Chain.parse(text)
    assert caught.value.position == position
    _, shown, caret = str(caught.value).split("\n")
    assert (shown, caret) == (f"  {text}", "  " + " " * position + "^")


def test_the_caret_stays_under_its_line_in_a_chain_of_several_lines():
    with pytest.raises(ChainSyntaxError) as caught:
        Chain.parse("blur,\ncolor=,\nflip")
    _, shown, caret = str(caught.value).split("\n")
    assert (shown, caret) == ("  color=,", "  " + " " * 6 + "^")


def test_a_syntax_error_is_wrong_usage():
    assert issubclass(ChainSyntaxError, UsageError)
    assert issubclass(ChainSyntaxError, ValueError)


# From a config file.


def test_a_config_s_list_says_the_same_as_the_text():
    listed = Chain.from_config(["blur", {"replace": "beach.jpg"}, {"color@warm": {"saturation": 1.2}}])
    assert str(listed) == "blur,replace=beach.jpg,color@warm=saturation=1.2"


def test_a_config_s_values_keep_their_types():
    [call] = Chain.from_config([{"x": {"a": 1, "b": [1, 2], "c": True}}])
    assert call.options == {"a": 1, "b": [1, 2], "c": True}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (3, "a step is 3, wanted a filter's name"),
        (["blur"], "wanted a filter's name"),
        ({"blur": {}, "color": {}}, "wanted a filter's name"),
        ({}, "wanted a filter's name"),
        ("bl ur", "a step is named 'bl ur', wanted NAME or NAME@LABEL"),
        ("blur@", "wanted NAME or NAME@LABEL"),
        ({3: {}}, "wanted NAME or NAME@LABEL"),
        (None, "wanted a filter's name"),
    ],
)
def test_a_config_s_wrong_entry_is_named(entry, message):
    with pytest.raises(ConfigError, match=f"framefx.yaml:7: .*{message}"):
        Chain.from_config([entry], lambda i: "framefx.yaml:7")


def test_a_config_s_steps_know_the_file_s_folder():
    [call] = Chain.from_config(["blur"], base=Path("/etc"))
    assert call.base == Path("/etc")
