"""Hands: 21 named points on each, left or right, pinching or not. Task "hands".

Zhang et al., "MediaPipe Hands: On-device Real-time Hand Tracking" (2020): a palm detector, and a network that says
where the joints are in a turned crop. The numbers below are those of MediaPipe's graphs (modules/hand_landmark).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...backends.base import Tensor
from ...core.figure import Figure
from . import anchors, crops
from .crops import Crop
from .track import Follower, Sight, box_of

NAMES = ("wrist", *(f"thumb_{j}" for j in ("cmc", "mcp", "ip", "tip"))) + tuple(
    f"{finger}_{j}" for finger in ("index", "middle", "ring", "pinky") for j in ("mcp", "pip", "dip", "tip")
)
"""MCP: the knuckle; PIP and DIP: the two joints of a finger after it."""
PALM_SIDE, HAND_SIDE = 192, 224
LEAST = 0.5
"""How sure both networks must be."""
_STEADY = [0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18]
"""The joints that say where the hand is: without the finger tips, which move most."""
_INDEX, _MIDDLE, _RING = 5, 9, 13


class Hands(Follower):
    """`hands(image)`: Landmarks, a Figure for each hand.

    image   uint8 RGB
    most    how many hands at most (2)
    smooth  0 (as measured) .. 1: the 1 euro filter, where a time is given

    Each hand: 21 points (`hand.index_tip.x`), `side` ("left" or "right": the person's own, in a picture that is not
    mirrored) with `side_confidence`, `pinch` (1: thumb and index touch, 0: apart), `box` (x, y, w, h), `number` (the
    same for as long as it is followed).
    """

    point_names = NAMES

    def _open(self) -> None:
        def seen(side: int) -> Tensor:
            return Tensor("input_1", (1, side, side, 3), picture="NHWC")

        self._grid = anchors.centres(PALM_SIDE, (8, 16, 16, 16))
        count = len(self._grid)
        self._palm = self.network(
            "palm", [seen(PALM_SIDE)], [Tensor("Identity", (1, count, 18)), Tensor("Identity_1", (1, count, 1))]
        )
        outputs = [Tensor("Identity", (1, 63)), Tensor("Identity_1", (1, 1)), Tensor("Identity_2", (1, 1))]
        self._hand = self.network("hand", [seen(HAND_SIDE)], outputs)
        for side, network in ((PALM_SIDE, self._palm), (HAND_SIDE, self._hand)):
            network.run({"input_1": np.full((side, side, 3), 128, np.uint8)})

    def _find(self, image: np.ndarray) -> Iterator[Crop]:
        height, width = image.shape[:2]
        everything = crops.whole((width, height), (PALM_SIDE, PALM_SIDE))
        small = crops.cut(image, everything, (PALM_SIDE, PALM_SIDE), edge=False)
        out = self._palm.run({"input_1": small})
        found = anchors.decode(out["Identity"], out["Identity_1"], self._grid, PALM_SIDE, LEAST)
        corner, scale = np.array([everything.x, everything.y]) - everything.w / 2, everything.w
        for box, points in zip(found.boxes, found.points, strict=True):
            points = points * scale + corner  # of the palm: 0 the wrist, 2 the middle finger's knuckle
            palm = crops.around(box.reshape(2, 2) * scale + corner, crops.angle_of(points[0], points[2], np.pi / 2))
            yield palm.grown(2.6, up=0.5)

    def _look(self, image: np.ndarray, crop: Crop) -> Sight | None:
        out = self._hand.run({"input_1": crops.cut(image, crop, (HAND_SIDE, HAND_SIDE))})
        confidence = float(out["Identity_1"][0, 0])
        if confidence < LEAST:
            return None
        height, width = image.shape[:2]
        raw = out["Identity"].reshape(21, 3) / np.float32(HAND_SIDE)
        raw[:, 2] /= -0.4  # the network's depth grows away from the viewer, and is stretched
        points = crops.back(raw, crop, (width, height))
        flat = points[:, :2] * (width, height)
        fingers = ((flat[_INDEX] + flat[_RING]) / 2 + flat[_MIDDLE]) / 2
        turned = crops.turned_around(flat[_STEADY], crops.angle_of(flat[0], fingers, np.pi / 2))
        right = float(out["Identity_2"][0, 0])
        return Sight(points, min(confidence, 1.0), turned.grown(2.0, up=0.1), {"right": right})

    def _figure(self, image: np.ndarray, points: np.ndarray, sight: Sight, values: dict[str, Any]) -> Figure:
        height, width = image.shape[:2]
        flat = points * (width, height, width)
        palm = float(np.linalg.norm(flat[_MIDDLE] - flat[0])) or 1.0
        gap = float(np.linalg.norm(flat[4] - flat[8])) / palm
        right = sight.extra["right"]
        return Figure(
            points, NAMES, sight.confidence, side="right" if right > 0.5 else "left",
            side_confidence=max(right, 1 - right), pinch=float(np.clip((0.7 - gap) / 0.5, 0, 1)), box=box_of(points),
        )  # fmt: skip
