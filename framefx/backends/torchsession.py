"""A PyTorch network that runs: on a device, in a precision, compiled or not.

One way for every device. A frame's journey is one copy to the device, from memory that its engine reads by itself
(pinned), and one copy of the wanted outputs back; on a CPU the first of the two does not happen. On CUDA a compiled
network is recorded once and replayed (a CUDA graph), since at this size starting its hundred kernels takes longer
than running them. It is recorded here rather than by the compiler, whose recordings belong to one thread.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy.typing as npt

from framefx.backends.arrays import take
from framefx.backends.cut import Cuts
from framefx.backends.files import one_line
from framefx.errors import FramefxError, ModelError
from framefx.protocols import Session, Tensor

if TYPE_CHECKING:
    import torch

Function = Callable[["torch.Tensor"], Sequence["torch.Tensor"]]
"""A picture in, the outputs of a network out."""

_WARM_UP = 3
"""Runs before a recording, as PyTorch's manual wants them."""


class Network(Protocol):
    """What a file holds: one picture in, named tensors out.

    `shape` is the input's, None where a side is open; `names` are the outputs'.
    """

    names: list[str]
    shape: tuple[int | None, ...]
    dtype: torch.dtype

    def dead(self, wanted: Sequence[str]) -> int:
        """Return how many operators no output in `wanted` depends on."""

    def only(self, wanted: Sequence[str]) -> Network:
        """Return the network without its other outputs and without what only they need."""

    def ready(self, device: torch.device, dtype: torch.dtype) -> Callable[[torch.Tensor], Any]:
        """Return a function on `device` with weights of `dtype`."""


@dataclass(frozen=True)
class Setting:
    """How a network is run.

    Parameters
    ----------
    device : torch.device
        Where.
    precision : torch.dtype
        Of weights and of what flows between them; what goes in and comes out stays float32.
    compiler : callable, optional
        Makes a faster function of one.
    threads : int
        Of a run on a CPU.
    """

    device: torch.device
    precision: torch.dtype
    compiler: Callable[[Callable[..., Any]], Callable[..., Any]] | None
    threads: int


class TorchSession:
    """A network in PyTorch; see `framefx.protocols.Session`.

    Attributes
    ----------
    inputs, outputs : sequence of Tensor
        What goes in and comes out: float32, in the network's own order of axes.
    buffer : array of the input's shape and dtype
        Memory that the device reads directly: what is written here is not copied by ``run(session.buffer, …)``
        beforehand.
    """

    def __init__(
        self, network: Network, shape: Sequence[int], setting: Setting, path: Path, cuts: Cuts | None = None
    ) -> None:
        import torch

        self._network = network
        self._shape = tuple(shape)
        self._setting = setting
        self._path = path
        self._cuts = cuts
        dtype = torch.uint8 if network.dtype == torch.uint8 else torch.float32
        self._host = torch.zeros(self._shape, dtype=dtype, pin_memory=setting.device.type == "cuda")
        self.buffer: npt.NDArray[Any] = self._host.numpy()
        self.inputs: Sequence[Tensor] = [Tensor("input", self._shape, self.buffer.dtype)]
        with explained(path), quiet():
            self._plain = _Plain(network, setting)
            with self._running():
                results = self._plain(self._host)
        self._function: Function = self._plain
        self._compiled = setting.compiler is None
        pinned = setting.device.type == "cuda"
        self._results = [torch.empty(one.shape, dtype=one.dtype, pin_memory=pinned) for one in results]
        self._arrays: dict[str, npt.NDArray[Any]] = {
            name: one.numpy() for name, one in zip(network.names, self._results, strict=True)
        }
        self.outputs: Sequence[Tensor] = [Tensor(name, one.shape, one.dtype) for name, one in self._arrays.items()]

    def only(self, wanted: Sequence[str]) -> Session:
        """Return a session that computes the outputs in `wanted` and nothing that only others need, compiled.

        This session stays as it is.

        Raises
        ------
        ModelError
            When the compiler fails.
        """
        session: Session = self
        with quiet():
            if self._cuts is not None and self._network.dead(wanted):
                session = self._cuts.checked(
                    self, wanted, lambda: self._with(self._network.only(wanted)), lambda: self._with(self._network)
                )
        if isinstance(session, TorchSession):
            session.compile()
        return session

    def _with(self, network: Network) -> TorchSession:
        return TorchSession(network, self._shape, self._setting, self._path)

    def compile(self) -> None:
        """Compile the network and record it, where that was asked for; else do nothing.

        Raises
        ------
        ModelError
            When the compiler fails.
        """
        if self._compiled:
            return
        with explained(self._path, "it cannot be compiled: "), quiet(), self._running():
            self._function = self._plain.compiled(self._host)
        self._compiled = True

    def run(self, array: npt.NDArray[Any], wanted: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        """Run the network on `array` and return the outputs named in `wanted`, in place.

        Parameters
        ----------
        array : array of the input's shape and dtype
            `buffer`, or an array that is copied into it.
        wanted : sequence of str
            Names of outputs; the others are not brought back from the device.

        Returns
        -------
        dict of str to array
            Valid until the next run.

        Raises
        ------
        ModelError
            For another shape or dtype, or when PyTorch fails.
        """
        take(array, self.buffer, self._path)
        with explained(self._path), self._running():
            results = self._function(self._host)
            for name, result, place in zip(self._network.names, results, self._results, strict=True):
                if name in wanted:
                    place.copy_(result, non_blocking=True)
            self._wait()
        return {name: self._arrays[name] for name in wanted}

    def _wait(self) -> None:
        """Wait for what was started on this thread's stream; the copies of other devices have waited already."""
        import torch

        if self._setting.device.type == "cuda":
            torch.cuda.current_stream(self._setting.device).synchronize()

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Leave gradients out, and use as many threads as were asked for."""
        import torch

        if torch.get_num_threads() != self._setting.threads:
            # OpenMP keeps the number for each thread that asks, and another session may want another one.
            torch.set_num_threads(self._setting.threads)
        with torch.inference_mode():
            yield


class _Plain:
    """A network as it is: brings the picture over, casts, runs, and gives float32 that lies as NumPy has it."""

    def __init__(self, network: Network, setting: Setting) -> None:
        import torch

        with torch.no_grad():
            self._network = network.ready(setting.device, setting.precision)
        self._setting = setting

    def __call__(self, host: torch.Tensor) -> Sequence[torch.Tensor]:
        return self._on_device(host.to(self._setting.device, non_blocking=True))

    def compiled(self, host: torch.Tensor) -> Function:
        """Return the same, compiled for such a picture, and on CUDA recorded."""
        device, compiler = self._setting.device, self._setting.compiler
        function = compiler(self._on_device) if compiler else self._on_device
        function(host.to(device))
        if device.type == "cuda":
            return _Recorded(function, host, device)
        return lambda host: function(host.to(device, non_blocking=True))

    def _on_device(self, picture: torch.Tensor) -> list[torch.Tensor]:
        import torch

        if picture.is_floating_point():
            picture = picture.to(self._setting.precision)
        if picture.ndim == 4 and picture.shape[1] <= picture.shape[3]:
            # Convolutions are fastest on pixels whose channels are neighbours; the order of axes does not change.
            picture = picture.contiguous(memory_format=torch.channels_last)
        results = self._network(picture)
        given = results if isinstance(results, tuple | list) else (results,)
        return [one.float().contiguous() if one.is_floating_point() else one.contiguous() for one in given]


class _Recorded:
    """A function recorded as a CUDA graph: replayed on the memory that it was recorded with, from any thread."""

    def __init__(self, function: Function, host: torch.Tensor, device: torch.device) -> None:
        import torch

        self._picture = host.to(device)
        side = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(side):
            for _ in range(_WARM_UP):
                function(self._picture)
        torch.cuda.current_stream(device).wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        # Another plan may be running on another thread meanwhile.
        with torch.cuda.device(device), torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._results = function(self._picture)

    def __call__(self, host: torch.Tensor) -> Sequence[torch.Tensor]:
        self._picture.copy_(host, non_blocking=True)
        self._graph.replay()
        return self._results


@contextmanager
def explained(path: Path, before: str = "") -> Iterator[None]:
    """Turn whatever PyTorch raises into a `ModelError` of one line."""
    try:
        yield
    except FramefxError:
        raise
    except Exception as error:  # PyTorch, its compilers and TorchScript programs raise what they like
        raise ModelError(f"{path}: {before}{_said(error)}") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep PyTorch's warnings about its own future to itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _said(error: Exception) -> str:
    """Return the line in which PyTorch says what is wrong, which is often not the first."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].startswith("The following operation failed"):
        return lines[-1]
    if len(lines) > 1 and lines[0].endswith("raised:"):
        return lines[1]
    return one_line(error)
