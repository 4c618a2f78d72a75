"""Options: types, bounds, units and help from one annotation, for the command line, config files and the schema.

``Annotated[int, Field(ge=2, le=200, description="pixels")] = 16`` is all an author writes.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticUserError

from framefx.errors import OptionError, PluginError, did_you_mean


def resolve_annotation(annotation: Any, target: Callable[..., Any]) -> Any:
    """Return what a postponed annotation names, or raise NameError where it cannot be known at run time."""
    if not isinstance(annotation, str):
        return annotation
    home = inspect.unwrap(target)
    namespace = vars(sys.modules.get(getattr(home, "__module__", ""), None) or object)
    scope = {**namespace, **getattr(home, "__globals__", {})}
    return eval(annotation, dict(scope))


def parse_size(value: Any) -> Any:
    """Turn ``1280x720`` into (height, width); such a tuple, and None, are passed on."""
    if value is None or isinstance(value, tuple):
        return value
    match = re.fullmatch(r"\s*(\d{1,5})\s*[x×]\s*(\d{1,5})\s*", value) if isinstance(value, str) else None
    if not match or 0 in (int(match[1]), int(match[2])):
        raise ValueError("a size as WIDTHxHEIGHT, for example 1280x720")
    return int(match[2]), int(match[1])


class Options:
    """The options of one filter, layer, source or sink, read from the keyword-only parameters of its signature.

    Parameters
    ----------
    owner : str
        Name for messages, as the user writes it.
    target : callable
        The function, or the class whose constructor takes the options.

    Raises
    ------
    PluginError
        When an option has no annotation, or one that pydantic cannot use.
    """

    def __init__(self, owner: str, target: Callable[..., Any]) -> None:
        self.owner = owner
        function = target.__init__ if inspect.isclass(target) else target
        parameters = inspect.signature(target).parameters.values()
        self._parameters = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
        self._function = function
        self._model: type[BaseModel] | None = None

    @property
    def names(self) -> list[str]:
        """Names in the order of the signature; the first may be given without its name."""
        return [p.name for p in self._parameters]

    @property
    def model(self) -> type[BaseModel]:
        """The pydantic model, built on first use: most runs need few of them."""
        if self._model is None:
            # Fields have names of our own, and the author's as aliases: pydantic keeps names like `copy` for itself.
            fields: dict[str, Any] = {}
            for number, parameter in enumerate(self._parameters):
                default = ... if parameter.default is parameter.empty else parameter.default
                fields[f"option_{number}"] = (self._annotation(parameter), Field(default, alias=parameter.name))
            config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, validate_default=False)
            try:
                self._model = create_model(self.owner, __config__=config, **fields)
            except (PydanticUserError, TypeError) as error:
                raise PluginError(f"{self.owner}: its options cannot be read: {error}") from error
        return self._model

    def _annotation(self, parameter: inspect.Parameter) -> Any:
        if parameter.annotation is parameter.empty:
            raise PluginError(f"{self.owner}: option '{parameter.name}' has no type: write `{parameter.name}: int = …`")
        try:
            return resolve_annotation(parameter.annotation, self._function)
        except NameError as error:
            raise PluginError(
                f"{self.owner}: the type of option '{parameter.name}' is not known at run time ({error}): "
                "import it outside `if TYPE_CHECKING`"
            ) from error

    def check_types(self) -> None:
        """Raise where an option's type is missing or not known at run time; cheap, pydantic is not asked."""
        for parameter in self._parameters:
            self._annotation(parameter)

    def check(self, given: Mapping[str, Any], origin: str = "", base: Path | None = None) -> dict[str, Any]:
        """Convert and check `given` and fill in defaults; paths are relative to `base`, a config file's folder.

        Raises
        ------
        OptionError
            Names the owner, the option, what was found and what was expected.
        """
        unknown = [name for name in given if name not in self.names]
        if unknown:
            known = ", ".join(self.names) or "none"
            raise OptionError(
                f"{_at(origin)}{self.owner} has no option '{unknown[0]}'.{did_you_mean(unknown[0], self.names)} "
                f"Its options: {known}"
            )
        try:
            model = self.model(**given)
        except ValidationError as error:
            raise OptionError(f"{_at(origin)}{self._first(error)}") from error
        values = {name: getattr(model, f"option_{number}") for number, name in enumerate(self.names)}
        for name in given:
            if base is not None and isinstance(values[name], Path):
                values[name] = base / values[name]
        return values

    def _first(self, error: ValidationError) -> str:
        problem = error.errors(include_url=False)[0]
        name = str(problem["loc"][0]) if problem["loc"] else "?"
        help_text = self.describe().get(name, {}).get("description")
        unit = f" ({help_text})" if help_text else ""
        if problem["type"] == "missing":
            return f"{self.owner} needs the option '{name}'{unit}: write {self.owner}={name}=…"
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "value_error":  # a validator's own words, which name what they got
            return f"{self.owner}: {name}: {message}"
        wanted = message.removeprefix("Input should be ")
        return f"{self.owner}: {name} is {problem['input']!r}, wanted {wanted}{unit}"

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of these options."""
        return self.model.model_json_schema()

    def describe(self) -> dict[str, dict[str, Any]]:
        """Return each option's JSON schema with its default, by name."""
        properties: dict[str, dict[str, Any]] = self.schema().get("properties", {})
        return {name: properties.get(name, {}) for name in self.names}


def _at(origin: str) -> str:
    return f"{origin}: " if origin else ""


__all__ = ["Field", "Options", "parse_size", "resolve_annotation"]
