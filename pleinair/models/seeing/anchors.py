"""From the raw numbers of a single-shot detector to boxes with key points.

A single-shot detector (Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016) answers for a fixed grid of
anchors: how surely something is here, and how far its box and key points are from the anchor. Google's BlazeFace family
has square anchors of one size, the whole picture, so that only their centres matter. Boxes that mean the same thing are
averaged, weighted by their scores (Bazarevsky et al., "BlazeFace", 2019), which trembles less than taking the best one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SAME = 0.3
"""Boxes that share more than this part of their union are one."""
_STEEP = 100.0
"""Scores beyond it are clipped before the sigmoid, as the networks were trained."""


@dataclass(frozen=True)
class Detections:
    """What was found, the surest first; places in 0..1 of what the network saw.

    boxes   float32 (n, 4): left, top, right, bottom
    points  float32 (n, k, 2): x, y of the key points
    scores  float32 (n,), 0..1
    """

    boxes: np.ndarray
    points: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)


def centres(side: int, strides: Sequence[int], each: int = 2) -> np.ndarray:
    """The anchors' centres, float32 (n, 2), in 0..1, in the order of the network's rows: layer by layer, row by row;
    layers of the same stride in a row lie together. `each`: anchors of one layer at one place."""
    found, layer = [], 0
    while layer < len(strides):
        stride, same = strides[layer], 0
        while layer < len(strides) and strides[layer] == stride:
            layer, same = layer + 1, same + each
        cells = -(-side // stride)
        ticks = (np.arange(cells, dtype=np.float32) + np.float32(0.5)) / np.float32(cells)
        x, y = np.meshgrid(ticks, ticks)
        found.append(np.repeat(np.stack([x, y], -1).reshape(-1, 2), same, 0))
    return np.concatenate(found)


def decode(raw: np.ndarray, logits: np.ndarray, anchors: np.ndarray, side: int, least: float) -> Detections:
    """Detections above the score `least`, one for each thing.

    raw      (n, 4 + 2 k): x, y, width, height, then the key points, in pixels of a `side` x `side` picture
    logits   (n,)
    anchors  of `centres`
    """
    logits = logits.reshape(-1).astype(np.float32)
    kept = np.flatnonzero(logits >= np.log(least / (1 - least)))
    kept = kept[np.argsort(-logits[kept], kind="stable")]
    scores = 1 / (1 + np.exp(-np.clip(logits[kept], -_STEEP, _STEEP)))
    values = raw.reshape(len(anchors), -1)[kept] / np.float32(side)
    origin = anchors[kept]
    middle, half = values[:, :2] + origin, values[:, 2:4] / 2
    boxes = np.concatenate([middle - half, middle + half], 1)
    points = values[:, 4:].reshape(len(kept), (values.shape[1] - 4) // 2, 2) + origin[:, None]
    whole = (half >= 0).all(1) & np.isfinite(values).all(1)  # a box turned inside out is none
    return _merged(Detections(boxes[whole], points[whole], scores[whole]))


def _merged(found: Detections) -> Detections:
    boxes, points, scores = [], [], []
    rest = np.arange(len(found))
    while len(rest):
        near = overlap(found.boxes[rest], found.boxes[rest[0]]) > SAME
        near[0] = True
        these = rest[near]
        weights = found.scores[these] / found.scores[these].sum()
        boxes.append(weights @ found.boxes[these])
        points.append(np.tensordot(weights, found.points[these], 1))
        scores.append(found.scores[these[0]])
        rest = rest[~near]
    shapes = (0, 4), (0, *found.points.shape[1:]), (0,)
    return Detections(
        *(np.array(v, np.float32).reshape(len(v), *s[1:]) for v, s in zip((boxes, points, scores), shapes, strict=True))
    )


def overlap(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Intersection over union of each of `boxes` (n, 4) with `box` (4,): 0..1."""
    low, high = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, 2:], box[2:])
    inside = np.clip(high - low, 0, None).prod(1)
    union = (boxes[:, 2:] - boxes[:, :2]).prod(1) + (box[2:] - box[:2]).prod() - inside
    return np.divide(inside, union, out=np.zeros_like(inside), where=union > 0)
