"""Finds the straight lines in a picture, as segments from end to end. Task "lines".

M-LSD (Gu and others: Towards Light-weight and Real-time Line Segment Detection, AAAI 2022): for each cell of a map of
half the network's side, how surely it is the middle of a line, and the displacements to both of its ends. The network
takes RGB 0..255 and a fourth channel of ones; it keeps only the surest middle of each neighbourhood by itself.

A line comes out as a Figure with two named points: the core has no kind of its own for lines, a Figure is what paint,
tapes and proofs can already handle, and `lines.start.x` reads as `hands.wrist.x` does. What feeds a plotter is the same
list: each Figure is one stroke.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backends import wire
from ...backends.base import Tensor
from ...core.errors import ModelFault
from ...core.figure import Figure
from ...core.kinds import Control, Landmarks, Size
from ..card import Card
from ..fit import checked, fitted
from ..network import NetworkModel

MOST = 200
"""Lines of one picture, unless `options.most` says otherwise: a Figure each costs 10 us."""
APART = 0.012
"""A line both of whose ends lie nearer than this (in picture heights) to a surer line is that line again; 0: all stay.
(`options.apart`)"""


def recognise(found: wire.Summary) -> dict[str, Any] | None:
    """What a card says of this network if it is an M-LSD (size, ports, options); None: it is not."""
    if len(found.inputs) != 1 or len(found.outputs) != 2:
        return None
    ((name, sides),), maps = found.inputs.items(), {s[-1]: n for n, s in found.outputs.items() if s and len(s) == 4}
    if not sides or len(sides) != 4 or sides[-1] != 4 or set(maps) != {1, 4} or min(sides[1:3]) < 2:
        return None
    ports = {"image": "Image", "sure": "Control", "shortest": "Control"}
    options = {"input": name, "scores": maps[1], "offsets": maps[4]}
    constants = {"sure": 0.15, "shortest": 0.04}
    return {"size": [sides[2], sides[1]], "ports": ports, "constants": constants, "options": options}


class Lines(NetworkModel):
    """`model(image, sure=0.15, shortest=0.04)`: Landmarks, one Figure a line, the surest first.

    In bf16, twice as quick where the processor has it, an end moves by a pixel of 512 (median of four photographs: 0.2
    to 2.7), and one line in twenty comes or goes. For what is drawn on paper: precision = "f32".

    image     uint8 RGB, any size; stretched to the network's square
    sure      0..1: from which confidence on a line counts
    shortest  the shortest line that counts, as a part of the picture's height

    Points `start` (the left end; of an upright line the upper one) and `end`, 0..1; confidence 0..1; parts `length`, in
    parts of the picture's height, and `angle` in degrees from 0 (lies) through 90 (stands) to 180, anticlockwise.
    """

    kind = Landmarks

    def __init__(self, card: Card, **how: Any) -> None:
        super().__init__(card, **how)
        options = card.options
        self._picture = str(options.get("input", "input_image_with_alpha:0"))
        self._scores, self._offsets = str(options.get("scores", "scores")), str(options.get("offsets", "offsets"))
        self._most, self._apart = int(options.get("most", MOST)), float(options.get("apart", APART))

    def _size(self, size: Size | None) -> Size:
        wanted = self.card.size or (512, 512)
        if size and tuple(size) != wanted:
            raise ModelFault(f"{self.card.name} works at {wanted[0]} x {wanted[1]} only", hint="leave size away")
        return wanted

    def _constant(self, port: str, value: Any) -> Any:
        return Control.check(value) if port in ("sure", "shortest") else value

    def _open(self) -> None:
        width, height = self.size
        rows, columns = height // 2, width // 2
        self._given = np.ones((1, height, width, 4), np.float32)
        self._network = self.network(
            "network",
            [Tensor(self._picture, self._given.shape)],
            [Tensor(self._scores, (1, rows, columns, 1)), Tensor(self._offsets, (1, rows, columns, 4))],
        )
        self._find(np.full((height, width, 3), 128, np.uint8))

    def _find(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Maps of scores (rows, columns) and of displacements (rows, columns, 4)."""
        self._given[0, ..., :3] = image
        found = self._network.run({self._picture: self._given})
        return found[self._scores][0, ..., 0], found[self._offsets][0]

    def _run(self, values: dict[str, Any]) -> Landmarks:
        image = checked(values["image"])
        sure, shortest = Control.check(values.get("sure", 0.15)), Control.check(values.get("shortest", 0.04))
        with self._lock:  # one buffer for all callers
            scores, offsets = self._find(fitted(image, self.size))
        ends, confidence = segments_of(scores, offsets, sure)
        aspect = image.shape[1] / image.shape[0]
        chosen = ranked(ends, confidence, aspect, shortest, self._apart)[: self._most]
        return figures_of(ends[chosen], confidence[chosen], aspect)

    def probe(self) -> list[np.ndarray]:
        """Ends and scores where the built-in picture has its lines: of the rest of the map nobody reads anything."""
        from ..testcard import picture

        self.open()
        scores, offsets = self._find(picture(self.size))
        strong = np.array(offsets) * (scores > 0.15)[..., None]
        return [np.array(scores), strong]

    def _close(self) -> None:
        self._network = None


def segments_of(scores: np.ndarray, offsets: np.ndarray, sure: float) -> tuple[np.ndarray, np.ndarray]:
    """Ends (n, 4: x0, y0, x1, y1 in 0..1, inside the picture) and confidences (n) out of both maps. The displacements
    count from a cell's corner, not from its middle: with half a cell more, all lines lie a pixel off."""
    rows, columns = scores.shape
    y, x = np.nonzero(scores >= max(sure, 1e-6))
    middle = np.stack([x, y, x, y], 1).astype(np.float32)
    ends = (middle + offsets[y, x]) / np.array([columns, rows, columns, rows], np.float32)
    return inside(ends), scores[y, x].astype(np.float32)


def inside(ends: np.ndarray) -> np.ndarray:
    """Each segment cut off at the picture's edge along its own direction (Liang and Barsky, 1984), so that its slope
    stays; NaN where nothing of it lies inside."""
    start, way = ends[:, :2], ends[:, 2:] - ends[:, :2]
    first, last = np.zeros(len(ends), np.float32), np.ones(len(ends), np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        for axis in (0, 1):
            near, far = -start[:, axis] / way[:, axis], (1 - start[:, axis]) / way[:, axis]
            low, high = np.fmin(near, far), np.fmax(near, far)
            still = way[:, axis] == 0
            outside = still & ((start[:, axis] < 0) | (start[:, axis] > 1))
            first = np.where(still, first, np.maximum(first, low))
            last = np.where(outside, -1, np.where(still, last, np.minimum(last, high)))
    cut = np.concatenate([start + way * first[:, None], start + way * last[:, None]], 1)
    cut[first > last] = np.nan
    return np.clip(cut, 0, 1)


def ranked(ends: np.ndarray, confidence: np.ndarray, aspect: float, shortest: float, apart: float) -> np.ndarray:
    """Which lines are long enough and no surer line once more: their places, the surest first."""
    places = ends.reshape(-1, 2, 2).astype(np.float64) * [aspect, 1]
    length = np.hypot(*(places[:, 1] - places[:, 0]).T)
    order = np.flatnonzero(length >= max(shortest, 1e-6))  # NaN is not
    order = order[np.argsort(-confidence[order], kind="stable")]
    kept: list[int] = []
    while len(order):
        first, order = order[0], order[1:]
        kept.append(first)
        if apart > 0 and len(order):
            start, way = places[first, 0], places[first, 1] - places[first, 0]
            from_start = places[order] - start
            along = np.clip(from_start @ way / (way @ way), 0, 1)[..., None]
            distance = np.hypot(*np.moveaxis(from_start - along * way, -1, 0))
            order = order[distance.max(1) > apart]
    return np.array(kept, np.int64)


def figures_of(ends: np.ndarray, confidence: np.ndarray, aspect: float) -> Landmarks:
    """`aspect` is width / height of the picture."""
    swap = (ends[:, 0] > ends[:, 2]) | ((ends[:, 0] == ends[:, 2]) & (ends[:, 1] > ends[:, 3]))
    ends = np.where(swap[:, None], ends[:, [2, 3, 0, 1]], ends)
    wide, high = (ends[:, 2] - ends[:, 0]) * aspect, ends[:, 3] - ends[:, 1]
    length = np.hypot(wide, high)
    angle = np.degrees(np.arctan2(-high, wide)) % 180
    return Landmarks(
        Figure(
            ends[n].reshape(2, 2), ("start", "end"), min(float(confidence[n]), 1.0),
            length=round(float(length[n]), 6), angle=round(float(angle[n]), 4),
        )
        for n in range(len(ends))
    )  # fmt: skip
