"""Light and colour of one picture."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .given import as_large, as_number, as_picture, as_weight, picture
from .mixing import screen


def grade(
    image: Any, brightness: float = 0.0, contrast: float = 1.0, saturation: float = 1.0, warmth: float = 0.0
) -> np.ndarray:
    """brightness -1..1, contrast and saturation 0..4 (1: as it is), warmth -1 (blue) .. 1 (amber).

    One 3 x 4 matrix over RGB, luma weights of BT.709.
    """
    import cv2

    image = as_picture(image)
    brightness = as_number(brightness, "brightness", -1, 1)
    contrast, saturation = as_number(contrast, "contrast", 0, 4), as_number(saturation, "saturation", 0, 4)
    warmth = as_number(warmth, "warmth", -1, 1)
    luma = np.array([0.2126, 0.7152, 0.0722])
    matrix = saturation * np.eye(3) + (1 - saturation) * luma
    matrix = np.diag([1 + 0.18 * warmth, 1 + 0.02 * warmth, 1 - 0.18 * warmth]) @ matrix * contrast
    offset = np.full(3, 127.5 * (1 - contrast) + 255 * brightness)
    return cv2.transform(image, np.c_[matrix, offset])


def light(image: Any, exposure: float = 1.0, glow: float = 0.0, radius: float = 0.04) -> np.ndarray:
    """exposure 0..4 (1: as it is) opens the aperture; glow 0..1 lets what is bright shine over its edges."""
    import cv2

    image = as_picture(image)
    exposure, glow = as_weight(exposure, "exposure", 4.0), as_weight(glow, "glow")
    out = cv2.addWeighted(image, exposure, image, 0, 0)
    if glow:
        # What is above two thirds, spread out at a quarter of the size.
        small = _shrunk(out, 4)
        bright = cv2.addWeighted(small, 3, small, 0, -510)
        halo = as_large(blur(bright, radius), out)
        out = screen(out, cv2.addWeighted(halo, glow, halo, 0, 0))
    return out


def _shrunk(image: np.ndarray, by: int) -> np.ndarray:
    import cv2

    height, width = image.shape[:2]
    return cv2.resize(image, (max(1, width // by), max(1, height // by)), interpolation=cv2.INTER_AREA)


def blur(image: Any, radius: float = 0.02) -> np.ndarray:
    """Softened over `radius` (part of the height): three boxes one after the other, which is close to a Gaussian."""
    import cv2

    image = as_picture(image)
    pixels = round(as_number(radius, "radius", 0, 1) * image.shape[0])
    if pixels < 1:
        return image.copy()
    for _ in range(3):
        image = cv2.blur(image, (2 * (pixels // 2) + 1,) * 2, borderType=cv2.BORDER_REPLICATE)
    return image


def grey(image: Any) -> np.ndarray:
    """Without colour, still a picture of three channels."""
    import cv2

    return cv2.cvtColor(cv2.cvtColor(as_picture(image), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def invert(image: Any) -> np.ndarray:
    """The negative."""
    import cv2

    return cv2.bitwise_not(as_picture(image))


def vignette(image: Any, amount: float = 0.5) -> np.ndarray:
    """Darker towards the corners."""
    import cv2

    image = as_picture(image)
    return cv2.multiply(image, _vignette(image.shape[1], image.shape[0], as_weight(amount)), scale=1 / 255)


@lru_cache(maxsize=4)
def _vignette(width: int, height: int, amount: float) -> np.ndarray:
    x, y = (np.arange(width) + 0.5) / width * 2 - 1, (np.arange(height) + 0.5) / height * 2 - 1
    far = np.clip((x[None] ** 2 + y[:, None] ** 2) / 2, 0, 1).astype(np.float32)
    return picture(1 - amount * far * far * (3 - 2 * far))


def grain(image: Any, rng: np.random.Generator, amount: float = 0.06) -> np.ndarray:
    """Film grain: the same chance added to the three channels. `rng` is the node's own (the reserved parameter)."""
    import cv2

    image = as_picture(image)
    weight = as_weight(amount)
    chance = np.frombuffer(rng.bytes(image.shape[0] * image.shape[1]), np.uint8).reshape(image.shape[:2])
    return cv2.addWeighted(image, 1, cv2.cvtColor(chance, cv2.COLOR_GRAY2RGB), weight, -128 * weight)
