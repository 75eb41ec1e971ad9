"""A person who was drawn, for comparing backends: a network that looks for people says nothing sure of a pattern."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.kinds import Size
from ..testcard import picture

_SKIN, _SHIRT, _TROUSERS, _HAIR, _DARK = (214, 170, 140), (60, 80, 160), (40, 44, 60), (60, 40, 26), (26, 26, 28)
_LIMBS = (
    (_TROUSERS, 15, (11, 96), (14, 138)), (_TROUSERS, 12, (14, 138), (15, 178)),
    (_SHIRT, 11, (22, 52), (34, 78)), (_SKIN, 8, (34, 78), (36, 102)), (_SKIN, 12, (0, 36), (0, 48)),
)  # fmt: skip
"""Colour, width, from and to, in 192nds of the picture's height, to the right of its middle; the left is the mirror."""


def person(size: Size) -> np.ndarray:
    """Somebody standing, arms down, seen from the front: uint8 RGB, height x width x 3."""
    import cv2

    width, height = size
    image = cv2.GaussianBlur(picture(size, 0), (0, 0), max(1, height / 48))
    unit, smooth = height / 192, cv2.LINE_AA

    def at(x: float, y: float) -> tuple[int, int]:
        return round(width / 2 + x * unit), round(y * unit)

    def long(length: float) -> int:
        return max(1, round(length * unit))

    for colour, wide, a, b in _LIMBS:
        for side in (1, -1):
            cv2.line(image, at(side * a[0], a[1]), at(side * b[0], b[1]), colour, long(wide), smooth)
    corners: Any = np.array([at(-24, 48), at(24, 48), at(17, 102), at(-17, 102)])
    cv2.fillPoly(image, [corners], _SHIRT, smooth)
    cv2.ellipse(image, at(0, 26), (long(12), long(16)), 0, 0, 360, _SKIN, -1, smooth)
    cv2.ellipse(image, at(0, 19), (long(13), long(12)), 0, 180, 360, _HAIR, -1, smooth)
    for side in (1, -1):
        cv2.circle(image, at(side * 5, 25), long(1.8), _DARK, -1, smooth)
        cv2.circle(image, at(side * 16, 182), long(7), _DARK, -1, smooth)
    cv2.line(image, at(0, 26), at(0, 31), (170, 120, 100), long(2), smooth)
    cv2.line(image, at(-4, 36), at(4, 36), (150, 60, 60), long(2), smooth)
    return image
