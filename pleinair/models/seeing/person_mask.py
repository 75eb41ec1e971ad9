"""Where people are: a soft mask. Task "person_mask".

MediaPipe's Selfie Segmentation: one network, 256 x 256, made for one to a few people within some metres.

With a time, the mask is steadied: where the network is unsure of a place (a mask near 0.5), more of the mask before is
kept; where it is sure, none. That stills hair and fingers without drawing a tail behind what moves (the idea is that
of MediaPipe's SegmentationSmoothingCalculator).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backends.base import Tensor
from ...core.kinds import Mask
from ..fit import fitted
from ..network import NetworkModel
from .track import FORGET_S, number

SIDE = 256


class PersonMask(NetworkModel):
    """`person_mask(image)`: a Mask of the picture's own size, 1 where a person is.

    image   uint8 RGB
    steady  0 (as measured) .. 1: how much of the mask before is kept where the network is unsure, where a time is given
    """

    kind = Mask
    uses = ("t",)

    _before: np.ndarray | None = None
    _t: float | None = None

    def _open(self) -> None:
        self._network = self.network(
            "network",
            [Tensor("input_1", (1, SIDE, SIDE, 3), picture="NHWC")],
            [Tensor("activation_10", (1, SIDE, SIDE, 1))],
        )
        self._network.run({"input_1": np.full((SIDE, SIDE, 3), 128, np.uint8)})

    def reset(self) -> None:
        """Forgets the mask before."""
        self._before, self._t = None, None

    def save(self) -> dict[str, Any] | None:
        return None if self._before is None else {"before": self._before, "t": self._t}

    def load(self, state: dict[str, Any] | None) -> None:
        self.reset()
        if state:
            self._before, self._t = np.asarray(state["before"], np.float32), float(state["t"])

    def _run(self, values: dict[str, Any]) -> np.ndarray:
        import cv2

        image = values["image"]
        with self._lock:
            mask = self._network.run({"input_1": fitted(image, (SIDE, SIDE))})["activation_10"][0, ..., 0]
            if "t" in values:
                mask = self._steadied(mask, float(values["t"]), min(max(number(values, "steady", 0.6), 0.0), 1.0))
        height, width = image.shape[:2]
        return cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)

    def _steadied(self, mask: np.ndarray, t: float, steady: float) -> np.ndarray:
        before = self._before
        if before is not None and self._t is not None and 0 <= t - self._t <= FORGET_S and steady:
            sure = 2 * mask - 1
            unsure = 1 - sure * sure  # 1 at 0.5, 0 at 0 and 1
            mask = mask + (before - mask) * unsure * np.float32(steady)
        self._before, self._t = mask, t
        return mask
