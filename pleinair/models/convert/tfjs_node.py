"""What the operators of a TensorFlow.js model are told in: nodes, and tensors with the order of their axes."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.errors import ModelFault

if TYPE_CHECKING:
    from .tfjs import Graph

TYPES = {"DT_FLOAT": "float32", "DT_INT32": "int32", "DT_INT64": "int64", "DT_BOOL": "bool", "DT_UINT8": "uint8"}
NHWC = (0, 2, 3, 1)
"""axes of a Value whose ONNX tensor has its channels first."""


def fault(why: str, hint: str = "") -> ModelFault:
    return ModelFault(
        f"the TensorFlow.js model cannot be converted: {why}", now="nothing was put into the store", hint=hint
    )


@dataclass(frozen=True)
class Value:
    """A tensor of the TensorFlow graph: a constant, or what an ONNX tensor holds with its axes in another order.

    axes   axis i of the TensorFlow tensor is axis axes[i] of the ONNX tensor; (): the same order
    """

    name: str = ""
    axes: tuple[int, ...] = ()
    constant: np.ndarray | None = None


@dataclass(frozen=True)
class Node:
    """One operator of the GraphDef."""

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any]

    def flag(self, key: str) -> bool:
        return bool(self.attributes.get(key, {}).get("b", False))

    def number(self, key: str, default: float = 0) -> float:
        entry = self.attributes.get(key, {})
        return float(entry.get("i", entry.get("f", default)))

    def text(self, key: str) -> str:
        return base64.b64decode(self.attributes.get(key, {}).get("s", "")).decode("ascii")

    def numbers(self, key: str) -> list[int]:
        return [int(i) for i in self.attributes.get(key, {}).get("list", {}).get("i", [])]

    def texts(self, key: str) -> list[str]:
        return [base64.b64decode(s).decode("ascii") for s in self.attributes.get(key, {}).get("list", {}).get("s", [])]

    def dtype(self, key: str) -> str:
        found = self.attributes.get(key, {}).get("type", "DT_FLOAT")
        if found not in TYPES:
            raise fault(f"{self.name} is of the type {found}, and only {', '.join(TYPES)} are known")
        return TYPES[found]


def turned(value: Value, order: tuple[int, ...]) -> Value:
    """`transpose(value, order)`, without doing it."""
    if value.constant is not None:
        return Value(value.name, (), value.constant.transpose(order))
    axes = tuple(value.axes[i] for i in order) if value.axes else order
    return Value(value.name, () if axes == tuple(range(len(axes))) else axes)


def sides_of(shape: Mapping[str, Any]) -> list[int | str]:
    """Of a TensorShape; a word for a free side, but a free batch is one."""
    given = [int(dim["size"]) for dim in shape.get("dim", [])]
    return [side if side > 0 else (f"side{n}" if n else 1) for n, side in enumerate(given)]


def short(node: Node) -> str:
    """Its name without the wrapping that every exported graph has."""
    return node.name.removeprefix("StatefulPartitionedCall/").removeprefix("PartitionedCall/")


def add(graph: Graph, node: Node, op: str, inputs: list[str], **attributes: Any) -> str:
    return str(graph.writer.add(op, inputs, short(node), **attributes))


def whole(graph: Graph, tensor: str, to: str = "int64") -> str:
    """An index, shape or axis in the type that ONNX wants."""
    value = graph.value(tensor)
    if value.constant is not None:
        return graph.writer.constant(value.constant.astype(to))
    return str(graph.writer.add("Cast", [graph.plain(value)], to=onnx_type(to)))


def onnx_type(dtype: str) -> int:
    from onnx import helper

    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


def ints(values: Any) -> list[int]:
    return [int(v) for v in np.asarray(values).reshape(-1)]
