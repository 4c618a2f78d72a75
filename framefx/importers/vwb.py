"""virtual_webcam_background's ``config.yaml``: all its keys, its four spellings of filter arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framefx.errors import ConfigError, did_you_mean
from framefx.importers import Imported
from framefx.importers.vwb_filters import FILTERS, Step
from framefx.models.vocabulary import KEYPOINTS, PARTS

if TYPE_CHECKING:
    from framefx.config import Document

_SOURCES = {"input": "frame", "foreground": "person", "previous": "previous", "empty": "empty"}
_KNOWN = {
    "real_video_device", "virtual_video_device", "mjpeg", "width", "height", "fps", "model", "multiplier", "stride",
    "internal_resolution", "segmentation_threshold", "average_masks", "dilate", "erode", "blur", "layers",
    "debug_show_mask", "debug_show_heatmap",
}  # fmt: skip
_MODELS = ("mobilenet", "resnet50", "resnet", "mediapipe")
_MOVES = {"zoom", "move", "affine"}


def translate(document: Document) -> Imported:
    """Translate a document.

    Raises
    ------
    ConfigError
        With file and line, for keys, layers and filters that virtual_webcam_background does not know either.
    """
    values = document.values
    unknown = [key for key in values if key not in _KNOWN]
    if unknown:
        raise ConfigError(
            f"{document.place([unknown[0]])}: unknown key '{unknown[0]}'.{did_you_mean(unknown[0], _KNOWN)}"
        )
    result = Imported()
    _devices(document, result)
    _model(document, result)
    result.put("mask", _mask(values, document), "lengths are frame pixels, smoothing is a time constant in seconds")
    stack = [_layer(document, i, layer, _rate(document), result) for i, layer in enumerate(_layers(document))]
    if values.get("debug_show_mask") is not None:
        stack = _shown_mask(_number(document, "debug_show_mask", -1), result)
    elif values.get("debug_show_heatmap") is not None:
        stack = _shown_heatmap(_number(document, "debug_show_heatmap", -1), result)
    if not stack or _may_be_transparent(stack[0]):
        stack.insert(0, {"source": "empty", "chain": [{"replace": {"color": "black", "where": "all"}}]})
        result.lines = {("stack", int(key[1]) + 1, *key[2:]): line for key, line in result.lines.items()}
    result.put("stack", stack, "\n".join(_comments(stack)))
    return result


def _comments(stack: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what should be said about options that somebody may wonder at."""
    options = {name for entry in stack for step in entry.get("chain", ()) for name in next(iter(step.values()))}
    remarks = {
        "weights": "weights: red and blue had changed places there; without them grey is as usual (BT.709).",
        "speed": "speed: per second, where it was per frame.",
        "speed_x": "speed_x, speed_y: per second, where they were per frame.",
        "wrap": "wrap: there, the rows above the first dark band stayed as they were.",
        "sampling": "sampling: smooth is better, linear is what it did.",
        "video": "rate: of a video, pictures per second at its own speed; there it ran faster if that was no multiple.",
    }
    return ["`framefx filters NAME` explains each filter.", *(text for key, text in remarks.items() if key in options)]


def _rate(document: Document) -> float:
    """Return how often per second its loop ran: a picture in place of the camera has no rate to set."""
    if str(document.values.get("real_video_device", "")).lower().endswith((".jpg", ".jpeg", ".png")):
        return 30.0
    return _number(document, "fps", 30) or 30.0


def _devices(document: Document, result: Imported) -> None:
    values = document.values
    for key in ("width", "height", "fps"):
        if values.get(key) is not None and not 0 < _number(document, key, 1) <= 99999:
            raise ConfigError(f"{document.place([key])}: {key} is {values[key]!r}, wanted a number above 0")
    if "real_video_device" in values:
        source: dict[str, Any] = {"device": str(values["real_video_device"])}
        if values.get("width") and values.get("height"):
            source["size"] = f"{int(values['width'])}x{int(values['height'])}"
        if values.get("fps"):
            source["rate"] = values["fps"]
        if values.get("mjpeg"):
            source["format"] = "MJPG"
        result.put("source", source)
    if "virtual_video_device" in values:
        result.put("sink", {"device": str(values["virtual_video_device"])})


def _model(document: Document, result: Imported) -> None:
    values = document.values
    model = values.get("model", "mobilenet")
    if model not in _MODELS:
        raise ConfigError(
            f"{document.place(['model'])}: model is {model!r}, wanted one of {', '.join(_MODELS)}."
            f"{did_you_mean(str(model), _MODELS)}"
        )
    sizes = [key for key in ("multiplier", "stride", "internal_resolution") if key in values]
    dropped = f" and has no {', '.join(sizes)}" if sizes else ""
    result.put("model", "blazeseg", f"was {model}: framefx's own network needs no download{dropped}")


def _mask(values: Mapping[str, Any], document: Document) -> dict[str, Any]:
    mediapipe = values.get("model") == "mediapipe"
    # Its MediaPipe path uses the soft mask as it is; its BodyPix path cuts at the threshold.
    threshold = 0.75 if mediapipe else _number(document, "segmentation_threshold", 0.75)
    mask: dict[str, Any] = {"range": [0, 1] if mediapipe else [threshold, threshold]}
    averaged = max(1, int(_number(document, "average_masks", 3)))
    # The mean of the last n masks lags (n - 1) / 2 frames, and so does an exponential of that time constant.
    mask["smooth"] = round((averaged - 1) / 2 / (_number(document, "fps", 30) or 30), 4)
    for old, new in (("dilate", "dilate"), ("erode", "erode"), ("blur", "feather")):
        size = _number(document, old, 0)
        if size > 0:
            mask[new] = (size - 1) / 2  # a kernel of n pixels reaches so far to either side
    return mask


def _number(document: Document, key: str, default: float) -> float:
    value = document.values.get(key)
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{document.place([key])}: {key} is {value!r}, wanted a number")
    return value


def _layers(document: Document) -> Sequence[Any]:
    layers = document.values.get("layers") or []
    if not isinstance(layers, list):
        raise ConfigError(f"{document.place(['layers'])}: layers is {layers!r}, wanted a list")
    return layers


def _layer(document: Document, number: int, layer: Any, rate: float, result: Imported) -> dict[str, Any]:
    place = document.place(["layers", number])
    if not isinstance(layer, Mapping) or len(layer) != 1:
        raise ConfigError(f"{place}: a layer is {layer!r}, wanted one of {', '.join(_SOURCES)} with a list of filters")
    [(name, filters)] = layer.items()
    if name not in _SOURCES:
        raise ConfigError(
            f"{place}: there is no layer '{name}'.{did_you_mean(name, _SOURCES)} Its layers: {', '.join(_SOURCES)}"
        )
    if not isinstance(filters, list | None):
        raise ConfigError(f"{place}: {name} has {filters!r}, wanted a list of filters")
    entry: dict[str, Any] = {"source": _SOURCES[name]}
    chain: list[Any] = []
    opaque = False
    result.lines["stack", number] = document.line(["layers", number])
    for position, written in enumerate(filters or []):
        at = document.place(["layers", number, name, position])
        for step in _filter(written, at, rate, result):
            opaque = _is_opaque(step, document, opaque)
            if opaque and step.name == "move" and step.options["border"] == "transparent":
                step.options["border"] = "black"
            if step.name == "camera":  # it ignores what came before it, and a stack takes pictures from any source
                entry.update(source=step.options["device"], size="frame")
                chain = []
            else:
                result.lines["stack", number, "chain", len(chain)] = document.line(["layers", number, name, position])
                chain.append({step.name: _with_paths(step.options, document)})
    if chain:
        entry["chain"] = chain
    return entry


def _is_opaque(step: Step, document: Document, before: bool) -> bool:
    """Whether a picture had no alpha there any more: what came in beside it was black then, not transparent."""
    if step.name in ("camera", "replace") and "color" not in step.options:
        path = document.path.parent / str(step.options.get("image", ""))
        return not ("image" in step.options and _has_alpha(path))
    return before and step.name not in ("chroma_key", "zoom", "affine", "alpha")


def _has_alpha(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(26)
    except OSError:
        return False
    return head[:4] == b"\x89PNG" and head[25] in (4, 6)  # the header's colour types with alpha


def _with_paths(options: Mapping[str, Any], document: Document) -> dict[str, Any]:
    """Find files where it did, in the folder it was started in, when they do not lie beside the config."""
    result = dict(options)
    for key in ("image", "folder", "video"):
        if key in result and not (document.path.parent / result[key]).exists() and Path(result[key]).exists():
            result[key] = str(Path(result[key]).resolve())
    return result


def _filter(written: Any, place: str, rate: float, result: Imported) -> list[Step]:
    name, positional, named = _arguments(written, place)
    if name not in FILTERS:
        raise ConfigError(f"{place}: there is no filter '{name}'.{did_you_mean(name, FILTERS)}")
    parameters, make = FILTERS[name]
    if len(positional) > len(parameters):
        raise ConfigError(f"{place}: {name} takes {len(parameters)} arguments, got {len(positional)}")
    values = dict(parameters)
    values.update(zip(parameters, positional, strict=False))
    for key, value in named.items():
        if key not in parameters:
            raise ConfigError(f"{place}: {name} has no argument '{key}'.{did_you_mean(key, parameters)}")
        values[key] = value
    missing = [key for key, value in values.items() if value is ...]
    if missing:
        raise ConfigError(f"{place}: {name} needs the argument '{missing[0]}'")
    try:
        return make(values, rate, result.notes)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{place}: {name}: its arguments are not what it takes: {error}") from error


def _arguments(written: Any, place: str) -> tuple[str, list[Any], dict[str, Any]]:
    """Read ``"name"``, ``["name", a, b]``, ``["name", [a, b]]`` or ``["name", {k: v}]``."""
    if isinstance(written, str):
        return written, [], {}
    if not isinstance(written, list) or not written or not isinstance(written[0], str):
        raise ConfigError(f"{place}: a filter is {written!r}, wanted a name or [name, arguments]")
    name, rest = written[0], written[1:]
    if len(rest) == 1 and isinstance(rest[0], Mapping):
        return name, [], {str(key): value for key, value in rest[0].items()}
    if len(rest) == 1 and isinstance(rest[0], list) and not _is_matrix(rest[0]):
        return name, rest[0], {}
    return name, rest, {}


def _is_matrix(value: list[Any]) -> bool:
    # ["affine", [[a, b], [c, d]]] gives one argument that is itself a list.
    return len(value) == 2 and all(isinstance(row, list) and len(row) == 2 for row in value) and not _nested(value)


def _nested(value: list[Any]) -> bool:
    return any(isinstance(item, list) for row in value for item in row)


def _shown_mask(number: float, result: Imported) -> list[dict[str, Any]]:
    is_part = 0 <= number < len(PARTS)
    if is_part:
        _need_bodypix("debug_show_mask", result)
    result.lines.clear()
    source = PARTS[int(number)] if is_part else "person"
    return [{"source": source, "chain": [{"color": {"brightness": 1, "where": "all"}}]}]


def _shown_heatmap(number: float, result: Imported) -> list[dict[str, Any]]:
    if not 0 <= number < len(KEYPOINTS):
        return _shown_mask(-1, result)  # its mask stayed the person's then
    keypoint = KEYPOINTS[int(number)]
    _need_bodypix("debug_show_heatmap", result)
    result.lines.clear()
    heatmap = {"keypoint": keypoint, "map": "bone", "opacity": 1.0, "where": "all"}
    return [{"source": "frame", "chain": [{"replace": {"color": "black", "where": "all"}}, {"heatmap": heatmap}]}]


def _need_bodypix(key: str, result: Imported) -> None:
    result.put("model", "bodypix", f"for {key}; `framefx models pull bodypix` fetches it")
    result.notes.append(f"{key} needs the model bodypix: run `framefx models pull bodypix`")


def _may_be_transparent(entry: Mapping[str, Any]) -> bool:
    names = {next(iter(step)) if isinstance(step, Mapping) else step for step in entry.get("chain", [])}
    return entry["source"] != "frame" or bool(names & (_MOVES | {"alpha", "chroma_key", "replace"}))
