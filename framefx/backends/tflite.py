"""tflite-runtime: small, for Python up to 3.11 and NumPy 1; it lacks MediaPipe's transposed convolution."""

from __future__ import annotations

from pathlib import Path

from framefx.backends.interpreter import InterpreterSession, Runtime, open_session

RUNTIME = Runtime("tflite", "tflite_runtime.interpreter", "tflite-runtime", "pip install 'framefx[tflite]'")


class TFLite:
    """Runs ``.tflite`` networks with tflite-runtime."""

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
            When tflite-runtime is not installed.
        ModelError
            When the file is no network, is damaged, or needs what the runtime lacks.
        """
        return open_session(RUNTIME, path, threads)
