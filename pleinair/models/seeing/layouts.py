"""What detectors give, and how to read it: one function for each family's way of writing boxes down.

    yolov5      [1, N, 5 + C]   middle, size (pixels), how sure there is a thing, how sure of each label
    yolov8      [1, 4 + C, N]   middle, size (pixels), how sure of each label (v8, 11, 12)
    yolox       [1, N, 5 + C]   as yolov5, with places and sizes still in cells of 8, 16 and 32 pixels
    rtdetr      [1, N, 4 + C], or two outputs [1, N, C] and [1, N, 4]: middle and size as parts of the picture
                (the second way's labels are logits); or three: labels, boxes, scores
    end-to-end  [1, N, 6]       corners (pixels), how sure, label (YOLOv10 and what removes doubles itself)
    nanodet     pairs [1, n, C] and [1, n, 4 * bins], one for each stride: distances to the four sides as distributions

Sources: the export code and papers of those projects (Ultralytics; Ge and others, YOLOX, 2021; Zhao and others, DETRs
Beat YOLOs on Real-time Object Detection, 2023; Wang and others, YOLOv10, 2024; Li and others, Generalized Focal Loss,
2020, for NanoDet's distributions).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...core.kinds import Size

Found = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Corners x0, y0, x1, y1 in pixels of the network's picture, float32 (n, 4); how sure (n,); label's number (n,)."""

STRIDES = ((8, 16, 32), (8, 16, 32, 64))


MOST_LABELS = 1500
"""More are no labels (the largest sets have some 1200)."""
MOST_GUESSED = 150
"""The same where nothing else tells a detector from a transformer's words for a picture (192 numbers or more)."""


def cells(size: Size, strides: Sequence[int]) -> np.ndarray:
    """Left, top and stride of every cell, row by row, one stride after the other: float32 (n, 3)."""
    made = []
    for stride in strides:
        across, down = -(-size[0] // stride), -(-size[1] // stride)
        y, x = np.mgrid[0:down, 0:across]
        made.append(np.stack([x.ravel() * stride, y.ravel() * stride, np.full(across * down, stride)], 1))
    return np.concatenate(made).astype(np.float32)


def strides_of(count: int, size: Size, each: int = 1) -> tuple[int, ...] | None:
    """The strides whose cells are `count`, `each` boxes a cell; None: it is no such network."""
    for strides in STRIDES:
        if each * sum(-(-size[0] // s) * -(-size[1] // s) for s in strides) == count:
            return strides
    return None


def yolov5(outputs: Sequence[np.ndarray], size: Size, least: float, options: dict[str, Any]) -> Found:
    rows = outputs[0].reshape(-1, outputs[0].shape[-1])
    rows = rows[rows[:, 4] >= least]
    return _best(_corners(rows[:, :4]), rows[:, 5:] * rows[:, 4:5], least)


def yolov8(outputs: Sequence[np.ndarray], size: Size, least: float, options: dict[str, Any]) -> Found:
    table = outputs[0][0]
    labels = table[4 : 4 + int(options.get("classes") or len(table) - 4)]  # masks or points may follow
    sure = labels.max(0)
    keep = sure >= least
    return _corners(table[:4, keep].T), sure[keep], labels[:, keep].argmax(0)


def yolox(outputs: Sequence[np.ndarray], size: Size, least: float, options: dict[str, Any]) -> Found:
    rows = outputs[0].reshape(-1, outputs[0].shape[-1])
    strides = strides_of(len(rows), size)
    if strides is None:
        raise ValueError(f"{len(rows)} cells are not those of a picture of {size[0]} x {size[1]}")
    at = cells(size, strides)
    keep = rows[:, 4] >= least
    rows, at = rows[keep], at[keep]
    middle = rows[:, :2] * at[:, 2:] + at[:, :2]
    extent = np.exp(np.clip(rows[:, 2:4], -20, 20)) * at[:, 2:]
    return _best(_corners(np.concatenate([middle, extent], 1)), rows[:, 5:] * rows[:, 4:5], least)


def rtdetr(outputs: Sequence[np.ndarray], size: Size, least: float, options: dict[str, Any]) -> Found:
    scale = np.array([*size, *size], np.float32)
    if len(outputs) == 3:  # decoded already, told of a picture of our size
        labels = next(o for o in outputs if o.dtype.kind in "iu").reshape(-1)
        boxes = next(o for o in outputs if o.shape[-1] == 4 and o.ndim == 3).reshape(-1, 4)
        sure = next(o for o in outputs if o.dtype.kind == "f" and o.ndim == 2).reshape(-1)
        keep = sure >= least
        return boxes[keep].astype(np.float32), sure[keep], labels[keep].astype(np.int64)
    if len(outputs) == 2:
        boxes, labels = sorted(outputs, key=lambda o: o.shape[-1] != 4)
        if outputs[0].shape[-1] == 4 and outputs[1].shape[-1] == 4:  # four labels: HF and upstream write logits first
            labels, boxes = outputs
        labels = 1 / (1 + np.exp(-np.clip(labels, -80, 80)))
    else:
        boxes, labels = outputs[0][..., :4], outputs[0][..., 4:]
    return _best(_corners(boxes.reshape(-1, 4) * scale), labels.reshape(-1, labels.shape[-1]), least)


def end_to_end(outputs: Sequence[np.ndarray], size: Size, least: float, options: dict[str, Any]) -> Found:
    rows = outputs[0].reshape(-1, 6)
    rows = rows[rows[:, 4] >= least]
    return rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int64)


def nanodet(outputs: Sequence[np.ndarray], size: Size, least: float, options: dict[str, Any]) -> Found:
    found: list[Found] = []
    by_count: dict[int, list[np.ndarray]] = {}
    for output in outputs:
        by_count.setdefault(output.shape[1], []).append(output[0])
    for stride in STRIDES[0]:
        at = cells(size, [stride])
        pair = by_count.get(len(at), [])
        if len(pair) != 2:
            raise ValueError(f"there is no pair of outputs for cells of {stride} pixels")
        classes = int(options.get("classes") or 0)
        labels, sides = sorted(pair, key=lambda p: p.shape[1] != classes) if classes else sorted(pair, key=_wide)
        keep = labels.max(1) >= least
        spread = sides[keep].reshape(-1, 4, sides.shape[1] // 4)
        spread = np.exp(spread - spread.max(2, keepdims=True))
        far = (spread / spread.sum(2, keepdims=True)) @ np.arange(spread.shape[2], dtype=np.float32) * stride
        middle = at[keep, :2] + stride / 2
        found.append(_best(np.concatenate([middle - far[:, :2], middle + far[:, 2:]], 1), labels[keep], least))
    boxes, sure, labels = (np.concatenate(part) for part in zip(*found, strict=True))
    return boxes, sure, labels


def _wide(pair: np.ndarray) -> bool:
    """Whether it is the distances: 4 x 8 (as NanoDet-Plus has them) or 4 x 11 bins."""
    return pair.shape[1] in (32, 44)


def _best(boxes: np.ndarray, labels: np.ndarray, least: float) -> Found:
    """Of each box the likeliest label, where it is likely enough."""
    if not len(boxes):
        return boxes.astype(np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64)
    sure = labels.max(1)
    keep = sure >= least
    return boxes[keep].astype(np.float32), sure[keep], labels[keep].argmax(1)


def _corners(middles: np.ndarray) -> np.ndarray:
    half = middles[:, 2:4] / 2
    return np.concatenate([middles[:, :2] - half, middles[:, :2] + half], 1)


LAYOUTS: dict[str, Callable[[Sequence[np.ndarray], Size, float, dict[str, Any]], Found]] = {
    "yolov5": yolov5,
    "yolov8": yolov8,
    "yolox": yolox,
    "rtdetr": rtdetr,
    "end-to-end": end_to_end,
    "nanodet": nanodet,
}


PREPARED: dict[str, dict[str, Any]] = {
    "yolox": {"bgr": True, "range": "0..255"},
    "rtdetr": {"fit": "stretch"},
}
"""How a family wants its pictures where its card does not say: options of the card."""


def layout_of(outputs: Sequence[Sequence[int] | None], size: Size) -> tuple[str, int] | None:
    """(layout, number of labels) of a network's outputs at that size of picture; None: not one that is known; "" as
    the layout: one of several, and the sides that are open will tell.

    outputs  their shapes in the file's order; -1 or None where it does not say
    """
    known = [list(shape) for shape in outputs if shape]
    if len(known) != len(outputs):
        return None
    threes = [s for s in known if len(s) == 3]
    if len(known) == 3 and sorted(map(len, known)) == [2, 2, 3] and threes[0][2] == 4:
        return "rtdetr", 0
    if len(threes) == len(known) == 6:
        grids = {-(-size[0] // s) * -(-size[1] // s) for s in STRIDES[0]}
        wide = [s[2] for s in threes if s[2] not in (32, 44)]
        if {s[1] for s in threes} == grids and len(wide) == 3 and len(set(wide)) == 1:
            return "nanodet", wide[0]
    if len(known) == 2 and len(threes) == 2 and sorted(s[2] == 4 for s in threes)[1]:
        labels = next((s[2] for s in threes if s[2] != 4), 4)
        return ("rtdetr", labels) if threes[0][1] == threes[1][1] and labels > 0 else None
    masks = next((s[1] for s in known if len(s) == 4), 0) if len(known) == 2 else 0
    if len(threes) != 1 or (len(known) > 1 and not masks):
        return None
    _, first, second = threes[0]
    if second < 0 < first - 4 - masks <= MOST_LABELS:
        return "yolov8", first - 4 - masks
    if first < 0 and 5 < second <= 5 + MOST_GUESSED:
        return "", 0
    if first > 4 and strides_of(second, size):
        return ("yolov8", first - 4 - masks) if first - 4 - masks > 0 else None
    if second > 5 and strides_of(first, size, each=3):
        return "yolov5", second - 5
    if second > 5 and strides_of(first, size):
        return "yolox", second - 5
    hundreds = 0 < first <= 1000 and first % 100 == 0  # they look for so many things: 300, mostly
    if hundreds and second == 6:
        return "end-to-end", 0
    if hundreds and 4 < second <= 4 + MOST_LABELS:
        return "rtdetr", second - 4
    return None
