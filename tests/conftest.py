import importlib.util
import sys
import threading
from pathlib import Path

import numpy as np
import pytest


def _load_live():
    """Import live.py by its place, for tests to import it by name: test folders are no packages."""
    spec = importlib.util.spec_from_file_location("framefx_test_live", Path(__file__).with_name("live.py"))
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_LIVE = _load_live()


@pytest.fixture(scope="session")
def live():
    """What running pipelines are tested with; `import framefx_test_live` gives the same."""
    return _LIVE


@pytest.fixture
def no_thread_stays():
    """Fails the test that leaves a thread of a pipeline running."""
    before = set(threading.enumerate())
    yield
    left = [t for t in threading.enumerate() if t not in before and t.name.startswith("framefx-")]
    for thread in left:
        thread.join(10)
    assert not [t for t in left if t.is_alive()]


@pytest.fixture
def encode(tmp_path):
    """A function that writes pictures to a file without loss, with PyAV alone."""
    import av

    def write(name, pictures, *, format="rgb24", codec="ffv1", coded="bgr0", rate=10, turn=None, tags=None, **options):
        path = tmp_path / name
        with av.open(str(path), "w", **options) as container:
            stream = container.add_stream(codec, rate=rate)
            stream.height, stream.width = (
                np.shape(pictures[0])[-3:-1] if format == "rgb24" else np.shape(pictures[0])[-2:]
            )
            stream.pix_fmt = coded
            for tag, value in (tags or {}).items():
                setattr(stream.codec_context, tag, value)
            if turn is not None:
                stream.set_display_rotation(*turn)
            for index, picture in enumerate(pictures):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format)
                frame.pts = index
                for tag, value in (tags or {}).items():
                    setattr(frame, tag, value)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write
