"""Fetching from a server that does whatever servers do."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from framefx.models.download import FetchError, Patience, Wanted, fetch

CONTENT = np.random.default_rng(0).bytes(200_001)
SIZE = len(CONTENT)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
TAG = '"one"'
HASTY = Patience(stall=0.2, attempts=4, pause=0)


class Handler(BaseHTTPRequestHandler):
    """Answers each request with the next of the server's behaviours, the last one again and again."""

    def do_GET(self):
        server = self.server
        server.asked.append({name.lower(): value for name, value in self.headers.items()} | {"path": self.path})
        behaviour = server.behaviours.pop(0) if len(server.behaviours) > 1 else server.behaviours[0]
        behaviour(self)

    def log_message(self, *arguments):
        pass

    def answer(self, body, *, status=200, length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


def whole(handler):
    """Follows the standard."""
    asked, condition = handler.headers.get("Range"), handler.headers.get("If-Range")
    if asked and condition in (None, TAG):
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        rest = CONTENT[start:]
        handler.answer(rest, status=206, ETag=TAG, Content_Range=f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
    else:
        handler.answer(CONTENT, ETag=TAG)


def cut(handler, length=70_000):
    """Declares everything and breaks off; with a Range it does that too."""
    asked = handler.headers.get("Range")
    start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
    headers = {"status": 206, "Content_Range": f"bytes {start}-/{len(CONTENT)}"} if start else {}
    handler.answer(CONTENT[start : start + length], length=len(CONTENT) - start, ETag=TAG, **headers)


def rangeless(handler):
    handler.answer(CONTENT)


def stall(handler):
    handler.answer(CONTENT[:50_000], length=len(CONTENT))
    handler.wfile.flush()
    handler.server.released.wait(30)


def silence(handler):
    handler.server.released.wait(30)


def trickle(handler):
    """Sends a byte whenever the other side could lose patience."""
    handler.answer(b"", length=len(CONTENT))
    for number in range(1000):
        if handler.server.released.wait(0.05):
            return
        try:
            handler.wfile.write(CONTENT[number : number + 1])
        except OSError:
            return


def wrong(handler):
    handler.answer(bytes(len(CONTENT)))


def code(status, **headers):
    return lambda handler: handler.answer(b"no", status=status, **headers)


def redirect(target):
    return lambda handler: handler.answer(b"", status=302, Location=target)


def chunked(handler):
    handler.protocol_version = "HTTP/1.1"
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"%x\r\n%s\r\n" % (1000, CONTENT[:1000]))
    handler.close_connection = True


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.behaviours, server.released = [], [whole], threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}/model.tflite"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def target(tmp_path):
    return tmp_path / "models" / "model.tflite"


@pytest.fixture
def get(server, target):
    """Fetches from the server that shows the behaviours, and returns what arrived and the progress."""

    def run(*behaviours, patience=HASTY, size=SIZE, sha256=SHA256):
        server.behaviours[:] = behaviours or [whole]
        seen = []
        fetch(Wanted(server.url, size, sha256), target, seen.append, patience)
        return target.read_bytes(), seen

    return run


def left(target):
    return sorted(path.name for path in target.parent.iterdir())


def test_the_file_arrives_and_nothing_else_stays(get, target):
    content, seen = get()
    assert content == CONTENT
    assert seen == sorted(seen)
    assert seen[-1] == len(CONTENT)
    assert left(target) == ["model.tflite"]


@pytest.mark.parametrize(
    "behaviours",
    [
        (cut, whole),
        (cut, cut, cut),
        (cut, rangeless),
        (stall, whole),
        (silence, whole),
        (trickle, whole),
        (chunked, whole),
        (code(503), code(429, Retry_After="0"), whole),
        (cut, code(416), whole),
        (redirect("/elsewhere"), whole),
    ],
    ids=["truncates", "truncates each time", "ignores Range", "stalls", "is silent", "trickles", "breaks a chunk",
         "is busy", "refuses the range", "redirects"],
)  # fmt: skip
def test_a_bad_server_is_asked_again(get, behaviours, target):
    assert get(*behaviours)[0] == CONTENT
    assert left(target) == ["model.tflite"]


def test_what_arrived_is_not_fetched_again(get, server):
    get(cut, whole)
    assert [request.get("range") for request in server.asked] == [None, "bytes=70000-"]
    assert server.asked[1]["if-range"] == TAG


def test_a_later_call_goes_on(get, server, target):
    with pytest.raises(FetchError, match=r"after 70,000 of 200,001 bytes, asked 1 times; 70,000 of 200,001 bytes are"):
        get(cut, patience=Patience(attempts=1, pause=0))
    assert left(target) == ["model.tflite.part", "model.tflite.part.tag"]
    assert get(whole)[0] == CONTENT
    assert server.asked[-1]["range"] == "bytes=70000-"


def test_a_file_that_changed_meanwhile_comes_whole(get, target):
    part = target.with_name("model.tflite.part")
    target.parent.mkdir()
    part.write_bytes(b"older" * 1000)
    target.with_name("model.tflite.part.tag").write_text('"zero"')
    assert get(whole)[0] == CONTENT


def test_a_rest_that_does_not_fit_is_thrown_away(get, target, server):
    target.parent.mkdir()
    target.with_name("model.tflite.part").write_bytes(b"x" * 1000)
    assert get(whole)[0] == CONTENT
    assert [request.get("range") for request in server.asked] == ["bytes=1000-", None]


def test_another_part_than_asked_for_is_not_taken(get, target):
    def shifted(handler):
        handler.answer(CONTENT[5:], status=206, Content_Range=f"bytes 5-{len(CONTENT) - 1}/{len(CONTENT)}")

    assert get(cut, shifted, whole)[0] == CONTENT


def test_what_is_whole_already_is_not_asked_for(get, target, server):
    target.parent.mkdir()
    target.with_name("model.tflite.part").write_bytes(CONTENT)
    assert get()[0] == CONTENT
    assert not server.asked


@pytest.mark.parametrize("length", [100, 70_000, 300_000])
def test_a_length_that_is_a_lie_does_not_matter(get, length):
    def liar(handler):
        handler.answer(CONTENT, length=length)

    assert get(liar, whole)[0] == CONTENT


@pytest.mark.parametrize(
    ("behaviour", "complaint"),
    [
        (wrong, "the server sends other bytes: got sha256 .*, wanted " + SHA256),
        (lambda handler: handler.answer(CONTENT + b"more"), "more than the 200,001 bytes"),
        (lambda handler: handler.answer(b"<html>log in</html>"), "ended after 19 of 200,001 bytes"),
        (code(404), "the server answers 404"),
        (code(503), "the server answers 503"),
        (stall, "the server stopped sending"),
        (lambda handler: None, "broke off"),
        (redirect("/model.tflite"), "redirects in circles"),
        (redirect("ftp://127.0.0.1/model.tflite"), "redirects from http to ftp"),
        (redirect("file:///etc/passwd"), "redirects"),
    ],
    ids=["other bytes", "more", "a page", "404", "503", "stall", "nothing", "circle", "ftp", "file"],
)
def test_what_cannot_be_had_leaves_no_file(get, target, behaviour, complaint):
    with pytest.raises(FetchError, match=complaint):
        get(behaviour)
    assert not target.exists()


def test_wrong_bytes_are_not_kept(get, target):
    with pytest.raises(FetchError):
        get(wrong)
    assert left(target) == []


def test_redirects_have_a_limit(get, server):
    def onward(handler):
        handler.answer(b"", status=302, Location=f"/{len(server.asked)}")

    with pytest.raises(FetchError, match="redirects in circles, or too often"):
        get(onward)
    assert len(server.asked) <= HASTY.redirects + 1


def test_a_server_that_gives_up_at_one_place_is_given_up(get, server):
    with pytest.raises(FetchError, match="asked 4 times"):
        get(lambda handler: handler.answer(CONTENT[:70_000], length=len(CONTENT)))
    assert len(server.asked) <= 2 * HASTY.attempts


def test_nobody_there(get, server):
    server.url = "http://127.0.0.1:9/model.tflite"
    with pytest.raises(FetchError, match="no connection"):
        get()


def test_no_other_schemes(get, server, tmp_path):
    (tmp_path / "here").write_bytes(CONTENT)
    server.url = (tmp_path / "here").as_uri()
    with pytest.raises(FetchError, match="unknown url type"):
        get()


def test_only_one_process_writes(get, target):
    fcntl = pytest.importorskip("fcntl")
    target.parent.mkdir()
    with target.with_name("model.tflite.part").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(FetchError, match="another process is fetching"):
            get()


def test_a_folder_that_cannot_be_written(get, target):
    target.parent.write_text("a file where the folder should be")
    with pytest.raises(FetchError, match="cannot be written"):
        get()
