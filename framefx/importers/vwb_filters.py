"""virtual_webcam_background's 21 filters: their parameters with defaults, and the framefx steps they come to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Values = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One framefx step."""

    name: str
    options: Values


Make = Callable[[Values, float, list[str]], list[Step]]


def _step(name: str, **options: Any) -> list[Step]:
    # Every filter of the original works on the whole of its layer's picture.
    return [Step(name, {**options, "where": "all"})]


def _move(name: str, **options: Any) -> list[Step]:
    return [Step(name, options)]


def _sampling(values: Values) -> str:
    return "nearest" if str(values["interpolation_method"]).upper() == "NEAREST" else "linear"


def _image(values: Values, rate: float, notes: list[str]) -> list[Step]:
    return _step("replace", image=str(values["image_path"]), fit="stretch", sampling=_sampling(values))


def _sequence(values: Values, rate: float, notes: list[str]) -> list[Step]:
    options = {"rate": float(values["fps"]), "fit": "stretch", "sampling": _sampling(values)}
    return _step("replace", folder=str(values["images_path"]), **options)


def _video(values: Values, rate: float, notes: list[str]) -> list[Step]:
    rate = float(values["target_fps"])
    options: Values = {"rate": min(rate, 1000.0)} if rate > 0 else {}  # it took 0 and less for the video's own
    return _step("replace", video=str(values["video_path"]), **options, fit="stretch", sampling=_sampling(values))


def _kernel(values: Values) -> tuple[float, float]:
    x, y = values["intensity_x"], values["intensity_y"]
    return x, (x if y <= 0 else y)


def _blur(values: Values, rate: float, notes: list[str]) -> list[Step]:
    x, y = _kernel(values)
    return _step("box_blur", width=max(1, int(x)), height=max(1, int(y))) if x > 0 or y > 0 else []


def _gaussian(values: Values, rate: float, notes: list[str]) -> list[Step]:
    x, y = int(values["intensity_x"]), int(values["intensity_y"])
    sigma_x, sigma_y = _sigma(x), _sigma(x if y < 0 else y)
    if sigma_x == sigma_y:
        return _step("blur", radius=sigma_x) if sigma_x else []
    return _step("gaussian_blur", x=sigma_x, y=sigma_y)


def _sigma(size: int) -> float:
    """Return what OpenCV takes for a kernel size without a sigma; small kernels are written down there."""
    size += 1 - size % 2
    small = {1: 0.0, 3: 0.7071, 5: 1.0, 7: 1.3693}
    return small.get(max(1, size), round(0.3 * ((size - 1) * 0.5 - 1) + 0.8, 4))


def _rgb(values: Values) -> str:
    return _hex(max(0.0, float(values[c])) for c in "rgb")


def _hex(channels: Iterable[float]) -> str:
    return "#" + "".join(f"{min(255, round(channel)):02x}" for channel in channels)


def _glass(values: Values) -> Values:
    """Return a colour and a gain: levels above 255 make lighter."""
    channels = [max(0.0, float(values[c])) for c in "rgb"]
    if max(channels) <= 255:
        return {"color": _rgb(values)}
    gain = max(channels) / 255
    return {"color": _hex(channel / gain for channel in channels), "gain": round(gain, 4)}


# Its pictures are RGB, and it asks OpenCV for the grey of BGR: red and blue change places.
_WEIGHTS = {"weights": (0.114, 0.587, 0.299)}


def _alpha(values: Values, rate: float, notes: list[str]) -> list[Step]:
    add, low, high = (float(values[name]) / 255 for name in ("alpha_change", "alpha_min", "alpha_max"))
    low, high = (max(0.0, min(1.0, level)) for level in (low, high))
    return _step("alpha", add=max(-1.0, min(1.0, add)), low=low, high=high)


def _chroma_key(values: Values, rate: float, notes: list[str]) -> list[Step]:
    return _step("chroma_key", color=_rgb(values), fuzz=float(values["fuzz"]), soft=0.0, despill=0.0)


def _zoom(values: Values, rate: float, notes: list[str]) -> list[Step]:
    if not values["pad_and_crop"]:
        notes.append("zoom without pad_and_crop changed the picture's size there; here the size stays")
    x = float(values["horizontal"])
    y = x if values["vertical"] is None else float(values["vertical"])
    return _move("zoom", x=x, y=y, anchor="top-left", border="transparent")


def _shift(values: Values, rate: float, notes: list[str]) -> list[Step]:
    border = "wrap" if values["periodic"] else "transparent"
    x, y, relative = float(values["horizontal"]), float(values["vertical"]), bool(values["relative"])
    return _move("move", x=x, y=y, relative=relative, border=border)


def _affine(values: Values, rate: float, notes: list[str]) -> list[Step]:
    try:
        (a, b), (c, d) = values["matrix"]
        down, right = values["offset"]
    except (TypeError, ValueError):
        raise ValueError("matrix is [[a, b], [c, d]] and offset is [down, right]") from None
    # SciPy's order is (row, column); framefx's is (x, y).
    matrix = (d, c, right), (b, a, down)
    return _move("affine", matrix=tuple(tuple(float(v) for v in row) for row in matrix), border="transparent")


def _anonymize(values: Values, rate: float, notes: list[str]) -> list[Step]:
    style = "blur" if values["blur"] else "black"
    options = {"style": style, "padding": float(values["padding"]), "secure": bool(values["secure"])}
    if values["blur"]:
        options["strength"] = max(4, min(64, int(values["blur"])))
    if values["eyes_only"]:
        options["eyes_only"] = True
    return _step("anonymize", **options)


def _stripes(values: Values, rate: float, notes: list[str]) -> list[Step]:
    width, intensity = int(values["width"]), max(-255.0, min(255.0, float(values["intensity"])))
    # As there, the rows above the first dark band are left alone.
    return _step("stripes", width=width, intensity=intensity, speed=float(values["speed"]) * rate, wrap=False)


def _roll(values: Values, rate: float, notes: list[str]) -> list[Step]:
    return _move("roll", speed_x=float(values["speed_x"]) * rate, speed_y=float(values["speed_y"]) * rate)


_FULL = {"r": 255.0, "g": 255.0, "b": 255.0}
_ANY = {"interpolation_method": "LINEAR"}

FILTERS: dict[str, tuple[Values, Make]] = {
    "image": ({"image_path": ..., **_ANY}, _image),
    "image_sequence": ({"images_path": ..., "fps": 10, **_ANY}, _sequence),
    "video": ({"video_path": ..., "target_fps": 10, **_ANY, "lazy": True}, _video),
    "blur": ({"intensity_x": 5, "intensity_y": -1}, _blur),
    "gaussian_blur": ({"intensity_x": 5, "intensity_y": -1}, _gaussian),
    "grayscale": ({}, lambda v, r, n: _step("grayscale", **_WEIGHTS)),
    "roll": ({"speed_x": ..., "speed_y": ...}, _roll),
    "change_alpha": ({"alpha_change": 0, "alpha_min": 0, "alpha_max": 255.0}, _alpha),
    "colorize": (_FULL, lambda v, r, n: _step("colorize", **_glass(v), **_WEIGHTS)),
    "color_filter": (_FULL, lambda v, r, n: _step("color_filter", **_glass(v))),
    "solid_color": ({"r": 0.0, "g": 0.0, "b": 0.0}, lambda v, r, n: _step("replace", color=_rgb(v))),
    "flip": (
        {"horizontal": True, "vertical": False},
        lambda v, r, n: _move("flip", horizontal=bool(v["horizontal"]), vertical=bool(v["vertical"])),
    ),
    "stripes": ({"width": 5, "intensity": 10.0, "speed": 1}, _stripes),
    "chroma_key": ({"r": 0.0, "g": 255.0, "b": 0.0, "fuzz": 10.0}, _chroma_key),
    "noise": ({}, lambda v, r, n: _step("noise", amount=0.05, opaque=True)),
    "zoom": ({"horizontal": ..., "vertical": None, "pad_and_crop": True}, _zoom),
    "move": ({"horizontal": ..., "vertical": ..., "relative": False, "periodic": True}, _shift),
    "affine": ({"matrix": [[1, 0], [0, 1]], "offset": [0, 0], "relative": False}, _affine),
    "webcam": ({"device": ...}, lambda v, r, n: [Step("camera", {"device": str(v["device"])})]),
    "anonymize": ({"blur": 20, "padding": 10, "secure": False, "eyes_only": False}, _anonymize),
    "hologram": ({}, lambda v, r, n: _step("hologram", **_WEIGHTS)),
}
