"""One bent tensor: what is added to the network's inputs, and what they hold at a call."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..backends.base import Tensor
from ..core.errors import ModelFault
from . import graphs

if TYPE_CHECKING:
    from .bend import Bend

DEFAULTS = {"scale": 1.0, "shift": 0.0, "noise": 0.0, "drift": 0.0}
"""The knobs of a bent layer, and the values at which nothing happens."""


class BentLayer:
    """The extra inputs of one bent tensor, and their values. Along a `free` side, whose length follows what the network
    is given, the noise is the same everywhere."""

    def __init__(self, bend: Bend, sample: np.ndarray, free: frozenset[int] = frozenset()) -> None:
        if sample.dtype != np.float32 or sample.ndim < 2:
            raise ModelFault(
                f"bend: {bend.layer} is not a layer of float32 numbers", hint="pleinair models show CARD --layers"
            )
        self.bend = bend
        self.axis = axis = graphs.channel_axis(sample.shape, free)
        if axis in free:
            raise ModelFault(
                f"bend: {bend.layer} cannot be bent: each of its sides is as long as what the network is given",
                now="the model was not loaded",
                hint="pleinair models show CARD --layers",
            )
        count = sample.shape[axis]
        self.std = np.moveaxis(sample, axis, 0).reshape(count, -1).std(1)  # a row of one picture's numbers has none
        self.std = np.where(self.std > 1e-6, self.std, float(sample.std()) or 1.0).astype(np.float32)
        chosen = bend.channels
        rng = np.random.default_rng(bend.seed)
        if not isinstance(chosen, tuple):
            chosen = tuple(int(c) for c in rng.permutation(count)[: max(1, round(chosen * count))])
        if max(chosen) >= count:
            raise ModelFault(f"bend: {bend.layer} has {count} channels, and {max(chosen)} was asked for")
        self._mask = np.zeros(count, np.float32)
        self._mask[list(chosen)] = 1
        shape = tuple(count if a == axis else 1 for a in range(sample.ndim))
        spread = self.std.reshape(shape)
        wide = tuple(1 if a in free else side for a, side in enumerate(sample.shape))
        self.fields = [(_clouds(rng, wide, axis, bend.grain) * spread).astype(np.float32) for _ in range(2)]
        one = (1,) * sample.ndim
        self.tensors = [
            Tensor(f"bend.{bend.name}.{what}", shape if what in ("mul", "add") else one)
            for what in ("mul", "add", "first", "second")
        ]

    def arrays(self, values: Mapping[str, float]) -> dict[str, np.ndarray]:
        scale, shift, noise, drift = (float(values[f"{self.bend.name}_{what}"]) for what in DEFAULTS)
        turn = 2 * math.pi * drift
        mul = 1 + (scale - 1) * self._mask
        add = shift * self.std * self._mask
        figures = (mul, add, np.float32([noise * math.cos(turn)]), np.float32([noise * math.sin(turn)]))
        return {t.name: np.asarray(v, np.float32).reshape(t.shape) for t, v in zip(self.tensors, figures, strict=True)}


def _clouds(rng: np.random.Generator, shape: tuple[int, ...], axis: int, grain: int) -> np.ndarray:
    """A random field of standard deviation 1 whose spots are about `grain` cells large; plain noise for a row."""
    if len(shape) != 4 or grain == 1 or 1 in [side for a, side in enumerate(shape) if a not in (0, axis)]:
        return rng.standard_normal(shape)
    import cv2

    height, width = (side for place, side in enumerate(shape[1:], 1) if place != axis)
    small = rng.standard_normal((shape[axis], -(-height // grain) + 1, -(-width // grain) + 1))
    sheets = np.stack([cv2.resize(s, (width, height), interpolation=cv2.INTER_CUBIC) for s in small])
    sheets /= sheets.std((1, 2), keepdims=True)
    return np.moveaxis(sheets, 0, axis - 1)[None]
