"""Operators that change shapes, look things up and sum over axes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .tfjs import Graph
from .tfjs_arithmetic import together
from .tfjs_node import Node, Value, add, fault, ints, onnx_type, short, whole


def reshape(graph: Graph, node: Node) -> Value:
    return Value(add(graph, node, "Reshape", [graph.plain(graph.value(node.inputs[0])), whole(graph, node.inputs[1])]))


def shape(graph: Graph, node: Node) -> Value:
    value = graph.value(node.inputs[0])
    found = graph.writer.add("Shape", [graph.stored(value)])
    if value.axes:
        found = graph.writer.add("Gather", [found, graph.writer.ints(value.axes)])
    return Value(add(graph, node, "Cast", [found], to=onnx_type("int32")))


def size(graph: Graph, node: Node) -> Value:
    found = graph.writer.add("Size", [graph.stored(graph.value(node.inputs[0]))])
    return Value(add(graph, node, "Cast", [found], to=onnx_type("int32")))


def concat(graph: Graph, node: Node) -> Value:
    axis = int(graph.number(node.inputs[-1]))
    names, axes = together(graph, [graph.value(i) for i in node.inputs[:-1]])
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
    sizes = [graph.writer.ints(ints(graph.number(node.inputs[1])))] if sized else []
    axis = value.axes[axis] if value.axes else axis
    names = graph.writer.add("Split", [graph.stored(value), *sizes], short(node), outputs=count, axis=axis)
    return tuple(Value(name, value.axes) for name in ([names] if count == 1 else names))


def expand_dims(graph: Graph, node: Node) -> Value:
    axis = graph.writer.ints(ints(graph.number(node.inputs[1])))
    return Value(add(graph, node, "Unsqueeze", [graph.plain(graph.value(node.inputs[0])), axis]))


def squeeze(graph: Graph, node: Node) -> Value:
    axes = node.numbers("squeeze_dims")
    inputs = [graph.plain(graph.value(node.inputs[0])), *([graph.writer.ints(axes)] if axes else [])]
    return Value(add(graph, node, "Squeeze", inputs))


def strided_slice(graph: Graph, node: Node) -> Value:
    """value[begin:end:stride, ...] with new axes and dropped ones, as its five masks say."""
    begin, end, step = (ints(graph.number(i)) for i in node.inputs[1:4])
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
        over = ints(graph.number(node.inputs[1]))
        rest: tuple[int, ...] = value.axes
        if value.axes:
            over = [value.axes[axis] for axis in over]
            if not keep:
                left = [axis for axis in value.axes if axis not in over]
                rest = tuple(sorted(left).index(axis) for axis in left)
                rest = () if rest == tuple(range(len(rest))) else rest
        if op == "ReduceSum":  # its axes became an input earlier than those of the others
            name = add(graph, node, op, [graph.stored(value), graph.writer.ints(over)], keepdims=int(keep))
        else:
            name = add(graph, node, op, [graph.stored(value)], axes=over, keepdims=int(keep))
        return Value(name, rest)

    return write


def arg_max(graph: Graph, node: Node) -> Value:
    axis = int(graph.number(node.inputs[1]))
    value = graph.plain(graph.value(node.inputs[0]))
    found = graph.writer.add("ArgMax" if node.op == "ArgMax" else "ArgMin", [value], axis=axis, keepdims=0)
    return Value(add(graph, node, "Cast", [found], to=onnx_type(node.dtype("output_type"))))


def top_k(graph: Graph, node: Node) -> tuple[Value, ...]:
    count = graph.writer.add("Reshape", [whole(graph, node.inputs[1]), graph.writer.ints([1])])
    source = graph.plain(graph.value(node.inputs[0]))
    values, places = graph.writer.add("TopK", [source, count], short(node), outputs=2)
    return Value(values), Value(str(graph.writer.add("Cast", [places], to=onnx_type("int32"))))


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
