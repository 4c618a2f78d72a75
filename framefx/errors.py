"""Every error framefx raises on purpose.

    FramefxError
    ├── UsageError            what the user asked for cannot be (exit 2)
    │   ├── ChainSyntaxError(ValueError)
    │   ├── UnknownNameError(LookupError)
    │   ├── OptionError(ValueError)
    │   ├── ConfigError(ValueError)
    │   ├── PlanError
    │   │   └── MissingLayerError(LookupError)
    │   ├── ModelError
    │   └── BackendUnavailableError(ImportError)
    ├── MediaError(OSError)   a file that cannot be read or written
    ├── DeviceError(OSError)  a camera or a loopback device
    └── PluginError           a plugin broke its contract

A message is one line: what happened, got and wanted, and the fix as a command.
The command line shows it and exits with `exit_code`; anything else is a bug and shows its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FramefxError(Exception):
    """Root of all errors raised on purpose; `exit_code` is what the command line returns."""

    exit_code = 1


class UsageError(FramefxError):
    """What was asked for cannot be done; nothing was opened."""

    exit_code = 2


class ChainSyntaxError(UsageError, ValueError):
    """A chain that does not parse.

    Parameters
    ----------
    message : str
        What is wrong.
    text : str
        The whole chain.
    position : int
        Where in `text`, counted in characters from 0; the message shows a caret under it.
    """

    def __init__(self, message: str, text: str, position: int) -> None:
        start = text.rfind("\n", 0, position) + 1
        line = text[start:].partition("\n")[0]
        super().__init__(f"{message}\n  {line}\n  {' ' * (position - start)}^")
        self.message = message
        self.text = text
        self.position = position


class UnknownNameError(UsageError, LookupError):
    """A filter, layer, source, sink or model that nobody registered."""


class OptionError(UsageError, ValueError):
    """An option that is unknown, missing, of the wrong type or out of its bounds."""


class ConfigError(UsageError, ValueError):
    """A config file that cannot be used; the message names file, line and key."""


class PlanError(UsageError):
    """A chain that parses but cannot run as asked."""


class MissingLayerError(PlanError, LookupError):
    """A layer that neither a model nor a plugin gives."""


class ModelError(UsageError):
    """A model file that cannot be loaded or understood."""


class BackendUnavailableError(UsageError, ImportError):
    """A runtime that is not installed; the message has the command that installs it."""


class MediaError(FramefxError, OSError):
    """A picture or video that cannot be read or written."""


class DeviceError(FramefxError, OSError):
    """A camera or loopback device that cannot be used."""


class PluginError(FramefxError):
    """A plugin that broke its contract: a wrong signature, a wrong return value, an exception."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the nearest known name, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""
