"""Small convolutional networks out of TFLite files, as ONNX: for operators that no runtime of ours but LiteRT knows.

TFLite keeps pictures as height x width x channels, ONNX as channels x height x width: tensors of four sides are turned,
and so are the network's picture in and out. Weights in float16 become float32. What stands for each operator follows
TensorFlow Lite's reference kernels; `Convolution2DTransposeBias` is MediaPipe's own (a transposed convolution and a
bias). Any other operator is refused by name.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...core.errors import ModelFault
from ..safe.parts import Broken
from .tflite_file import CUSTOM, Graph, Operator, read
from .writing import Writer

_SAME, _VALID = 0, 1
_ACTIVATIONS = {0: None, 1: "Relu", 3: "Relu6", 4: "Tanh"}


def convert(files: Mapping[str, bytes], options: Mapping[str, Any]) -> bytes:
    """One .tflite; the ONNX file, with the same names of inputs and outputs, whose pictures are [1, channels, h, w].

    ModelFault: no such file, or an operator or a form that is not known here.
    """
    (blob,) = files.values()
    try:
        return _Network(read(blob)).onnx()
    except (Broken, ValueError, IndexError, KeyError, struct.error) as error:
        raise ModelFault(
            f"this TFLite file cannot be converted: {str(error)[:160]}", now="nothing was put into the store"
        ) from None


class _Network:
    def __init__(self, graph: Graph) -> None:
        self.graph, self.w = graph, Writer("tflite")
        self.names: dict[int, str] = {}
        self.constants: dict[int, np.ndarray] = {n: t.data for n, t in enumerate(graph.tensors) if t.data is not None}

    def onnx(self) -> bytes:
        tensors = self.graph.tensors
        for place in self.graph.inputs:
            self.names[place] = self.w.unique(tensors[place].name)
        outputs = {place: self.w.unique(tensors[place].name) for place in self.graph.outputs}
        for operator in self.graph.operators:
            self._operator(operator)
        for place, name in outputs.items():
            self.w.name_output(self.names[place], name)

        def ports(places: tuple[int, ...], names: Mapping[int, str]) -> dict[str, Any]:
            return {
                names[p]: (tensors[p].dtype.lstrip("<").replace("f4", "float32"), _turned(tensors[p].shape))
                for p in places
            }

        return self.w.save(ports(self.graph.inputs, self.names), ports(self.graph.outputs, outputs))

    def _operator(self, operator: Operator) -> None:
        key: int | str = operator.custom if operator.code == CUSTOM else operator.code
        if key == 6 and operator.inputs[0] in self.constants:  # float16 weights, widened once
            self.constants[operator.outputs[0]] = self.constants[operator.inputs[0]].astype(np.float32)
            return
        if key not in _OPERATORS or len(operator.outputs) != 1:
            raise ValueError(f"there is no way yet for the operator {key}")
        self.names[operator.outputs[0]] = _OPERATORS[key](self, operator)

    # -- what operators ask for ----------------------------------------------------------------------------------------

    def shape(self, place: int) -> tuple[int, ...]:
        return self.graph.tensors[place].shape

    def weights(self, place: int) -> np.ndarray:
        """float32, as TFLite lays it out."""
        if place not in self.constants:
            raise ValueError(f"{self.graph.tensors[place].name} is to be a constant")
        return self.constants[place].astype(np.float32)

    def value(self, place: int) -> str:
        """What a tensor is called in ONNX; a constant is written down turned."""
        if place in self.constants:
            data = self.weights(place)
            if data.ndim == 4:
                data = data.transpose(0, 3, 1, 2)
            elif data.ndim == 1:
                data = data.reshape(1, -1, 1, 1)
            return self.w.constant(data)
        return self.names[place]

    def active(self, found: str, kind: int) -> str:
        if kind not in _ACTIVATIONS:
            raise ValueError(f"there is no way yet for the activation {kind}")
        name = _ACTIVATIONS[kind]
        if name == "Relu6":
            bounds = [self.w.constant(np.float32(v)) for v in (0, 6)]
            return self.w.add("Clip", [found, *bounds])
        return self.w.add(name, [found]) if name else found


def _pads(
    operator: Operator, net: _Network, kernel: tuple[int, int], strides: list[int], padding: int, widen: list[int]
) -> list[int]:
    """top, left, bottom, right. SAME: as many as needed, the odd one at the end."""
    if padding == _VALID:
        return [0, 0, 0, 0]
    sides = []
    for axis in (0, 1):
        side, out = net.shape(operator.inputs[0])[1 + axis], net.shape(operator.outputs[0])[1 + axis]
        needed = max((out - 1) * strides[axis] + (kernel[axis] - 1) * widen[axis] + 1 - side, 0)
        sides.append((needed // 2, needed - needed // 2))
    return [sides[0][0], sides[1][0], sides[0][1], sides[1][1]]


def _convolution(net: _Network, operator: Operator, deep: bool) -> str:
    picture, kernel, *bias = operator.inputs
    options, first = operator.options, 3 if not deep else 4
    if options is None:
        raise ValueError("a convolution without options")
    weights = net.weights(kernel)
    weights = weights.transpose(3, 0, 1, 2) if deep else weights.transpose(0, 3, 1, 2)
    strides = [options.number(2, default=1), options.number(1, default=1)]
    widen = [options.number(first + 2, default=1), options.number(first + 1, default=1)]
    inputs = [net.value(picture), net.w.constant(weights)]
    inputs += [net.w.constant(net.weights(place)) for place in bias if place >= 0]
    found = net.w.add(
        "Conv", inputs, kernel_shape=list(weights.shape[2:]), strides=strides, dilations=widen,
        pads=_pads(operator, net, weights.shape[2:], strides, options.number(0, "b"), widen),
        group=net.shape(picture)[3] if deep else 1,
    )  # fmt: skip
    return net.active(found, options.number(first, "b"))


def _transposed(net: _Network, operator: Operator) -> str:
    """MediaPipe's: its options are a C struct of padding (1: same, 2: valid) and the strides across and down."""
    picture, kernel, bias = operator.inputs
    padding, across, down = struct.unpack_from("<iii", operator.custom_options)
    weights = net.weights(kernel).transpose(3, 0, 1, 2)
    strides, pads = [down, across], [0, 0, 0, 0]
    if padding == 1:
        sides = zip(
            net.shape(picture)[1:3], net.shape(operator.outputs[0])[1:3], strides, weights.shape[2:], strict=True
        )
        over = [max((side - 1) * stride + size - out, 0) for side, out, stride, size in sides]
        pads = [over[0] // 2, over[1] // 2, over[0] - over[0] // 2, over[1] - over[1] // 2]
    inputs = [net.value(picture), net.w.constant(weights), net.w.constant(net.weights(bias))]
    return net.w.add("ConvTranspose", inputs, kernel_shape=list(weights.shape[2:]), strides=strides, pads=pads)


def _pool(net: _Network, operator: Operator) -> str:
    options = operator.options
    if options is None:
        raise ValueError("a pool without options")
    strides, kernel = [options.number(2), options.number(1)], (options.number(4), options.number(3))
    pads = _pads(operator, net, kernel, strides, options.number(0, "b"), [1, 1])
    found = net.w.add(
        "AveragePool", [net.value(operator.inputs[0])], kernel_shape=list(kernel), strides=strides, pads=pads
    )
    return net.active(found, options.number(5, "b"))


def _both(op: str) -> Callable[[_Network, Operator], str]:
    def write(net: _Network, operator: Operator) -> str:
        found = net.w.add(op, [net.value(place) for place in operator.inputs])
        return net.active(found, operator.options.number(0, "b") if operator.options else 0)

    return write


def _one(op: str) -> Callable[[_Network, Operator], str]:
    return lambda net, operator: net.w.add(op, [net.value(operator.inputs[0])])


def _resize(net: _Network, operator: Operator) -> str:
    corners, half = (bool(operator.options.number(n, "b")) if operator.options else False for n in (2, 3))
    empty = net.w.constant(np.zeros(0, np.float32))
    sizes = net.w.ints(_turned(net.shape(operator.outputs[0])))
    how = "align_corners" if corners else "half_pixel" if half else "asymmetric"
    return net.w.add(
        "Resize",
        [net.value(operator.inputs[0]), empty, empty, sizes],
        mode="linear",
        coordinate_transformation_mode=how,
    )


_OPERATORS: dict[int | str, Callable[[_Network, Operator], str]] = {
    0: _both("Add"),
    1: _pool,
    3: lambda net, operator: _convolution(net, operator, deep=False),
    4: lambda net, operator: _convolution(net, operator, deep=True),
    14: _one("Sigmoid"),
    18: _both("Mul"),
    19: _one("Relu"),
    23: _resize,
    117: _one("HardSwish"),
    "Convolution2DTransposeBias": _transposed,
}
"""BuiltinOperator of schema.fbs, or the name of one that is not built in -> the ONNX node."""


def _turned(shape: tuple[int, ...]) -> list[int]:
    return [shape[0], shape[3], shape[1], shape[2]] if len(shape) == 4 else list(shape)
