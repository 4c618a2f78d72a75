"""Fetching a file whose content is known beforehand, from servers that may do anything.

The bytes go into ``NAME.part`` beside the target and are only renamed to it when their hash is right: whatever
happens, a wrong or half file is never under the final name. What arrived stays for the next try, also after a crash;
the server is then asked for the rest (RFC 9110, ``Range``; ``If-Range`` with the entity tag of the first answer, so
that a file changed meanwhile comes whole). Lengths that a server declares are not believed: the size is known.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from framefx.errors import MediaError

Progress = Callable[[int], None]
"""Called with the number of bytes that are there."""

_BLOCK = 1 << 16
_TRANSIENT = {408, 425, 429, 500, 502, 503, 504}
_LONGEST_PAUSE = 30.0


class FetchError(MediaError):
    """A file that could not be fetched; the message says why, in words that finish a sentence."""


class _AgainError(Exception):
    """Something that may pass: the next attempt goes on where this one stopped."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


class _OtherRangeError(Exception):
    """The server has no rest that fits to what is there."""


@dataclass(frozen=True)
class Wanted:
    """A file: where it is, how long it is in bytes, and its SHA-256 in hexadecimal digits."""

    url: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Patience:
    """How long to put up with a server.

    Attributes
    ----------
    stall : float
        Seconds without an answer, or in which fewer than `trickle` bytes come, after which it is asked again.
    attempts : int
        How often it is asked in all.
    pause : float
        Seconds before the second attempt; doubled before each further one.
    redirects : int
        How often it may send us elsewhere in one attempt.
    trickle : int
        Bytes in `stall` seconds.
    """

    stall: float = 20.0
    attempts: int = 6
    pause: float = 1.0
    redirects: int = 5
    trickle: int = 1024


PATIENCE = Patience()
"""For people who wait at a terminal."""


def fetch(wanted: Wanted, target: Path, progress: Progress, patience: Patience = PATIENCE) -> None:
    """Fetch `wanted` to `target`, going on where an earlier try stopped.

    Raises
    ------
    FetchError
        When it cannot be had or written, or what comes has another size or hash. What arrived of the right one
        stays for the next try.
    """
    part = _Part(target, wanted)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.locked():
            if not part.verified():
                _Attempts(wanted, part, progress, patience).run()
            part.commit()
    except FetchError:
        raise
    except OSError as error:
        raise FetchError(f"{part.path} cannot be written: {error.strerror or error}") from error


class _Part:
    """What arrived so far, in a file beside the target, with the entity tag it belongs to in another."""

    def __init__(self, target: Path, wanted: Wanted) -> None:
        self._target, self._wanted = target, wanted
        self.path = target.with_name(target.name + ".part")
        self._tag = target.with_name(target.name + ".part.tag")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second process from writing to the same file."""
        with self.path.open("ab") as file:
            try:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except ImportError:
                pass
            except OSError as error:
                raise FetchError(f"another process is fetching {self._target.name}") from error
            try:
                yield
            finally:
                if self.path.exists() and not self.size:
                    self.forget()

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    @property
    def tag(self) -> str:
        """The strong entity tag of the answer that the bytes came with, or nothing."""
        return self._tag.read_text(encoding="utf-8") if self._tag.exists() else ""

    def begin(self, tag: str) -> None:
        """Throw away what is there: other bytes come, with this tag."""
        os.truncate(self.path, 0)
        # A weak tag promises the same meaning, not the same bytes.
        if tag and not tag.startswith("W/"):
            self._tag.write_text(tag, encoding="utf-8")
        else:
            self._tag.unlink(missing_ok=True)

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)
        self._tag.unlink(missing_ok=True)

    def verified(self) -> bool:
        return self.size == self._wanted.size and sha256_of(self.path) == self._wanted.sha256

    def commit(self) -> None:
        """Put the file under its final name, whole or not at all."""
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        self.path.replace(self._target)
        self.forget()


class _Attempts:
    """One download: attempt after attempt, until the bytes are there and right."""

    def __init__(self, wanted: Wanted, part: _Part, progress: Progress, patience: Patience) -> None:
        self._wanted, self._part, self._progress, self._patience = wanted, part, progress, patience
        self._opener = _opener(patience.redirects)

    def run(self) -> None:
        patience = self._patience
        pause, left, best = patience.pause, patience.attempts, self._part.size
        while (trouble := self._trouble()) is not None:
            if self._part.size >= best + _BLOCK:
                # A bad line that gets on is no reason to give up; one that always breaks at one place is.
                pause, left, best = patience.pause, patience.attempts, self._part.size
            left -= 1
            if not left:
                kept = f"{self._part.size:,} of {self._wanted.size:,} bytes are kept for the next try"
                raise FetchError(f"{trouble}, asked {patience.attempts} times; {kept}")
            time.sleep(min(pause if trouble.pause is None else trouble.pause, _LONGEST_PAUSE))
            pause *= 2

    def _trouble(self) -> _AgainError | None:
        """Make one attempt and return what to ask again for, None when the bytes are there and right."""
        from_start = not self._part.size
        try:
            self._attempt()
        except _AgainError as error:
            return error
        if self._part.verified():
            return None
        found = sha256_of(self._part.path)
        self._part.begin("")
        if from_start:
            # What came in one piece would come again.
            raise FetchError(f"the server sends other bytes: got sha256 {found}, wanted {self._wanted.sha256}")
        return _AgainError("the rest does not fit to what an earlier try left", pause=0)

    def _attempt(self) -> None:
        """Ask for what is missing and append it.

        Raises
        ------
        _AgainError
            When the answer breaks off before the size is reached.
        FetchError
            When asking again is of no use.
        """
        wanted, part = self._wanted, self._part
        if part.size >= wanted.size:
            part.begin("")
        headers = {"User-Agent": "framefx", "Accept-Encoding": "identity"}
        if part.size:
            headers["Range"] = f"bytes={part.size}-"
            if part.tag:
                headers["If-Range"] = part.tag
        request = urllib.request.Request(wanted.url, headers=headers)
        try:
            with _failures(), self._opener.open(request, timeout=self._patience.stall) as answer:
                if not _continues(answer, part.size):
                    part.begin(answer.headers.get("ETag") or "")
                self._append(answer)
        except _OtherRangeError as error:
            part.begin("")
            raise _AgainError(str(error), pause=0) from error
        if part.size < wanted.size:
            raise _AgainError(f"the connection ended after {part.size:,} of {wanted.size:,} bytes")

    def _append(self, answer: http.client.HTTPResponse) -> None:
        size, stall = self._wanted.size, _Trickle(self._patience)
        with self._part.path.open("ab") as file:
            have = file.tell()
            while block := answer.read1(_BLOCK):
                if have + len(block) > size:
                    file.truncate(0)
                    raise FetchError(f"the server sends more than the {size:,} bytes that the file has")
                have += file.write(block)
                file.flush()
                self._progress(have)
                stall.arrived(len(block))


class _Trickle:
    """Notices a server that stays just alive enough for no read to time out."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._since, self._bytes = time.monotonic(), 0

    def arrived(self, count: int) -> None:
        self._bytes += count
        now = time.monotonic()
        if now - self._since < self._patience.stall:
            return
        if self._bytes < self._patience.trickle:
            raise _AgainError(f"fewer than {self._patience.trickle} bytes in {self._patience.stall:g} s")
        self._since, self._bytes = now, 0


def _continues(answer: http.client.HTTPResponse, have: int) -> bool:
    """Whether the answer is the rest of what is there; anything else is the whole file."""
    if answer.status != http.client.PARTIAL_CONTENT:
        return False
    begins = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range") or "")
    if begins is None or int(begins[1]) != have:
        raise _OtherRangeError(f"the server sends another part of the file: {answer.headers.get('Content-Range')}")
    return True


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    """Sort what can go wrong on the way into what may pass and what will not."""
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in _TRANSIENT:
            raise _AgainError(f"the server answers {error.code} {error.reason}", _retry_after(error)) from error
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise _OtherRangeError("the server has fewer bytes than were fetched already") from error
        if 300 <= error.code < 400:
            raise FetchError("the server redirects in circles, or too often") from error
        raise FetchError(f"the server answers {error.code} {_one_line(error.reason)}") from error
    except urllib.error.URLError as error:
        reason = error.reason
        if isinstance(reason, TimeoutError | ConnectionResetError):
            raise _AgainError("the server does not answer") from error
        raise FetchError(f"no connection: {_one_line(reason)}") from error
    except TimeoutError as error:
        raise _AgainError("the server stopped sending") from error
    except (http.client.HTTPException, ConnectionError) as error:
        raise _AgainError(f"the connection broke off ({type(error).__name__})") from error


def _retry_after(error: urllib.error.HTTPError) -> float | None:
    text = str(error.headers.get("Retry-After") or "") if error.headers else ""
    return float(text) if text.isdigit() else None


def _one_line(reason: Any) -> str:
    return " ".join(str(reason).split())


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a few, never from https to http, and to no other scheme."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        before, after = urlsplit(req.full_url).scheme, urlsplit(newurl).scheme
        if after != before and after != "https":
            raise FetchError(f"the server redirects from {before} to {after}, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener(redirects: int) -> urllib.request.OpenerDirector:
    """Return what speaks http and https and nothing else: urllib's own would read files and use ftp."""

    class Few(_Redirects):
        max_redirections = max_repeats = redirects

    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
        Few(),
    ):
        opener.add_handler(handler)
    return opener


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
