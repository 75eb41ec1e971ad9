"""Operators that work number by number, and products of matrices."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .tfjs import Graph
from .tfjs_node import Node, Value, add, fault, short


def elementwise(op: str) -> Callable[[Graph, Node], Value]:
    """Any number of inputs. The axes stay as they lie where all inputs agree; constants are turned to fit."""

    def write(graph: Graph, node: Node) -> Value:
        name, axes = together(graph, [graph.value(i) for i in node.inputs])
        return Value(add(graph, node, op, name), axes)

    return write


def together(graph: Graph, values: list[Value]) -> tuple[list[str], tuple[int, ...]]:
    """ONNX tensors of values that are to be combined, and the order of axes that they share."""
    orders = {v.axes for v in values if v.constant is None}
    axes = orders.pop() if len(orders) == 1 else ()
    if not axes:
        return [graph.plain(v) for v in values], ()
    names = []
    for value in values:
        if value.constant is None:
            names.append(value.name)
        elif value.constant.ndim == 0:
            names.append(graph.plain(value))
        else:
            array = value.constant.reshape((1,) * (len(axes) - value.constant.ndim) + value.constant.shape)
            names.append(graph.plain(Value(value.name, (), array.transpose(np.argsort(axes)))))
    return names, axes


def squared_difference(graph: Graph, node: Node) -> Value:
    names, axes = together(graph, [graph.value(i) for i in node.inputs])
    apart = str(graph.writer.add("Sub", names))
    return Value(add(graph, node, "Mul", [apart, apart]), axes)


def square(graph: Graph, node: Node) -> Value:
    value = graph.value(node.inputs[0])
    return Value(add(graph, node, "Mul", [graph.stored(value)] * 2), value.axes)


def floor_div(graph: Graph, node: Node) -> Value:
    a, b = (graph.plain(graph.value(i)) for i in node.inputs)
    if node.dtype("T") == "float32":
        return Value(add(graph, node, "Floor", [graph.writer.add("Div", [a, b])]))
    rest = graph.writer.add("Mod", [a, b])  # of the divisor's sign; ONNX's Div of whole numbers cuts towards 0
    return Value(add(graph, node, "Div", [graph.writer.add("Sub", [a, rest]), b]))


def leaky(graph: Graph, node: Node) -> Value:
    value = graph.value(node.inputs[0])
    return Value(add(graph, node, "LeakyRelu", [graph.stored(value)], alpha=node.number("alpha", 0.2)), value.axes)


def relu6(graph: Graph, node: Node) -> Value:
    value = graph.value(node.inputs[0])
    return Value(clip6(graph, node, graph.stored(value)), value.axes)


def clip6(graph: Graph, node: Node, name: str) -> str:
    low, high = (graph.writer.constant(np.float32(v)) for v in (0, 6))
    return add(graph, node, "Clip", [name, low, high])


def select(graph: Graph, node: Node) -> Value:
    return Value(add(graph, node, "Where", [graph.plain(graph.value(i)) for i in node.inputs]))


def softmax(graph: Graph, node: Node) -> Value:
    return Value(add(graph, node, "Softmax", [graph.plain(graph.value(node.inputs[0]))], axis=-1))


def matmul(graph: Graph, node: Node) -> Value:
    a, b = (graph.plain(graph.value(i)) for i in node.inputs[:2])
    flags = {"transA": int(node.flag("transpose_a")), "transB": int(node.flag("transpose_b"))}
    bias = [graph.plain(graph.value(i)) for i in node.inputs[2:3]]
    return finished(graph, node, Value(add(graph, node, "Gemm", [a, b, *bias], **flags)), "BiasAdd" if bias else "")


def finished(graph: Graph, node: Node, value: Value, done: str) -> Value:
    """What TensorFlow fused onto the operator. `done`: what the ONNX operator did already."""
    for op in node.texts("fused_ops"):
        if op == done:
            continue
        if op in ("Relu", "Elu", "Sigmoid", "Tanh"):
            value = Value(add(graph, node, op, [value.name]), value.axes)
        elif op == "Relu6":
            value = Value(clip6(graph, node, value.name), value.axes)
        elif op == "LeakyRelu":
            alpha = node.number("leakyrelu_alpha", 0.2)
            value = Value(add(graph, node, "LeakyRelu", [value.name], alpha=alpha), value.axes)
        elif op == "Prelu":
            names, axes = together(graph, [value, graph.value(node.inputs[-1])])
            value = Value(add(graph, node, "PRelu", names), axes)
        else:
            raise fault(f'"{op}", fused into {short(node)}, is not known here')
    return value
