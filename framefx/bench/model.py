"""`framefx bench model`: each configuration in a process of its own, after the protocol that such figures are given in.

Warm-up, then 100 runs in inference mode, cuDNN's benchmark mode on, the device synchronised before each reading of
the clock; the least time (what the machine can do) and the median (what one gets), and the process's peak memory.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from framefx.bench.model_plan import Case, Facts
from framefx.bench.model_report import Measurement

_LONGEST = 300.0
"""Seconds that one configuration may take, compiling included."""
_CONVERTING = 1800.0


@dataclass(frozen=True)
class Protocol:
    """How each configuration is measured.

    Attributes
    ----------
    runs : int
        Timed runs.
    warm_up : int
        Runs before them.
    seconds : float
        After which a configuration has fewer runs, though at least five; half of it for the warm-up.
    """

    runs: int = 100
    warm_up: int = 10
    seconds: float = 2.0


def facts(plugins: Sequence[str]) -> Facts:
    """Return what there is on this machine; asked in another process, which imports all of it."""
    return Facts(**_worker({"do": "facts", "plugins": list(plugins)}))


def made(cases: Sequence[Case], show: Callable[[str], None]) -> dict[str, dict[str, str]]:
    """Make the networks that `cases` need; return path or problem by request."""
    requests = list(dict.fromkeys(_text(case.request) for case in cases if case.request))
    results: dict[str, dict[str, str]] = {}
    answers = _answers("model_build", f"[{','.join(requests)}]", _CONVERTING)
    for number, (request, answer) in enumerate(zip(requests, answers, strict=False), 1):
        show(f"networks to measure: {number} of {len(requests)}")
        results[request] = answer
    lost = {"problem": "the converter died: run `framefx export` to see why"}
    return {request: results.get(request, lost) for request in requests}


def measure(
    cases: Sequence[Case],
    protocol: Protocol,
    plugins: Sequence[str],
    show: Callable[[str], None],
) -> Iterator[Measurement]:
    """Yield a measurement for each case, with the problem where there was one."""
    files = made(cases, show) if any(case.request for case in cases) else {}
    for number, case in enumerate(cases, 1):
        show(f"{number} of {len(cases)}: {case.network} {case.detail} {case.pixels} {case.runtime}")
        file = files[_text(case.request)] if case.request else {}
        result = file if "problem" in file else _one(case, protocol, plugins, file.get("path"))
        pixels = case.pixels or str(result.get("pixels", ""))
        kept: dict[str, Any] = {key: value for key, value in result.items() if key in _FIGURES}
        yield Measurement(case.group, case.network, case.detail, pixels, case.runtime, case.threads, **kept)


_FIGURES = {"runs", "least", "median", "cpu", "before", "peak", "problem"}


def _one(case: Case, protocol: Protocol, plugins: Sequence[str], path: str | None) -> dict[str, Any]:
    how = {"runs": protocol.runs, "warm_up": protocol.warm_up, "seconds": protocol.seconds, "plugins": list(plugins)}
    return _worker({**case.work, **how} | ({"path": path} if path else {}))


def _worker(work: Mapping[str, Any]) -> dict[str, Any]:
    for answer in _answers("model_worker", json.dumps(work), _LONGEST):
        return answer
    raise AssertionError("unreachable: there is an answer even when the process dies")


def _answers(module: str, text: str, limit: float) -> Iterator[dict[str, Any]]:
    """Run a module of this package, yield each object that it writes, and at the end why it died, if it did."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUTF8": "1"}
    command = [sys.executable, "-P", "-m", f"framefx.bench.{module}"]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as told,
        subprocess.Popen(
            command, env=environment, stdin=_ready(told, text), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process,
    ):
        clock = threading.Timer(limit, process.kill)
        clock.start()
        try:
            for line in process.stdout or ():
                if line.startswith(b"{"):
                    yield json.loads(line)
        except KeyboardInterrupt:
            process.kill()
            raise
        finally:
            late = not clock.is_alive()
            clock.cancel()
        if process.wait():
            why = f"it took longer than {limit:g} s" if late else f"the process died ({_why(process.returncode)})"
            yield {"problem": why}


def _ready(file: IO[str], text: str) -> IO[str]:
    """Write `text` into `file` and return it, to be read from the start."""
    file.write(text)
    file.seek(0)
    return file


def _why(code: int) -> str:
    return (signal.strsignal(-code) or str(code)) if code < 0 else f"exit code {code}"


def _text(request: Mapping[str, Any] | None) -> str:
    return json.dumps(request, sort_keys=True)
