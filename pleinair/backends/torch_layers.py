"""ONNX's convolutions and pools in torch. Pads that differ at both ends, or that the operator chooses itself, are laid
on before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from .torch_ops import op


def _window(x: torch.Tensor, kernel: Sequence[int], a: dict[str, Any]) -> tuple[list[int], list[int], list[int]]:
    """Strides, dilations and ONNX's pads (all starts, then all ends)."""
    sides = len(kernel)
    strides, dilations = list(a.get("strides", [1] * sides)), list(a.get("dilations", [1] * sides))
    auto = a.get("auto_pad", b"NOTSET").decode()
    if auto in ("NOTSET", "VALID"):
        return strides, dilations, list(a.get("pads", [0] * 2 * sides)) if auto == "NOTSET" else [0] * 2 * sides
    starts, ends = [], []
    for side, k, step, spread in zip(x.shape[2:], kernel, strides, dilations, strict=True):
        all_ = max(0, (math.ceil(side / step) - 1) * step + (k - 1) * spread + 1 - side)
        small, large = all_ // 2, all_ - all_ // 2
        starts.append(small if auto == "SAME_UPPER" else large)
        ends.append(large if auto == "SAME_UPPER" else small)
    return strides, dilations, starts + ends


def _padded(x: torch.Tensor, pads: list[int], value: float = 0.0) -> torch.Tensor:
    half = len(pads) // 2
    both = [p for k in reversed(range(half)) for p in (pads[k], pads[half + k])]
    return F.pad(x, both, value=value) if any(both) else x


@op("Conv")
def _conv(x, a, n):
    kernel = x[1].shape[2:]
    strides, dilations, pads = _window(x[0], kernel, a)
    half = len(pads) // 2
    image, padding = (x[0], pads[:half]) if pads[:half] == pads[half:] else (_padded(x[0], pads), 0)
    run = (F.conv1d, F.conv2d, F.conv3d)[len(kernel) - 1]
    return run(image, x[1], x[2] if len(x) > 2 else None, strides, padding, dilations, a.get("group", 1))


@op("ConvTranspose")
def _conv_transpose(x, a, n):
    kernel = x[1].shape[2:]
    strides, dilations, pads = _window(x[0], kernel, a)
    half, extra = len(pads) // 2, list(a.get("output_padding", [0] * len(kernel)))
    if "output_shape" in a or a.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        raise ValueError("a transposed convolution that chooses its own padding")
    run = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[len(kernel) - 1]
    made = run(x[0], x[1], x[2] if len(x) > 2 else None, strides, 0, 0, a.get("group", 1), dilations)
    made = _padded(made, [0] * half + extra) if any(extra) else made
    for k, (start, end) in enumerate(zip(pads[:half], pads[half:], strict=True), 2):
        made = made.narrow(k, start, made.shape[k] - start - end)
    return made


@op("MaxPool")
def _max_pool(x, a, n):
    kernel = list(a["kernel_shape"])
    strides, dilations, pads = _window(x[0], kernel, a)
    run = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[len(kernel) - 1]
    image = _padded(x[0], pads, -math.inf)
    return run(image, kernel, strides, 0, dilations, ceil_mode=bool(a.get("ceil_mode", 0)))


@op("AveragePool")
def _average_pool(x, a, n):
    kernel = list(a["kernel_shape"])
    strides, _, pads = _window(x[0], kernel, a)
    if a.get("ceil_mode", 0):
        raise ValueError("an average pool that rounds up")
    run = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[len(kernel) - 1]
    total = run(_padded(x[0], pads), kernel, strides)
    if a.get("count_include_pad", 0) or not any(pads):
        return total
    return total / run(_padded(torch.ones_like(x[0][:1, :1]), pads), kernel, strides)


@op("GlobalAveragePool")
def _global_average_pool(x, a, n):
    return x[0].mean(tuple(range(2, x[0].ndim)), keepdim=True)


@op("GlobalMaxPool")
def _global_max_pool(x, a, n):
    return x[0].amax(tuple(range(2, x[0].ndim)), keepdim=True)
