"""Bare tensors: any ONNX network of fixed float32 shapes, as a function of rows of numbers. Task "vector".

For a model of one's own that no other task knows. Each input is a port and takes a Vector of as many numbers as the
input has (in C order); the first output comes back as a Vector.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np

from ..backends import wire
from ..backends.base import Tensor
from ..core.errors import ModelFault
from ..core.kinds import Size, Vector
from . import check_onnx, store
from .card import Card
from .network import NetworkModel

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


class Bare(NetworkModel):
    """`model(x, y=...)`: rows of numbers in, a row of numbers out. ValueError where a row has another length."""

    kind = Vector

    def __init__(self, card: Card, *, size: Size | None = None, **how: Any) -> None:
        if size:
            raise ModelFault(f"{card.name} has no working size: it takes rows of numbers")
        self._blob = store.read(card, "network")
        found = check_onnx.inspect(self._blob, card.files["network"].name)
        self._inputs = {p: Tensor(t, tuple(found.inputs[t] or ())) for p, t in ports_of(found, card.name).items()}
        output, shape = next(iter(found.outputs.items()))
        self._output = Tensor(output, tuple(shape or ()))
        super().__init__(replace(card, ports=dict.fromkeys(self._inputs, Vector)), **how)
        self.needed = tuple(self._inputs)

    def _open(self) -> None:
        inputs = list(self._inputs.values())
        self._network = self.network("network", inputs, [self._output], blob=self._blob)
        self._network.run({t.name: np.zeros(t.shape, np.float32) for t in inputs})

    def _run(self, values: dict[str, Any]) -> np.ndarray:
        """float32, one dimension."""
        arrays = {}
        for port, tensor in self._inputs.items():
            row, wanted = Vector.check(values[port]), math.prod(tensor.shape)
            if len(row) != wanted:
                raise ValueError(f"{port} is {wanted} numbers, and these are {len(row)}")
            arrays[tensor.name] = row.reshape(tensor.shape)
        return self._network.run(arrays)[self._output.name].reshape(-1).copy()

    def proofs(self) -> list[dict[str, Any]]:
        """A ramp from -1 to 1 in every port."""
        return [{p: np.linspace(-1, 1, math.prod(t.shape), dtype=np.float32) for p, t in self._inputs.items()}]
