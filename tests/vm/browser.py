"""What a web page gets from a camera: headless Chromium, getUserMedia, a canvas, and its pixels sent back by HTTP."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import numpy.typing as npt

PAGE = b"""<!doctype html><video id=video autoplay playsinline muted></video><canvas id=canvas></canvas><script>
const media = navigator.mediaDevices
async function picture(label, frames) {
  const first = await media.getUserMedia({video: true})  // labels are known only with permission
  first.getTracks().forEach(track => track.stop())
  const cameras = (await media.enumerateDevices()).filter(device => device.kind == 'videoinput')
  const camera = cameras.find(device => device.label.startsWith(label))
  if (!camera) throw new Error('no camera ' + label + ' among ' + cameras.map(device => device.label))
  video.srcObject = await media.getUserMedia({video: {deviceId: {exact: camera.deviceId}}})
  await video.play()
  for (let n = 0; n < frames; n++) await new Promise(done => video.requestVideoFrameCallback(done))
  canvas.width = video.videoWidth
  canvas.height = video.videoHeight
  const context = canvas.getContext('2d', {willReadFrequently: true})
  context.drawImage(video, 0, 0)
  return context.getImageData(0, 0, canvas.width, canvas.height)
}
const asked = new URLSearchParams(location.search)
picture(asked.get('label'), +asked.get('frames'))
  .then(image => fetch(`/picture/${image.height}/${image.width}`, {method: 'POST', body: image.data}))
  .catch(error => fetch('/error', {method: 'POST', body: String(error)}))
</script>"""

FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream", "--mute-audio"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-extensions"),
    *("--disable-dev-shm-usage", "--disable-sync", "--window-size=800,600"),
)


class BrowserError(Exception):
    """The page reported an error, or nothing at all; the message says what."""


def chromium() -> str | None:
    """Return the program, or None where there is none; Debian's wrapper starts a dozen others first."""
    return shutil.which("chromium", path="/usr/lib/chromium") or shutil.which("chromium")


def read_with_browser(label: str, *, frames: int = 5, seconds: float = 280) -> npt.NDArray[np.uint8]:
    """Return what a web page sees of the camera whose name begins with `label`: (height, width, 3) uint8 RGB.

    Raises
    ------
    BrowserError
        When the page gets no picture.
    """
    answers: queue.Queue[tuple[str, bytes]] = queue.Queue()
    # Helpers of Chromium that left its process group may still write there: what they leave behind is left.
    folder = tempfile.TemporaryDirectory(prefix="framefx-browser-", ignore_cleanup_errors=True)
    with _serving(answers) as port, folder as profile:
        page = f"http://127.0.0.1:{port}/?label={label.replace(' ', '%20')}&frames={frames}"
        command = [str(chromium()), *FLAGS, f"--user-data-dir={profile}", page]
        log = Path(profile) / "log"
        with log.open("wb") as said:
            process = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
        try:
            path, body = answers.get(timeout=seconds)
        except queue.Empty:
            raise BrowserError(f"the page says nothing within {seconds} s: {log.read_text()[-2000:]}") from None
        finally:
            _end(process)
    if path == "/error":
        raise BrowserError(body.decode())
    height, width = map(int, path.split("/")[2:])
    return np.frombuffer(body, np.uint8).reshape(height, width, 4)[..., :3]


def _end(process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    """Kill a process that leads a group, with the whole group, and wait until all of it is gone."""
    end = time.monotonic() + seconds
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < end:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            time.sleep(0.05)


@contextlib.contextmanager
def _serving(answers: queue.Queue[tuple[str, bytes]]) -> Iterator[int]:
    """Serve the page on a port of this machine, and put what it sends into `answers`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(PAGE)

        def do_POST(self) -> None:
            answers.put((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer(b"")

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
