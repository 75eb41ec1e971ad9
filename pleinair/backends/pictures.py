"""A picture's way into a network and out of it, for runtimes that cannot do it themselves."""

from __future__ import annotations

import numpy as np

from .base import Tensor


def to_floats(tensor: Tensor, array: np.ndarray, planes: np.ndarray) -> np.ndarray:
    """uint8 RGB, height x width x 3, as the network wants it, written into `planes` (float32, the network's shape)."""
    array = array[..., ::-1] if tensor.bgr else array
    first = tensor.picture == "NCHW"
    source = array.transpose(2, 0, 1) if first else array
    if tensor.plain:
        np.divide(source, np.float32(255), out=planes[0], dtype=np.float32)
        return planes
    side = (-1, 1, 1) if first else (1, 1, -1)
    np.subtract(source, np.array(tensor.mean, np.float32).reshape(side), out=planes[0], dtype=np.float32)
    np.divide(planes[0], np.array(tensor.scale, np.float32).reshape(side), out=planes[0])
    return planes


def to_levels(tensor: Tensor, out: np.ndarray) -> np.ndarray:
    """What came out, as an array of the caller's own; a picture as uint8, saturated, rounded half to even."""
    if not tensor.picture:
        return np.array(out, tensor.dtype)
    scaled = np.multiply(out[0], np.float32(255))
    np.clip(scaled, 0, 255, out=scaled)
    np.rint(scaled, out=scaled)
    planes = scaled.transpose(1, 2, 0) if tensor.picture == "NCHW" else scaled
    return planes.astype(np.uint8, order="C")
