"""Tries a network that was never seen before in a process of its own.

The runtimes trust what they load. Of 800 copies of a real network that were cut short or had a few bytes changed,
ai-edge-litert died of a segmentation fault on one; of 200, tflite-runtime on 69, and it hung on another. A camera
program must name the bad file and live. A network that ran once is remembered by the hash of its content, so the
price, one start of Python, is paid once per file.
"""

from __future__ import annotations

import hashlib
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from framefx.backends.probe import REFUSED
from framefx.backends.runtime import Runtime
from framefx.errors import ModelError

logger = logging.getLogger(__name__)
_PROBE = Path(__file__).with_name("probe.py")
_SHIPPED = Path(__file__).parents[1] / "models" / "weights"
_SECONDS = 60.0


def check(
    path: Path,
    content: bytes,
    runtime: Runtime,
    arguments: Sequence[str],
    verify: Callable[[bytes, Path], None] | None = None,
    seconds: float = _SECONDS,
    *,
    changed: bool = False,
) -> None:
    """Make sure that loading and running the network cannot take this process down.

    Parameters
    ----------
    path : Path
        The file, for the second process.
    content : bytes
        What is in it, or what was made of that (`changed`).
    runtime : Runtime
        What is to run it.
    arguments : sequence of str
        What `framefx.backends.probe` is told besides the runtime's module and the file.
    verify : callable, optional
        ``verify(content, path)`` raises a `ModelError` for what can be seen in the file itself.
    seconds : float
        How long it may take, the start of the runtime included.
    changed : bool
        Whether `content` is something else than what is in the file: the second process gets a file of its own.

    Raises
    ------
    ModelError
        When the file is damaged, or the second process died or did not come back in time.
    RuntimeError
        With the runtime's own words, when it refused the network there.
    """
    if path.resolve().parent == _SHIPPED:
        return
    seen = _record(content, runtime, arguments)
    if seen.exists():
        return
    if verify is not None:
        verify(content, path)
    if not sys.executable:
        return
    try:
        with _file_of(content) if changed else nullcontext(path) as file:
            code, words = _run([runtime.module, str(file), *arguments], seconds)
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{path}: the network did not run within {seconds:.0f} s") from error
    except OSError as error:
        logger.debug("no second process to try %s in: %s", path, error)
        return
    if code < 0:
        crash = f"{runtime.distribution} crashes on it ({signal.strsignal(-code)})"
        raise ModelError(f"{path}: the file is damaged, {crash}; fetch it again")
    if code == REFUSED:
        raise RuntimeError(words)
    if code == 0:
        _remember(seen)


@contextmanager
def _file_of(content: bytes) -> Iterator[Path]:
    """Keep `content` in a file meanwhile."""
    with tempfile.TemporaryDirectory(prefix="framefx-") as folder:
        file = Path(folder, "network")
        file.write_bytes(content)
        yield file


def _run(arguments: list[str], seconds: float = _SECONDS) -> tuple[int, str]:
    """Run `framefx.backends.probe` and return its exit code, negative for a signal, and what it printed."""
    # -P keeps this folder off the path, where tflite.py and others could be taken for somebody else's.
    command = [sys.executable, "-P", str(_PROBE), *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUTF8": "1"}
    done = subprocess.run(
        command,
        env=environment,
        timeout=seconds,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout.decode(errors="replace")


def _record(content: bytes, runtime: Runtime, arguments: Sequence[str]) -> Path:
    """Return the file whose existence says that this network ran in this version of the runtime."""
    digest = hashlib.sha256(content).hexdigest()
    return _folder() / "-".join((digest, runtime.distribution, runtime.version, *arguments))


def _folder() -> Path:
    if chosen := os.environ.get("FRAMEFX_CACHE_DIR"):
        return Path(chosen, "networks")
    if cache := os.environ.get("XDG_CACHE_HOME"):
        return Path(cache, "framefx", "networks")
    try:
        return Path.home() / ".cache" / "framefx" / "networks"
    except RuntimeError:
        # A user without a home, as in containers.
        return Path(tempfile.gettempdir(), "framefx", "networks")


def _remember(seen: Path) -> None:
    try:
        seen.parent.mkdir(parents=True, exist_ok=True)
        seen.touch()
    except OSError as error:
        logger.debug("cannot remember that a network ran: %s", error)
