"""TensorFlow's operators in ONNX's words: one function for each shape of operator, and the table of them.

Sources: TensorFlow's raw_ops pages for what each means, ONNX's operator pages (set 17) for what it becomes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...core.errors import did_you_mean
from .tfjs import Graph, Node, Value, fault, sides_of, turned

SMALL = 1024
"""Numbers in a constant that may be worked out here: two of them can make a table of a million at the most."""
NHWC = (0, 2, 3, 1)
"""axes of a Value whose ONNX tensor has its channels first."""


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
    return str(graph.writer.add("Cast", [graph.plain(value)], to=_onnx(to)))


def _onnx(dtype: str) -> int:
    from onnx import helper

    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


def _ints(values: Any) -> list[int]:
    return [int(v) for v in np.asarray(values).reshape(-1)]


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
    return Value(add(graph, node, "Cast", [value.name], to=_onnx(to)), value.axes)


# -- arithmetic --------------------------------------------------------------------------------------------------------


def elementwise(op: str) -> Callable[[Graph, Node], Value]:
    """Any number of inputs. The axes stay as they lie where all inputs agree; constants are turned to fit."""

    def write(graph: Graph, node: Node) -> Value:
        name, axes = _together(graph, [graph.value(i) for i in node.inputs])
        return Value(add(graph, node, op, name), axes)

    return write


def _together(graph: Graph, values: list[Value]) -> tuple[list[str], tuple[int, ...]]:
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
    names, axes = _together(graph, [graph.value(i) for i in node.inputs])
    apart = str(graph.writer.add("Sub", names))
    return Value(add(graph, node, "Mul", [apart, apart]), axes)


def floor_div(graph: Graph, node: Node) -> Value:
    a, b = (graph.plain(graph.value(i)) for i in node.inputs)
    if node.dtype("T") == "float32":
        return Value(add(graph, node, "Floor", [graph.writer.add("Div", [a, b])]))
    rest = graph.writer.add("Mod", [a, b])  # of the divisor's sign; ONNX's Div of whole numbers cuts towards 0
    return Value(add(graph, node, "Div", [graph.writer.add("Sub", [a, rest]), b]))


def leaky(graph: Graph, node: Node) -> Value:
    value = graph.value(node.inputs[0])
    return Value(add(graph, node, "LeakyRelu", [value.name], alpha=node.number("alpha", 0.2)), value.axes)


def relu6(graph: Graph, node: Node) -> Value:
    value = graph.value(node.inputs[0])
    return Value(_clip6(graph, node, value.name), value.axes)


def _clip6(graph: Graph, node: Node, name: str) -> str:
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
    return _finished(graph, node, Value(add(graph, node, "Gemm", [a, b, *bias], **flags)), "BiasAdd" if bias else "")


# -- pictures ----------------------------------------------------------------------------------------------------------


def convolution(graph: Graph, node: Node) -> Value:
    _nhwc(node)
    weights = graph.number(node.inputs[1])  # height, width, in, out
    return _convolved(graph, node, weights.transpose(3, 2, 0, 1), 1)


def depthwise(graph: Graph, node: Node) -> Value:
    _nhwc(node)
    weights = graph.number(node.inputs[1])  # height, width, in, multiplier
    height, width, count, times = weights.shape
    return _convolved(graph, node, weights.transpose(2, 3, 0, 1).reshape(count * times, 1, height, width), count)


def _convolved(graph: Graph, node: Node, weights: np.ndarray, group: int) -> Value:
    fused = node.texts("fused_ops")
    inputs = [graph.channels_first(graph.value(node.inputs[0])), graph.writer.constant(weights, short(node) + "/w")]
    done = ""
    if fused[:1] == ["BiasAdd"]:
        inputs.append(graph.writer.constant(graph.number(node.inputs[2]).reshape(-1), short(node) + "/b"))
        done = "BiasAdd"
    name = add(
        graph, node, "Conv", inputs, group=group, strides=node.numbers("strides")[1:3],
        dilations=(node.numbers("dilations") or [1] * 4)[1:3], **_padding(node),
    )  # fmt: skip
    return _finished(graph, node, Value(name, NHWC), done)


def _finished(graph: Graph, node: Node, value: Value, done: str) -> Value:
    """What TensorFlow fused onto the operator. `done`: what the ONNX operator did already."""
    for op in node.texts("fused_ops"):
        if op == done:
            continue
        if op in ("Relu", "Elu", "Sigmoid", "Tanh"):
            value = Value(add(graph, node, op, [value.name]), value.axes)
        elif op == "Relu6":
            value = Value(_clip6(graph, node, value.name), value.axes)
        elif op == "LeakyRelu":
            alpha = node.number("leakyrelu_alpha", 0.2)
            value = Value(add(graph, node, "LeakyRelu", [value.name], alpha=alpha), value.axes)
        elif op == "Prelu":
            names, axes = _together(graph, [value, graph.value(node.inputs[-1])])
            value = Value(add(graph, node, "PRelu", names), axes)
        else:
            raise fault(f'"{op}", fused into {short(node)}, is not known here')
    return value


def _padding(node: Node) -> dict[str, Any]:
    how = node.text("padding")
    if how == "EXPLICIT":
        pads = node.numbers("explicit_paddings")
        return {"pads": [pads[2], pads[4], pads[3], pads[5]]}
    return {"auto_pad": {"SAME": "SAME_UPPER", "VALID": "VALID"}[how]}


def _nhwc(node: Node) -> None:
    if node.text("data_format") not in ("", "NHWC"):
        raise fault(f"{short(node)} has its channels first, which is not known here")


def pool(op: str) -> Callable[[Graph, Node], Value]:
    def write(graph: Graph, node: Node) -> Value:
        _nhwc(node)
        picture = graph.channels_first(graph.value(node.inputs[0]))
        sizes = {"kernel_shape": node.numbers("ksize")[1:3], "strides": node.numbers("strides")[1:3]}
        return Value(add(graph, node, op, [picture], **sizes, **_padding(node)), NHWC)

    return write


def batch_norm(graph: Graph, node: Node) -> tuple[Value, ...]:
    _nhwc(node)
    picture = graph.channels_first(graph.value(node.inputs[0]))
    rest = [graph.plain(graph.value(i)) for i in node.inputs[1:5]]
    epsilon = node.number("epsilon", 1e-4)
    return (Value(add(graph, node, "BatchNormalization", [picture, *rest], epsilon=epsilon), NHWC),)


def resize(mode: str) -> Callable[[Graph, Node], Value]:
    def write(graph: Graph, node: Node) -> Value:
        picture = graph.channels_first(graph.value(node.inputs[0]))
        w = graph.writer
        first = w.add("Slice", [w.add("Shape", [picture]), w.ints([0]), w.ints([2])])
        sizes = w.add("Concat", [first, whole(graph, node.inputs[1])], axis=0)
        how = "align_corners" if node.flag("align_corners") else "asymmetric"
        how = "half_pixel" if node.flag("half_pixel_centers") else how
        rounding = "floor" if mode == "nearest" else None
        inputs = [picture, "", "", sizes]
        name = add(
            graph, node, "Resize", inputs, mode=mode, coordinate_transformation_mode=how, nearest_mode=rounding
        )
        return Value(name, NHWC)

    return write


def pad(graph: Graph, node: Node) -> Value:
    value, amounts = graph.value(node.inputs[0]), graph.number(node.inputs[1])
    if value.axes:
        amounts = amounts[np.argsort(value.axes)]
    inputs = [value.name, graph.writer.ints([*amounts[:, 0], *amounts[:, 1]])]
    if node.op == "PadV2":
        inputs.append(graph.plain(graph.value(node.inputs[2])))
    return Value(add(graph, node, "Pad", inputs), value.axes)


def transpose(graph: Graph, node: Node) -> Value:
    return turned(graph.value(node.inputs[0]), tuple(_ints(graph.number(node.inputs[1]))))


# -- shapes ------------------------------------------------------------------------------------------------------------


def reshape(graph: Graph, node: Node) -> Value:
    return Value(add(graph, node, "Reshape", [graph.plain(graph.value(node.inputs[0])), whole(graph, node.inputs[1])]))


def shape(graph: Graph, node: Node) -> Value:
    value = graph.value(node.inputs[0])
    found = graph.writer.add("Shape", [value.name])
    if value.axes:
        found = graph.writer.add("Gather", [found, graph.writer.ints(value.axes)])
    return Value(add(graph, node, "Cast", [found], to=_onnx("int32")))


def size(graph: Graph, node: Node) -> Value:
    found = graph.writer.add("Size", [graph.value(node.inputs[0]).name])
    return Value(add(graph, node, "Cast", [found], to=_onnx("int32")))


def concat(graph: Graph, node: Node) -> Value:
    axis = int(graph.number(node.inputs[-1]))
    names, axes = _together(graph, [graph.value(i) for i in node.inputs[:-1]])
    return Value(add(graph, node, "Concat", names, axis=axes[axis] if axes else axis), axes)


def pack(graph: Graph, node: Node) -> Value:
    axis, w = int(node.number("axis")), graph.writer
    each = [w.add("Unsqueeze", [graph.plain(graph.value(i)), w.ints([axis])]) for i in node.inputs]
    return Value(add(graph, node, "Concat", each, axis=axis))


def unpack(graph: Graph, node: Node) -> tuple[Value, ...]:
    axis, source = int(node.number("axis")), graph.plain(graph.value(node.inputs[0]))
    places = (graph.writer.constant(np.int64(n)) for n in range(int(node.number("num"))))
    return tuple(Value(add(graph, node, "Gather", [source, place], axis=axis)) for place in places)


def split(graph: Graph, node: Node) -> tuple[Value, ...]:
    """Split(axis, value) in equal parts; SplitV(value, sizes, axis)."""
    sized = node.op == "SplitV"
    value = graph.value(node.inputs[0 if sized else 1])
    axis = int(graph.number(node.inputs[2 if sized else 0]))
    count = int(node.number("num_split"))
    sizes = [graph.writer.ints(_ints(graph.number(node.inputs[1])))] if sized else []
    axis = value.axes[axis] if value.axes else axis
    names = graph.writer.add("Split", [value.name, *sizes], short(node), outputs=count, axis=axis)
    return tuple(Value(name, value.axes) for name in ([names] if count == 1 else names))


def expand_dims(graph: Graph, node: Node) -> Value:
    axis = graph.writer.ints(_ints(graph.number(node.inputs[1])))
    return Value(add(graph, node, "Unsqueeze", [graph.plain(graph.value(node.inputs[0])), axis]))


def squeeze(graph: Graph, node: Node) -> Value:
    axes = node.numbers("squeeze_dims")
    inputs = [graph.plain(graph.value(node.inputs[0])), *([graph.writer.ints(axes)] if axes else [])]
    return Value(add(graph, node, "Squeeze", inputs))


def strided_slice(graph: Graph, node: Node) -> Value:
    """value[begin:end:stride, ...] with new axes and dropped ones, as its five masks say."""
    begin, end, step = (_ints(graph.number(i)) for i in node.inputs[1:4])
    masks = {key: int(node.number(f"{key}_mask")) for key in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")}
    if masks["ellipsis"]:
        raise fault(f"{short(node)} slices with an ellipsis, which is not known here")
    starts, ends, axes, steps, dropped, fresh = [], [], [], [], [], []
    source = place = 0  # axis of what goes in, and of what comes out before any is dropped
    for n in range(len(begin)):
        bit = 1 << n
        if masks["new_axis"] & bit:
            fresh.append(place - len(dropped))
            place += 1
            continue
        drop = bool(masks["shrink_axis"] & bit)
        low = None if masks["begin"] & bit and not drop else begin[n]
        high = (begin[n] + 1 or None) if drop else (None if masks["end"] & bit else end[n])
        if (low, high, step[n]) != (None, None, 1):
            far = np.iinfo(np.int64).max if step[n] > 0 else np.iinfo(np.int64).min
            starts.append(low if low is not None else (0 if step[n] > 0 else np.iinfo(np.int64).max))
            ends.append(high if high is not None else far)
            axes.append(source)
            steps.append(1 if drop else step[n])
        if drop:
            dropped.append(source)
        source, place = source + 1, place + 1
    w = graph.writer
    name = graph.plain(graph.value(node.inputs[0]))
    if axes:
        name = w.add("Slice", [name, w.ints(starts), w.ints(ends), w.ints(axes), w.ints(steps)], short(node))
    if dropped:
        name = w.add("Squeeze", [name, w.ints(dropped)], short(node))
    if fresh:
        name = w.add("Unsqueeze", [name, w.ints(fresh)], short(node))
    return Value(name)


# -- looking up and reducing -------------------------------------------------------------------------------------------


def reduce(op: str) -> Callable[[Graph, Node], Value]:
    def write(graph: Graph, node: Node) -> Value:
        value, keep = graph.value(node.inputs[0]), node.flag("keep_dims") or node.flag("keepdims")
        over = _ints(graph.number(node.inputs[1]))
        rest: tuple[int, ...] = value.axes
        if value.axes:
            over = [value.axes[axis] for axis in over]
            if not keep:
                left = [axis for axis in value.axes if axis not in over]
                rest = tuple(sorted(left).index(axis) for axis in left)
                rest = () if rest == tuple(range(len(rest))) else rest
        if op == "ReduceSum":  # its axes became an input earlier than those of the others
            name = add(graph, node, op, [value.name, graph.writer.ints(over)], keepdims=int(keep))
        else:
            name = add(graph, node, op, [value.name], axes=over, keepdims=int(keep))
        return Value(name, rest)

    return write


def arg_max(graph: Graph, node: Node) -> Value:
    axis = int(graph.number(node.inputs[1]))
    value = graph.plain(graph.value(node.inputs[0]))
    found = graph.writer.add("ArgMax" if node.op == "ArgMax" else "ArgMin", [value], axis=axis, keepdims=0)
    return Value(add(graph, node, "Cast", [found], to=_onnx(node.dtype("output_type"))))


def top_k(graph: Graph, node: Node) -> tuple[Value, ...]:
    count = graph.writer.add("Reshape", [whole(graph, node.inputs[1]), graph.writer.ints([1])])
    source = graph.plain(graph.value(node.inputs[0]))
    values, places = graph.writer.add("TopK", [source, count], short(node), outputs=2)
    return Value(values), Value(str(graph.writer.add("Cast", [places], to=_onnx("int32"))))


def gather_nd(graph: Graph, node: Node) -> Value:
    return Value(add(graph, node, "GatherND", [graph.plain(graph.value(node.inputs[0])), whole(graph, node.inputs[1])]))


def gather(graph: Graph, node: Node) -> Value:
    axis = int(graph.number(node.inputs[2])) if len(node.inputs) > 2 else 0
    source = graph.plain(graph.value(node.inputs[0]))
    return Value(add(graph, node, "Gather", [source, whole(graph, node.inputs[1])], axis=axis))


def range_(graph: Graph, node: Node) -> Value:
    return Value(add(graph, node, "Range", [graph.plain(graph.value(i)) for i in node.inputs]))


def tile(graph: Graph, node: Node) -> Value:
    return Value(add(graph, node, "Tile", [graph.plain(graph.value(node.inputs[0])), whole(graph, node.inputs[1])]))


def fill(graph: Graph, node: Node) -> Value:
    return Value(add(graph, node, "Expand", [graph.plain(graph.value(node.inputs[1])), whole(graph, node.inputs[0])]))


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
    dense = np.full(_ints(shape), rest, rest.dtype)
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
    "Reshape": lambda node, a, to: a.reshape(_ints(to)),
}
"""What is worked out here when all that goes in is constant: sums of whole numbers, mostly, that make up shapes."""
OPERATORS["SparseToDense"] = lambda graph, node: Value("", (), graph.number(node.inputs[0]))  # computed: refused
