"""Whether a network that was cut to the wanted outputs still gives the same, found out once per network.

A graph with fewer outputs runs in another order, in other memory, with other operators fused: that its kept outputs
are what they were is checked with a random picture before it is used. What was found is remembered beside the
networks that were tried (see `framefx.backends.guard`), under the hash of the file and the names of the outputs.
Cutting itself takes milliseconds and is done each time, so that nothing large is kept, and nothing that could be
damaged or exchanged meanwhile.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from framefx.backends import guard
from framefx.backends.runtime import Runtime
from framefx.protocols import Session

logger = logging.getLogger(__name__)

_TOLERANCE = 1e-3
"""Part of an output's range by which the two may differ: other fused operators round in another order."""

_RULES = 1
"""Changes when cutting does: what was found before counts no longer."""


class Cuts:
    """Knows which cuts of one network were found to be equal.

    Parameters
    ----------
    content : bytes
        The network's file.
    runtime : Runtime
        What runs it.
    path : Path
        The file, for the log.
    """

    def __init__(self, content: bytes, runtime: Runtime, path: Path) -> None:
        self._digest = hashlib.sha256(content).hexdigest()
        self._runtime = runtime
        self._path = path
        self._made: dict[frozenset[str], Session] = {}

    def checked(
        self, whole: Session, wanted: Sequence[str], make: Callable[[], Session], again: Callable[[], Session]
    ) -> Session:
        """Return the cut network if its outputs are those of the whole one, else the whole one.

        Parameters
        ----------
        whole : Session
            The network with all its outputs. It is not run: another plan may be running it on another thread.
        wanted : sequence of str
            Those that are kept.
        make : callable
            Makes the cut network; asked once for the same outputs.
        again : callable
            Makes the whole network once more, to compare with.
        """
        key = frozenset(wanted)
        if key not in self._made:
            self._made[key] = self._check(whole, wanted, make, again)
        return self._made[key]

    def _check(
        self, whole: Session, wanted: Sequence[str], make: Callable[[], Session], again: Callable[[], Session]
    ) -> Session:
        record = self._record(wanted)
        known = _recall(record)
        if known == "different":
            return whole
        try:
            part = make()
            problem = "" if known == "equal" else _difference(again(), part, wanted)
        except Exception as error:  # runtimes raise what they like, and the whole network is there
            logger.warning("%s: all outputs are computed: the cut network fails: %s", self._path, error)
            return whole
        if not known:
            _remember(record, "different" if problem else "equal")
        if problem:
            logger.warning("%s: all outputs are computed: %s", self._path, problem)
            return whole
        logger.debug("%s: cut to %s", self._path, ", ".join(wanted))
        return part

    def _record(self, wanted: Sequence[str]) -> Path:
        names = hashlib.sha256("\0".join(sorted(wanted)).encode()).hexdigest()[:16]
        parts = (self._digest, "cut", str(_RULES), names, self._runtime.distribution, self._runtime.version)
        return guard._folder() / "-".join(parts)


def random_picture(whole: Session) -> npt.NDArray[Any]:
    """Return noise for the network's input, the same for the same shape: 0 to 1, or all levels of an integer."""
    source = whole.inputs[0]
    generator = np.random.default_rng(5)
    if source.dtype.kind == "f":
        return generator.random(source.shape).astype(source.dtype)
    limits = np.iinfo(source.dtype)
    return generator.integers(max(limits.min, -128), min(limits.max, 255), source.shape, source.dtype, endpoint=True)


def _difference(whole: Session, part: Session, wanted: Sequence[str]) -> str:
    """Return in which output the two differ and by how much, or an empty string."""
    picture = random_picture(whole)
    before = {name: array.astype(np.float64) for name, array in whole.run(picture, wanted).items()}
    after = part.run(picture, wanted)
    for name, array in before.items():
        if after[name].shape != array.shape:
            return f"'{name}' of the cut network is {after[name].shape}, not {array.shape}"
        level = 1.0 if after[name].dtype.kind in "iu" else 0.0
        allowed = max(_TOLERANCE * float(np.nanmax(np.abs(array), initial=0)), level)
        if not np.allclose(after[name], array, rtol=0, atol=allowed, equal_nan=True):
            return f"'{name}' of the cut network differs by more than {allowed:.2g}"
    return ""


def _recall(record: Path) -> str:
    try:
        return record.read_text()
    except OSError:
        return ""


def _remember(record: Path, found: str) -> None:
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=record.parent, prefix=".cut-")
        with os.fdopen(handle, "w") as file:
            file.write(found)
        Path(name).replace(record)
    except OSError as error:
        logger.debug("cannot remember that a cut network was checked: %s", error)
