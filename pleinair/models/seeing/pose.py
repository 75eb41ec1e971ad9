"""A body: 33 named points, and how visible each is. Task "pose".

Bazarevsky et al., "BlazePose: On-device Real-time Body Pose tracking" (2020): a detector of the body's middle, size and
lean, and a network that says where the joints are in a turned crop. The numbers below are those of MediaPipe's graphs
(modules/pose_landmark, the full network).
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

_EYES = tuple(f"{side}_eye{part}" for side in ("left", "right") for part in ("_inner", "", "_outer"))
_PAIRS = ("ear", "mouth", "shoulder", "elbow", "wrist", "pinky", "index", "thumb", "hip", "knee", "ankle", "heel")
NAMES = ("nose", *_EYES) + tuple(
    f"mouth_{side}" if part == "mouth" else f"{side}_{part}"
    for part in (*_PAIRS, "foot_index")
    for side in ("left", "right")
)
"""Left and right are the person's own."""
PERSON_SIDE, BODY_SIDE = 224, 256
LEAST = 0.5
_ALL, _HEAT, _KERNEL = 39, 64, 7


class Pose(Follower):
    """`pose(image)`: Landmarks, a Figure for each body.

    image   uint8 RGB
    most    how many bodies at most (1); for a crowd there is the task "people"
    smooth  0 (as measured) .. 1: the 1 euro filter, where a time is given

    Each body: 33 points (`pose.left_wrist.y`), also of what is hidden or outside of the picture (then beyond 0..1);
    `visibility` (33 numbers 0..1, in the order of the names), `box` (x, y, w, h), `number`.
    """

    point_names = NAMES

    def _open(self) -> None:
        def seen(side: int, **how: Any) -> Tensor:
            return Tensor("input_1", (1, side, side, 3), picture="NHWC", **how)

        self._grid = anchors.centres(PERSON_SIDE, (8, 16, 32, 32, 32))
        count = len(self._grid)
        self._person = self.network(
            "person",
            [seen(PERSON_SIDE, mean=(127.5,), scale=(127.5,))],
            [Tensor("Identity", (1, count, 12)), Tensor("Identity_1", (1, count, 1))],
        )
        outputs = [Tensor("Identity", (1, _ALL * 5)), Tensor("Identity_1", (1, 1))]
        self._body = self.network("body", [seen(BODY_SIDE)], [*outputs, Tensor("Identity_3", (1, _HEAT, _HEAT, _ALL))])
        for side, network in ((PERSON_SIDE, self._person), (BODY_SIDE, self._body)):
            network.run({"input_1": np.full((side, side, 3), 128, np.uint8)})

    def _find(self, image: np.ndarray) -> Iterator[Crop]:
        height, width = image.shape[:2]
        everything = crops.whole((width, height), (PERSON_SIDE, PERSON_SIDE))
        small = crops.cut(image, everything, (PERSON_SIDE, PERSON_SIDE), edge=False)
        out = self._person.run({"input_1": small})
        found = anchors.decode(out["Identity"], out["Identity_1"], self._grid, PERSON_SIDE, LEAST)
        corner = np.array([everything.x, everything.y]) - everything.w / 2
        for points in found.points * everything.w + corner:  # 0: between the hips; 1: how far the body reaches
            yield crops.reach(points[0], points[1]).grown(1.25)

    def _look(self, image: np.ndarray, crop: Crop) -> Sight | None:
        out = self._body.run({"input_1": crops.cut(image, crop, (BODY_SIDE, BODY_SIDE))})
        confidence = float(out["Identity_1"][0, 0])
        if confidence < LEAST:
            return None
        height, width = image.shape[:2]
        raw = out["Identity"].reshape(_ALL, 5)
        places = raw[:35, :3] / np.float32(BODY_SIDE)
        refined(places, out["Identity_3"][0])
        places[:, 2] *= -1
        points = crops.back(places, crop, (width, height))
        flat = points[33:, :2] * (width, height)  # two points that no eye sees: the middle, and the reach
        visibility = 1 / (1 + np.exp(-np.clip(raw[:33, 3], -60, 60)))
        return Sight(points[:33], min(confidence, 1.0), crops.reach(*flat).grown(1.25), {"visibility": visibility})

    def _figure(self, image: np.ndarray, points: np.ndarray, sight: Sight, values: dict[str, Any]) -> Figure:
        visibility = tuple(round(float(v), 4) for v in sight.extra["visibility"])
        return Figure(points, NAMES, sight.confidence, visibility=visibility, box=box_of(points))


def refined(places: np.ndarray, heat: np.ndarray) -> None:
    """Moves each place (n, 2 or more; 0..1) to the centre of the warmth around it, where there is any.

    heat  (side, side, n): how likely each point is to be here, as logits
    """
    side, around = heat.shape[0], (_KERNEL - 1) // 2
    for n, (x, y) in enumerate(places[:, :2] * side):
        if not (-1 < x < side and -1 < y < side):
            continue
        column, row = int(x), int(y)
        left, top = max(0, column - around), max(0, row - around)
        part = heat[top : row + around + 1, left : column + around + 1, n]
        warmth = 1 / (1 + np.exp(-np.clip(part, -60, 60)))
        if warmth.max() >= 0.5:
            total = warmth.sum()
            places[n, 0] = (warmth.sum(0) @ np.arange(left, left + part.shape[1])) / total / side
            places[n, 1] = (warmth.sum(1) @ np.arange(top, top + part.shape[0])) / total / side
