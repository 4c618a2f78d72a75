"""ai-edge-litert: the default runtime, and the only one with MediaPipe's transposed convolution."""

from __future__ import annotations

from pathlib import Path

from framefx.backends.interpreter import InterpreterSession, Runtime, open_session

RUNTIME = Runtime("litert", "ai_edge_litert.interpreter", "ai-edge-litert", "pip install ai-edge-litert")


class LiteRT:
    """Runs ``.tflite`` networks with ai-edge-litert."""

    name = RUNTIME.name

    def load(self, path: Path, threads: int = 1) -> InterpreterSession:
        """Load a network; see `framefx.protocols.Backend.load`.

        Parameters
        ----------
        path : Path
            A ``.tflite`` file.
        threads : int
            Threads that one run may use, at least 1.

        Raises
        ------
        BackendUnavailableError
            When ai-edge-litert is not installed.
        ModelError
            When the file is no network, is damaged, or needs what the runtime lacks.
        """
        return open_session(RUNTIME, path, threads)
