"""Each operator of TFLite by itself: the ONNX that stands for it gives what LiteRT gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pleinair.backends.base import Tensor
from pleinair.backends.litert import LiteRt
from pleinair.backends.onnx import Onnx
from pleinair.core.errors import ModelFault
from pleinair.models import convert
from pleinair.models.convert.tflite_file import read
from pleinair.models.convert.tflite_operators import OPERATORS

from .tflite_making import network

RNG = np.random.default_rng(4)
PICTURE = (1, 6, 8, 4)


def f32(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def i32(*values: Any) -> np.ndarray:
    return np.array(values, np.int32)


def pool(padding: int, fused: int = 0) -> tuple[str, dict[str, Any]]:
    fields = {"padding": padding, "strideW": 2, "strideH": 3, "filterWidth": 3, "filterHeight": 2}
    return "Pool2DOptions", {**fields, "fusedActivationFunction": fused}


def conv(padding: int, **more: Any) -> tuple[str, dict[str, Any]]:
    return "Conv2DOptions", {
        "padding": padding, "strideW": 2, "strideH": 1, "dilationWFactor": 1, "dilationHFactor": 1, **more
    }  # fmt: skip


def deep(padding: int, **more: Any) -> tuple[str, dict[str, Any]]:
    fields = {"padding": padding, "strideW": 1, "strideH": 1, "dilationWFactor": 1, "dilationHFactor": 1}
    return "DepthwiseConv2DOptions", {**fields, "depthMultiplier": 1, **more}


def upwards(padding: int) -> tuple[str, dict[str, Any]]:
    return "TransposeConvOptions", {"padding": padding, "strideW": 2, "strideH": 2}


def strided(**masks: int) -> tuple[str, dict[str, Any]]:
    names = ("beginMask", "endMask", "ellipsisMask", "newAxisMask", "shrinkAxisMask")
    return "StridedSliceOptions", dict.fromkeys(names, 0) | masks


def keep(yes: bool) -> tuple[str, dict[str, Any]]:
    return "ReducerOptions", {"keepDims": yes}


def resize(name: str, **how: bool) -> tuple[str, dict[str, Any]]:
    return f"Resize{name}Options", {"alignCorners": False, "halfPixelCenters": False, **how}


_EACH = {8: "floor", 14: "logistic", 19: "relu", 20: "relu_n1_to_1", 21: "relu6", 28: "tanh", 47: "exp", 59: "neg"}
_OF_ROWS = {14: "logistic", 73: "log", 75: "sqrt", 76: "one over sqrt"}
_EACH |= {66: "sin", 92: "square", 101: "abs", 104: "ceil", 108: "cos", 111: "elu", 117: "hard_swish"}

CASES: dict[str, bytes] = {
    **{name: network(code, PICTURE, PICTURE) for code, name in _EACH.items()},
    **{f"{name} of a row": network(code, (1, 7), (1, 7)) for code, name in _OF_ROWS.items()},
    "add": network(0, PICTURE, PICTURE, f32(4), options=("AddOptions", {"fusedActivationFunction": 1})),
    "add a number": network(0, PICTURE, PICTURE, f32(1), options=("AddOptions", {"fusedActivationFunction": 3})),
    "mul by a column": network(18, PICTURE, PICTURE, f32(6, 1, 1), options=("MulOptions", {})),
    "mul rows": network(18, (1, 7), (1, 7), f32(7), options=("MulOptions", {"fusedActivationFunction": 2})),
    "sub itself": network(41, PICTURE, PICTURE, both=True, options=("SubOptions", {})),
    "div": network(42, PICTURE, PICTURE, f32(1, 6, 8, 1) + 9, options=("DivOptions", {})),
    "squared difference": network(99, PICTURE, PICTURE, f32(1, 6, 8, 1), options=("SquaredDifferenceOptions", {})),
    "maximum": network(55, PICTURE, PICTURE, f32(4)),
    "minimum": network(57, PICTURE, PICTURE, f32(1, 1, 1, 4)),
    "pow": network(78, PICTURE, PICTURE, np.float32([2.0]), options=("PowOptions", {})),
    "average pool, same": network(1, PICTURE, (1, 2, 4, 4), options=pool(0)),
    "average pool, valid": network(1, PICTURE, (1, 2, 3, 4), options=pool(1, 1)),
    "max pool, same": network(17, PICTURE, (1, 2, 4, 4), options=pool(0, 3)),
    "convolution, same": network(3, PICTURE, (1, 6, 4, 5), f32(5, 3, 3, 4), f32(5), options=conv(0)),
    "convolution, valid, relu": network(
        3, PICTURE, (1, 5, 3, 5), f32(5, 2, 3, 4), f32(5), options=conv(1, fusedActivationFunction=1)
    ),
    "convolution, wide": network(
        3, PICTURE, (1, 6, 4, 5), f32(5, 3, 3, 4), f32(5), options=conv(0, dilationHFactor=2, strideW=2, strideH=1)
    ),
    "depthwise, same": network(
        4, PICTURE, PICTURE, f32(1, 3, 5, 4), f32(4), options=deep(0, fusedActivationFunction=3)
    ),
    "depthwise, two each": network(
        4, PICTURE, (1, 4, 6, 8), f32(1, 3, 3, 8), f32(8), options=deep(1, depthMultiplier=2)
    ),
    "transposed convolution, same": network(
        67, PICTURE, (1, 12, 16, 3), i32(1, 12, 16, 3), f32(3, 3, 3, 4), first=True, options=upwards(0)
    ),
    "transposed convolution, valid": network(
        67, PICTURE, (1, 13, 17, 3), i32(1, 13, 17, 3), f32(3, 3, 3, 4), first=True, options=upwards(1)
    ),
    "fully connected": network(9, (1, 7), (1, 3), f32(3, 7), f32(3), options=("FullyConnectedOptions", {})),
    "fully connected, of a picture": network(
        9, PICTURE, (1, 3), f32(3, 192), f32(3), options=("FullyConnectedOptions", {"fusedActivationFunction": 1})
    ),
    "prelu": network(54, PICTURE, PICTURE, f32(1, 1, 4)),
    "prelu, each place its own": network(54, PICTURE, PICTURE, f32(6, 8, 4)),
    "leaky relu": network(98, PICTURE, PICTURE, options=("LeakyReluOptions", {"alpha": 0.3})),
    "softmax over channels": network(25, PICTURE, PICTURE, options=("SoftmaxOptions", {"beta": 1.0})),
    "softmax, sharper": network(25, (1, 7), (1, 7), options=("SoftmaxOptions", {"beta": 2.5})),
    "log softmax": network(50, (1, 7), (1, 7), options=("LogSoftmaxOptions", {})),
    "mean of the picture": network(40, PICTURE, (1, 4), i32(1, 2), options=keep(False)),
    "mean, kept": network(40, PICTURE, (1, 1, 1, 4), i32(1, 2), options=keep(True)),
    "mean over channels": network(40, PICTURE, (1, 6, 8), i32(-1), options=keep(False)),
    "sum down": network(74, PICTURE, (1, 8, 4), i32(1), options=keep(False)),
    "largest": network(82, PICTURE, (1, 1, 1, 4), i32(1, 2), options=keep(True)),
    "smallest": network(89, PICTURE, (1, 6, 8, 1), i32(3), options=keep(True)),
    "bilinear": network(23, PICTURE, (1, 12, 16, 4), i32(12, 16), options=resize("Bilinear")),
    "bilinear, half": network(23, PICTURE, (1, 9, 5, 4), i32(9, 5), options=resize("Bilinear", halfPixelCenters=True)),
    "bilinear, corners": network(
        23, PICTURE, (1, 11, 15, 4), i32(11, 15), options=resize("Bilinear", alignCorners=True)
    ),
    "nearest": network(97, PICTURE, (1, 12, 20, 4), i32(12, 20), options=resize("NearestNeighbor")),
    "nearest, half": network(
        97, PICTURE, (1, 9, 5, 4), i32(9, 5), options=resize("NearestNeighbor", halfPixelCenters=True)
    ),
    "nearest, corners": network(
        97, PICTURE, (1, 10, 16, 4), i32(10, 16), options=resize("NearestNeighbor", alignCorners=True)
    ),
    "join channels": network(2, PICTURE, (1, 6, 8, 8), both=True, options=("ConcatenationOptions", {"axis": 3})),
    "join down": network(2, PICTURE, (1, 12, 8, 4), both=True, options=("ConcatenationOptions", {"axis": -3})),
    "join rows": network(2, (1, 7), (1, 14), both=True, options=("ConcatenationOptions", {"axis": 1})),
    "depth to space": network(5, PICTURE, (1, 12, 16, 1), options=("DepthToSpaceOptions", {"blockSize": 2})),
    "space to depth": network(26, PICTURE, (1, 3, 4, 16), options=("SpaceToDepthOptions", {"blockSize": 2})),
    "reshape": network(22, PICTURE, (1, 48, 4), i32(1, 48, 4), options=("ReshapeOptions", {"newShape": [1, 48, 4]})),
    "squeeze": network(43, (1, 1, 1, 7), (1, 7), options=("SqueezeOptions", {"squeezeDims": [1, 2]})),
    "expand": network(70, (1, 6, 8), (1, 6, 8, 1), i32(3), options=("ExpandDimsOptions", {})),
    "pad": network(34, PICTURE, (1, 9, 8, 5), i32(0, 0, 1, 2, 0, 0, 0, 1).reshape(4, 2), options=("PadOptions", {})),
    "pad rows": network(34, (1, 7), (1, 10), i32(0, 0, 1, 2).reshape(2, 2), options=("PadOptions", {})),
    "pad with a number": network(
        60, PICTURE, (1, 6, 10, 4), i32(0, 0, 0, 0, 1, 1, 0, 0).reshape(4, 2), np.float32([7]),
        options=("PadV2Options", {}),
    ),
    "mirror": network(
        100, PICTURE, (1, 8, 8, 4), i32(0, 0, 1, 1, 0, 0, 0, 0).reshape(4, 2), options=("MirrorPadOptions", {"mode": 0})
    ),
    "transpose": network(39, PICTURE, (1, 4, 6, 8), i32(0, 3, 1, 2), options=("TransposeOptions", {})),
    "slice": network(65, PICTURE, (1, 3, 8, 2), i32(0, 2, 0, 1), i32(1, 3, -1, 2), options=("SliceOptions", {})),
    "every other column": network(
        45, PICTURE, (1, 6, 4, 4), i32(0, 0, 1, 0), i32(1, 6, 8, 4), i32(1, 1, 2, 1), options=strided(endMask=2)
    ),
    "one row, dropped": network(
        45, PICTURE, (1, 8, 4), i32(0, 3, 0, 0), i32(1, 4, 8, 4), i32(1, 1, 1, 1), options=strided(shrinkAxisMask=2)
    ),
    "the last channel, backwards": network(
        45, PICTURE, (1, 6, 8, 4), i32(0, 0, 0, -1), i32(1, 6, 8, -9), i32(1, 1, 1, -1), options=strided(endMask=8)
    ),
    "split channels": network(
        49, PICTURE, [(1, 6, 8, 2), (1, 6, 8, 2)], i32(3), first=True, options=("SplitOptions", {"numSplits": 2})
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_it_gives_what_litert_gives(name):
    blob = CASES[name]
    graph = read(blob)
    shape = graph.tensors[graph.inputs[0]].shape
    outputs = [Tensor(graph.tensors[n].name, graph.tensors[n].shape) for n in graph.outputs]
    values = {"x": np.random.default_rng(7).normal(0, 3, shape).astype(np.float32)}
    if "log of" in name or "sqrt" in name:
        values["x"] = np.abs(values["x"]) + 0.1
    true = LiteRt(blob, [Tensor("x", shape)], outputs, precision="f32", threads=1).run(values)
    here = Onnx(convert.make("tflite", {"x": blob}, {}), [Tensor("x", shape)], outputs, precision="f32", threads=1)
    for key, found in here.run(values).items():
        assert found == pytest.approx(true[key], rel=1e-5, abs=1e-5), key


def test_every_operator_is_among_these():
    """But for MediaPipe's own, which the mask's network proves."""
    proved = {o.key for blob in CASES.values() for o in read(blob).operators}
    assert set(OPERATORS) - proved == {"Convolution2DTransposeBias"}


@pytest.mark.parametrize("blob, why", [
    (network(48, (1, 7), (1, 3), i32(3)), "operator TOPK_V2"),
    (network(14, PICTURE, PICTURE, dtype="int8"), "x holds int8: quantised"),
    (network(3, PICTURE, (1, 6, 4, 5), np.ones((5, 3, 3, 4), np.int8), f32(5), options=conv(0)), "int8: quantised"),
    (network(98, PICTURE, PICTURE), "without the options"),
    (network(0, PICTURE, PICTURE, f32(4), options=("AddOptions", {"fusedActivationFunction": 5})), "activation 5"),
    (network(100, PICTURE, (1, 8, 8, 4), i32(0, 0, 1, 1, 0, 0, 0, 0).reshape(4, 2),
             options=("MirrorPadOptions", {"mode": 1})), "symmetric"),
])  # fmt: skip
def test_what_is_not_known_is_refused_by_name(blob, why):
    with pytest.raises(ModelFault, match=why):
        convert.make("tflite", {"x": blob}, {})
