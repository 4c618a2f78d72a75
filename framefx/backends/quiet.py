"""Keeps a C++ runtime's chatter off the user's terminal without losing what matters.

The runtimes write to file descriptor 2 behind Python's back and offer no switch. What they write while a
network loads is caught, remarks go to the log, and everything else is written to the terminal afterwards, so
that another thread's output is late by milliseconds and never lost.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import tempfile
import threading
from collections.abc import Iterator

logger = logging.getLogger(__name__)
_lock = threading.Lock()
_remark = re.compile(rb"(INFO|VERBOSE|WARNING|ERROR): ?(.*)")
_levels = {b"WARNING": logging.WARNING, b"ERROR": logging.WARNING}


@contextlib.contextmanager
def native_chatter() -> Iterator[None]:
    """Catch what C++ code writes to standard error meanwhile."""
    with _lock, contextlib.ExitStack() as stack:
        try:
            caught = stack.enter_context(tempfile.TemporaryFile())
            terminal = os.dup(2)
        except OSError:
            # No standard error or nowhere to put it: noise is then nobody's problem.
            yield
            return
        stack.callback(os.close, terminal)
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal, 2)
            caught.seek(0)
            _pass_on(caught.readlines(), terminal)


def _pass_on(lines: list[bytes], terminal: int) -> None:
    for line in lines:
        remark = _remark.match(line)
        if remark is None:
            os.write(terminal, line)
        else:
            text = remark[2].decode(errors="replace").strip()
            logger.log(_levels.get(remark[1], logging.DEBUG), "%s", text)
