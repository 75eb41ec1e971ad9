"""What may be given where a picture, a mask, a number, a colour or a place is expected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

COLOURS = {
    "black": (0, 0, 0), "white": (255, 255, 255), "grey": (128, 128, 128), "red": (214, 52, 46), "green": (64, 148, 82),
    "blue": (44, 88, 178), "yellow": (248, 206, 70), "orange": (240, 138, 56), "pink": (240, 152, 170),
    "brown": (112, 76, 54), "paper": (246, 240, 228), "ink": (28, 30, 38),
}  # fmt: skip

Colour = Any
Place = Any


def picture(x: Any) -> np.ndarray:
    """A picture out of numbers 0..1 (float; beyond is clipped, NaN is black) or 0..255 (uint8): h x w x 3, or h x w for
    grey; channels first (3 x h x w), as networks have them, is turned round."""
    x = np.asarray(x)
    if x.ndim == 4 and x.shape[0] == 1:
        x = x[0]
    if x.ndim == 3 and x.shape[0] == 3 and x.shape[2] != 3:
        x = x.transpose(1, 2, 0)
    if x.ndim == 3 and x.shape[2] == 1:
        x = x[..., 0]
    if x.ndim not in (2, 3) or (x.ndim == 3 and x.shape[2] != 3) or 0 in x.shape:
        raise ValueError(
            f"a picture is height x width x 3, and this is {' x '.join(map(str, x.shape)) or 'one number'}"
        )
    if x.dtype.kind in "fb":
        x = np.rint(np.clip(np.nan_to_num(x.astype(np.float32), nan=0.0), 0, 1) * 255).astype(np.uint8)
    elif x.dtype != np.uint8:
        raise ValueError(f"a picture is uint8 0..255 or float 0..1, and this is {x.dtype}")
    if x.ndim == 2:
        import cv2

        return cv2.cvtColor(np.ascontiguousarray(x), cv2.COLOR_GRAY2RGB)
    return np.ascontiguousarray(x)


def as_picture(x: Any) -> np.ndarray:
    """uint8 (height, width, 3) of a picture or of a mask (its grey). ValueError for anything else."""
    if isinstance(x, np.ndarray) and 0 not in x.shape:
        if x.dtype == np.uint8 and x.ndim == 3 and x.shape[2] == 3:
            return x
        if x.ndim == 2 and x.dtype.kind in "fb":
            return picture(x)
    what = f"{x.dtype} of shape {x.shape}" if isinstance(x, np.ndarray) else f"a {type(x).__name__}"
    raise ValueError(f"a picture is uint8, height x width x 3, and this is {what}: picture(x) turns 0..1 into one")


def as_pair(a: Any, b: Any) -> tuple[np.ndarray, np.ndarray]:
    """Two pictures of the first one's size; the second may be a colour."""
    a = as_picture(a)
    if not isinstance(b, np.ndarray):
        return a, filled(a.shape, colour_of(b))
    return a, as_large(as_picture(b), a)


def filled(shape: tuple[int, ...], colour: tuple[int, int, int]) -> np.ndarray:
    """A picture of one colour (red, green, blue)."""
    import cv2

    out = np.empty(shape, np.uint8)
    cv2.rectangle(out, (0, 0), (shape[1], shape[0]), colour, -1)  # five times as quick as numpy's three-way fill
    return out


def as_large(x: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Brought to the width and height of `like`."""
    import cv2

    height, width = like.shape[:2]
    if x.shape[:2] == (height, width):
        return x
    shrinks = width <= x.shape[1] and height <= x.shape[0]
    return cv2.resize(x, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def as_number(value: Any, name: str, low: float = 0.0, high: float = 1.0) -> float:
    """A number, held within low..high. ValueError where it is none."""
    try:
        value = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is a number, and this is a {type(value).__name__}") from None
    if math.isnan(value):
        raise ValueError(f"{name} is NaN")
    return min(max(value, low), high)


def as_weight(value: Any, name: str = "amount", high: float = 1.0) -> float:
    """Rounded to 1/1024: times 0..255 it is exact in float32, so that no machine rounds it otherwise."""
    return round(as_number(value, name, 0.0, high) * 1024) / 1024


def as_levels(m: np.ndarray, like: np.ndarray) -> np.ndarray:
    """A mask as uint8 0..255, of the size of `like`, three channels."""
    import cv2

    if m.ndim == 3 and m.shape[2] == 1:
        m = m[..., 0]
    if m.ndim != 2 or m.dtype.kind not in "fbu" or 0 in m.shape or (m.dtype.kind == "u" and m.dtype != np.uint8):
        raise ValueError(f"an amount is a number or a mask (float, height x width), and this is {m.dtype} of {m.shape}")
    if m.dtype != np.uint8:
        m = m.astype(np.float32, copy=False)
        m = cv2.addWeighted(m, 255.0, m, 0.0, 0.0, dtype=cv2.CV_8U)  # saturates, and NaN becomes 0
    return cv2.cvtColor(as_large(m, like), cv2.COLOR_GRAY2RGB)


def colour_of(value: Colour) -> tuple[int, int, int]:
    """(r, g, b) of what an artist may call a colour; ValueError."""
    if isinstance(value, str):
        if value.lower() in COLOURS:
            return COLOURS[value.lower()]
        digits = value.removeprefix("#")
        if len(digits) == 3:
            digits = "".join(2 * d for d in digits)
        try:
            if len(digits) == 6:
                return tuple(bytes.fromhex(digits))  # type: ignore[return-value]
        except ValueError:
            pass
        raise ValueError(f'"{value}" is no colour: (r, g, b), "#ff8800", or one of {", ".join(COLOURS)}')
    values = list(value) if isinstance(value, (Sequence, np.ndarray)) else [value] * 3
    if len(values) != 3:
        raise ValueError(f"a colour has three parts, and this has {len(values)}")
    return tuple(round(as_number(v, "a colour's part", 0, 255)) for v in values)  # type: ignore[return-value]


def as_place(at: Place) -> tuple[float, float]:
    """x and y; far outside is brought near, since a drawing library counts in small integers."""
    x, y = (at.x, at.y) if hasattr(at, "x") else at
    return as_number(x, "a place (its x)", -8, 8), as_number(y, "a place (its y)", -8, 8)


SHIFT = 4


def to_pixels(at: Place, image: np.ndarray) -> tuple[int, int]:
    """In sixteenths of a pixel, so that what moves slowly glides."""
    x, y = as_place(at)
    return round((x * image.shape[1] - 0.5) * (1 << SHIFT)), round((y * image.shape[0] - 0.5) * (1 << SHIFT))
