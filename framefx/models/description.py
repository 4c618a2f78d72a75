"""What looking at a network cannot tell, told by a TOML file beside it: ``my.toml`` beside ``my.tflite``."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from framefx.errors import ConfigError, did_you_mean
from framefx.models.classes import Activation

_NAME = re.compile(r"[A-Za-z_][\w-]*")

Levels = float | tuple[float, float, float]


def _as_names(value: object) -> object:
    return [[one] if isinstance(one, str) else one for one in value] if isinstance(value, list) else value


class Description(BaseModel):
    """How to prepare a network's input and read its output; all of it may be left out."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    mean: Annotated[Levels, Field(description="level that becomes 0, one number or one for each channel")] = 0.0
    std: Annotated[Levels, Field(description="levels that become 1; 255 gives 0 to 1")] = 255.0
    order: Annotated[Literal["rgb", "bgr"], Field(description="of the input's channels")] = "rgb"
    layout: Annotated[
        Literal["nhwc", "nchw"] | None, Field(description="of input and output, where their shapes do not tell")
    ] = None
    output: Annotated[str | None, Field(description="name of the output that is read")] = None
    activation: Annotated[Activation | None, Field(description="what is left to do with the output")] = None
    classes: Annotated[
        list[list[str]] | None,
        BeforeValidator(_as_names),
        Field(description="layers that each channel belongs to: a name, or a list of names", min_length=1),
    ] = None

    @field_validator("std")
    @classmethod
    def _in_levels(cls, value: Levels) -> Levels:
        if min(value) < 1 if isinstance(value, tuple) else value < 1:
            raise ValueError("at least 1: means and deviations are levels from 0 to 255, so 0.229 of 1 is 58.4")
        return value

    @field_validator("classes")
    @classmethod
    def _names(cls, value: list[list[str]] | None) -> list[list[str]] | None:
        bad = next((name for names in value or () for name in names if not _NAME.fullmatch(name)), None)
        if bad is not None:
            raise ValueError(f"names of letters, digits, _ and -, and {bad!r} is none")
        return value

    @property
    def quantises(self) -> bool:
        """Whether mean or std were given: bytes are then made from them, not from the levels as they are."""
        return bool({"mean", "std"} & self.model_fields_set)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read one.

        Raises
        ------
        ConfigError
            When it cannot be read, is no TOML, or says what cannot be; the message has the line and the key.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
        try:
            return cls.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            problem, _, place = str(error).partition(" (at ")
            found = re.match(r"line (\d+)", place)
            line = int(found[1]) if found else max(1, len(text.splitlines()))
            raise ConfigError(f"{path}:{line}: this is not TOML: {problem}") from error
        except ValidationError as error:
            raise ConfigError(_message(path, text, error)) from error


def beside(network: Path) -> Path | None:
    """Return the description of a network's file: the one of the same name that ends in ``.toml``, if it is there."""
    path = network.with_suffix(".toml")
    return path if path.is_file() else None


def _message(path: Path, text: str, error: ValidationError) -> str:
    # Of a union's complaints the last one is about the longest form.
    problem = error.errors(include_url=False)[-1]
    key = str(problem["loc"][0])
    place = f"{path}:{_line(text, key)}"
    if problem["type"] == "extra_forbidden":
        known = sorted(Description.model_fields)
        return f"{place}: unknown key '{key}'.{did_you_mean(key, known)} Known here: {', '.join(known)}"
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return f"{place}: {key} is {problem['input']!r}, wanted {message}"


def _line(text: str, key: str) -> int:
    """Return the line that a key of the file's top level stands in."""
    start = re.search(rf"^[ \t]*(\[\s*)?[\"']?{re.escape(key)}[\"']?\s*[=.\]]", text, re.MULTILINE)
    return text.count("\n", 0, start.start()) + 1 if start else 1
