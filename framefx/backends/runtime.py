"""A runtime as a package: what users call it, what Python imports, where it comes from."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from framefx.errors import BackendUnavailableError


@dataclass(frozen=True)
class Runtime:
    """One package that executes networks.

    Parameters
    ----------
    name : str
        The backend's, as users write it.
    module : str
        What is imported.
    distribution : str
        What its version is asked from.
    install : str
        The command that installs it.
    """

    name: str
    module: str
    distribution: str
    install: str

    def load(self) -> Any:
        """Return the module, imported now.

        Raises
        ------
        BackendUnavailableError
            When it is not installed, with the command that installs it.
        """
        try:
            return importlib.import_module(self.module)
        except ImportError as error:
            raise BackendUnavailableError(f"{self.distribution} is not installed: run `{self.install}`") from error

    @property
    def version(self) -> str:
        """The installed version."""
        try:
            return metadata.version(self.distribution)
        except metadata.PackageNotFoundError:
            # The same module comes from other distributions too, such as onnxruntime-gpu.
            return str(getattr(sys.modules.get(self.module), "__version__", "unknown"))
