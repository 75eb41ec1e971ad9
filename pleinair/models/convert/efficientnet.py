"""EfficientNet-Lite out of torch's file, as ONNX: what it sees, without the thousand names that it learnt.

EfficientNet-Lite (Tan and Le, 2019; the lite variants: TensorFlow's TPU models, 2020) is a row of inverted residual
blocks without squeeze-and-excitation, with ReLU6. The file holds the tensors of ml-illustrated's efficientnet_lite
(names as in EfficientNet-PyTorch); what it does not hold, the strides, follows from the variant. Padding is
TensorFlow's SAME: what is odd comes on at the right and at the bottom.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...core.errors import ModelFault
from .folding import folded
from .writing import Writer

EPSILON = 1e-3
REPEATS = {"lite0": (1, 2, 2, 3, 3, 4, 1), "lite1": (1, 3, 3, 4, 4, 5, 1), "lite2": (1, 3, 3, 4, 4, 5, 1)}
REPEATS |= {"lite3": (1, 3, 3, 5, 5, 6, 1), "lite4": (1, 4, 4, 6, 6, 8, 1)}
"""Blocks in each of the seven stages."""
STRIDES = (1, 2, 2, 2, 1, 2, 1)
"""Of each stage's first block."""


def convert(files: Mapping[str, bytes], options: Mapping[str, Any]) -> bytes:
    """One .pth of the lite variant that `options.variant` names ("lite0"); the ONNX file.

    Input "image" [1, 3, height, width], (RGB - 127) / 128, sides multiples of 32; output "features" [1, 1280], the mean
    of the last layer over the picture.

    ModelFault: no such file, or tensors that do not fit each other.
    """
    from ..safe import torch_zip

    (blob,) = files.values()
    variant = str(options.get("variant", "lite0"))
    tensors = torch_zip.tensors(blob, "the file of EfficientNet-Lite")
    try:
        return _network(tensors, REPEATS[variant])
    except (KeyError, ValueError) as error:
        raise ModelFault(
            f"the file is no EfficientNet-{variant} ({type(error).__name__}: {str(error)[:120]})",
            now="nothing was put into the store",
            hint=f"options.variant: {', '.join(REPEATS)}",
        ) from None


def _network(tensors: Mapping[str, np.ndarray], repeats: tuple[int, ...]) -> bytes:
    w = Writer("efficientnet_lite")
    x = w.unique("image")
    w.unique("features")
    zero, six = w.constant(np.float32(0)), w.constant(np.float32(6))

    def layer(x: str, convolution: str, norm: str, name: str, stride: int = 1, *, clipped: bool = True) -> str:
        weight, bias = folded(tensors, convolution, norm, EPSILON)
        side = weight.shape[-1]
        deep = weight.shape[1] == 1  # one filter for each channel
        before, after = (side - stride) // 2, (side - stride + 1) // 2
        x = w.add(
            "Conv", [x, w.constant(weight, f"{name}/weights"), w.constant(bias, f"{name}/bias")], name,
            kernel_shape=[side, side], strides=[stride, stride], pads=[before, before, after, after],
            group=weight.shape[0] if deep else 1,
        )  # fmt: skip
        return w.add("Clip", [x, zero, six], f"{name}/relu6") if clipped else x

    x = layer(x, "_conv_stem", "_bn0", "stem", 2)
    number = 0
    for count, first in zip(repeats, STRIDES, strict=True):
        for repeat in range(count):
            block, name = f"_blocks.{number}.", f"block{number}"
            stride, before = (1 if repeat else first), x
            if f"{block}_expand_conv.weight" in tensors:
                x = layer(x, f"{block}_expand_conv", f"{block}_bn0", f"{name}/expand")
            x = layer(x, f"{block}_depthwise_conv", f"{block}_bn1", f"{name}/deep", stride)
            x = layer(x, f"{block}_project_conv", f"{block}_bn2", f"{name}/project", clipped=False)
            if repeat:  # same size, same channels: the block adds to what it was given
                x = w.add("Add", [before, x], f"{name}/sum")
            number += 1
    if f"_blocks.{number}._project_conv.weight" in tensors:
        raise ValueError("it has more blocks than that variant")
    x = layer(x, "_conv_head", "_bn1", "head")
    w.name_output(w.add("Flatten", [w.add("GlobalAveragePool", [x], "mean")], "flat"), "features")
    channels = tensors["_conv_head.weight"].shape[0]
    inputs = {"image": ("float32", [1, 3, "height", "width"])}
    return w.save(inputs, {"features": ("float32", [1, channels])})
