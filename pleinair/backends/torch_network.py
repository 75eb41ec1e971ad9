"""An ONNX graph, run node by node in torch. ONNX's operators: torch_ops, torch_layers, torch_shapes, torch_resize.

What a shape is made of (Shape and what follows from it) stays on the CPU; numbers of pictures are where the network is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper

from . import torch_layers, torch_shapes  # noqa: F401 - they fill the table
from .torch_ops import OPS

SMALL = 64
"""Whole numbers up to so many are what shapes are made of."""


class Network:
    """A graph, its constants on a device. ValueError where it holds an operator that is not known here."""

    def __init__(self, model: bytes, device: torch.device) -> None:
        graph = onnx.load_from_string(model).graph
        self.device = device
        unknown = sorted({n.op_type for n in graph.node if n.op_type not in OPS or n.domain not in ("", "ai.onnx")})
        if unknown:
            raise ValueError(f"it has operators that are not known here ({', '.join(unknown)[:120]})")
        self._constants = {c.name: self.placed(numpy_helper.to_array(c)) for c in graph.initializer}
        self._nodes = []
        for node in graph.node:
            attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            if "value" in attributes and node.op_type in ("Constant", "ConstantOfShape"):
                attributes["value"] = self.placed(numpy_helper.to_array(attributes["value"]))
            self._nodes.append((OPS[node.op_type], tuple(node.input), tuple(node.output), attributes))
        self._last = {name: n for n, (_, inputs, _, _) in enumerate(self._nodes) for name in inputs}

    def placed(self, array: np.ndarray) -> torch.Tensor:
        x = torch.from_numpy(np.array(array))
        return x if x.numel() <= SMALL and not x.is_floating_point() else x.to(self.device)

    def run(self, given: Mapping[str, torch.Tensor], wanted: Sequence[str]) -> dict[str, torch.Tensor]:
        values = {**self._constants, **given}
        kept = {*wanted, *self._constants}
        for place, (op, inputs, outputs, attributes) in enumerate(self._nodes):
            found = op([values[n] if n else None for n in inputs], attributes, self)
            found = found if isinstance(found, (list, tuple)) else [found]
            values.update(zip(outputs, found, strict=False))
            for name in inputs:  # memory is given back as soon as nobody needs it
                if name and self._last[name] == place and name not in kept:
                    values.pop(name, None)
        return {name: values[name] for name in wanted}
