"""Colours as users write them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from framefx.errors import OptionError


def parse_color(text: str) -> tuple[int, int, int]:
    """Return the (red, green, blue) of ``#rrggbb``, ``#rgb``, ``r,g,b`` or a common name.

    Raises
    ------
    OptionError
        For anything else.
    """
    named = NAMES.get(text.strip().lower(), text.strip())
    digits = named.removeprefix("#")
    try:
        if "," in named:
            red, green, blue = (int(part) for part in named.split(","))
        elif len(digits) in (3, 6):
            wide = digits if len(digits) == 6 else "".join(c * 2 for c in digits)
            red, green, blue = bytes.fromhex(wide)
        else:
            raise ValueError
        if not all(0 <= channel <= 255 for channel in (red, green, blue)):
            raise ValueError
    except ValueError:
        raise OptionError(f"{text!r} is no colour: write #rrggbb or one of {', '.join(NAMES)}") from None
    return red, green, blue


NAMES = {
    "black": "#000000",
    "white": "#ffffff",
    "gray": "#808080",
    "red": "#ff0000",
    "green": "#00ff00",
    "blue": "#0000ff",
    "yellow": "#ffff00",
    "cyan": "#00ffff",
    "magenta": "#ff00ff",
    "orange": "#ff8000",
}


def _checked(text: str) -> str:
    parse_color(text)
    return text


Color = Annotated[str, AfterValidator(_checked), Field(description="colour, #rrggbb or a name such as orange")]
"""An option that is a colour, checked before anything opens."""
