"""What each Keras layer is in TensorFlow's operators: one function for each shape of layer, and the table of them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .tfjs_layers import Layers
from .tfjs_node import fault

_NOTHING = ("Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization")
"""Layers that are there for training only."""
_BOTH = {"Add": "AddV2", "Subtract": "Sub", "Multiply": "Mul", "Maximum": "Maximum", "Minimum": "Minimum"}


def _text(word: str) -> dict[str, str]:
    return {"s": base64.b64encode(word.encode()).decode()}


def _row_of(values: Sequence[Any]) -> dict[str, Any]:
    return {"list": {"i": [str(int(v)) for v in values]}}


def _two(value: Any) -> list[int]:
    return [int(v) for v in value] if isinstance(value, list) else [int(value)] * 2


def _steps(config: Mapping[str, Any], key: str = "strides") -> dict[str, Any]:
    return {"strides": _row_of([1, *_two(config.get(key) or 1), 1]), "padding": _text(str(config["padding"]).upper())}


def _convolution(net: Layers, config: Mapping[str, Any], given: list[str]) -> str:
    kernel = net.const(net.weight(config, "kernel"), f"{config['name']}/kernel")
    wide = _row_of([1, *_two(config.get("dilation_rate") or 1), 1])
    at = net.node("Conv2D", config["name"], [given[0], kernel], dilations=wide, **_steps(config))
    return net.active(config, net.biased(config, at))


def _depthwise(net: Layers, config: Mapping[str, Any], given: list[str]) -> str:
    kernel = net.const(net.weight(config, "depthwise_kernel"), f"{config['name']}/kernel")
    wide = _row_of([1, *_two(config.get("dilation_rate") or 1), 1])
    at = net.node("DepthwiseConv2dNative", config["name"], [given[0], kernel], dilations=wide, **_steps(config))
    if "Separable" in str(config.get("name")) or config.get("pointwise_initializer"):
        point = net.const(net.weight(config, "pointwise_kernel"), f"{config['name']}/point")
        one = {"strides": _row_of([1, 1, 1, 1]), "padding": _text("VALID")}
        at = net.node("Conv2D", f"{config['name']}/pointwise", [at, point], **one)
    return net.active(config, net.biased(config, at))


def _transposed(net: Layers, config: Mapping[str, Any], given: list[str]) -> str:
    kernel = net.const(net.weight(config, "kernel"), f"{config['name']}/kernel")
    sizes = net.const(np.zeros(4, np.int32), f"{config['name']}/sizes")  # what the strides make of it
    at = net.node("Conv2DBackpropInput", config["name"], [sizes, kernel, given[0]], **_steps(config))
    return net.active(config, net.biased(config, at))


def _dense(net: Layers, config: Mapping[str, Any], given: list[str]) -> str:
    kernel = net.weight(config, "kernel")
    at = net.node("MatMul", config["name"], [given[0], net.const(kernel, f"{config['name']}/kernel")])
    net.units[at] = kernel.shape[-1]
    return net.active(config, net.same(at, net.biased(config, at)))


def _norm(net: Layers, config: Mapping[str, Any], given: list[str]) -> str:
    """At inference a line: what was learnt of it, worked out in float64."""
    mean, variance = (net.weight(config, part).astype(np.float64) for part in ("moving_mean", "moving_variance"))
    scale = net.weight(config, "gamma").astype(np.float64) if config.get("scale", True) else 1.0
    shift = net.weight(config, "beta").astype(np.float64) if config.get("center", True) else 0.0
    factor = scale / np.sqrt(variance + float(config.get("epsilon", 1e-3)))
    rows = [np.asarray(v, np.float32) for v in (factor, shift - mean * factor)]
    name = config["name"]
    at = net.node("Mul", f"{name}/scaled", [given[0], net.const(rows[0], f"{name}/factor")])
    return net.same(given[0], net.node("AddV2", name, [at, net.const(rows[1], f"{name}/shift")]))


def _relu(net: Layers, config: Mapping[str, Any], given: list[str]) -> str:
    most = config.get("max_value")
    if config.get("threshold") or config.get("negative_slope"):
        raise fault(f"{config['name']} is a ReLU with a threshold or a slope, which is not known here")
    at = net.node("Relu6" if most == 6 else "Relu", config["name"], given)
    if most not in (None, 6):
        at = net.node("Minimum", f"{config['name']}/most", [at, net.const(np.float32(most), f"{config['name']}/max")])
    return net.same(given[0], at)


def _pool(op: str) -> Callable[[Layers, Mapping[str, Any], list[str]], str]:
    def write(net: Layers, config: Mapping[str, Any], given: list[str]) -> str:
        size = _two(config.get("pool_size") or 2)
        steps = _steps({"strides": config.get("strides") or size, "padding": config["padding"]})
        return net.node(op, config["name"], given, ksize=_row_of([1, *size, 1]), **steps)

    return write


def _over(op: str) -> Callable[[Layers, Mapping[str, Any], list[str]], str]:
    def write(net: Layers, config: Mapping[str, Any], given: list[str]) -> str:
        axes = net.const(np.array([1, 2], np.int32), f"{config['name']}/axes")
        return net.node(op, config["name"], [given[0], axes], keep_dims={"b": bool(config.get("keepdims"))})

    return write


def _shaped(net: Layers, config: Mapping[str, Any], given: list[str]) -> str:
    """Flatten, Reshape: of a batch of one."""
    to = net.const(np.array([1, *config.get("target_shape", [-1])], np.int32), f"{config['name']}/to")
    return net.node("Reshape", config["name"], [given[0], to])


def _padded(net: Layers, config: Mapping[str, Any], given: list[str]) -> str:
    sides = [_two(side) for side in _two_sides(config["padding"])]
    amounts = net.const(np.array([[0, 0], *sides, [0, 0]], np.int32), f"{config['name']}/amounts")
    return net.node("Pad", config["name"], [given[0], amounts])


def _two_sides(padding: Any) -> list[Any]:
    return padding if isinstance(padding, list) else [padding, padding]


def _joined(net: Layers, config: Mapping[str, Any], given: list[str]) -> str:
    axis = net.const(np.int32(config.get("axis", -1)), f"{config['name']}/axis")
    return net.node("ConcatV2", config["name"], [*given, axis])


def _together(op: str) -> Callable[[Layers, Mapping[str, Any], list[str]], str]:
    def write(net: Layers, config: Mapping[str, Any], given: list[str]) -> str:
        at = given[0]
        for other in given[1:]:
            at = net.same(at, net.node(op, config["name"], [at, other]))
        return at

    return write


def _rescaled(net: Layers, config: Mapping[str, Any], given: list[str]) -> str:
    name = config["name"]
    at = net.node("Mul", f"{name}/scaled", [given[0], net.const(np.float32(config["scale"]), f"{name}/scale")])
    return net.node("AddV2", name, [at, net.const(np.float32(config.get("offset", 0)), f"{name}/offset")])


def _leaky(net: Layers, config: Mapping[str, Any], given: list[str]) -> str:
    alpha = {"f": float(config.get("alpha", 0.3))}
    return net.same(given[0], net.node("LeakyRelu", config["name"], given, alpha=alpha))


def _softmax(net: Layers, config: Mapping[str, Any], given: list[str]) -> str:
    return net.same(given[0], net.node("Softmax", config["name"], given))


LAYERS: dict[str, Callable[[Layers, Mapping[str, Any], list[str]], str]] = {
    "Conv2D": _convolution, "DepthwiseConv2D": _depthwise, "SeparableConv2D": _depthwise,
    "Conv2DTranspose": _transposed, "Dense": _dense, "BatchNormalization": _norm, "BatchNormalizationV1": _norm,
    "Activation": lambda net, config, given: net.active(config, given[0]), "ReLU": _relu, "LeakyReLU": _leaky,
    "Softmax": _softmax, "MaxPooling2D": _pool("MaxPool"), "AveragePooling2D": _pool("AvgPool"),
    "GlobalAveragePooling2D": _over("Mean"), "GlobalMaxPooling2D": _over("Max"), "Flatten": _shaped,
    "Reshape": _shaped, "ZeroPadding2D": _padded, "Concatenate": _joined, "Rescaling": _rescaled,
    **{kind: _together(op) for kind, op in _BOTH.items()},
    **dict.fromkeys(_NOTHING, lambda net, config, given: given[0]),
}  # fmt: skip
"""Keras's name -> what writes it down."""
