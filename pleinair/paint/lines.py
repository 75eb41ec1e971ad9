"""Lines that a model found, and where things move: segments, arrows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .given import SHIFT, Colour, as_number, as_picture, as_place, colour_of, to_pixels

HEAD = 0.35
"""An arrow's head, as a part of its length."""


def segments(image: Any, lines: Any, colour: Colour = "white", width: float = 0.005) -> np.ndarray:
    """Draws each line from its start to its end; `width` is a part of the height, one pixel at least.

    `lines` is what a model of the task lines gives, or any row of pairs of places: [((0, 0), (1, 1))].
    """
    import cv2

    image, colour = as_picture(image), colour_of(colour)
    out = image.copy()
    strokes = [np.array([to_pixels(a, image), to_pixels(b, image)], np.int32) for a, b in map(_ends, lines)]
    if strokes:
        cv2.polylines(out, strokes, False, colour, _thick(width, image), cv2.LINE_AA, SHIFT)
    return out


def arrows(image: Any, flow: Any, colour: Colour = "white", width: float = 0.005, reach: float = 10.0) -> np.ndarray:
    """Draws an arrow wherever something moves, to where it will be in `reach` pictures.

    `flow` is what a model of the task flow gives (its coarse field is drawn); lines as for `segments` become arrows
    from start to end. Arrows shorter than a hundredth of the height are left out.
    """
    import cv2

    image, colour = as_picture(image), colour_of(colour)
    out = image.copy()
    height, across = image.shape[:2]
    strokes = []
    for a, b in _steps(flow, as_number(reach, "reach", 0, 1000)):
        (x0, y0), (x1, y1) = as_place(a), as_place(b)
        wide, high = (x1 - x0) * across, (y1 - y0) * height
        if math.hypot(wide, high) < 0.01 * height:
            continue
        left, right = _turned(wide, high, 2.6), _turned(wide, high, -2.6)
        for dx, dy in (left, right):
            strokes.append(_pixels([(x1, y1), (x1 + dx / across, y1 + dy / height)], image))
        strokes.append(_pixels([(x0, y0), (x1, y1)], image))
    if strokes:
        cv2.polylines(out, strokes, False, colour, _thick(width, image), cv2.LINE_AA, SHIFT)
    return out


def _ends(line: Any) -> tuple[Any, Any]:
    if hasattr(line, "start") and hasattr(line, "end"):
        return line.start, line.end
    try:
        a, b = line
    except (TypeError, ValueError):
        raise ValueError(f"a line has a start and an end, and this is {line!r:.60}") from None
    return a, b


def _steps(flow: Any, reach: float) -> Iterable[tuple[Any, Any]]:
    """From where to where."""
    flow = flow if isinstance(flow, (list, tuple)) else [flow]
    first = flow[0] if len(flow) else None
    if not hasattr(first, "field"):
        yield from map(_ends, flow)
        return
    field = np.asarray(first.field, np.float64).reshape(first.rows, first.columns, 2)
    for row in range(first.rows):
        for column in range(first.columns):
            x, y = (column + 0.5) / first.columns, (row + 0.5) / first.rows
            dx, dy = field[row, column] * reach
            yield (x, y), (x + dx, y + dy)


def _turned(wide: float, high: float, angle: float) -> tuple[float, float]:
    c, s = math.cos(angle) * HEAD, math.sin(angle) * HEAD
    return wide * c - high * s, wide * s + high * c


def _pixels(places: list[tuple[float, float]], image: np.ndarray) -> np.ndarray:
    return np.array([to_pixels(place, image) for place in places], np.int32)


def _thick(width: float, image: np.ndarray) -> int:
    return max(1, min(32_000, round(as_number(width, "width", 0, 1) * image.shape[0])))
