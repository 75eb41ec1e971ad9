"""An ONNX network written node by node: what converters have in common.

The same calls give the same bytes on every machine: version, operator set and producer are fixed here, and protobuf is
asked for its deterministic form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

IR_VERSION, OPSET = 8, 17
"""ONNX 1.13 (2022): read by every runtime that Pleinair uses, and by those of many years to come."""

Port = tuple[str, Sequence[int | str] | None]
MAX_NUMBERS = 1 << 28


class Writer:
    """Nodes and constants, in the order in which they are added."""

    def __init__(self, name: str) -> None:
        import onnx  # not with the module: whoever only runs networks does without it

        self._helper, self._from_array = onnx.helper, onnx.numpy_helper.from_array
        self.name = name
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._known: dict[tuple[Any, ...], str] = {}
        self._names: set[str] = set()

    def unique(self, wish: str) -> str:
        """A tensor name that is not taken."""
        name, n = wish, 1
        while name in self._names:
            name, n = f"{wish}_{n}", n + 1
        self._names.add(name)
        return name

    def add(self, op: str, inputs: Sequence[str], name: str = "", outputs: int = 1, **attributes: Any) -> Any:
        """One node; the name of its output, or the list of them."""
        wish = name or op.lower()
        found = [self.unique(wish if outputs == 1 else f"{wish}:{n}") for n in range(outputs)]
        attributes = {k: v for k, v in attributes.items() if v is not None}
        self._nodes.append(self._helper.make_node(op, list(inputs), found, name=found[0], **attributes))
        return found[0] if outputs == 1 else found

    def name_output(self, tensor: str, name: str) -> None:
        """The tensor under a name that `unique` gave."""
        self._nodes.append(self._helper.make_node("Identity", [tensor], [name], name=name))

    def constant(self, array: np.ndarray, name: str = "constant") -> str:
        """Its name; equal small ones are kept once."""
        array = np.asarray(array)
        if array.size > MAX_NUMBERS:
            raise ValueError(f"{name} has {array.size} numbers")
        array = array.astype(array.dtype.newbyteorder("<"), order="C")
        key = (array.dtype.str, array.shape, array.tobytes()) if array.size <= 64 else ()
        if key and key in self._known:
            return self._known[key]
        label = self.unique(name)
        self._constants[label] = self._from_array(array, label)
        if key:
            self._known[key] = label
        return label

    def ints(self, values: Sequence[int]) -> str:
        """int64, one dimension: axes, shapes, pads."""
        return self.constant(np.array(list(values), np.int64), "ints")

    def save(self, inputs: Mapping[str, Port], outputs: Mapping[str, Port]) -> bytes:
        """The file. Ports as name -> (numpy type, sides: a word for a free one, None for a shape that is not known)."""
        helper = self._helper

        def port(name: str, dtype: str, sides: Sequence[int | str] | None) -> Any:
            kind = int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
            return helper.make_tensor_value_info(name, kind, None if sides is None else list(sides))

        graph = helper.make_graph(
            self._nodes,
            self.name,
            [port(name, *what) for name, what in inputs.items()],
            [port(name, *what) for name, what in outputs.items()],
            list(self._constants.values()),
        )
        model = helper.make_model(graph, producer_name="pleinair", producer_version="1")
        model.ir_version = IR_VERSION
        del model.opset_import[:]
        model.opset_import.append(helper.make_opsetid("", OPSET))
        return bytes(model.SerializeToString(deterministic=True))
