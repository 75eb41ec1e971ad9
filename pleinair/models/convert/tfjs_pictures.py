"""Operators over pictures: convolutions, pools, resizing, padding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .tfjs import Graph
from .tfjs_arithmetic import finished
from .tfjs_node import NHWC, Node, Value, add, fault, ints, short, turned, whole


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
    strides, wide = node.numbers("strides")[1:3], (node.numbers("dilations") or [1] * 4)[1:3]
    padding = _padding(node)
    if max(wide) > 1 and node.text("padding") == "SAME":  # ONNX Runtime works this out for itself without holes only
        if max(strides) > 1:
            raise fault(f"{short(node)} steps and has holes, which TensorFlow itself does not do")
        over = [(side - 1) * hole for side, hole in zip(weights.shape[2:], wide, strict=True)]
        padding = {"pads": [*(o // 2 for o in over), *(o - o // 2 for o in over)]}
    name = add(graph, node, "Conv", inputs, group=group, strides=strides, dilations=wide, **padding)
    return finished(graph, node, Value(name, NHWC), done)


def _padding(node: Node) -> dict[str, Any]:
    how = node.text("padding")
    if how == "EXPLICIT":
        pads = node.numbers("explicit_paddings")
        return {"pads": [pads[2], pads[4], pads[3], pads[5]]}
    return {"auto_pad": {"SAME": "SAME_UPPER", "VALID": "VALID"}[how]}


def _nhwc(node: Node) -> None:
    if node.text("data_format") not in ("", "NHWC"):
        raise fault(f"{short(node)} has its channels first, which is not known here")


def transposed(graph: Graph, node: Node) -> Value:
    """Conv2DBackpropInput(sizes, weights, value): a convolution backwards. SAME makes exactly `strides` times as many
    pixels, as every exporter asks for."""
    _nhwc(node)
    weights = graph.number(node.inputs[1])  # height, width, out, in
    strides, sides = node.numbers("strides")[1:3], weights.shape[:2]
    over = [side - stride if node.text("padding") == "SAME" else 0 for side, stride in zip(sides, strides, strict=True)]
    before = [max(o, 0) // 2 for o in over]
    after = [max(o, 0) - b for o, b in zip(over, before, strict=True)]
    inputs = [
        graph.channels_first(graph.value(node.inputs[2])),
        graph.writer.constant(weights.transpose(3, 2, 0, 1), short(node) + "/w"),
    ]
    name = add(
        graph, node, "ConvTranspose", inputs, strides=strides, pads=[*before, *after],
        output_padding=[max(-o, 0) for o in over],
    )  # fmt: skip
    return Value(name, NHWC)


def depth_to_space(graph: Graph, node: Node) -> Value:
    _nhwc(node)
    picture = graph.channels_first(graph.value(node.inputs[0]))
    return Value(
        add(graph, node, "DepthToSpace", [picture], blocksize=int(node.number("block_size")), mode="DCR"), NHWC
    )


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
        name = add(graph, node, "Resize", inputs, mode=mode, coordinate_transformation_mode=how, nearest_mode=rounding)
        return Value(name, NHWC)

    return write


def pad(graph: Graph, node: Node) -> Value:
    value, amounts = graph.value(node.inputs[0]), graph.number(node.inputs[1])
    if value.axes:
        amounts = amounts[np.argsort(value.axes)]
    inputs = [graph.stored(value), graph.writer.ints([*amounts[:, 0], *amounts[:, 1]])]
    if node.op == "PadV2":
        inputs.append(graph.plain(graph.value(node.inputs[2])))
    return Value(add(graph, node, "Pad", inputs), value.axes)


def transpose(graph: Graph, node: Node) -> Value:
    return turned(graph.value(node.inputs[0]), tuple(ints(graph.number(node.inputs[1]))))
