"""A DCGAN's generator out of torch's file, as ONNX.

DCGAN (Radford, Metz, Chintala, 2015) as in PyTorch's tutorial: transposed convolutions of 4 x 4, each but the last
followed by batch normalisation and ReLU, the last by tanh. The first one makes 4 x 4 pixels out of the latent numbers,
each further one doubles them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...core.errors import ModelFault
from .folding import folded
from .writing import Writer

EPSILON = 1e-5


def convert(files: Mapping[str, bytes], options: Mapping[str, Any]) -> bytes:
    """One torch file that holds the generator's `main.0.weight`, `main.1.running_mean` ... under `options.prefix`
    (where it is not given: wherever they are); the ONNX file.

    Input "latent" [1, numbers], normally distributed; output "picture" [1, 3, height, width], 0..1.

    ModelFault: no such file, or tensors that do not fit each other.
    """
    from ..safe import torch_zip

    (blob,) = files.values()
    tensors = torch_zip.tensors(blob, "the generator's file")
    try:
        return _network(tensors, _prefix(tensors, options))
    except (KeyError, ValueError) as error:
        raise ModelFault(
            f"the file is no DCGAN generator ({type(error).__name__}: {str(error)[:120]})",
            now="nothing was put into the store",
            hint='options.prefix says under which name its layers are: "netG_state_dict.main."',
        ) from None


def _prefix(tensors: Mapping[str, np.ndarray], options: Mapping[str, Any]) -> str:
    if "prefix" in options:
        return str(options["prefix"])
    found = [name.removesuffix("0.weight") for name in tensors if name == "0.weight" or name.endswith(".0.weight")]
    if len(found) != 1:
        raise ValueError(f"{len(found)} networks in one file")
    return found[0]


def _network(tensors: Mapping[str, np.ndarray], prefix: str) -> bytes:
    places = [int(n.removeprefix(prefix).split(".")[0]) for n in tensors if n.startswith(prefix)]
    layers = sorted({p for p in places if tensors[f"{prefix}{p}.weight"].ndim == 4})
    w = Writer("dcgan")
    x = w.unique("latent")
    w.unique("picture")
    numbers = tensors[f"{prefix}{layers[0]}.weight"].shape[0]
    x, pixels, channels = w.add("Reshape", [x, w.ints([1, numbers, 1, 1])], "point"), 1, numbers
    for order, place in enumerate(layers, 1):
        first, last = order == 1, order == len(layers)
        if last:
            weight, bias = tensors[f"{prefix}{place}.weight"], None
        else:
            weight, bias = folded(tensors, f"{prefix}{place}", f"{prefix}{place + 1}", EPSILON, axis=1)
        if weight.shape[0] != channels or weight.shape[2:] != (4, 4):
            raise ValueError(f"layer {place} is {weight.shape}")
        constants = [w.constant(weight, f"layer{order}/weights")]
        constants += [] if bias is None else [w.constant(bias, f"layer{order}/bias")]
        stride, pad = (1, 0) if first else (2, 1)
        x = w.add(
            "ConvTranspose", [x, *constants], f"layer{order}",
            kernel_shape=[4, 4], strides=[stride, stride], pads=[pad] * 4,
        )  # fmt: skip
        pixels, channels = (4 if first else 2 * pixels), weight.shape[1]
        x = w.add("Tanh" if last else "Relu", [x])
    if channels != 3:
        raise ValueError(f"it makes {channels} colours")
    half = w.constant(np.float32(0.5), "half")
    w.name_output(w.add("Add", [w.add("Mul", [x, half]), half], "shifted"), "picture")
    return w.save({"latent": ("float32", [1, numbers])}, {"picture": ("float32", [1, 3, pixels, pixels])})
