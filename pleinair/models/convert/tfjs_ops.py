"""TensorFlow's operators in ONNX's words: one function for each shape of operator, and the table of them.

Sources: TensorFlow's raw_ops pages for what each means, ONNX's operator pages (set 17) for what it becomes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...core.errors import did_you_mean
from .tfjs import Graph
from .tfjs_arithmetic import elementwise, floor_div, leaky, matmul, relu6, select, softmax, square, squared_difference
from .tfjs_node import Node, Value, add, fault, ints, onnx_type, short, sides_of
from .tfjs_pictures import (
    batch_norm,
    convolution,
    depth_to_space,
    depthwise,
    pad,
    pool,
    resize,
    transpose,
    transposed,
)
from .tfjs_shapes import (
    arg_max,
    concat,
    expand_dims,
    fill,
    gather,
    gather_nd,
    pack,
    range_,
    reduce,
    reshape,
    shape,
    size,
    split,
    squeeze,
    strided_slice,
    tile,
    top_k,
    unpack,
)

SMALL = 1024
"""Numbers in a constant that may be worked out here: two of them can make a table of a million at the most."""


def value_of(graph: Graph, node: Node) -> tuple[Value, ...]:
    """The outputs of one operator, its ONNX nodes written. ModelFault where the operator is not known."""
    if node.op not in OPERATORS:
        raise fault(f'its operator "{node.op}" ({short(node)}) is not known here', did_you_mean(node.op, OPERATORS))
    inputs = [graph.value(i) for i in node.inputs]
    if node.op in FOLDED and inputs and all(v.constant is not None and v.constant.size <= SMALL for v in inputs):
        found = FOLDED[node.op](node, *[v.constant for v in inputs])
        return (Value(short(node), (), np.asarray(found)),)
    outputs = OPERATORS[node.op](graph, node)
    return outputs if isinstance(outputs, tuple) else (outputs,)


# -- inputs and constants ----------------------------------------------------------------------------------------------


def placeholder(graph: Graph, node: Node) -> Value:
    sides = sides_of(node.attributes.get("shape", {}).get("shape", {}))
    users = [n for n in graph.nodes.values() if node.name in n.inputs]
    dtype = node.dtype("dtype")
    if users and all(n.op == "Cast" and n.dtype("DstT") == "float32" for n in users):
        dtype = "float32"  # the Cast becomes nothing
    name = graph.writer.unique(node.name)
    graph.inputs[name] = (dtype, sides)
    return Value(name)


def const(graph: Graph, node: Node) -> Value:
    if node.name not in graph.weights:
        raise fault(f'the weights "{node.name}" are missing')
    return Value(short(node), (), graph.weights[node.name])


def same(graph: Graph, node: Node) -> Value:
    return graph.value(node.inputs[0])


def cast(graph: Graph, node: Node) -> Value:
    value, to = graph.value(node.inputs[0]), node.dtype("DstT")
    if value.name in graph.inputs and graph.inputs[value.name][0] == to:
        return value
    return Value(add(graph, node, "Cast", [graph.stored(value)], to=onnx_type(to)), value.axes)


OPERATORS: dict[str, Callable[[Graph, Node], Value | tuple[Value, ...]]] = {
    "Placeholder": placeholder, "Const": const, "Identity": same, "StopGradient": same, "Cast": cast,
    **{op: elementwise(op) for op in ("Sub", "Mul", "Abs", "Exp", "Sqrt", "Sigmoid", "Relu", "Elu", "Tanh", "Less",
                                      "Greater", "Equal", "Neg", "Floor", "Softplus", "Log", "Pow")},
    **{op: elementwise("Add") for op in ("Add", "AddV2", "BiasAdd")}, "AddN": elementwise("Sum"),
    "RealDiv": elementwise("Div"), "Minimum": elementwise("Min"), "Maximum": elementwise("Max"),
    "GreaterEqual": elementwise("GreaterOrEqual"), "LessEqual": elementwise("LessOrEqual"),
    "LogicalAnd": elementwise("And"), "LogicalOr": elementwise("Or"), "LogicalNot": elementwise("Not"),
    "Reciprocal": elementwise("Reciprocal"), "Prelu": elementwise("PRelu"), "SquaredDifference": squared_difference,
    "FloorDiv": floor_div, "LeakyRelu": leaky, "Relu6": relu6, "Select": select, "SelectV2": select,
    "Softmax": softmax, "MatMul": matmul, "_FusedMatMul": matmul,
    "Conv2D": convolution, "_FusedConv2D": convolution, "DepthwiseConv2dNative": depthwise,
    "FusedDepthwiseConv2dNative": depthwise, "MaxPool": pool("MaxPool"), "AvgPool": pool("AveragePool"),
    "FusedBatchNormV3": batch_norm, "ResizeBilinear": resize("linear"), "ResizeNearestNeighbor": resize("nearest"),
    "Conv2DBackpropInput": transposed, "DepthToSpace": depth_to_space, "FloorMod": elementwise("Mod"), "Square": square,
    "Pad": pad, "PadV2": pad, "Transpose": transpose,
    "Reshape": reshape, "Shape": shape, "Size": size, "ConcatV2": concat, "Pack": pack, "Unpack": unpack,
    "Split": split, "SplitV": split, "ExpandDims": expand_dims, "Squeeze": squeeze, "StridedSlice": strided_slice,
    "Max": reduce("ReduceMax"), "Min": reduce("ReduceMin"), "Sum": reduce("ReduceSum"), "Mean": reduce("ReduceMean"),
    "ArgMax": arg_max, "ArgMin": arg_max, "TopKV2": top_k, "GatherNd": gather_nd, "GatherV2": gather,
    "Range": range_, "Tile": tile, "Fill": fill,
}  # fmt: skip
"""TensorFlow's name -> what writes it."""


def _dense(node: Node, places: np.ndarray, shape: np.ndarray, values: np.ndarray, rest: np.ndarray) -> np.ndarray:
    if np.prod(shape, dtype=np.float64) > 1 << 20:
        raise fault(f"{short(node)} makes a table of {shape.tolist()}")
    dense = np.full(ints(shape), rest, rest.dtype)
    if places.size:
        dense[tuple(places.reshape(-1, dense.ndim).T)] = values
    return dense


FOLDED: dict[str, Callable[..., Any]] = {
    "SparseToDense": _dense,
    **dict.fromkeys(("Add", "AddV2"), lambda node, a, b: a + b),
    "Sub": lambda node, a, b: a - b,
    "Mul": lambda node, a, b: a * b,
    "Pack": lambda node, *each: np.stack(each, int(node.number("axis"))),
    "Cast": lambda node, a: a.astype(node.dtype("DstT")),
    "Reshape": lambda node, a, to: a.reshape(ints(to)),
}
"""What is worked out here when all that goes in is constant: sums of whole numbers, mostly, that make up shapes."""
OPERATORS["SparseToDense"] = lambda graph, node: Value("", (), graph.number(node.inputs[0]))  # computed: refused
