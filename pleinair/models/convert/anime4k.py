"""Anime4K's upscaling networks, out of WebSR's JSON, as ONNX.

The networks (bloc97's Anime4K, "Upscale CNN x2") are a row of 3 x 3 convolutions, each followed by its positive and its
negative part (CReLU: Shang and others, 2016), a last layer over the one before it or over all of them (1 x 1), and a
rearrangement of its 4 numbers for each colour into 2 x 2 pixels, added to the picture enlarged bilinearly.

The JSON holds, for each layer, one 4 x 4 matrix for each place of the kernel and each group of 4 inputs, as WebGPU
reads them: column by column, and the kernel's columns (dx) before its rows (dy). A layer of more than 4 outputs is
written as several: "conv2d_1_tf" and "conv2d_1_tf1" are outputs 0-3 and 4-7 of one layer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...core.errors import ModelFault
from .writing import Writer

MAX_JSON_BYTES = 16 << 20
COLOURS = 3


def convert(files: Mapping[str, bytes], options: Mapping[str, Any]) -> bytes:
    """One JSON of `weights/anime4k/cnn-2x-*.json`; the ONNX file.

    Input "image" [1, 3, height, width] RGB 0..1, output "upscaled" [1, 3, 2 height, 2 width], not clipped.

    ModelFault: no such file, or layers that do not fit each other.
    """
    (blob,) = files.values()
    try:
        if len(blob) > MAX_JSON_BYTES:
            raise ValueError(f"{len(blob)} bytes")
        layers = json.loads(blob)["layers"]
        with np.errstate(over="ignore"):  # what is too large for float32 is infinite, and refused as that
            return _network({name: layer for name, layer in layers.items() if "weights" in layer})
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
        raise ModelFault(
            f"the file is no upscaler of WebSR's ({type(error).__name__}: {str(error)[:120]})",
            now="nothing was put into the store",
            hint="weights/anime4k/cnn-2x-*.json of the package @websr/websr",
        ) from None


def _network(layers: Mapping[str, Mapping[str, Any]]) -> bytes:
    w = Writer("anime4k")
    image = w.unique("image")
    w.unique("upscaled")
    before, kept = image, []  # what the next layer reads, and (name, channels) of all that were
    names = _names(layers)
    for n, name in enumerate(names, 1):
        weights, bias = _kernel(layers, name, 2 * kept[-1][1] if kept else 4, 2 * sum(c for _, c in kept))
        if n == 1:
            if np.any(weights[:, COLOURS:]):
                raise ValueError("the first layer reads more than three colours")
            weights = weights[:, :COLOURS]
        side, last = weights.shape[-1], n == len(names)
        source = before if side == 3 else w.add("Concat", [k for k, _ in kept], "all", axis=1)
        constants = [w.constant(weights, f"layer{n}/weights"), w.constant(bias, f"layer{n}/bias")]
        made = w.add("Conv", [source, *constants], f"layer{n}", pads=[side // 2] * 4)
        if not last:
            negative = w.add("Relu", [w.add("Neg", [made])])
            before = w.add("Concat", [w.add("Relu", [made]), negative], f"layer{n}/both", axis=1)
            kept.append((before, len(bias)))
    if len(bias) == 4:  # the smallest network makes one brightness for all colours
        made = w.add("Concat", [made] * COLOURS, axis=1)
    elif len(bias) != 4 * COLOURS:
        raise ValueError(f"the last layer makes {len(bias)} numbers")
    detail = w.add("DepthToSpace", [made], "detail", blocksize=2, mode="CRD")
    scales = w.constant(np.array([1, 1, 2, 2], np.float32), "scales")
    large = w.add(
        "Resize", [image, "", scales], "large", mode="linear", coordinate_transformation_mode="half_pixel"
    )
    w.name_output(w.add("Add", [large, detail], "sum"), "upscaled")
    inputs = {"image": ("float32", [1, COLOURS, "height", "width"])}
    return w.save(inputs, {"upscaled": ("float32", [1, COLOURS, "twice_height", "twice_width"])})


def _names(layers: Mapping[str, Any]) -> list[str]:
    """conv2d_tf, conv2d_1_tf ... conv2d_last_tf: each layer once, in order."""
    found = {m[1]: m[2] or "0" for key in layers if (m := re.fullmatch(r"(conv2d_?(\d*|last)_tf)\d*", key))}
    names = sorted(found, key=lambda name: 10_000 if found[name] == "last" else int(found[name]))
    if len(names) < 2 or len(names) > 64:
        raise ValueError(f"it has {len(names)} layers")
    return names


def _kernel(
    layers: Mapping[str, Mapping[str, Any]], name: str, before: int, everything: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weights [out, in, side, side] and bias [out] of a layer, all of its groups of 4 outputs: 3 x 3 over the layer
    before it, or 1 x 1 over all; how many numbers there are says which."""
    weights, biases = [], []
    for key in sorted(k for k in layers if re.fullmatch(re.escape(name) + r"\d*", k)):
        numbers, bias = (np.array(layers[key][part], np.float32) for part in ("weights", "bias"))
        if numbers.shape not in ((36 * before,), (4 * everything,)) or bias.shape != (4,):
            raise ValueError(f"{key} has {numbers.size} numbers")
        if not (np.isfinite(numbers).all() and np.isfinite(bias).all()):
            raise ValueError(f"{key} holds NaN or infinity")
        side = 3 if numbers.size == 36 * before else 1
        matrix = numbers.reshape(side, side, -1, 4, 4) if side == 1 else None
        if matrix is None:
            matrix = numbers.reshape(before // 4, 3, 3, 4, 4).transpose(1, 2, 0, 3, 4)  # dx, dy, group, in, out
        weights.append(matrix.transpose(4, 2, 3, 1, 0).reshape(4, -1, side, side))
        biases.append(bias)
    return np.concatenate(weights), np.concatenate(biases)
