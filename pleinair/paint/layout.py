"""Size and place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.codec import check_size, cover
from .given import as_large, as_number, as_picture


def resize(image: Any, size: tuple[int, int]) -> np.ndarray:
    """Stretched to (width, height) in pixels. A mask stays a mask."""
    return fit(image, size, "stretch")


def fit(image: Any, size: tuple[int, int], how: str = "cover") -> np.ndarray:
    """To (width, height): "cover" cuts off what hangs over, "contain" leaves black bars, "stretch" squashes."""
    x = image if isinstance(image, np.ndarray) and image.ndim == 2 else as_picture(image)
    width, height = (int(side) for side in size)
    check_size(width, height)
    if how == "cover":
        return cover(x, (width, height))
    if how == "stretch":
        return as_large(x, np.empty((height, width), np.bool_))
    if how != "contain":
        raise ValueError(f'fit knows "cover", "contain" and "stretch", and not "{how}"')
    scale = min(width / x.shape[1], height / x.shape[0])
    inner = max(1, min(width, round(x.shape[1] * scale))), max(1, min(height, round(x.shape[0] * scale)))
    out = np.zeros((height, width, *x.shape[2:]), x.dtype)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    out[top : top + inner[1], left : left + inner[0]] = as_large(x, np.empty((inner[1], inner[0]), np.bool_))
    return out


def crop(image: Any, left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """The part between these places (0..1), at least one pixel."""
    x = image if isinstance(image, np.ndarray) and image.ndim == 2 else as_picture(image)
    height, width = x.shape[:2]
    x0, x1 = (round(as_number(v, "a side", 0, 1) * width) for v in (left, right))
    y0, y1 = (round(as_number(v, "a side", 0, 1) * height) for v in (top, bottom))
    x0, y0 = min(x0, width - 1), min(y0, height - 1)
    return x[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)].copy()


def flip(image: Any, how: str = "across") -> np.ndarray:
    """ "across" as a mirror does, "down" as water does, "both". A mask stays a mask."""
    import cv2

    x = image if isinstance(image, np.ndarray) and image.ndim == 2 else as_picture(image)
    try:
        return cv2.flip(x, {"across": 1, "down": 0, "both": -1}[how])
    except KeyError:
        raise ValueError(f'flip knows "across", "down" and "both", and not "{how}"') from None


def tile(images: Sequence[Any], columns: int | None = None) -> np.ndarray:
    """Pictures side by side in rows, each of the first one's size; `columns` None: as square as it goes."""
    if not len(images):
        raise ValueError("tile needs at least one picture")
    first = as_picture(images[0])
    height, width = first.shape[:2]
    columns = max(1, int(columns or math.ceil(math.sqrt(len(images)))))
    rows = math.ceil(len(images) / columns)
    check_size(columns * width, rows * height)
    out = np.zeros((rows * height, columns * width, 3), np.uint8)
    for n, image in enumerate(images):
        top, left = n // columns * height, n % columns * width
        out[top : top + height, left : left + width] = as_large(as_picture(image), first)
    return out
