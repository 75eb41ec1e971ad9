"""Bare tensors: any ONNX network of fixed float32 shapes, as a function of rows of numbers. Task "vector".

For a model of one's own that no other task knows. Each input is a port and takes a Vector of as many numbers as the
input has (in C order); the first output comes back as a Vector.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import plugins
from ..backends import wire
from ..backends.base import Backend, Tensor, default_threads, isa
from ..core.errors import ModelFault, did_you_mean
from ..core.kinds import Kind, Size, Vector
from ..core.model import Model
from . import check_onnx, store
from .card import Card

MOST = 1 << 24
"""Numbers in one tensor."""


def ports_of(found: wire.Summary, name: str) -> dict[str, str]:
    """Port name -> the network's own name of the input. ModelFault where a shape is open or not float32."""
    ports: dict[str, str] = {}
    for tensor, shape in {**found.inputs, **dict(list(found.outputs.items())[:1])}.items():
        fixed = shape is not None and all(side > 0 for side in shape) and math.prod(shape) <= MOST
        if not fixed or found.types.get(tensor) != wire.FLOAT:
            raise ModelFault(
                f"{name} cannot be used as bare tensors: {tensor} is not float32 of one fixed shape",
                hint="export it with fixed sizes",
            )
        if tensor in found.inputs:
            port = re.sub(r"\W+", "_", tensor).strip("_") or "input"
            ports[port if port not in ports else f"{port}_{len(ports)}"] = tensor
    if not ports:
        raise ModelFault(f"{name} cannot be used as bare tensors: it has no inputs")
    return ports


class Bare(Model):
    """`model(x, y=...)`: rows of numbers in, a row of numbers out. ValueError where a row has another length."""

    kind = Vector

    def __init__(
        self,
        card: Card,
        *,
        size: Size | None = None,
        backend: str,
        precision: str,
        threads: int | None = None,
        constants: Mapping[str, Any] | None = None,
    ) -> None:
        if size:
            raise ModelFault(f"{card.name} has no working size: it takes rows of numbers")
        self.card, self.precision, self.threads = card, precision, threads or default_threads()
        self._backend_name, self._class = backend, plugins.find("backends", backend)
        self._blob = store.read(card, "network")
        found = check_onnx.inspect(self._blob, card.files["network"].name)
        self._inputs = {p: Tensor(t, tuple(found.inputs[t] or ())) for p, t in ports_of(found, card.name).items()}
        output, shape = next(iter(found.outputs.items()))
        self._output = Tensor(output, tuple(shape or ()))
        self.ports: dict[str, type[Kind]] = dict.fromkeys(self._inputs, Vector)
        self.names = card.names
        self._constants = {**card.constants, **(constants or {})}
        self._network: Backend | None = None
        self._lock = threading.RLock()

    def open(self) -> None:
        with self._lock:
            if self._network is None:
                inputs = list(self._inputs.values())
                self._network = self._class(
                    self._blob, inputs, [self._output], precision=self.precision, threads=self.threads
                )
                self._network.run({t.name: np.zeros(t.shape, np.float32) for t in inputs})

    def __call__(self, *args: Any, **ports: Any) -> np.ndarray:
        """float32, one dimension."""
        self.open()
        values = {**self._constants, **dict(zip(self._inputs, args, strict=False)), **ports}
        arrays = {}
        for port, value in values.items():
            if port not in self._inputs:
                raise ModelFault(f'{self.card.name} has no port "{port}"', hint=did_you_mean(port, self._inputs))
            tensor = self._inputs[port]
            row, wanted = Vector.check(value), math.prod(tensor.shape)
            if len(row) != wanted:
                raise ValueError(f"{port} is {wanted} numbers, and these are {len(row)}")
            arrays[tensor.name] = row.reshape(tensor.shape)
        for port, tensor in self._inputs.items():
            if tensor.name not in arrays:
                raise TypeError(f"{self.card.name} needs {port}: {math.prod(tensor.shape)} numbers")
        network = self._network
        if network is None:
            raise ModelFault("the model is closed", hint="load it again")
        return network.run(arrays)[self._output.name].reshape(-1).copy()

    def proofs(self) -> list[dict[str, Any]]:
        """A ramp from -1 to 1 in every port."""
        return [{p: np.linspace(-1, 1, math.prod(t.shape), dtype=np.float32) for p, t in self._inputs.items()}]

    def close(self) -> None:
        with self._lock:
            if self._network is not None:
                self._network.close()
            self._network = None

    def describe(self) -> dict[str, Any]:
        return {
            "card": self.card.name,
            "sha256": self.card.sha256,
            "files": {role: file.sha256 for role, file in self.card.files.items()},
            "backend": {
                "name": self._backend_name,
                "version": self._class.version_installed(),
                "precision": self.precision,
                "threads": self.threads,
                "isa": isa(),
            },
        }
