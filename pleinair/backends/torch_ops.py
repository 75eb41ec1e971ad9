"""ONNX's operators in torch: the table, numbers one by one, norms, sums.

Written from the operators' own specification (https://onnx.ai/onnx/operators). Each takes its inputs (None where one is
left out), its attributes, and the network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from onnx import helper

Op = Callable[[list[Any], dict[str, Any], Any], Any]
OPS: dict[str, Op] = {}


def together(*tensors: torch.Tensor) -> list[torch.Tensor]:
    """On one device: that of the pictures."""
    place = next((t.device for t in tensors if t.device.type != "cpu"), tensors[0].device)
    return [t.to(place) for t in tensors]


def ints(tensor: torch.Tensor | None) -> list[int]:
    return [] if tensor is None else [int(v) for v in tensor.reshape(-1).tolist()]


def op(name: str) -> Callable[[Op], Op]:
    def known(function: Op) -> Op:
        OPS[name] = function
        return function

    return known


def _each(name: str, function: Callable[..., Any]) -> None:
    OPS[name] = lambda x, a, n: function(*together(*x))


for _name, _function in {
    "Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Neg": torch.neg, "Abs": torch.abs, "Sqrt": torch.sqrt,
    "Reciprocal": torch.reciprocal, "Exp": torch.exp, "Log": torch.log, "Sigmoid": torch.sigmoid, "Tanh": torch.tanh,
    "Relu": torch.relu, "Erf": torch.erf, "Sin": torch.sin, "Cos": torch.cos, "Floor": torch.floor, "Ceil": torch.ceil,
    "Equal": torch.eq, "Less": torch.lt, "Greater": torch.gt, "LessOrEqual": torch.le, "GreaterOrEqual": torch.ge,
    "And": torch.logical_and, "Or": torch.logical_or, "Not": torch.logical_not, "MatMul": torch.matmul,
    "Where": torch.where, "Identity": lambda x: x, "PRelu": lambda x, s: torch.where(x < 0, x * s, x),
    "HardSwish": F.hardswish, "Softplus": F.softplus, "Round": torch.round, "IsNaN": torch.isnan, "Sign": torch.sign,
}.items():  # fmt: skip
    _each(_name, _function)


@op("Div")
def _div(x, a, n):
    left, right = together(*x)
    return torch.div(left, right, rounding_mode=None if left.is_floating_point() else "trunc")


@op("Pow")
def _pow(x, a, n):
    return torch.pow(*together(*x)).to(x[0].dtype)


@op("Sum")
def _sum(x, a, n):
    return torch.stack(torch.broadcast_tensors(*together(*x))).sum(0)


@op("Max")
def _max(x, a, n):
    return torch.stack(torch.broadcast_tensors(*together(*x))).amax(0)


@op("Min")
def _min(x, a, n):
    return torch.stack(torch.broadcast_tensors(*together(*x))).amin(0)


@op("LeakyRelu")
def _leaky_relu(x, a, n):
    return F.leaky_relu(x[0], a.get("alpha", 0.01))


@op("Elu")
def _elu(x, a, n):
    return F.elu(x[0], a.get("alpha", 1.0))


@op("HardSigmoid")
def _hard_sigmoid(x, a, n):
    return (x[0] * a.get("alpha", 0.2) + a.get("beta", 0.5)).clamp(0, 1)


@op("Gelu")
def _gelu(x, a, n):
    return F.gelu(x[0], approximate=a.get("approximate", b"none").decode())


@op("Clip")
def _clip(x, a, n):
    low, high = (x[k].item() if len(x) > k and x[k] is not None else a.get(w) for k, w in ((1, "min"), (2, "max")))
    return torch.clamp(x[0], low, high) if low is not None or high is not None else x[0]


@op("Cast")
def _cast(x, a, n):
    return x[0].to(torch.from_numpy(np.zeros(0, helper.tensor_dtype_to_np_dtype(a["to"]))).dtype)


@op("Softmax")
def _softmax(x, a, n):
    return torch.softmax(x[0], a.get("axis", -1))


@op("Gemm")
def _gemm(x, a, n):
    left, right = (t.T if a.get(w) else t for t, w in zip(x[:2], ("transA", "transB"), strict=True))
    made = a.get("alpha", 1.0) * (left @ right)
    return made + a.get("beta", 1.0) * x[2] if len(x) > 2 else made


@op("LayerNormalization")
def _layer_normalization(x, a, n):
    sides = x[0].shape[a.get("axis", -1) :]
    return F.layer_norm(x[0], sides, x[1], x[2] if len(x) > 2 else None, a.get("epsilon", 1e-5))


@op("BatchNormalization")
def _batch_normalization(x, a, n):
    return F.batch_norm(x[0], x[3], x[4], x[1], x[2], False, 0.0, a.get("epsilon", 1e-5))


@op("InstanceNormalization")
def _instance_normalization(x, a, n):
    return F.instance_norm(x[0], weight=x[1], bias=x[2], eps=a.get("epsilon", 1e-5))


@op("DequantizeLinear")
def _dequantize_linear(x, a, n):
    scale, zero = x[1], x[2] if len(x) > 2 else torch.zeros_like(x[1], dtype=x[0].dtype)
    if scale.ndim:
        sides = [1] * x[0].ndim
        sides[a.get("axis", 1)] = -1
        scale, zero = scale.reshape(sides), zero.reshape(sides)
    numbers, scale, zero = together(x[0], scale, zero)
    return ((numbers.to(torch.float32) - zero.to(torch.float32)) * scale.to(torch.float32)).to(x[1].dtype)


def _reduce(name: str, function: Callable[..., Any]) -> None:
    def reduce(x, a, n):
        axes = ints(x[1]) if len(x) > 1 else list(a.get("axes", []))
        if not axes and a.get("noop_with_empty_axes", 0):
            return x[0]
        return function(x[0], tuple(axes or range(x[0].ndim)), keepdim=bool(a.get("keepdims", 1)))

    OPS[name] = reduce


for _name, _function in {"Mean": torch.mean, "Sum": torch.sum, "Max": torch.amax, "Min": torch.amin}.items():
    _reduce(f"Reduce{_name}", _function)
_reduce("ReduceL2", lambda x, axes, keepdim: x.square().sum(axes, keepdim=keepdim).sqrt())


@op("ArgMax")
def _arg_max(x, a, n):
    return torch.argmax(x[0], a.get("axis", 0), keepdim=bool(a.get("keepdims", 1)))
