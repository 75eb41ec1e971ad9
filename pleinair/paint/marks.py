"""Marks: stamp, line, circle."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .given import SHIFT, Colour, Place, as_number, as_picture, as_place, colour_of, to_pixels


def stamp(m: Any, point: Place, strength: float = 1.0, radius: float = 0.1) -> np.ndarray:
    """A mask with a soft round touch of the brush at `point`: more where there was little, never above 1.

    strength 0..1 (a confidence, say); radius is where the touch ends, as a part of the height, so that it is round.
    """
    m = np.array(m, np.float32)  # a copy: what was given stays
    if m.ndim != 2 or 0 in m.shape:
        raise ValueError(f"stamp needs a mask (float, height x width), and this has the shape {m.shape}")
    height, width = m.shape
    x, y = as_place(point)
    weight = np.float32(as_number(strength, "strength"))
    reach = max(1.0, as_number(radius, "radius", 0, 4) * height)
    cx, cy = x * width - 0.5, y * height - 0.5
    x0, x1 = max(0, math.ceil(cx - reach)), min(width, math.floor(cx + reach) + 1)
    y0, y1 = max(0, math.ceil(cy - reach)), min(height, math.floor(cy + reach) + 1)
    if x0 >= x1 or y0 >= y1 or not weight:
        return m
    dx = ((np.arange(x0, x1) - cx) / reach).astype(np.float32)
    dy = ((np.arange(y0, y1) - cy) / reach).astype(np.float32)
    near = np.maximum(np.float32(1) - dx[None] * dx[None] - (dy * dy)[:, None], np.float32(0))
    part = m[y0:y1, x0:x1]
    part += (1 - part) * (near * near * weight)
    return m


def line(image: Any, a: Place, b: Place, colour: Colour = "white", width: float = 0.005) -> np.ndarray:
    """A line from `a` to `b`; `width` is a part of the height, one pixel at least."""
    import cv2

    image, colour = as_picture(image), colour_of(colour)
    out = image.copy()
    thick = max(1, min(32_000, round(as_number(width, "width", 0, 1) * image.shape[0])))
    cv2.line(out, to_pixels(a, image), to_pixels(b, image), colour, thick, cv2.LINE_AA, SHIFT)
    return out


def circle(image: Any, at: Place, radius: float = 0.1, colour: Colour = "white", width: float = 0.0) -> np.ndarray:
    """A disc, or with a `width` a ring; lengths are parts of the height."""
    import cv2

    image, colour = as_picture(image), colour_of(colour)
    out = image.copy()
    height = image.shape[0]
    thick = max(1, min(32_000, round(as_number(width, "width", 0, 1) * height))) if width else -1
    reach = round(as_number(radius, "radius", 0, 4) * height * (1 << SHIFT))
    cv2.circle(out, to_pixels(at, image), reach, colour, thick, cv2.LINE_AA, SHIFT)
    return out
