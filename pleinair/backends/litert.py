"""LiteRT (once TensorFlow Lite) on the CPU in f32, with XNNPACK: the reference for TFLite networks.

An optional extra, `pip install "pleinair[litert]"`: OpenVINO reads most TFLite files too. It opens no socket. Its one
line on the terminal ("Created ... delegate"), once in a process, is kept off it.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .base import Tensor, another, closed
from .compiled import Compiled, first_line, not_taken, not_there
from .pictures import to_floats, to_levels

_first = threading.Lock()
_announced = False


def runtime() -> Any:
    """The `Interpreter` class. ModelFault where LiteRT is not installed."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise not_there("litert", error, 'pip install "pleinair[litert]"  (the package ai-edge-litert)') from None
    return Interpreter


class LiteRt(Compiled):
    """A TFLite network run by LiteRT. See base.Backend; `precision` is "f32" (weights that the file holds as float16
    are widened). ModelFault: not a network that LiteRT takes, or other names or shapes than those asked for."""

    name = "litert"
    package, missing = "ai-edge-litert", 'ai-edge-litert is not installed: pip install "pleinair[litert]"'

    def __init__(
        self, model: bytes, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *, precision: str, threads: int
    ) -> None:
        super().__init__(inputs, outputs, precision=precision, threads=threads)
        interpreter = runtime()
        try:
            with _hushed():
                self._network: Any = interpreter(model_content=model, num_threads=self.threads)
                self._places = {d["name"]: d["index"] for d in self._network.get_input_details()}
                self._check(self._network.get_input_details(), self.inputs)
                self._network.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise not_taken("LiteRT", first_line(error)) from None
        self._check(self._network.get_output_details(), self._outputs)
        self._results = {d["name"]: d["index"] for d in self._network.get_output_details()}
        self._planes = {t.name: np.empty(t.shape, np.float32) for t in self.inputs if t.picture}

    def run(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One inference."""
        with self._lock:
            if self._network is None:
                raise closed()
            for tensor in self.inputs:
                array = arrays[tensor.name]
                if tensor.picture:
                    array = to_floats(tensor, array, self._planes[tensor.name])
                elif tensor.free and self._shape(tensor, array.shape):
                    self._network.allocate_tensors()
                self._network.set_tensor(self._places[tensor.name], array)
            self._network.invoke()
            return {t.name: to_levels(t, self._network.get_tensor(self._results[t.name])) for t in self._outputs}

    def _shape(self, tensor: Tensor, shape: tuple[int, ...]) -> bool:
        """Gives an input a shape; whether it had another."""
        place = self._places[tensor.name]
        found = next(d for d in self._network.get_input_details() if d["index"] == place)
        if tuple(found["shape"]) == tuple(shape):
            return False
        self._network.resize_tensor_input(place, shape, strict=False)
        return True

    def _check(self, details: list[dict[str, Any]], tensors: Sequence[Tensor]) -> None:
        found = {d["name"]: (tuple(int(s) for s in d["shape"]), np.dtype(d["dtype"]).name) for d in details}
        for tensor in tensors:
            shape, dtype = found.get(tensor.name, ((), ""))
            same = len(shape) == len(tensor.shape) and all(
                b in (a, -1) for a, b in zip(shape, tensor.shape, strict=True)
            )
            if not same or dtype != tensor.dtype:
                raise another(tensor, {n: s for n, (s, _) in found.items()})

    def close(self) -> None:
        with self._lock:
            self._network = None
            self._planes = {}


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    """Standard error shut while the first network of this process is made. Its chatter comes from C++, which knows no
    setting for it."""
    global _announced
    with _first:
        if _announced:
            yield
            return
        _announced = True
        try:
            kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        except OSError:  # a program without a standard error
            yield
            return
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)
