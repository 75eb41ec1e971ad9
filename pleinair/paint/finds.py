"""What a model found, framed and named: boxes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.kinds import Box, Boxes
from .given import SHIFT, Colour, as_number, as_picture, colour_of
from .words import _width, _write

SHOWN = ("label", "confidence", "number")


def boxes(
    image: Any,
    boxes: Any,
    colour: Colour = "#ffb454",
    width: float = 0.005,
    show: str = "label",
    size: float = 0.04,
) -> np.ndarray:
    """A frame around each thing, with a small tab that names it; the surest lies on top.

    boxes   Boxes, or one Box: what a model of the task objects gives
    width   of the lines, as a part of the picture's height, one pixel at least
    show    what the tabs say: any of "label", "confidence" and "number", with spaces between; "": no tabs
    size    height of a tab's line of text, as a part of the picture's height
    """
    import cv2

    out, colour = as_picture(image).copy(), colour_of(colour)
    height, across = out.shape[:2]
    thick = max(1, min(1000, round(as_number(width, "width", 0, 1) * height)))
    pixels = max(1, round(as_number(size, "size", 0, 1) * height / 1.3))
    words = show.split()
    if any(word not in SHOWN for word in words):
        raise ValueError(f'show knows {", ".join(SHOWN)}, and not "{show}"')
    ink = (28, 30, 38) if 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] > 110 else (246, 240, 228)
    for box in reversed(Boxes.check(boxes)):
        x0, y0, x1, y1 = _corners(box, across, height, thick)
        one = 1 << SHIFT
        cv2.rectangle(out, (round(x0 * one), round(y0 * one)), (round(x1 * one), round(y1 * one)), colour, thick,
                      cv2.LINE_AA, SHIFT)  # fmt: skip
        said = _said(box, words)
        if said and pixels >= 6:
            _tab(out, said, (x0 - thick / 2, y0 - thick / 2), colour, ink, pixels)
    return out


def _corners(box: Box, width: int, height: int, thick: int) -> tuple[float, float, float, float]:
    """In pixels, the whole frame inside the picture; what lies far outside is brought near."""
    inset = thick / 2
    xs = [min(max(x, -1.0), 2.0) * width - 0.5 for x in (box.x, box.x + box.w)]
    ys = [min(max(y, -1.0), 2.0) * height - 0.5 for y in (box.y, box.y + box.h)]
    low, high = (min(max(v, inset - 0.5), width - 0.5 - inset) for v in xs)
    top, foot = (min(max(v, inset - 0.5), height - 0.5 - inset) for v in ys)
    return low, top, max(low, high), max(top, foot)


def _said(box: Box, words: list[str]) -> str:
    parts = {"label": box.label, "confidence": f"{box.confidence:.2f}", "number": str(box.number) if box.number else ""}
    return " ".join(parts[word] for word in words if parts[word])


def _tab(
    out: np.ndarray, said: str, corner: tuple[float, float], colour: tuple[int, ...], ink: tuple[int, ...], pixels: int
) -> None:
    """A little shield that stands on the frame's corner, or hangs in it where there is no room above."""
    import cv2

    weight, tall = 500, round(pixels * 1.45)
    while said and _width(said, pixels, weight, False) + pixels > out.shape[1]:
        said = said[:-1]
    wide = _width(said, pixels, weight, False) + round(pixels * 0.8)
    left = max(0, min(math.ceil(corner[0] + 0.5), out.shape[1] - wide))
    top = math.ceil(corner[1] + 0.5) - tall
    top = top if top >= 0 else max(0, math.ceil(corner[1] + 0.5))
    cv2.rectangle(out, (left, top), (left + wide - 1, top + tall - 1), colour, -1)
    _write(out, said, (left + round(pixels * 0.4), top + round(pixels * 1.07)), ink, pixels, weight, False)  # type: ignore[arg-type]
