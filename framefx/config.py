"""The config file: read with its line numbers, validated as a whole before anything opens.

Every error names file, line and key, what was found, what was expected, and the nearest known name.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from framefx.errors import ConfigError, did_you_mean
from framefx.frame import Size
from framefx.importers import INI, is_foreign
from framefx.maskpipeline import MaskOptions
from framefx.options import parse_size
from framefx.stack import Blend

log = logging.getLogger(__name__)

Key = tuple[str | int, ...]
"""Path of a value in a YAML document: keys and list positions."""


_DEEPEST = 40
_MOST = 20_000


def _entry_size(value: Any) -> Any:
    return value if value == "frame" else parse_size(value)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Port(BaseModel):
    """A source or sink: where it is, and the options that its kind takes."""

    model_config = ConfigDict(extra="allow")
    device: Annotated[str | int | None, Field(description="a device, file, folder, or kind:LOCATION")] = None
    file: Annotated[str | None, Field(description="the same, for those who find 'device' odd for a file")] = None

    @property
    def location(self) -> str:
        return str(next((v for v in (self.device, self.file) if v is not None), "auto"))

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class Source(Port):
    """Where frames come from; further keys are options of the kind of source it is."""

    size: Annotated[Size | None, BeforeValidator(parse_size), Field(description="pixels, WIDTHxHEIGHT")] = None
    rate: Annotated[float | None, Field(gt=0, le=1000, description="frames per second")] = None
    format: Annotated[str | None, Field(description="pixel format of a camera, or auto")] = None

    @property
    def options(self) -> dict[str, Any]:
        named = {"size": self.size, "rate": self.rate, "format": None if self.format == "auto" else self.format}
        return {**super().options, **{name: value for name, value in named.items() if value is not None}}


class ModelSettings(BaseModel):
    """A network with how to run it; further keys are options of its backend."""

    model_config = ConfigDict(extra="allow")
    path: Annotated[str, Field(description="a name or a file, as --model takes it")]
    backend: Annotated[str | None, Field(description="runtime for this network")] = None
    threads: Annotated[int | None, Field(ge=1, le=64, description="threads for this network")] = None

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class LayerPicture(_Section):
    """A layer given by a picture."""

    image: Annotated[Path, Field(description="a picture: white inside, black outside")]


class StackEntry(_Section):
    """One picture of a stack, from the bottom up."""

    source: Annotated[
        str, Field(description="frame, empty, previous, a layer (the frame cut out by it), or what --source takes")
    ] = "frame"
    chain: Annotated[str | list[str | dict[str, Any]], Field(description="filters of this picture alone")] = []
    opacity: Annotated[float, Field(ge=0, le=1, description="0 invisible to 1")] = 1.0
    blend: Annotated[Blend, Field(description="how its colours meet what lies below")] = "normal"
    position: Annotated[
        tuple[int, int], Field(description="pixels, [x, y] of its top left corner; negative: from right and bottom")
    ] = (0, 0)
    size: Annotated[
        Size | Literal["frame"] | None,
        BeforeValidator(_entry_size),
        Field(description="pixels, WIDTHxHEIGHT; frame: cover the camera's picture; the bottom picture does so anyway"),
    ] = None
    rate: Annotated[
        float | None,
        Field(gt=0, le=1000, description="pictures per second: asked of a folder or camera; of a video at most"),
    ] = None


def _as_port(value: Any) -> Any:
    if isinstance(value, Mapping | Port):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("a device or file, or a mapping with one; in quotes where YAML reads something else: 'null'")
    return {"device": value}


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str | dict) else value


class Settings(_Section):
    """Everything a run can be told, by a config file or by the command line."""

    source: Annotated[Source, BeforeValidator(_as_port), Field(description="where frames come from")] = Source()
    sink: Annotated[Port, BeforeValidator(_as_port), Field(description="where frames go")] = Port()
    chain: Annotated[
        str | list[str | dict[str, Any]] | None, Field(description="filters, in order; FFmpeg's syntax or a list")
    ] = None
    stack: Annotated[
        list[StackEntry] | None, Field(min_length=1, description="pictures over pictures, instead of a chain")
    ] = None
    model: Annotated[
        list[str | ModelSettings],
        BeforeValidator(_as_list),
        Field(description="names or files of networks, each alone or with how to run it; first come, first asked"),
    ] = ["blazeseg"]
    backend: Annotated[str, Field(description="runtime for the networks, or auto")] = "auto"
    threads: Annotated[int | None, Field(ge=1, le=64, description="threads for a network")] = None
    mask: Annotated[MaskOptions, Field(description="what happens to a mask before it is used")] = MaskOptions()
    masks: Annotated[
        Literal["sync", "async"] | None, Field(description="each frame with its own mask, or the newest there is")
    ] = None
    mask_rate: Annotated[float | None, Field(ge=0, le=1000, description="masks per second at most; 0: no limit")] = None
    priority: Annotated[
        Literal["latency", "balanced", "cpu"], Field(description="sets masks, mask_rate and threads together")
    ] = "balanced"
    always_on: Annotated[bool, Field(description="keep the camera on while nobody looks")] = False
    layers: Annotated[dict[str, LayerPicture], Field(description="layers given by pictures")] = {}
    set: Annotated[list[str], Field(description="changes to single options, STEP.OPTION=VALUE")] = []
    frames: Annotated[int | None, Field(ge=1, description="stop after this many frames")] = None
    plugins: Annotated[list[Path], Field(description="Python files to load as plugins")] = []
    disable_plugins: Annotated[list[str], Field(description="names of plugins to leave out")] = []


class _File(Settings):
    profiles: Annotated[dict[str, dict[str, Any]], Field(description="named changes to the rest of the file")] = {}


def schema() -> dict[str, Any]:
    """Return the JSON schema of a config file."""
    return _File.model_json_schema()


def _with_environment(text: str, place: str) -> str:
    """Replace ``${NAME}`` and ``${NAME:-otherwise}`` by environment variables; ``$${`` stands for ``${``."""

    def value(match: re.Match[str]) -> str:
        if match[0].startswith("$$"):
            return match[0][1:]
        name, otherwise = match[1], match[2]
        if name not in os.environ and otherwise is None:
            near = did_you_mean(name, os.environ)
            raise ConfigError(
                f"{place}: there is no environment variable {name}.{near} Set it, or write ${{{name}:-…}}"
            )
        return os.environ.get(name, otherwise or "")

    return re.sub(r"\$?\$\{(\w+)(?::-([^}]*))?\}", value, text)


class Document:
    """A config file as written: its values, and the line of each.

    Parameters
    ----------
    path : Path
        A YAML file.

    Raises
    ------
    ConfigError
        When it cannot be read or is not YAML.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: dict[Key, int] = {}
        self._values_read = 0
        self.values: Any = self._foreign() if path.suffix.lower() in INI else self._read()
        if not isinstance(self.values, dict):
            raise ConfigError(f"{path}:1: got a {type(self.values).__name__}, wanted keys like 'chain:' and 'source:'")

    def _foreign(self) -> dict[str, Any]:
        from framefx.importers import lfbw

        return lfbw.translate(self.path).values

    def _read(self) -> Any:
        path = self.path
        try:
            text = path.read_text(encoding="utf-8")
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except RecursionError as error:
            raise ConfigError(f"{path}: nested deeper than {_DEEPEST} levels") from error
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f":{mark.line + 1}" if mark else ""
            problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
            raise ConfigError(f"{path}{line}: this is not YAML: {problem}") from error
        return {} if root is None else self._build(root, ())

    def _build(self, node: yaml.Node, key: Key) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(key, line)
        self._values_read += 1
        if len(key) > _DEEPEST:
            raise ConfigError(f"{self.path}:{line}: nested deeper than {_DEEPEST} levels")
        if self._values_read > _MOST:
            # Aliases of aliases make a small file a very large one.
            raise ConfigError(f"{self.path}:{line}: more than {_MOST} values")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, key)
        if isinstance(node, yaml.SequenceNode):
            return [self._build(item, (*key, i)) for i, item in enumerate(node.value)]
        loader = yaml.SafeLoader("")
        try:
            value = loader.construct_object(node, deep=True)
            return _with_environment(value, f"{self.path}:{line}") if isinstance(value, str) else value
        except ConfigError:
            raise
        except Exception as error:  # PyYAML raises KeyError, IndexError and more for a tag and a value that do not fit
            problem = getattr(error, "problem", None) or f"the value {node.value!r} does not fit its tag {node.tag}"
            raise ConfigError(f"{self.path}:{line}: {problem}") from error

    def _mapping(self, node: yaml.MappingNode, key: Key) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name_node, value_node in node.value:
            line = name_node.start_mark.line + 1
            if not isinstance(name_node, yaml.ScalarNode):
                raise ConfigError(f"{self.path}:{line}: a key is no plain word")
            name = str(name_node.value)
            if name in result:
                raise ConfigError(f"{self.path}:{line}: the key '{name}' is there twice")
            self.lines[(*key, name)] = line
            result[name] = self._build(value_node, (*key, name))
        return result

    def line(self, key: Sequence[Any]) -> int:
        """Return the line of a key, or of the nearest one around it."""
        known = tuple(key)
        while known and known not in self.lines:
            known = known[:-1]
        return self.lines.get(known, 1)

    def place(self, key: Sequence[Any]) -> str:
        """Return ``file:line`` of a key, or of the nearest one around it."""
        return f"{self.path}:{self.line(key)}"


class Config:
    """A validated config file with one profile applied.

    Attributes
    ----------
    settings : Settings
        What it says; relative paths are made relative to the file's folder.
    """

    def __init__(self, path: Path, profile: str | None = None) -> None:
        self.document = Document(path)
        self._profile = profile
        values = dict(self.document.values)
        if is_foreign(values):
            values = self._translated()
        self._validate(values, ())
        profiles = values.pop("profiles", {})
        if profile is not None:
            if profile not in profiles:
                known = ", ".join(profiles) or "none"
                raise ConfigError(
                    f"{path}: there is no profile '{profile}'.{did_you_mean(profile, profiles)} Its profiles: {known}"
                )
            values = {**values, **profiles[profile]}
        for name in profiles:
            self._validate(profiles[name], ("profiles", name))
        self.settings = Settings.model_validate(values)
        self._resolve_paths()

    def _translated(self) -> dict[str, Any]:
        from framefx.importers import vwb

        imported = vwb.translate(self.document)
        for note in imported.notes:
            log.warning("%s: %s", self.document.path, note)
        self.document.lines.update(imported.lines)
        return imported.values

    @property
    def base(self) -> Path:
        """Folder that relative paths are relative to."""
        return self.document.path.resolve().parent

    def place(self, *key: str | int) -> str:
        """Return ``file:line`` of a key, in the profile where that sets it."""
        inside = ("profiles", self._profile, *key) if self._profile else key
        if key[:1] and self._profile and inside[:3] in self.document.lines:
            return self.document.place(inside)
        return self.document.place(key)

    def _validate(self, values: Mapping[str, Any], prefix: Key) -> None:
        model = Settings if prefix else _File
        try:
            model.model_validate(values)
        except ValidationError as error:
            raise ConfigError(self._message(error, prefix, model)) from error

    def _message(self, error: ValidationError, prefix: Key, model: type[BaseModel]) -> str:
        # Of a union's complaints the deepest one is about what the user wrote.
        problem = max(error.errors(include_url=False), key=lambda e: _depth(e["loc"], self.document.lines, prefix))
        key = _real_key(problem["loc"], self.document.lines, prefix)
        place = self.document.place((*prefix, *key))
        name = ".".join(map(str, (*prefix, *key))) or "the file"
        if problem["type"] == "extra_forbidden":
            known = _known(model, key)
            return (
                f"{place}: unknown key '{key[-1]}'.{did_you_mean(str(key[-1]), known)} Known here: {', '.join(known)}"
            )
        message = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        return f"{place}: {name} is {problem['input']!r}, wanted {message}"

    def _resolve_paths(self) -> None:
        settings = self.settings
        for picture in settings.layers.values():
            picture.image = self.base / picture.image
        settings.plugins = [self.base / path for path in settings.plugins]
        for port in (settings.source, settings.sink):
            if port.file is not None:
                port.file = str(self.base / port.file)
            elif isinstance(port.device, str) and _is_path(port.device, self.base):
                port.device = str(self.base / port.device)
        settings.model = [self._resolved(one) for one in settings.model]

    def _resolved(self, model: str | ModelSettings) -> str | ModelSettings:
        path = model if isinstance(model, str) else model.path
        path = str(self.base / path) if (self.base / path).is_file() else path
        return path if isinstance(model, str) else model.model_copy(update={"path": path})


def _real_key(loc: Sequence[Any], lines: Mapping[Key, int], prefix: Key) -> Key:
    """Drop what pydantic adds to a location (names of a union's members) and no file contains."""
    key: Key = ()
    for part in loc:
        if (*prefix, *key, part) in lines:
            key = (*key, part)
    if loc and not key:
        return tuple(loc[:1])
    return key


def _depth(loc: Sequence[Any], lines: Mapping[Key, int], prefix: Key) -> int:
    return len(_real_key(loc, lines, prefix))


def _is_path(location: str, base: Path) -> bool:
    """Whether a location is a file's or folder's name, and no word like auto or kind:LOCATION."""
    looks_like_one = ":" not in location and ("/" in location or Path(location).suffix != "")
    return looks_like_one or (base / location).exists()


def _known(model: type[BaseModel], key: Key) -> list[str]:
    for part in key[:-1]:
        inner = model.model_fields.get(str(part))
        model = (_section(inner.annotation) if inner else None) or model
    return sorted(model.model_fields)


def _section(annotation: Any) -> type[BaseModel] | None:
    """Return the section that an annotation holds, also in a list or a dictionary."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section(part))), None)
