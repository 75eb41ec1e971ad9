"""Batch normalisation folded into the convolution before it (Ioffe and Szegedy, 2015; at inference both are linear)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def folded(
    tensors: Mapping[str, np.ndarray], convolution: str, norm: str, epsilon: float, axis: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and bias (float32) that do the work of both.

    convolution, norm  their names: `{convolution}.weight`, `{norm}.running_mean` ...
    axis               of the weights' output channels: 0, or 1 for a transposed convolution without groups

    Computed in float64 by operations that IEEE 754 rounds alike everywhere: the same bytes on every machine. KeyError:
    a tensor is missing. ValueError: they do not fit each other.
    """
    weight = tensors[f"{convolution}.weight"].astype(np.float64)
    scale, shift, mean, variance = (
        tensors[f"{norm}.{part}"].astype(np.float64) for part in ("weight", "bias", "running_mean", "running_var")
    )
    if weight.ndim != 4 or not scale.shape == shift.shape == mean.shape == variance.shape == (weight.shape[axis],):
        raise ValueError(f"{convolution} {weight.shape} and {norm} {scale.shape} do not fit each other")
    factor = scale / np.sqrt(variance + epsilon)
    sides = [-1 if n == axis else 1 for n in range(4)]
    bias = shift - mean * factor
    if f"{convolution}.bias" in tensors:
        bias = bias + tensors[f"{convolution}.bias"].astype(np.float64) * factor
    found = (weight * factor.reshape(sides)).astype(np.float32), bias.astype(np.float32)
    if not all(np.isfinite(part).all() for part in found):
        raise ValueError(f"{convolution} holds what is no number")
    return found
