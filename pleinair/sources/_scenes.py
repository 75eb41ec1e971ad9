"""The scenes of the synthetic source: what stands still is painted once, a picture costs a copy and a few shapes.

A scene is `make(size, seed) -> draw(number) -> writable uint8 RGB`, a function of these three and of nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..core.kinds import Size

Draw = Callable[[int], np.ndarray]

_SHIFT = 4
"""Shapes are drawn at sixteenths of a pixel: slow movement glides."""

_PIGMENTS = np.array(
    [(38, 52, 84), (52, 96, 120), (126, 160, 150), (222, 200, 150), (226, 150, 92), (190, 84, 72), (104, 52, 78)],
    np.float64,
)
"""Night blue to dusk red and back."""


def _ramp(places: np.ndarray) -> np.ndarray:
    """Colours along the pigments, places 0..1 periodic, as float RGB."""
    count = len(_PIGMENTS)
    at = places % 1 * count
    low = at.astype(int) % count
    part = (at % 1)[..., None]
    part = part * part * (3 - 2 * part)
    return _PIGMENTS[low] * (1 - part) + _PIGMENTS[(low + 1) % count] * part


def _circle(image: np.ndarray, x: float, y: float, radius: float, colour: tuple[int, int, int]) -> None:
    _ellipse(image, x, y, radius, radius, 0, colour)


def _ellipse(
    image: np.ndarray, x: float, y: float, wide: float, high: float, turn: float, colour: tuple[int, int, int]
) -> None:
    import cv2

    scale = 1 << _SHIFT
    cv2.ellipse(
        image,
        (round(x * scale), round(y * scale)),
        (max(1, round(wide * scale)), max(1, round(high * scale))),
        turn,
        0,
        360,
        colour,
        -1,
        cv2.LINE_AA,
        _SHIFT,
    )


def bars(size: Size, seed: int) -> Draw:
    """Seven dusk colours drift past one another in two layers, and a sun crosses them once in ten seconds (at 30/s)."""
    import cv2

    width, height = size
    x = np.arange(2 * width) / width
    near = _ramp(np.floor(x * 7) / 7 + 0.5 / 7)[None]
    far = _ramp(-x + 0.35)[None]
    light = np.linspace(1.12, 0.72, height)[:, None, None]
    layers = [np.clip(layer * light, 0, 255).astype(np.uint8) for layer in (near, far)]
    begin = seed * 37

    def draw(number: int) -> np.ndarray:
        left = (number + begin) % width, (2 * (number + begin)) % width
        image = cv2.addWeighted(
            layers[0][:, left[0] : left[0] + width], 0.625, layers[1][:, left[1] : left[1] + width], 0.375, 0
        )
        turn = math.tau * ((number + begin) % 300) / 300
        radius = min(size) / 9
        _circle(
            image,
            width * (0.5 - 0.36 * math.cos(turn)),
            height * (0.5 - 0.3 * math.sin(turn)),
            radius,
            (250, 238, 214),
        )
        return image

    return draw


def noise(size: Size, seed: int) -> Draw:
    """Every pixel is chance: the worst that a codec can meet. A window into one larger sheet jumps about."""
    width, height = size
    rng = np.random.Generator(np.random.PCG64(seed & (2**64 - 1)))
    reach = 61
    sheet = rng.integers(0, 256, (height + reach, width + reach, 3), np.uint8)

    def draw(number: int) -> np.ndarray:
        jump = (number * 2654435761 + 97) & 0xFFFFFFFF  # Knuth's multiplicative hash
        top, left = (jump >> 8) % reach, (jump >> 20) % reach
        return sheet[top : top + height, left : left + width].copy()

    return draw


def room(size: Size, seed: int) -> Draw:
    """A room with a window, and someone who walks up and down in it: something for a model to look at."""
    width, height = size
    still = _empty_room(width, height)
    begin = seed * 53

    def draw(number: int) -> np.ndarray:
        image = still.copy()
        phase = math.tau * ((number + begin) % 240) / 240
        step = math.tau * ((number + begin) % 30) / 30
        x = width * (0.5 + 0.3 * math.sin(phase))
        unit = height / 12
        ground = height * 0.86
        hip = ground - 3.1 * unit + 0.12 * unit * math.cos(2 * step)
        shoulder = hip - 2.5 * unit
        coat, trousers, skin, hair = (52, 86, 110), (44, 42, 52), (224, 178, 148), (60, 40, 34)
        _ellipse(image, x, ground + 0.1 * unit, 1.7 * unit, 0.3 * unit, 0, (84, 62, 52))
        for side in (-1, 1):
            swing = side * math.sin(step)
            _limb(image, (x, hip), (x + 0.95 * unit * swing, ground), 0.625 * unit, trousers)
            elbow = (x + side * 0.35 * unit - 0.7 * unit * swing, shoulder + 1.4 * unit)
            _limb(image, (x, shoulder + 0.2 * unit), elbow, 0.5 * unit, coat)
            _limb(image, elbow, (elbow[0] - 0.3 * unit * swing, elbow[1] + unit), 0.34 * unit, skin)
        _ellipse(image, x, (shoulder + hip) / 2, 0.95 * unit, 1.6 * unit, 0, (66, 108, 134))
        head = shoulder - 1.05 * unit
        _ellipse(image, x, head - 0.12 * unit, 0.78 * unit, 0.95 * unit, 0, hair)
        _ellipse(image, x, head + 0.1 * unit, 0.66 * unit, 0.8 * unit, 0, skin)
        for side in (-1, 1):
            _circle(image, x + side * 0.26 * unit, head + 0.02 * unit, 0.08 * unit, (40, 32, 32))
        _ellipse(image, x, head + 0.5 * unit, 0.2 * unit, 0.06 * unit, 0, (164, 84, 76))
        return image

    return draw


def _limb(
    image: np.ndarray, a: tuple[float, float], b: tuple[float, float], thick: float, colour: tuple[int, int, int]
) -> None:
    import cv2

    scale = 1 << _SHIFT
    p, q = ((round(v[0] * scale), round(v[1] * scale)) for v in (a, b))
    cv2.line(image, p, q, colour, max(1, round(thick)), cv2.LINE_AA, _SHIFT)


def _empty_room(width: int, height: int) -> np.ndarray:
    import cv2

    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    u, v = x / width, y / height
    lit = 1.1 - 0.55 * np.hypot(u - 0.26, (v - 0.3) * 0.8)[..., None]
    image = np.array([196, 178, 150]) * lit
    floor = v > 0.72
    depth = (v - 0.72) / 0.28
    boards = np.floor((u - 0.5) / (0.05 + 0.09 * np.clip(depth, 0, 1)) + 100) % 2
    planks = np.array([136, 92, 64]) * (0.82 + 0.1 * boards + 0.22 * np.clip(depth, 0, 1))[..., None]
    image[floor] = planks[floor]
    image = np.clip(image, 0, 255).astype(np.uint8)

    def box(left: float, top: float, right: float, bottom: float, colour: tuple[int, int, int]) -> None:
        corners = (round(left * width), round(top * height)), (round(right * width), round(bottom * height))
        cv2.rectangle(image, *corners, colour, -1)

    box(0.1, 0.1, 0.42, 0.52, (238, 232, 220))
    for row in range(round(0.125 * height), round(0.495 * height)):
        part = (row / height - 0.125) / 0.37
        sky = tuple(round(a * (1 - part) + b * part) for a, b in zip((120, 168, 214), (250, 220, 186), strict=True))
        image[row, round(0.115 * width) : round(0.405 * width)] = sky
    box(0.255, 0.12, 0.265, 0.5, (238, 232, 220))
    box(0.11, 0.3, 0.41, 0.312, (238, 232, 220))
    box(0.625, 0.16, 0.8, 0.42, (86, 58, 44))
    box(0.635, 0.18, 0.785, 0.4, (206, 120, 74))
    _circle(image, 0.71 * width, 0.29 * height, 0.055 * height, (244, 214, 150))
    box(0.0, 0.71, 1.0, 0.725, (232, 222, 204))
    box(0.87, 0.5, 0.95, 0.72, (120, 84, 62))
    _ellipse(image, 0.91 * width, 0.44 * height, 0.07 * width, 0.1 * height, 0, (70, 104, 72))
    return image


SCENES: dict[str, Callable[[Size, int], Draw]] = {"bars": bars, "room": room, "noise": noise}
