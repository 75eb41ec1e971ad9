"""Two pictures become one."""

from __future__ import annotations

from typing import Any

import numpy as np

from .given import as_levels, as_pair, as_picture, as_weight


def blend(a: Any, b: Any, amount: Any = 0.5) -> np.ndarray:
    """From `a` (amount 0) to `b` (amount 1); with a mask, by place."""
    import cv2

    a, b = as_pair(a, b)
    if isinstance(amount, np.ndarray) and amount.ndim >= 2:
        levels = as_levels(amount, a)
        # Two products that are rounded apart give back x where a = b = x: their fractions add up to 1, and never tie.
        return cv2.add(cv2.multiply(b, levels, scale=1 / 255), cv2.multiply(a, cv2.bitwise_not(levels), scale=1 / 255))
    weight = as_weight(amount)
    return cv2.addWeighted(a, 1 - weight, b, weight, 0)


def over(base: Any, top: Any, m: Any = 1.0) -> np.ndarray:
    """`top` laid over `base` where the mask says so; the same as blend(base, top, mask), in the order of a collage."""
    return blend(base, top, m)


def mask(image: Any, m: Any) -> np.ndarray:
    """The picture where the mask is 1, black where it is 0."""
    import cv2

    image = as_picture(image)
    if isinstance(m, np.ndarray) and m.ndim >= 2:
        return cv2.multiply(image, as_levels(m, image), scale=1 / 255)
    return cv2.addWeighted(image, as_weight(m), image, 0, 0)


def add(a: Any, b: Any, amount: float = 1.0) -> np.ndarray:
    """Light upon light: a + b, white at most. `b` of all of these may be a colour."""
    import cv2

    a, b = as_pair(a, b)
    return cv2.add(a, b) if amount == 1 else cv2.addWeighted(a, 1, b, as_weight(amount), 0)


def subtract(a: Any, b: Any, amount: float = 1.0) -> np.ndarray:
    """a - b, black at least (bare `a - b` of pictures wraps round to white)."""
    import cv2

    a, b = as_pair(a, b)
    return cv2.subtract(a, b) if amount == 1 else cv2.addWeighted(a, 1, b, -as_weight(amount), 0)


def multiply(a: Any, b: Any, amount: float = 1.0) -> np.ndarray:
    """Two slides in one projector: a x b, never lighter than either."""
    import cv2

    a, b = as_pair(a, b)
    return _part(a, cv2.multiply(a, b, scale=1 / 255), amount)


def screen(a: Any, b: Any, amount: float = 1.0) -> np.ndarray:
    """Two projectors on one wall: never darker than either."""
    import cv2

    a, b = as_pair(a, b)
    dark = cv2.multiply(cv2.bitwise_not(a), cv2.bitwise_not(b), scale=1 / 255)
    return _part(a, cv2.bitwise_not(dark), amount)


def difference(a: Any, b: Any, amount: float = 1.0) -> np.ndarray:
    """How far they are apart: |a - b|."""
    import cv2

    a, b = as_pair(a, b)
    return _part(a, cv2.absdiff(a, b), amount)


def lighten(a: Any, b: Any, amount: float = 1.0) -> np.ndarray:
    """The lighter of the two, channel by channel."""
    import cv2

    a, b = as_pair(a, b)
    return _part(a, cv2.max(a, b), amount)


def darken(a: Any, b: Any, amount: float = 1.0) -> np.ndarray:
    """The darker of the two, channel by channel."""
    import cv2

    a, b = as_pair(a, b)
    return _part(a, cv2.min(a, b), amount)


def _part(a: np.ndarray, result: np.ndarray, amount: Any) -> np.ndarray:
    return result if isinstance(amount, (int, float)) and amount == 1 else blend(a, result, amount)
