"""A picture at the size that a network works at."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.kinds import Image, Size


def fitted(image: Any, size: Size | None) -> np.ndarray:
    """A picture at another size, C-contiguous: area average where it shrinks, bilinear where it grows."""
    image = checked(image)
    height, width = image.shape[:2]
    if size is None or (width, height) == size:
        return image if image.flags.c_contiguous else np.ascontiguousarray(image)
    import cv2

    shrinks = width >= size[0] and height >= size[1]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def checked(image: Any) -> np.ndarray:
    """uint8 (height, width, 3), as it is; ValueError, a sentence, for anything else."""
    is_array = isinstance(image, np.ndarray) and image.dtype == np.uint8
    if is_array and image.ndim == 3 and image.shape[2] == 3 and image.size:
        return image
    return Image.check(image)  # says what is wrong with it
