"""Which of the boxes of one picture are those of the picture before: each keeps its number.

Greedy matching by overlap, the surest pair first, between what is seen and where each was last seen, moved on by its
own speed (Bochinski and others: High-speed tracking-by-detection without using image information, 2017, and Bewley and
others: Simple online and realtime tracking, 2016, without its Kalman filter).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

PATIENCE_S = 0.5
"""For so long something may be out of sight and still be the same."""
FORGET_S = 1.0
"""A gap in the frames after which nothing is where it was."""
LEAST = 0.2
"""Overlap (intersection over union) below which it is another."""


@dataclass
class _Track:
    number: int
    box: np.ndarray
    speed: np.ndarray  # of its four sides, a second
    label: int
    seen: float

    def ahead(self, t: float) -> np.ndarray:
        return self.box + self.speed * np.float32(t - self.seen)


class BoxTracks:
    """`follow(boxes, labels, t)`: a number >= 1 for each box, the same from picture to picture. Boxes are corners
    (n, 4) of 0..1, the surest first; labels are whole numbers (n,); t is content time in seconds."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._tracks: list[_Track] = []
        self._next = 1
        self._t: float | None = None

    def save(self) -> dict[str, Any] | None:
        """For a tape that begins in the middle."""
        if self._t is None:
            return None
        tracks = [[k.number, k.box.tolist(), k.speed.tolist(), k.label, k.seen] for k in self._tracks]
        return {"t": self._t, "next": self._next, "tracks": tracks}

    def load(self, state: dict[str, Any] | None) -> None:
        self.reset()
        if not state:
            return
        self._t, self._next = float(state["t"]), int(state["next"])
        for number, box, speed, label, seen in state["tracks"]:
            row = np.array(box, np.float32), np.array(speed, np.float32)
            self._tracks.append(_Track(int(number), *row, int(label), float(seen)))

    def known(self, boxes: np.ndarray, labels: np.ndarray, t: float) -> np.ndarray:
        """Whether each box lies where something of its label is expected: bool (n,)."""
        self._at(t)
        return np.array([place is not None for place in self._matched(boxes, labels, t)], bool)

    def follow(self, boxes: np.ndarray, labels: np.ndarray, t: float) -> list[int]:
        self._at(t)
        numbers: list[int] = []
        for box, label, place in zip(boxes, labels, self._matched(boxes, labels, t), strict=True):
            if place is None:
                track = _Track(self._next, box.copy(), np.zeros(4, np.float32), int(label), t)
                self._next += 1
                self._tracks.append(track)
            else:
                track = self._tracks[place]
                if t > track.seen:
                    now = (box - track.box) / np.float32(t - track.seen)
                    track.speed = np.float32(0.5) * (track.speed + now)
                track.box, track.seen = box.copy(), t
            numbers.append(track.number)
        self._tracks = [track for track in self._tracks if t - track.seen <= PATIENCE_S]
        return numbers

    def _at(self, t: float) -> None:
        if self._t is not None and not 0 <= t - self._t <= FORGET_S:
            self.reset()
        self._t = t

    def _matched(self, boxes: np.ndarray, labels: np.ndarray, t: float) -> list[int | None]:
        """For each box the place of its track, or None."""
        found: list[int | None] = [None] * len(boxes)
        if not self._tracks or not len(boxes):
            return found
        last, ahead = np.stack([k.box for k in self._tracks]), np.stack([k.ahead(t) for k in self._tracks])
        shared = np.maximum(overlap(boxes, ahead), overlap(boxes, last))
        shared[np.asarray(labels)[:, None] != np.array([k.label for k in self._tracks])[None]] = 0
        for flat in np.argsort(-shared, axis=None, kind="stable"):
            row, column = divmod(int(flat), len(self._tracks))
            if shared[row, column] < LEAST:
                break
            if found[row] is None and column not in found:
                found[row] = column
        return found


def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of every box of `a` with every box of `b`: float32 (len(a), len(b))."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:4], b[None, :, 2:4])
    both = np.prod(np.maximum(high - low, 0), axis=2)
    areas = [np.prod(np.maximum(x[:, 2:4] - x[:, :2], 0), axis=1) for x in (a, b)]
    return (both / np.maximum(areas[0][:, None] + areas[1][None] - both, 1e-12)).astype(np.float32)


def without_doubles(boxes: np.ndarray, sure: np.ndarray, labels: np.ndarray, most_overlap: float) -> np.ndarray:
    """Places of the boxes that stay, the surest first: of two of one label that overlap more, the surer (greedy
    non-maximum suppression)."""
    order = np.argsort(-sure, kind="stable")
    kept: list[int] = []
    while len(order):
        first, order = order[0], order[1:]
        kept.append(int(first))
        shared = overlap(boxes[first : first + 1], boxes[order])[0]
        order = order[(shared <= most_overlap) | (labels[order] != labels[first])]
    return np.array(kept, np.int64)
