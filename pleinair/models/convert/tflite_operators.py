"""The ONNX nodes that stand for each operator of a TFLite file, after TensorFlow Lite's reference kernels.

The numbers of fields are those of the operators' option tables in TensorFlow's schema.fbs. Of the operators that are
none of TFLite's own one is known: MediaPipe's `Convolution2DTransposeBias`, a transposed convolution and a bias.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from . import tflite_shapes as shapes
from .tflite_file import Operator, Table

if TYPE_CHECKING:
    from .tflite import Network

Write = Callable[["Network", Operator], None]
_SAME, _VALID = 0, 1


def _options(operator: Operator) -> Table:
    if operator.options is None:
        raise ValueError("an operator without the options that it needs")
    return operator.options


def _active(operator: Operator, field: int) -> int:
    return operator.options.number(field, "b") if operator.options else 0


# -- windows that pass over a picture ----------------------------------------------------------------------------------


def _pads(net: Network, operator: Operator, kernel: Any, strides: list[int], widen: list[int]) -> list[int]:
    """top, left, bottom, right. SAME: as many as needed, the odd one at the end."""
    if _options(operator).number(0, "b") == _VALID:
        return [0, 0, 0, 0]
    taken, given = net.shape(operator.inputs[0])[1:3], net.shape(operator.outputs[0])[1:3]
    sides = zip(taken, given, kernel, strides, widen, strict=True)
    needed = [max((out - 1) * step + (size - 1) * wide + 1 - side, 0) for side, out, size, step, wide in sides]
    return [n // 2 for n in needed] + [n - n // 2 for n in needed]


def _convolution(net: Network, operator: Operator, deep: bool) -> None:
    picture, kernel, *bias = operator.inputs
    options, first = _options(operator), 4 if deep else 3
    weights = net.weights(kernel).transpose((3, 0, 1, 2) if deep else (0, 3, 1, 2))
    strides = [options.number(2, default=1), options.number(1, default=1)]
    widen = [options.number(first + 2, default=1), options.number(first + 1, default=1)]
    channels = net.shape(picture)[3]
    if channels % weights.shape[1] or weights.shape[0] % (channels // weights.shape[1]):
        raise ValueError("a convolution that does not fit what it reads")
    inputs = [net.turned(picture), net.w.constant(np.ascontiguousarray(weights))]
    inputs += [net.w.constant(net.weights(place)) for place in bias if place >= 0]
    net.add(
        operator, "Conv", inputs, True, options.number(first, "b"), kernel_shape=list(weights.shape[2:]),
        strides=strides, dilations=widen, pads=_pads(net, operator, weights.shape[2:], strides, widen),
        group=channels // weights.shape[1],
    )  # fmt: skip


def _transposed(net: Network, operator: Operator) -> None:
    """TRANSPOSE_CONV: the shape that comes out, the kernel, the picture, perhaps a bias."""
    options = _options(operator)
    _, kernel, picture, *bias = operator.inputs
    strides, same = [options.number(2), options.number(1)], options.number(0, "b") == _SAME
    _transpose(net, operator, (picture, kernel, *bias), strides, same, options.number(3, "b"))


def _mediapipe_transposed(net: Network, operator: Operator) -> None:
    """Its options are a C struct of padding (1: same, 2: valid) and the strides across and down."""
    padding, across, down = struct.unpack_from("<iii", operator.custom_options)
    _transpose(net, operator, operator.inputs, [down, across], padding == 1)


def _transpose(
    net: Network, operator: Operator, inputs: tuple[int, ...], strides: list[int], same: bool, active: int = 0
) -> None:
    picture, kernel, *bias = inputs
    weights = net.weights(kernel).transpose(3, 0, 1, 2)
    sides = zip(net.shape(picture)[1:3], net.shape(operator.outputs[0])[1:3], strides, weights.shape[2:], strict=True)
    over = [(side - 1) * step + size - out for side, out, step, size in sides]
    pads = [max(n, 0) // 2 for n in over] + [max(n, 0) - max(n, 0) // 2 for n in over] if same else [0, 0, 0, 0]
    more = [max(-n, 0) for n in over]  # VALID may leave a rest that no window reaches
    taken = [net.turned(picture), net.w.constant(np.ascontiguousarray(weights))]
    taken += [net.w.constant(net.weights(place)) for place in bias if place >= 0]
    net.add(
        operator, "ConvTranspose", taken, True, active, kernel_shape=list(weights.shape[2:]), strides=strides,
        pads=pads, output_padding=more if any(more) else None,
    )  # fmt: skip


def _pool(op: str) -> Write:
    def write(net: Network, operator: Operator) -> None:
        options = _options(operator)
        strides, kernel = [options.number(2), options.number(1)], [options.number(4), options.number(3)]
        pads = _pads(net, operator, kernel, strides, [1, 1])
        net.add(
            operator, op, [net.turned(operator.inputs[0])], True, options.number(5, "b"), kernel_shape=kernel,
            strides=strides, pads=pads,
        )  # fmt: skip

    return write


def _resize(mode: str, corners_at: int) -> Write:
    def write(net: Network, operator: Operator) -> None:
        options = operator.options
        corners, half = (bool(options.number(corners_at + n, "b")) if options else False for n in (0, 1))
        how: dict[str, Any] = {"mode": mode}
        how["coordinate_transformation_mode"] = "align_corners" if corners else "half_pixel" if half else "asymmetric"
        if mode == "nearest":
            how["nearest_mode"] = "round_prefer_ceil" if corners or half else "floor"
        empty = net.w.constant(np.zeros(0, np.float32))
        count, *sides, channels = net.shape(operator.outputs[0])
        sizes = net.w.ints([count, channels, *sides])
        net.add(operator, "Resize", [net.turned(operator.inputs[0]), empty, empty, sizes], True, **how)

    return write


# -- number by number --------------------------------------------------------------------------------------------------


def _each(op: str, **how: Any) -> Write:
    def write(net: Network, operator: Operator) -> None:
        net.add(operator, op, [net.turned(operator.inputs[0])], True, **how)

    return write


def _both(op: str, active_at: int | None = None) -> Write:
    def write(net: Network, operator: Operator) -> None:
        names, turned = _alike(net, operator)
        net.add(operator, op, names, turned, 0 if active_at is None else _active(operator, active_at))

    return write


def _alike(net: Network, operator: Operator) -> tuple[list[str], bool]:
    """Its inputs in one form, and whether that is channels first: what has fewer sides spreads from its last one."""
    turned = all(net.is_picture(place) for place in operator.inputs if place not in net.constants)
    return [net.turned(place) if turned else net.plain(place) for place in operator.inputs], turned


def _clip(low: float, high: float) -> Write:
    def write(net: Network, operator: Operator) -> None:
        bounds = [net.w.constant(np.float32(v)) for v in (low, high)]
        net.add(operator, "Clip", [net.turned(operator.inputs[0]), *bounds], True)

    return write


def _leaky(net: Network, operator: Operator) -> None:
    (alpha,) = struct.unpack("<f", struct.pack("<i", _options(operator).number(0)))
    net.add(operator, "LeakyRelu", [net.turned(operator.inputs[0])], True, alpha=alpha)


def _prelu(net: Network, operator: Operator) -> None:
    taken, slope = operator.inputs
    if not net.is_picture(taken):
        net.add(operator, "PRelu", [net.plain(taken), net.plain(slope)], False)
        return
    slopes = net.weights(slope)
    slopes = slopes.reshape((1,) * (3 - slopes.ndim) + slopes.shape).transpose(2, 0, 1)
    net.add(operator, "PRelu", [net.turned(taken), net.w.constant(np.ascontiguousarray(slopes))], True)


def _square(net: Network, operator: Operator) -> None:
    taken = net.turned(operator.inputs[0])
    net.add(operator, "Mul", [taken, taken], True)


def _squared_difference(net: Network, operator: Operator) -> None:
    names, turned = _alike(net, operator)
    apart = net.w.add("Sub", names)
    net.add(operator, "Mul", [apart, apart], turned)


def _one_over_root(net: Network, operator: Operator) -> None:
    root = net.w.add("Sqrt", [net.turned(operator.inputs[0])])
    net.add(operator, "Reciprocal", [root], True)


def _softmax(op: str) -> Write:
    def write(net: Network, operator: Operator) -> None:
        taken = net.turned(operator.inputs[0])
        beta = struct.unpack("<f", struct.pack("<i", operator.options.number(0)))[0] if operator.options else 0.0
        if op == "Softmax" and beta not in (0.0, 1.0):
            taken = net.w.add("Mul", [taken, net.w.constant(np.float32(beta))])
        net.add(operator, op, [taken], True, axis=1 if net.is_picture(operator.inputs[0]) else -1)

    return write


# -- sums --------------------------------------------------------------------------------------------------------------


def _connected(net: Network, operator: Operator) -> None:
    taken, kernel, *bias = operator.inputs
    weights, given = net.weights(kernel), net.shape(operator.outputs[0])
    name = net.plain(taken)
    if len(net.shape(taken)) != 2 or net.shape(taken)[1] != weights.shape[1]:
        name = net.w.add("Reshape", [name, net.w.ints([-1, weights.shape[1]])])
    inputs = [name, net.w.constant(weights)]
    inputs += [net.w.constant(net.weights(place)) for place in bias if place >= 0]
    active = _active(operator, 0)
    net.add(operator, "Gemm", inputs, False, active, transB=1)
    if len(given) != 2:
        net.gives(operator.outputs[0], net.w.add("Reshape", [net.plain(operator.outputs[0]), net.w.ints(given)]), False)


def _reduce(op: str) -> Write:
    def write(net: Network, operator: Operator) -> None:
        taken, which = operator.inputs
        keep = bool(_active(operator, 0))
        axes = sorted({axis % len(net.shape(taken)) for axis in net.whole(which)})
        turned = net.is_picture(taken) and (keep or axes == [1, 2])
        name = net.turned(taken) if turned else net.plain(taken)
        axes = [shapes.TURNED[axis] for axis in axes] if turned else axes
        if op == "ReduceSum":
            net.add(operator, op, [name, net.w.ints(axes)], turned, keepdims=int(keep))
        else:
            net.add(operator, op, [name], turned, axes=axes, keepdims=int(keep))

    return write


OPERATORS: dict[int | str, Write] = {
    0: _both("Add", 0), 18: _both("Mul", 0), 41: _both("Sub", 0), 42: _both("Div", 0),
    55: _both("Max"), 57: _both("Min"), 78: _both("Pow"),
    1: _pool("AveragePool"), 17: _pool("MaxPool"),
    3: lambda net, operator: _convolution(net, operator, deep=False),
    4: lambda net, operator: _convolution(net, operator, deep=True),
    67: _transposed, "Convolution2DTransposeBias": _mediapipe_transposed,
    9: _connected,
    8: _each("Floor"), 14: _each("Sigmoid"), 19: _each("Relu"), 28: _each("Tanh"), 47: _each("Exp"), 59: _each("Neg"),
    66: _each("Sin"), 73: _each("Log"), 75: _each("Sqrt"), 101: _each("Abs"), 104: _each("Ceil"), 108: _each("Cos"),
    111: _each("Elu"), 117: _each("HardSwish"), 76: _one_over_root, 92: _square, 99: _squared_difference,
    20: _clip(-1, 1), 21: _clip(0, 6), 98: _leaky, 54: _prelu,
    25: _softmax("Softmax"), 50: _softmax("LogSoftmax"),
    23: _resize("linear", 2), 97: _resize("nearest", 0),
    40: _reduce("ReduceMean"), 74: _reduce("ReduceSum"), 82: _reduce("ReduceMax"), 89: _reduce("ReduceMin"),
    **shapes.OPERATORS,
}  # fmt: skip
"""BuiltinOperator of schema.fbs, or the name of one that is not built in -> what writes its nodes."""
ONLY_FIRST = frozenset({22, 23, 97, 43, 70})
"""Operators of which only the first input is numbers: the others say a shape, which their output has."""
